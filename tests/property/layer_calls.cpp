// Calls of ops/nn/layers.hpp and losses.hpp.
#include "tests/property/calls.hpp"

namespace reel::property {

namespace {

/// Means of up to 1000 elements, or of squares up to 64, in another order.
constexpr double kUlps = 16;
constexpr double kSize = 8;

Reduction reduction(Draw& draw) { return draw.pick({kNone, kMean, kSum}); }

using Loss = Tensor (*)(const Tensor&, const Tensor&, Reduction);
Operation loss(const char* name, Loss f, double low = -4, double high = 4) {
    return {name, [=](Draw& draw) {
                const Shape sizes = draw.shape();
                const DType type = draw.floating();
                const Reduction reduction = property::reduction(draw);
                return Call{{draw.reals(sizes, type, -4, 4), draw.reals(sizes, type, low, high)},
                            [=](const Inputs& x) -> Inputs { return {f(x[0], x[1], reduction)}; },
                            kUlps,
                            kSize * 100};
            }};
}

/// Logits (…, C) and what a loss of classes says of them.
template <class F>
Operation class_loss(const char* name, F f, bool probabilities) {
    return {name, [=](Draw& draw) {
                const Shape rows = draw.shape(0, 2);
                Shape sizes = rows;
                sizes.push_back(draw.extent());
                const DType type = draw.floating();
                const Reduction reduction = property::reduction(draw);
                const Tensor targets = probabilities ? draw.reals(sizes, type, 0, 1)
                                                     : draw.wholes(rows, kInt64, 0, sizes.back() - 1);
                return Call{{draw.reals(sizes, type, -4, 4), targets},
                            [=](const Inputs& x) -> Inputs { return {f(x[0], x[1], reduction)}; },
                            kUlps,
                            kSize * 100};
            }};
}

/// x (…, rows of `size`), and a weight and a bias for the last dimension.
Inputs normalized(Draw& draw) {
    Shape sizes = draw.shape(0, 2);
    sizes.push_back(1 + draw.extent());
    const DType type = draw.floating();
    return {draw.reals(sizes, type, -4, 4), draw.reals({sizes.back()}, type, -4, 4),
            draw.reals({sizes.back()}, type, -4, 4)};
}

}  // namespace

Operations layer_calls() {
    return {
        loss("mse_loss", mse_loss),
        loss("l1_loss", l1_loss),
        loss("huber_loss",
             [](const Tensor& x, const Tensor& t, Reduction r) { return huber_loss(x, t, r, 1.5); }),
        loss(
            "kl_div", [](const Tensor& x, const Tensor& t, Reduction r) { return kl_div(x, t, r); }, 0, 1),
        loss(
            "binary_cross_entropy_with_logits",
            [](const Tensor& x, const Tensor& t, Reduction r) {
                return binary_cross_entropy_with_logits(x, t, {.reduction = r});
            },
            0, 1),
        class_loss(
            "cross_entropy",
            [](const Tensor& x, const Tensor& t, Reduction r) {
                return cross_entropy(x, t, {.ignore_index = 1, .reduction = r});
            },
            false),
        class_loss(
            "cross_entropy smoothed",
            [](const Tensor& x, const Tensor& t, Reduction r) {
                return cross_entropy(x, t, {.reduction = r, .label_smoothing = 0.1});
            },
            false),
        class_loss(
            "cross_entropy of probabilities",
            [](const Tensor& x, const Tensor& t, Reduction r) {
                return cross_entropy(x, t, {.reduction = r});
            },
            true),
        class_loss(
            "nll_loss",
            [](const Tensor& x, const Tensor& t, Reduction r) { return nll_loss(x, t, {.reduction = r}); },
            false),
        {"layer_norm",
         [](Draw& draw) {
             return Call{
                 normalized(draw),
                 [](const Inputs& x) -> Inputs { return {layer_norm(x[0], {x[1].size(0)}, x[1], x[2])}; },
                 kUlps, kSize};
         }},
        {"rms_norm",
         [](Draw& draw) {
             return Call{
                 normalized(draw),
                 [](const Inputs& x) -> Inputs { return {rms_norm(x[0], {x[1].size(0)}, x[1], 1e-5)}; },
                 kUlps, kSize};
         }},
        {"dropout",
         [](Draw& draw) {
             return Call{{draw.tensor(draw.shape(), draw.floating())}, [](const Inputs& x) -> Inputs {
                             manual_seed(7);
                             return {dropout(x[0], 0.3)};
                         }};
         }},
    };
}

}  // namespace reel::property
