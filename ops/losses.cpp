// Losses of two tensors, element by element. Those of classes are in `cross_entropy.cpp` and `nll_loss.cpp`.
#include "ops/losses.hpp"

#include "autograd/tape.hpp"
#include "ops/pointwise.hpp"
#include "ops/reduce.hpp"

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

}  // namespace

Tensor mse_loss(const Tensor& x, const Tensor& target, Reduction reduction) {
    const auto [loss, n] = [&] {
        const NoGradGuard quiet;
        const Tensor losses = square(x - target);
        return std::pair(reduced(losses, reduction), divisor(losses, reduction));
    }();
    const double slope = 2 / n;
    return record("mse_loss", loss,
                  {{x, [x, target, slope](const Tensor& g) { return g * slope * (x - target); }},
                   {target, [x, target, slope](const Tensor& g) { return g * slope * (target - x); }}});
}

}  // namespace reel
