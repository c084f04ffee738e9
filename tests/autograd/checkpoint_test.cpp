// Functions that are run twice instead of being remembered.
#include <doctest/doctest.h>

#include <functional>

#include "reel.hpp"

using namespace reel;

namespace {

using List = std::vector<Tensor>;

Tensor leaf(const TensorData& data) { return tensor(data, kFloat64).set_requires_grad(); }

std::vector<double> values(const Tensor& t) { return t.to_vector<double>(); }

}  // namespace

TEST_CASE("checkpoint gives the gradients of what it hides, to inputs and to what f captures") {
    const Tensor x = leaf({0.5, -1.0, 2.0});
    const Tensor w = leaf({1.5, 0.3, -0.7});
    const auto run = [&](bool hidden) {
        x.zero_grad();
        w.zero_grad();
        Tape tape;
        const Tensor scale = exp(w);  // f captures a value that is no leaf, too
        const auto f = [&](const List& in) { return tanh(in[0] * w) * scale + in[1]; };
        const List inputs = {x * 2.0, x};
        const Tensor y = hidden ? checkpoint(f, inputs) : f(inputs);
        (y * y).sum().backward();
        return List{y.detach(), x.grad(), w.grad()};
    };
    const List seen = run(false);
    const List hidden = run(true);
    for (std::size_t i = 0; i < seen.size(); ++i) {
        const std::vector<double> a = values(seen[i]);
        const std::vector<double> b = values(hidden[i]);
        for (std::size_t k = 0; k < a.size(); ++k) CHECK(a[k] == doctest::Approx(b[k]).epsilon(1e-14));
    }
}

TEST_CASE("checkpoint is one node that keeps only what f reads") {
    const Tensor x = ones({1000}).set_requires_grad();
    Tape tape;
    int runs = 0;
    const auto f = [&runs](const Tensor& t) {
        ++runs;
        Tensor y = t;
        for (int i = 0; i < 20; ++i) y = tanh(y);
        return y;
    };
    const std::int64_t before = memory_stats().live_bytes;
    const Tensor y = checkpoint(f, x);
    REQUIRE(tape.size() == 1);
    CHECK(tape[0].operation == "checkpoint");
    CHECK(tape.bytes_kept() == 4000);                             // x
    CHECK(memory_stats().live_bytes - before < 2 * 4000 + 1000);  // y
    CHECK(runs == 1);
    y.sum().backward();
    CHECK(runs == 2);
    CHECK(x.grad().defined());
}

TEST_CASE("checkpoint repeats the random numbers, and leaves the generator where it was") {
    const Tensor x = leaf({1.0, 1.0, 1.0, 1.0});
    manual_seed(5);
    Tape tape;
    std::vector<std::vector<double>> masks;
    const auto f = [&masks](const Tensor& t) {
        const Tensor mask = rand({4}, kFloat64);
        masks.push_back(values(mask));
        return t * mask;
    };
    const Tensor y = checkpoint(f, x);
    const std::vector<double> after_forward = values(rand({3}, kFloat64));
    y.sum().backward();
    const std::vector<double> after_backward = values(rand({3}, kFloat64));
    REQUIRE(masks.size() == 2);
    CHECK(masks[0] == masks[1]);
    CHECK(values(x.grad()) == masks[0]);
    manual_seed(5);
    rand({4}, kFloat64);
    CHECK(values(rand({3}, kFloat64)) == after_forward);
    CHECK(values(rand({3}, kFloat64)) == after_backward);
}

TEST_CASE("checkpoint passes gradcheck and gradgradcheck") {
    const Tensor x = tensor({{0.3, -1.2}, {0.8, 0.5}}, kFloat64);
    const Tensor w = tensor({{1.5, 0.3}, {-0.7, 0.9}}, kFloat64);
    const auto f = [](const List& in) {
        return checkpoint([](const List& t) { return exp(t[0] * t[1]) + t[0] * t[2]; },
                          {in[0], in[1], in[0]});
    };
    const auto captured = [](const List& in) {
        const Tensor c = in[0] * in[1];
        const Tensor d = c * c;  // read beside c, on which it depends
        return checkpoint([&, c, d](const Tensor& t) { return tanh(t * c) * d; }, in[1]);
    };
    const auto nested = [](const List& in) {
        return checkpoint(
            [](const List& t) {
                return checkpoint([](const Tensor& u) { return exp(u); }, t[0] * t[1]) * t[1];
            },
            in);
    };
    for (const TensorFunction& g : {TensorFunction(f), TensorFunction(captured), TensorFunction(nested)}) {
        const GradcheckReport first = gradcheck(g, List{x, w});
        CHECK_MESSAGE(first.verdict() == Verdict::kMatch, first);
        const GradcheckReport second = gradgradcheck(g, List{x, w});
        CHECK_MESSAGE(second.verdict() == Verdict::kMatch, second);
    }
}

TEST_CASE("checkpoint works with grad, hooks, retained graphs and inner tapes") {
    const Tensor x = leaf({2.0});
    const Tensor w = leaf({3.0});
    Tape tape;
    const Tensor a = x * 1.0;
    int calls = 0;
    a.register_hook([&calls](const Tensor&) { ++calls; });
    const Tensor y = checkpoint([&](const Tensor& t) { return t * t * w; }, a);
    for (int time = 0; time < 2; ++time) {
        const List g = grad({y}, {x, w}, {.retain_graph = true});
        CHECK(g[0].item<double>() == 12);
        CHECK(g[1].item<double>() == 4);
    }
    CHECK(calls == 2);
    const Tensor seed = ones({1}, kFloat64);
    for (int time = 0; time < 2; ++time) {  // the same cotangent twice
        CHECK(grad({y}, {w}, {.grad_outputs = {seed}, .retain_graph = true})[0].item<double>() == 4);
    }
    Tape inner;
    (y * 2.0).backward();
    CHECK(x.grad().item<double>() == 24);
    CHECK(w.grad().item<double>() == 8);
}

