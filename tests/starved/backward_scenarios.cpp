#include <ios>

#include "tests/starved/scenarios.hpp"

namespace reel::testing {

namespace {

/// A small network on a tape. 0, 1: weights [4, 3] and [3, 2], 2: a bias [3], 3: input [5, 4], 4: the hidden
/// layer, which retains its gradient, 5: a view of it, 6: the loss. Weight 0 has a gradient already.
World network() {
    manual_seed(3);
    World w;
    w.x = {rand({4, 3}).set_requires_grad(), rand({3, 2}).set_requires_grad(), rand({3}).set_requires_grad(),
           rand({5, 4})};
    w.x[0].set_grad(ones({4, 3}));
    w.tape = std::make_unique<Tape>();
    Tensor hidden = (w.x[3].matmul(w.x[0]) + w.x[2]).tanh() * 2;
    hidden.mul_(3);
    hidden.retain_grad();
    w.x.push_back(hidden);
    w.x.push_back(hidden.t());
    w.x.push_back(cross_entropy(w.x[5].t().matmul(w.x[1]), tensor({0, 1, 1, 0, 1})));
    return w;
}

World hooked() {
    World w = network();
    w.x[0].register_hook([](const Tensor& g) { return g * 2; });
    w.x[4].register_hook([](const Tensor& g) { return g.clamp(-0.1, 0.1); });
    return w;
}

World checkpointed() {
    World w = network();
    const auto f = [bias = w.x[2]](const Tensor& x) { return (dropout(x, 0.3) + bias).sigmoid(); };
    w.x[6] = checkpoint(f, w.x[4]).sum();
    return w;
}

World convolved() {
    manual_seed(5);
    World w;
    w.x = {rand({2, 2, 5, 5}).set_requires_grad(), rand({3, 2, 3, 3}).set_requires_grad(),
           rand({3}).set_requires_grad()};
    w.tape = std::make_unique<Tape>();
    w.x.push_back(max_pool2d(conv2d(w.x[0], w.x[1], w.x[2], {.padding = 1}).relu(), {.kernel_size = 2}));
    w.x.push_back(w.x[3].index({Ellipsis, tensor({1, 0, 1})}).sort(-1).values.var());
    return w;
}

/// 7: a number made of first derivatives.
World twice() {
    World w = network();
    w.x.push_back(grad({w.x[6]}, {w.x[0]}, {.create_graph = true})[0].square().sum());
    return w;
}

World plain() {
    manual_seed(9);
    World w;
    w.x = {rand({3}).set_requires_grad(), rand({3}), rand({2}, kFloat64)};
    return w;
}

/// Two tapes, of which the observed one is the inner. 2: a value of the outer one, 3: one of the inner.
World nested() {
    World w = plain();
    w.outer = std::make_unique<Tape>();
    w.x[2] = w.x[0] * w.x[1];
    w.tape = std::make_unique<Tape>();
    w.x.push_back((w.x[2].exp() * w.x[0]).sum());
    return w;
}

Tensor cubed(const Tensor& x) { return (x * x * x).sum(); }

}  // namespace

void add_backward_scenarios(std::vector<Scenario>& all) {
    const auto used_up = [](World& w) { w.x.back().backward(); };
    const auto retained = [](World& w) { w.x.back().backward({}, true); };
    for (World (*make)() : {network, hooked, checkpointed, convolved}) {
        all.push_back({"backward", make, used_up, true});
        all.push_back({"backward with retain_graph", make, retained});
    }
    const std::vector<Scenario> others = {
        {"grad", network,
         [](World& w) {
             w.keep(grad({w.x[6]}, {w.x[0], w.x[4]}, {.retain_graph = true}));
         }},
        {"grad of grad", twice, [](World& w) { w.keep(grad({w.x[7]}, {w.x[1]}, {.retain_graph = true})); }},
        {"register_hook", network, [](World& w) { w.x[4].register_hook([](const Tensor& g) { return g; }); }},
        {"register_hook of a leaf", network,
         [](World& w) { w.x[2].register_hook([](const Tensor& g) { return g; }); }},
        {"retain_grad", network, [](World& w) { w.x[5].retain_grad(); }},
        {"set_grad", network, [](World& w) { w.x[2].set_grad(w.x[2].detach()); }},
        {"a tape", plain,
         [](World& w) {
             const Tape tape;
             w.keep((w.x[0] * 2).detach());
         }},
        {"nested tapes", nested, [](World& w) { w.keep(grad({w.x[3]}, {w.x[0]}, {.retain_graph = true})); }},
        {"checkpoint", network,
         [](World& w) { w.keep(checkpoint([](const Tensor& x) { return dropout(x, 0.3).exp(); }, w.x[4])); }},
        {"jacobian", plain,
         [](World& w) { w.keep(jacobian([](const Tensor& x) { return x.square(); }, w.x[0])); }},
        {"hessian", plain, [](World& w) { w.keep(hessian(cubed, w.x[0])); }},
        {"hvp", plain,
         [](World& w) {
             auto [value, product] = hvp(cubed, w.x[0], w.x[1]);
             w.keep(std::move(value));
             w.keep(std::move(product));
         }},
        {"vjp", plain,
         [](World& w) {
             auto [value, product] = vjp([](const Tensor& x) { return x.exp(); }, w.x[0], w.x[1]);
             w.keep(std::move(value));
             w.keep(std::move(product));
         }},
        {"gradcheck", plain,
         [](World& w) { w.keep(tensor(gradcheck([](const Tensor& x) { return x.sin(); }, w.x[2]).passed)); }},
        {"record", network,
         [](World& w) {
             w.keep(record(std::string("mine"), w.x[4].detach(),
                           {{w.x[4], [b = w.x[0]](const Tensor& g) { return g * 2 + b.sum(); }}}));
         }},
        {"what a tape shows", network,
         [](World& w) {
             std::ostringstream text;
             text.exceptions(std::ios::badbit);
             text << *w.tape << w.tape->to_dot();
             for (const TapeNode& node : *w.tape) text << node.operation << node.bytes_kept;
             w.keep(tensor(static_cast<std::int64_t>(text.str().size())));
         }},
    };
    all.insert(all.end(), others.begin(), others.end());
}

}  // namespace reel::testing
