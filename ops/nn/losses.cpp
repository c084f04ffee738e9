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

/// The elements' losses as the result.
Tensor reduced(const Tensor& losses, Reduction reduction) {
    switch (reduction) {
        case Reduction::kNone:
            return losses;
        case Reduction::kMean:
            return losses.mean();
        default:
            return losses.sum();
    }
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

/// One node for the loss f(x, target) of each element, reduced. `by_x` and `by_target` are its derivatives,
/// in differentiable operations.
template <class F, class ByX, class ByTarget>
Tensor elementwise_loss(const char* name, const Tensor& x, const Tensor& target, Reduction reduction,
                        const F& f, const ByX& by_x, const ByTarget& by_target) {
    check_shapes(name, x, target);
    const DType result = result_type({x, target});
    const DType compute = compute_dtype(result);
    const Shape sizes = broadcast_shapes(x.sizes(), target.sizes(), name);
    const auto [loss, n] = [&] {
        const NoGradGuard quiet;
        const Tensor losses = f(x.to(compute), target.to(compute));
        return std::pair(reduced(losses, reduction).to(result), divisor(losses, reduction));
    }();
    // ȳ / n times the derivative, which may be of the shape of one operand alone.
    const auto scaled = [compute, sizes, count = n](const Tensor& y_bar, const Tensor& derivative) {
        const Tensor x_bar = y_bar.to(compute) / count * derivative;
        return x_bar.sizes() == sizes ? x_bar : x_bar.expand(sizes);
    };
    return record(
        name, loss,
        {{x, [x, target, compute, scaled,
              by_x](const Tensor& y_bar) { return scaled(y_bar, by_x(x.to(compute), target.to(compute))); }},
         {target, [x, target, compute, scaled, by_target](const Tensor& y_bar) {
              return scaled(y_bar, by_target(x.to(compute), target.to(compute)));
          }}});
}

}  // namespace

Tensor mse_loss(const Tensor& x, const Tensor& target, Reduction reduction) {
    check_floating_loss("mse_loss", x, target);
    return elementwise_loss(
        "mse_loss", x, target, reduction, [](const Tensor& a, const Tensor& t) { return square(a - t); },
        [](const Tensor& a, const Tensor& t) { return 2 * (a - t); },
        [](const Tensor& a, const Tensor& t) { return 2 * (t - a); });
}

Tensor l1_loss(const Tensor& x, const Tensor& target, Reduction reduction) {
    return elementwise_loss(
        "l1_loss", x, target, reduction, [](const Tensor& a, const Tensor& t) { return abs(a - t); },
        [](const Tensor& a, const Tensor& t) { return sign(a - t); },
        [](const Tensor& a, const Tensor& t) { return sign(t - a); });
}

Tensor huber_loss(const Tensor& x, const Tensor& target, Reduction reduction, double delta) {
    if (!(delta > 0)) fail<Error>("huber_loss: delta must be positive, not ", delta);
    check_floating_loss("huber_loss", x, target);
    const auto value = [delta](const Tensor& a, const Tensor& t) {
        const Tensor distance = abs(a - t);
        const Tensor near = clamp(distance, None, delta);  // near (distance - near / 2) on both sides of it
        return near * sub(distance, near, 0.5);
    };
    return elementwise_loss(
        "huber_loss", x, target, reduction, value,
        [delta](const Tensor& a, const Tensor& t) { return clamp(a - t, -delta, delta); },
        [delta](const Tensor& a, const Tensor& t) { return clamp(t - a, -delta, delta); });
}

Tensor binary_cross_entropy_with_logits(const Tensor& x, const Tensor& target,
                                        const BceWithLogitsOptions& options) {
    if (x.sizes() != target.sizes()) {
        fail<ShapeError>("binary_cross_entropy_with_logits: logits of shape ", x.sizes(),
                         " and targets of shape ", target.sizes(), " differ");
    }
    const Tensor one = ones({}, x.dtype());
    const Tensor w = options.weight.defined() ? options.weight : one;
    const Tensor p = options.pos_weight.defined() ? options.pos_weight : one;
    // −(1 − t) ln σ(−x) − p t ln σ(x), with the smaller logarithm, log(1 + e^−|x|), taken once: no exponent
    // overflows, and nothing cancels.
    return elementwise_loss(
        "binary_cross_entropy_with_logits", x, target, options.reduction,
        [w, p](const Tensor& z, const Tensor& t) {
            const Tensor rest = 1 - t;
            return w * (rest * relu(z) + p * t * relu(-z) - (rest + p * t) * logsigmoid(abs(z)));
        },
        [w, p](const Tensor& z, const Tensor& t) { return w * ((1 - t) * sigmoid(z) - p * t * sigmoid(-z)); },
        [w, p](const Tensor& z, const Tensor&) { return w * (logsigmoid(-z) - p * logsigmoid(z)); });
}

Tensor kl_div(const Tensor& x, const Tensor& target, Reduction reduction, bool log_target) {
    check_floating_loss("kl_div", x, target);
    if (log_target) {
        return elementwise_loss(
            "kl_div", x, target, reduction, [](const Tensor& q, const Tensor& t) { return exp(t) * (t - q); },
            [](const Tensor&, const Tensor& t) { return -exp(t); },
            [](const Tensor& q, const Tensor& t) { return exp(t) * (t - q + 1); });
    }
    return elementwise_loss(
        "kl_div", x, target, reduction, [](const Tensor& q, const Tensor& t) { return xlogy(t, t) - t * q; },
        [](const Tensor&, const Tensor& t) { return -t; },
        [](const Tensor& q, const Tensor& t) { return log(t) + 1 - q; });
}

}  // namespace reel
