// The p-norm. One pass over memory for p = 0, 1, 2, ±∞: each block is mapped and folded while it is in cache.
#include <cmath>
#include <limits>

#include "autograd/tape.hpp"
#include "ops/pointwise/compare.hpp"
#include "ops/pointwise/pointwise_driver.hpp"
#include "ops/pointwise/transcendental.hpp"
#include "ops/reduce/reduce.hpp"
#include "ops/reduce/reduce_driver.hpp"
#include "tensor/factory.hpp"

namespace reel {

namespace {

using kernels::Fn;
using kernels::Fold;

/// √Σ x². Squares of float32 numbers leave its range long before their root does: then once more in float64.
Tensor euclidean(const Tensor& x, const ReducedDims& r, DType compute) {
    using Limits = std::numeric_limits<float>;
    constexpr float kTiny = Limits::min() / Limits::epsilon();
    const Tensor squares = fold(Fold::kSum, x, r.dims, {compute, Fn::kSquare});
    if (compute == kFloat64 ||
        logical_and(gt(squares, kTiny), lt(squares, Limits::max())).all().item<bool>()) {
        return sqrt(squares);
    }
    return sqrt(fold(Fold::kSum, x, r.dims, {kFloat64, Fn::kSquare}));
}

/// The norm with the kept dimensions. Of nothing it is 0.
Tensor norm_of(const Tensor& x, double p, const ReducedDims& r) {
    const DType compute = compute_dtype(x.dtype());
    if (r.count == 0) return zeros(r.kept, compute);
    if (p == 0) return count_nonzero(x, r.dims, true);
    if (p == 1) return fold(Fold::kSum, x, r.dims, {compute, Fn::kAbs});
    if (p == 2) return euclidean(x, r, compute);
    if (std::isinf(p)) return fold(p > 0 ? Fold::kMax : Fold::kMin, x, r.dims, {compute, Fn::kAbs});
    return pow(fold(Fold::kSum, pow(abs(x.to(compute)), p), r.dims, {compute}), 1 / p);
}

/// ȳ ∂y/∂x, for ȳ and y that broadcast over x.
Tensor norm_gradient(const Tensor& g, const Tensor& x, const Tensor& y, double p, const Shape& dims) {
    const auto over_norm = [&](const Tensor& divisor) { return where(eq(y, 0), 0, g / divisor); };
    if (p == 1) return g * sign(x);
    if (p == 2) return x * over_norm(y);
    if (std::isinf(p)) {
        const Tensor winners = eq(abs(x), y).to(g.dtype());
        return sign(x) * ((g / winners.sum(dims, true)) * winners);
    }
    // At 0, where |x|ᵖ⁻¹ may have a pole, sign x chooses the subgradient 0.
    const Tensor size = where(eq(x, 0), 1, abs(x));
    return sign(x) * pow(size, p - 1) * over_norm(pow(y, p - 1));
}

}  // namespace

Tensor norm(const Tensor& x, Scalar power, const Shape& dims, bool keepdim) {
    if (!x.is_floating_point()) {
        fail<DTypeError>("norm: a floating tensor is needed, not ", x.dtype(),
                         "; convert it with to(kFloat32)");
    }
    const ReducedDims r("norm", x, dims, keepdim);
    const auto p = power.to<double>();
    const Tensor y = r.shaped(dense(norm_of(x.detach(), p, r), x.dtype()));
    if (p == 0) return y;  // it counts: no gradient
    return record("norm", y, {{x, [x, r, p](const Tensor& g, const Tensor& norm) {
                                   return norm_gradient(r.unreduced(g), x, r.unreduced(norm), p, r.dims);
                               }}});
}

Tensor norm(const Tensor& x, Scalar p) { return norm(x, p, {}); }

}  // namespace reel
