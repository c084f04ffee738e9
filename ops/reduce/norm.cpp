// The p-norm. One pass over memory for p = 0, 1, 2, ±∞: elements are squared as they are read, and other maps taken of a block
// that is in cache.
#include <cmath>
#include <limits>

#include "autograd/tape.hpp"
#include "ops/pointwise/by_promotion.hpp"
#include "ops/pointwise/compare.hpp"
#include "ops/pointwise/dense_driver.hpp"
#include "ops/pointwise/transcendental.hpp"
#include "ops/reduce/reduce.hpp"
#include "ops/reduce/reduce_driver.hpp"
#include "tensor/factory.hpp"

namespace reel {

namespace {

using kernels::Fn;
using kernels::ReduceOp;

/// m (Σ (|x| / m)ᵖ)^(1/p), m the largest |x|, or the smallest for p < 0: no power exceeds 1.
Tensor scaled_norm(const Tensor& x, double p, const ReducedDims& r) {
    const Tensor m = reduce(p > 0 ? ReduceOp::kMax : ReduceOp::kMin, x, r.dims, {x.dtype(), Fn::kAbs});
    const Tensor plain = logical_and(gt(m, 0), isfinite(m));
    const Tensor ratio = abs(x) / where(plain, m, 1);
    return where(plain, m * pow(reduce(ReduceOp::kSum, pow(ratio, p), r.dims, {kFloat64}), 1 / p), m);
}

/// Whether sums of powers are none too small or large: they have lost no digits.
bool are_exact(const Tensor& sums) {
    const bool narrow = sums.dtype() == kFloat32;
    const double most =
        narrow ? static_cast<double>(std::numeric_limits<float>::max()) : std::numeric_limits<double>::max();
    const double tiny =
        narrow ? std::ldexp(1, -102) : std::ldexp(1, -969);  // of their ulp, the smallest number
    return logical_and(gt(sums, tiny), le(sums, most)).all().item<bool>();
}

/// √Σ x². Squares of float32 numbers leave its range long before their root does: then once more in float64.
Tensor euclidean(const Tensor& x, const ReducedDims& r, DType compute) {
    const Tensor squares = reduce(ReduceOp::kSumSquares, x, r.dims, {compute});
    if (are_exact(squares)) return sqrt(squares);
    if (compute == kFloat64) return scaled_norm(x, 2, r);
    return sqrt(reduce(ReduceOp::kSumSquares, x, r.dims, {kFloat64}));
}

/// (Σ |x|ᵖ)^(1/p), in float64: the root of a sum in float32 would show what 1/p loses there.
Tensor power_norm(const Tensor& x, double p, const ReducedDims& r) {
    const Tensor sizes = abs(x.to(kFloat64));
    const Tensor sums = reduce(ReduceOp::kSum, pow(sizes, p), r.dims, {kFloat64});
    return are_exact(sums) ? pow(sums, 1 / p) : scaled_norm(sizes, p, r);
}

/// The norm with the kept dimensions. Of nothing it is 0, where p has one.
Tensor norm_of(const Tensor& x, double p, const ReducedDims& r) {
    const DType compute = compute_dtype(x.dtype());
    if (r.count == 0 && (p < 0 || std::isinf(p)) && numel(r.kept) > 0) {
        fail<ShapeError>("norm: no elements to choose from, with p = ", p, ", in a tensor of shape ",
                         x.sizes(), " over dims ", r.dims);
    }
    if (r.count == 0) return zeros(r.kept, compute);
    if (p == 0) return count_nonzero(x, r.dims, true);
    if (p == 1) return reduce(ReduceOp::kSum, x, r.dims, {compute, Fn::kAbs});
    if (p == 2) return euclidean(x, r, compute);
    if (std::isinf(p)) return reduce(p > 0 ? ReduceOp::kMax : ReduceOp::kMin, x, r.dims, {compute, Fn::kAbs});
    return power_norm(x, p, r);
}

/// ȳ ∂y/∂x, for ȳ and y that broadcast over x.
Tensor norm_gradient(const Tensor& y_bar, const Tensor& x, const Tensor& y, double p, const Shape& dims) {
    const auto over_norm = [&](const Tensor& divisor) { return where(eq(y, 0), 0, y_bar / divisor); };
    if (p == 1) return y_bar * sign(x);
    if (p == 2) return x * over_norm(y);
    if (std::isinf(p)) {
        const Tensor winners = eq(abs(x), y).to(y_bar.dtype());
        return sign(x) * ((y_bar / winners.sum(dims, true)) * winners);
    }
    // At 0, where |x|ᵖ⁻¹ may have a pole, sign x chooses the subgradient 0. The quotient's power stays in range.
    const Tensor ratio = where(eq(x, 0), 1, abs(x) / where(eq(y, 0), 1, y));
    return sign(x) * pow(ratio, p - 1) * where(eq(y, 0), 0, y_bar);
}

}  // namespace

Tensor norm(const Tensor& x, Scalar power, const Shape& dims, bool keepdim) {
    check_floating("norm", x);
    const ReducedDims r("norm", x, dims, keepdim);
    const auto p = power.to<double>();
    const Tensor y = r.shaped(dense(norm_of(x.detach(), p, r), x.dtype()));
    if (p == 0) return record("norm", y, {{x, zero_gradient}});  // it counts
    return record("norm", y, {{x, [x, r, p](const Tensor& y_bar, const Tensor& norm) {
                                   return norm_gradient(r.unreduced(wide(y_bar)), wide(x),
                                                        r.unreduced(wide(norm)), p, r.dims);
                               }}});
}

Tensor norm(const Tensor& x, Scalar p) { return norm(x, p, {}); }

}  // namespace reel