TEST_CASE("checkpoint without gradients is the function alone") {
    const Tensor x = tensor({1.0, 2.0}, kFloat64);
    const auto f = [](const Tensor& t) { return t * 2.0; };
    CHECK(values(checkpoint(f, x)) == std::vector<double>{2, 4});
    Tape tape;
    CHECK_FALSE(checkpoint(f, x).requires_grad());
    CHECK(tape.size() == 0);
    CHECK_THROWS_AS(checkpoint([](const Tensor& t) { return List{t, t}; }, x), Error);
}

TEST_CASE("checkpoint refuses inputs that were overwritten meanwhile") {
    const Tensor x = leaf({1.0, 2.0});
    const Tensor w = leaf({3.0, 4.0});
    Tape tape;
    const Tensor a = x * 1.0;
    const Tensor y = checkpoint([&](const Tensor& t) { return t * w; }, a);
    SUBCASE("an input") { a.mul_(2.0); }
    SUBCASE("a captured leaf") {
        const NoGradGuard quiet;
        w.mul_(2.0);
    }
    CHECK_THROWS_AS(y.sum().backward(), AutogradError);
}

TEST_CASE("checkpoint of a function that hands back what it was given, or what it captured") {
    const Tensor x = leaf({1.0, 2.0, 3.0});
    const Tensor w = leaf({1.0, 2.0, 3.0});
    using F = std::function<Tensor(const Tensor&)>;
    const std::vector<std::pair<F, std::vector<double>>> functions = {
        {[](const Tensor& t) { return t; }, {4, 4, 4}},
        {[](const Tensor& t) { return dropout(t, 0.1, false); }, {4, 4, 4}},
        {[](const Tensor& t) { return t.to(kFloat64); }, {4, 4, 4}},
        {[](const Tensor& t) { return t.contiguous(); }, {4, 4, 4}},
        {[](const Tensor& t) { return t.view({3}); }, {4, 4, 4}},
        {[&](const Tensor&) { return w; }, {1, 1, 1}},
        {[](const Tensor&) { return ones({3}, kFloat64); }, {1, 1, 1}},
    };
    for (const auto& [f, expected] : functions) {
        x.zero_grad();
        w.zero_grad();
        Tape tape;
        const Tensor y = checkpoint(f, x);
        (y * 3.0 + x).sum().backward();
        CHECK(values(x.grad()) == expected);
    }
    x.zero_grad();
    Tape tape;
    const Tensor z = x * 2.0;
    checkpoint([](const Tensor& t) { return t; }, z).mul_(5.0);  // z itself is written, which was saved
    CHECK(values(z) == std::vector<double>{10, 20, 30});
    CHECK_THROWS_AS(z.sum().backward(), AutogradError);
}

TEST_CASE("what a checkpointed function reads must not be overwritten, were it a constant") {
    const Tensor x = leaf({1.0, 2.0});
    const Tensor data = tensor({10.0, 20.0}, kFloat64);
    const auto refuses = [&](const std::function<Tensor(const Tensor&)>& f) {
        Tape tape;
        const Tensor y = checkpoint(f, x);
        data.mul_(2.0);
        CHECK_THROWS_AS(y.sum().backward(), AutogradError);
    };
    refuses([&](const Tensor& t) { return t * data; });
    refuses([&](const Tensor& t) { return (t + data).exp(); });
    refuses([&](const Tensor& t) { return t * (data + 1); });
    refuses([&](const Tensor& t) { return where(data.gt(15), t, t * 2.0) * data[0]; });
    Tape tape;
    const Tensor y = checkpoint([&](const Tensor& t) { return t * data; }, x);
    y.sum().backward();
    CHECK(values(x.grad()) == values(data));
}

TEST_CASE("grad inside a checkpointed function") {
    const Tensor x = leaf({1.0, 2.0});
    for (const bool nested : {false, true}) {
        x.zero_grad();
        Tape tape;
        const auto f = [](const Tensor& t) {
            const Tensor u = t * 1.0;
            return grad({(u * u * u).sum()}, {u}, {.create_graph = true})[0] * 2.0;
        };
        const Tensor y = nested ? checkpoint([&](const Tensor& t) { return checkpoint(f, t) * 1.0; }, x)
                                : checkpoint(f, x);
        CHECK(values(y) == std::vector<double>{6, 24});
        y.sum().backward();
        CHECK(values(x.grad()) == std::vector<double>{12, 24});
    }
}

TEST_CASE("a cotangent that is changed between two rewinds of a checkpoint counts as it is") {
    const Tensor x = leaf({1.0, 2.0});
    const Tensor w = leaf({1.0, 1.0});
    const Tensor v = ones({2}, kFloat64);
    Tape tape;
    const Tensor y = checkpoint([&](const Tensor& t) { return t * t * w; }, x);
    CHECK(values(grad({y}, {x}, {.grad_outputs = {v}, .retain_graph = true})[0]) ==
          std::vector<double>{2, 4});
    v.mul_(10.0);
    CHECK(values(grad({y}, {w}, {.grad_outputs = {v}})[0]) == std::vector<double>{10, 40});
}

TEST_CASE("a hook of a leaf that a checkpointed function registers is called once") {
    const Tensor x = leaf({1.0, 2.0});
    int calls = 0;
    {
        Tape tape;
        const Tensor y = checkpoint(
            [&](const Tensor& t) {
                t.register_hook([&](const Tensor&) { ++calls; });
                return t * 2.0;
            },
            x);
        y.sum().backward();
    }
    CHECK(calls == 1);
}
