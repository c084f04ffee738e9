#include <ios>

#include "tests/starved/scenarios.hpp"

namespace reel::testing {

namespace {

/// 0: [3, 4] and 1: [4] of numbers, 2: [3, 4] that is transposed, 3: [5] indices below 3, 4: [3, 4] bools,
/// 5: [2, 1, 3, 1, 2, 2], 6: [4, 4] float16, 7: [1, 2, 6, 6], 8: [3, 2, 3, 3], 9: [3] indices, 10: [1, 4]
/// indices, 11: [2] indices below 2, 12: [3] numbers.
World constants() {
    manual_seed(7);
    World w;
    w.x = {rand({3, 4}) + 0.5, rand({4}) + 0.5,          rand({4, 3}).t(),          tensor({2, 0, 1, 1, 2}),
           rand({3, 4}) > 0.5, rand({2, 1, 3, 1, 2, 2}), rand({4, 4}).to(kFloat16), rand({1, 2, 6, 6}),
           rand({3, 2, 3, 3}), tensor({2, 0, 1}),        tensor({{1, 0, 2, 1}}),    tensor({0, 1}),
           rand({3})};
    return w;
}

/// The same, recorded: floating ones are leaves of a tape. 13: a recorded value, 14: a view of it, 15: a
/// value of no history, 16: a view of that, 17: a view of 13, 18: the same backwards, 19: a square of float16 of several
/// blocks, 20: its transpose, 21: as many bools, 22: [50] indices below 20.
World recorded() {
    World w = constants();
    for (const Tensor& x : w.x) {
        if (x.is_floating_point()) x.set_requires_grad(true);
    }
    w.tape = std::make_unique<Tape>();
    w.x.push_back(w.x[0] * 2);
    w.x.push_back(w.x[13][1]);
    w.x.push_back(ones({3, 4}));
    w.x.push_back(w.x[15].narrow(1, 1, 2));
    w.x.push_back(w.x[13].slice(1, 1, 4));
    w.x.push_back(w.x[17].flip({1}));
    w.x.push_back(arange(2500).remainder(7).to(kFloat16).view({50, 50}));
    w.x.push_back(w.x[19].t());
    w.x.push_back(w.x[19] > 3);
    w.x.push_back(arange(50).remainder(20));
    return w;
}

struct Call {
    const char* name;
    std::function<void(World&)> call;
};

/// Each is called on constants, and recorded.
const std::vector<Call>& operations() {
    static const std::vector<Call> calls = {
        {"add", [](World& w) { w.keep(w.x[0] + w.x[1]); }},
        {"mul of different layouts", [](World& w) { w.keep(w.x[2] * w.x[0]); }},
        {"exp of six dimensions", [](World& w) { w.keep(w.x[5].exp()); }},
        {"pow", [](World& w) { w.keep(w.x[0].pow(w.x[1])); }},
        {"clamp", [](World& w) { w.keep(w.x[0].clamp(0.6, 1.1)); }},
        {"where", [](World& w) { w.keep(where(w.x[4], w.x[0], w.x[2])); }},
        {"gelu", [](World& w) { w.keep(gelu(w.x[2])); }},
        {"softmax of float16", [](World& w) { w.keep(w.x[6].softmax(0)); }},
        {"to", [](World& w) { w.keep(w.x[2].to(kFloat64)); }},
        {"sum", [](World& w) { w.keep(w.x[2].sum({0})); }},
        {"mean of six dimensions",
         [](World& w) {
             w.keep(w.x[5].mean({0, 2, 4}, true));
         }},
        {"prod", [](World& w) { w.keep(w.x[2].prod()); }},
        {"var", [](World& w) { w.keep(w.x[2].var({1})); }},
        {"norm", [](World& w) { w.keep(w.x[0].norm()); }},
        {"logsumexp", [](World& w) { w.keep(w.x[2].logsumexp({0})); }},
        {"max", [](World& w) { w.keep(w.x[2].max(1)); }},
        {"cumprod", [](World& w) { w.keep(w.x[2].cumprod(0)); }},
        {"sort", [](World& w) { w.keep(w.x[2].sort(0)); }},
        {"topk", [](World& w) { w.keep(w.x[0].topk(2)); }},
        {"cat",
         [](World& w) {
             w.keep(cat({w.x[0], w.x[2], w.x[0]}, 1));
         }},
        {"stack",
         [](World& w) {
             w.keep(stack({w.x[0], w.x[2]}));
         }},
        {"pad",
         [](World& w) {
             w.keep(pad(w.x[0], {1, 2}));
         }},
        {"circular pad",
         [](World& w) {
             w.keep(pad(w.x[7], {1, 2}, "circular"));
         }},
        {"roll", [](World& w) { w.keep(w.x[0].roll(1, 0)); }},
        {"view",
         [](World& w) {
             w.keep(w.x[0].view({2, 6}));
         }},
        {"expand",
         [](World& w) {
             w.keep(w.x[2].expand({2, 1, 1, 1, 3, 4}));
         }},
        {"permute",
         [](World& w) {
             w.keep(w.x[5].permute({4, 3, 2, 1, 0, 5}));
         }},
        {"unfold", [](World& w) { w.keep(w.x[2].unfold(1, 2, 1)); }},
        {"split", [](World& w) { w.keep(w.x[0].split(3, 1)); }},
        {"index",
         [](World& w) {
             w.keep(w.x[0].index({w.x[3], Slice(1, 3)}));
         }},
        {"index by a mask", [](World& w) { w.keep(w.x[2].index({w.x[4]})); }},
        {"index in front",
         [](World& w) {
             w.keep(w.x[5].index({w.x[11], None, Ellipsis, 1, w.x[11]}));
         }},
        {"gather", [](World& w) { w.keep(w.x[0].gather(0, w.x[10])); }},
        {"index_select", [](World& w) { w.keep(w.x[2].index_select(0, w.x[3])); }},
        {"index_put", [](World& w) { w.keep(w.x[0].index_put({w.x[3]}, w.x[1], true)); }},
        {"scatter", [](World& w) { w.keep(w.x[2].scatter(0, w.x[10], w.x[0])); }},
        {"scatter_add", [](World& w) { w.keep(w.x[0].scatter_add(0, w.x[10], w.x[2])); }},
        {"masked_fill", [](World& w) { w.keep(w.x[0].masked_fill(w.x[4], 2)); }},
        {"masked_select", [](World& w) { w.keep(w.x[0].masked_select(w.x[4])); }},
        {"nonzero", [](World& w) { w.keep(w.x[4].nonzero()); }},
        {"repeat_interleave", [](World& w) { w.keep(w.x[0].repeat_interleave(w.x[9], 0)); }},
        {"tril", [](World& w) { w.keep(w.x[2].tril()); }},
        {"matmul", [](World& w) { w.keep(w.x[0].matmul(w.x[1])); }},
        {"batched matmul", [](World& w) { w.keep(w.x[7].matmul(w.x[7])); }},
        {"einsum",
         [](World& w) {
             w.keep(einsum("ij,kj,j->ik", {w.x[0], w.x[2], w.x[1]}));
         }},
        {"conv2d", [](World& w) { w.keep(conv2d(w.x[7], w.x[8], w.x[12], {.padding = 1})); }},
        {"strided conv2d",
         [](World& w) { w.keep(conv2d(w.x[7], w.x[8], {}, {.stride = 2, .dilation = 2})); }},
        {"max_pool2d", [](World& w) { w.keep(max_pool2d(w.x[7], {.kernel_size = 2})); }},
        {"avg_pool2d", [](World& w) { w.keep(avg_pool2d(w.x[7], {.kernel_size = 3})); }},
        {"softmax", [](World& w) { w.keep(w.x[2].softmax(0)); }},
        {"log_softmax", [](World& w) { w.keep(w.x[0].log_softmax(1)); }},
        {"masked_softmax", [](World& w) { w.keep(masked_softmax(w.x[0], w.x[4], 1)); }},
        {"cross_entropy", [](World& w) { w.keep(cross_entropy(w.x[2], w.x[9])); }},
        {"soft cross_entropy",
         [](World& w) { w.keep(cross_entropy(w.x[0], w.x[2], {.label_smoothing = 0.1})); }},
        {"mse_loss", [](World& w) { w.keep(mse_loss(w.x[0], w.x[2])); }},
        {"binary cross-entropy", [](World& w) { w.keep(binary_cross_entropy_with_logits(w.x[0], w.x[2])); }},
        {"layer_norm", [](World& w) { w.keep(layer_norm(w.x[2], {4}, w.x[1], w.x[1])); }},
        {"rms_norm", [](World& w) { w.keep(rms_norm(w.x[0], {4}, w.x[1])); }},
        {"linear", [](World& w) { w.keep(linear(w.x[0], w.x[2])); }},
        {"embedding", [](World& w) { w.keep(embedding(w.x[3], w.x[0])); }},
        {"attention",
         [](World& w) {
             w.keep(
                 scaled_dot_product_attention(w.x[7], w.x[7], w.x[7], {.dropout_p = 0.5, .is_causal = true}));
         }},
        {"dropout", [](World& w) { w.keep(dropout(w.x[0], 0.5)); }},
        {"to_vector and item",
         [](World& w) {
             static_cast<void>(w.x[2].to_vector<double>());
             static_cast<void>(w.x[5].to_vector<int>());
         }},
        {"print",
         [](World& w) {
             std::ostringstream text;
             text.exceptions(
                 std::ios::badbit);  // or the stream would keep quiet about its own lack of memory
             text << w.x[0] << w.x[3] << w.x[5];
             w.keep(tensor(static_cast<std::int64_t>(text.str().size())));
         }},
    };
    return calls;
}

/// Each overwrites a value on the tape, one of no history, or a view of one of them.
const std::vector<Call>& writes() {
    static const std::vector<Call> calls = {
        {"add_", [](World& w) { w.x[13].add_(w.x[1]); }},
        {"sub_ of a view", [](World& w) { w.x[14].sub_(w.x[1], 2); }},
        {"mul_ of a view", [](World& w) { w.x[14].mul_(w.x[1]); }},
        {"mul_ of a constant", [](World& w) { w.x[15].mul_(w.x[2]); }},
        {"div_ of a constant's view", [](World& w) { w.x[16].div_(w.x[16]); }},
        {"add_ in many blocks", [](World& w) { w.x[20].add_(w.x[19]); }},
        {"mul_ of float16", [](World& w) { w.x[19].mul_(w.x[19].detach()); }},
        {"div_ of float16 by a number", [](World& w) { w.x[20].div_(3); }},
        {"clamp_ of float16", [](World& w) { w.x[20].clamp_(1, 2); }},
        {"masked_fill_ of float16", [](World& w) { w.x[19].masked_fill_(w.x[21], 2); }},
        {"copy_ of another type", [](World& w) { w.x[20].copy_(w.x[21]); }},
        {"index_put_ of float16 with accumulate",
         [](World& w) { w.x[20].index_put_({w.x[22]}, w.x[19], true); }},
        {"copy_", [](World& w) { w.x[15].copy_(w.x[2]); }},
        {"copy_ where they overlap", [](World& w) { w.x[17].copy_(w.x[18]); }},
        {"fill_", [](World& w) { w.x[14].fill_(3); }},
        {"zero_", [](World& w) { w.x[13].zero_(); }},
        {"clamp_", [](World& w) { w.x[13].clamp_(0.7, 1.2); }},
        {"masked_fill_", [](World& w) { w.x[13].masked_fill_(w.x[4], 2); }},
        {"index_put_", [](World& w) { w.x[13].index_put_({w.x[3]}, w.x[1]); }},
        {"index_put_ with accumulate", [](World& w) { w.x[15].index_put_({w.x[9]}, w.x[2], true); }},
        {"index_put_ through a view",
         [](World& w) {
             w.x[16].index_put_({Slice(), w.x[11]}, 5);
         }},
    };
    return calls;
}

}  // namespace

void add_forward_scenarios(std::vector<Scenario>& all) {
    for (const Call& operation : operations()) all.push_back({operation.name, constants, operation.call});
    for (const Call& operation : operations()) {
        all.push_back({operation.name, recorded, operation.call});
    }
    for (const Call& write : writes()) all.push_back({write.name, recorded, write.call});
}

const std::vector<Scenario>& scenarios() {
    static const std::vector<Scenario> all = [] {
        std::vector<Scenario> made;
        add_forward_scenarios(made);
        add_backward_scenarios(made);
        add_training_scenarios(made);
        return made;
    }();
    return all;
}

}  // namespace reel::testing
