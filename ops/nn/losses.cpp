// Losses of two tensors, element by element. Those of classes are in `cross_entropy.cpp` and `nll_loss.cpp`.
#include "ops/nn/losses.hpp"

#include "autograd/tape.hpp"
#include "ops/pointwise/activations.hpp"
#include "ops/pointwise/by_promotion.hpp"
#include "ops/pointwise/compare.hpp"
#include "ops/pointwise/conditional.hpp"
#include "ops/pointwise/transcendental.hpp"
#include "ops/reduce/reduce.hpp"
#include "tensor/factory.hpp"

namespace reel {

namespace {

using kernels::Fn;

/// The elements' losses as the result.
Tensor reduced(const Tensor& losses, Reduction reduction) {
    if (reduction == Reduction::kNone) return losses;
    return reduction == Reduction::kMean ? losses.mean() : losses.sum();
}

/// What a mean divides the gradient by.
double divisor(const Tensor& losses, Reduction reduction) {
    return reduction == Reduction::kMean ? static_cast<double>(losses.numel()) : 1;
}

/// Throws unless x or the target is of floating numbers.
void check_floating_loss(const char* name, const Tensor& x, const Tensor& target) {
    if (!x.is_floating_point()) check_floating(name, target);
}

/// Throws unless one of the two has the shape that both broadcast to: [5, 1] against [5] would be 25 losses.
void check_shapes(const char* name, const Tensor& x, const Tensor& target) {
    const Shape both = broadcast_shapes(x.sizes(), target.sizes(), name);
    if (both == x.sizes() || both == target.sizes()) return;
    fail<ShapeError>(name, ": shapes ", x.sizes(), " and ", target.sizes(), " would broadcast to ", both,
                     ", which is neither's; give both one shape with squeeze(), unsqueeze() or expand()");
}

/// One node for the loss f(x, target) of each element, reduced. `by_x` and `by_target` make ȳ, which may be one number,
/// into ȳ times f's derivatives, in differentiable operations where they are recorded.
Tensor elementwise_loss(const char* name, const Tensor& x, const Tensor& target, Reduction reduction,
                        const auto& f, const auto& by_x, const auto& by_target) {
    check_shapes(name, x, target);
    const DType result = result_type({x, target});
    const DType compute = compute_dtype(result);
    const Shape sizes = broadcast_shapes(x.sizes(), target.sizes(), name);
    const auto [loss, n] = [&] {
        const NoGradGuard quiet;
        const Tensor losses = f(x.to(compute), target.to(compute));
        return std::pair(reduced(losses, reduction).to(result), divisor(losses, reduction));
    }();
    // The derivative may be of the shape of one operand alone.
    const auto pulled = [x, target, compute, sizes, count = n](const Tensor& y_bar, const auto& by) {
        const Tensor x_bar = by(y_bar.to(compute) / count, x.to(compute), target.to(compute));
        return x_bar.sizes() == sizes ? x_bar : x_bar.expand(sizes);
    };
    return record(name, loss,
                  {{x, [pulled, by_x](const Tensor& y_bar) { return pulled(y_bar, by_x); }},
                   {target, [pulled, by_target](const Tensor& y_bar) { return pulled(y_bar, by_target); }}});
}

/// The same of a loss that depends on x − target alone and is even: the target gets the negative gradient.
Tensor distance_loss(const char* name, const Tensor& x, const Tensor& target, Reduction reduction,
                     const auto& f, const auto& by_x) {
    return elementwise_loss(
        name, x, target, reduction, f, by_x,
        [by_x](const Tensor& y_bar, const Tensor& a, const Tensor& t) { return by_x(y_bar, t, a); });
}

}  // namespace

Tensor mse_loss(const Tensor& x, const Tensor& target, Reduction reduction) {
    check_floating_loss("mse_loss", x, target);
    return distance_loss(
        "mse_loss", x, target, reduction,
        [](const Tensor& a, const Tensor& t) {
            return combine("mse_loss", Fn::kSquaredDistance, {a, t});
        },
        [](const Tensor& y_bar, const Tensor& a, const Tensor& t) {
            return is_recording() ? y_bar * (2 * (a - t))
                                  : combine("mse_loss", Fn::kSquaredDistanceBackward, {y_bar, a, t});
        });
}

Tensor l1_loss(const Tensor& x, const Tensor& target, Reduction reduction) {
    return distance_loss(
        "l1_loss", x, target, reduction, [](const Tensor& a, const Tensor& t) { return abs(a - t); },
        [](const Tensor& y_bar, const Tensor& a, const Tensor& t) { return y_bar * sign(a - t); });
}

Tensor huber_loss(const Tensor& x, const Tensor& target, Reduction reduction, double delta) {
    if (!(delta > 0)) fail<Error>("huber_loss: delta must be positive, not ", delta);
    check_floating_loss("huber_loss", x, target);
    return distance_loss(
        "huber_loss", x, target, reduction,
        [delta](const Tensor& a, const Tensor& t) {
            return combine("huber_loss", Fn::kHuber, {a, t}, &delta);
        },
        [delta](const Tensor& y_bar, const Tensor& a, const Tensor& t) {
            return is_recording() ? y_bar * clamp(a - t, -delta, delta)
                                  : combine("huber_loss", Fn::kHuberBackward, {y_bar, a, t}, &delta);
        });
}

Tensor binary_cross_entropy_with_logits(const Tensor& x, const Tensor& target,
                                        const BceWithLogitsOptions& options) {
    constexpr const char* kName = "binary_cross_entropy_with_logits";
    if (x.sizes() != target.sizes())
        fail<ShapeError>(kName, ": logits of shape ", x.sizes(), " and targets of shape ", target.sizes(),
                         " differ");
    check_constant(kName, "weights", options.weight);
    check_constant(kName, "weights of positive targets", options.pos_weight);
    const Tensor& w = options.weight;
    const Tensor p = options.pos_weight.defined() ? options.pos_weight : ones({}, x.dtype());
    const auto weighted = [w](const Tensor& each) { return w.defined() ? w * each : each; };
    return elementwise_loss(
        kName, x, target, options.reduction,
        [weighted, p](const Tensor& z, const Tensor& t) {
            return weighted(combine(kName, Fn::kBinaryCrossEntropy, {z, t, p}));
        },
        [weighted, p](const Tensor& y_bar, const Tensor& z, const Tensor& t) {
            return y_bar * weighted(is_recording()
                                        ? (1 - t) * sigmoid(z) - p * t * sigmoid(-z)
                                        : combine(kName, Fn::kBinaryCrossEntropyBackward, {z, t, p}));
        },
        [weighted, p](const Tensor& y_bar, const Tensor& z, const Tensor&) {
            return y_bar * weighted(logsigmoid(-z) - p * logsigmoid(z));
        });
}

Tensor kl_div(const Tensor& x, const Tensor& target, Reduction reduction, bool log_target) {
    check_floating_loss("kl_div", x, target);
    if (log_target) {
        return elementwise_loss(
            "kl_div", x, target, reduction, [](const Tensor& q, const Tensor& t) { return exp(t) * (t - q); },
            [](const Tensor& y_bar, const Tensor&, const Tensor& t) { return y_bar * -exp(t); },
            [](const Tensor& y_bar, const Tensor& q, const Tensor& t) {
                return y_bar * (exp(t) * (t - q + 1));
            });
    }
    return elementwise_loss(
        "kl_div", x, target, reduction, [](const Tensor& q, const Tensor& t) { return xlogy(t, t) - t * q; },
        [](const Tensor& y_bar, const Tensor&, const Tensor& t) { return y_bar * -t; },
        [](const Tensor& y_bar, const Tensor& q, const Tensor& t) { return y_bar * (log(t) + 1 - q); });
}

}  // namespace reel
