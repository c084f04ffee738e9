// The p-norm. One pass over memory for p = 0, 1, 2, ±∞: each block is mapped and folded while it is in cache.
#include <cmath>
#include <limits>

#include "autograd/tape.hpp"
#include "ops/pointwise/by_promotion.hpp"
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

/// Whether sums of squares have kept the digits that their roots need.
template <class T>
bool in_range(const Tensor& squares) {
    using Limits = std::numeric_limits<T>;
    constexpr T kTiny = Limits::min() / Limits::epsilon();
    return logical_and(gt(squares, kTiny), lt(squares, Limits::max())).all().template item<bool>();
}

/// √Σ x². Squares leave the range of numbers long before their root does: those of float32 are then taken once
/// more in float64, those of float64 over the largest.
Tensor euclidean(const Tensor& x, const ReducedDims& r, DType compute) {
    const Tensor squares = fold(Fold::kSum, x, r.dims, {compute, Fn::kSquare});
    if (compute == kFloat64 ? in_range<double>(squares) : in_range<float>(squares)) return sqrt(squares);
    if (compute != kFloat64) return sqrt(fold(Fold::kSum, x, r.dims, {kFloat64, Fn::kSquare}));
    const Tensor largest = fold(Fold::kMax, x, r.dims, {compute, Fn::kAbs});
    const Tensor unit = where(logical_and(isfinite(largest), ne(largest, 0)), largest, 1);
    return unit * sqrt(fold(Fold::kSum, x / unit, r.dims, {compute, Fn::kSquare}));
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
    if (p == 0) return record("norm", y, {{x, zero_gradient}});  // it counts
    return record("norm", y, {{x, [x, r, p](const Tensor& g, const Tensor& norm) {
                                   return norm_gradient(r.unreduced(wide(g)), wide(x),
                                                        r.unreduced(wide(norm)), p, r.dims);
                               }}});
}

Tensor norm(const Tensor& x, Scalar p) { return norm(x, p, {}); }

}  // namespace reel
