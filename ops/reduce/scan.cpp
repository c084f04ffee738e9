// Scans along a dimension. Their pullbacks are scans from the other end.
#include "ops/reduce/scan.hpp"

#include "autograd/tape.hpp"
#include "ops/pointwise/by_promotion.hpp"
#include "ops/pointwise/dense_driver.hpp"
#include "ops/pointwise/transcendental.hpp"
#include "ops/reduce/reduce_driver.hpp"
#include "ops/shape/join.hpp"
#include "tensor/factory.hpp"
#include "tensor/parallel.hpp"

namespace reel {

namespace {

using kernels::Scan;
using std::int64_t;

/// Runs the scans of `x` (and `a`) along `dim`, from the front or from the end. Not recorded.
Tensor run(Scan op, const Tensor& x, const Tensor* a, int64_t dim, bool from_end, DType result) {
    const DType compute = compute_dtype(result);
    const kernels::ScanLanes kernel = kernels::scan(op, compute);
    const Tensor from = dense(x, compute);
    const Tensor factors = a ? dense(*a, compute) : Tensor();
    const Tensor to = Tensor::empty(x.sizes(), compute);
    const Middle shape = middle_of(x.sizes(), dim, dim + 1);
    if (x.numel() == 0) return dense(to, result);
    const int64_t size = itemsize(compute);
    const int64_t along = from_end ? -shape.inner : shape.inner;
    const int64_t start = from_end ? (shape.n - 1) * shape.inner : 0;
    const auto scan = [&](int64_t lanes, int64_t across, int64_t first) {
        const int64_t at = (first + start) * size;
        kernel(shape.n, lanes, along, across, from.raw() + at, a ? factors.raw() + at : nullptr,
               to.raw() + at);
    };
    if (shape.inner == 1) {
        parallel_for(shape.outer, 8, shape.n,
                     [&](int64_t begin, int64_t end) { scan(end - begin, shape.n, begin * shape.n); });
    } else {
        constexpr int64_t kStrip = 64;
        const int64_t strips = (shape.inner + kStrip - 1) / kStrip;
        parallel_for(shape.outer * strips, 1, kStrip * shape.n, [&](int64_t begin, int64_t end) {
            for (int64_t item = begin; item < end; ++item) {
                const int64_t column = item % strips * kStrip;
                scan(std::min(kStrip, shape.inner - column), 1,
                     item / strips * shape.n * shape.inner + column);
            }
        });
    }
    return dense(to, result);
}

Tensor running_sum(const Tensor& x, int64_t dim, bool from_end) {
    const DType result = x.is_floating_point() ? x.dtype() : kInt64;
    return record("cumsum", run(Scan::kSum, x, nullptr, dim, from_end, result),
                  {{x, [dim, from_end](const Tensor& y_bar) { return running_sum(y_bar, dim, !from_end); }}});
}

/// The neighbour before (or, from the end, after) each element; `fill` where there is none.
Tensor neighbour(const Tensor& x, int64_t dim, bool from_end, double fill) {
    const Tensor edge = full_like(x.narrow(dim, 0, 1), fill);
    const int64_t rest = x.size(dim) - 1;
    return from_end ? cat({x.narrow(dim, 1, rest), edge}, dim) : cat({edge, x.narrow(dim, 0, rest)}, dim);
}

}  // namespace

Tensor cumsum(const Tensor& x, int64_t dim) {
    return running_sum(x, wrap_dim(dim, x.dim(), "cumsum"), false);
}

// ∂yₖ/∂xᵢ = (x₀ ⋯ xᵢ₋₁)(xᵢ₊₁ ⋯ xₖ), so x̄ᵢ = yᵢ₋₁ sᵢ with sᵢ = ȳᵢ + xᵢ₊₁ sᵢ₊₁: no division.
Tensor cumprod(const Tensor& x, int64_t dim) {
    const int64_t d = wrap_dim(dim, x.dim(), "cumprod");
    const DType result = x.is_floating_point() ? x.dtype() : kInt64;
    return record("cumprod", run(Scan::kProd, x, nullptr, d, false, result),
                  {{x, [x, d](const Tensor& y_bar, const Tensor& y) {
                        if (x.numel() == 0 || x.dim() == 0) return y_bar;
                        return neighbour(y, d, false, 1) * linear_recurrence(wide(y_bar), wide(x), d, true);
                    }}});
}

Tensor exclusive_cumprod(const Tensor& x, int64_t dim) {
    return x.numel() == 0 ? x : cumprod(neighbour(x, dim, false, 1), dim);
}

// With hᵢ = s̄ᵢ + aᵢ₊₁ hᵢ₊₁, the same recurrence from the other end: x̄ = v and āᵢ = hᵢ sᵢ₋₁.
Tensor linear_recurrence(const Tensor& x, const Tensor& a, int64_t dim, bool from_end) {
    if (x.sizes() != a.sizes() || x.dtype() != a.dtype() || !x.is_floating_point()) {
        fail<ShapeError>("linear_recurrence: floating tensors of one shape and type are needed, not ",
                         x.dtype(), " ", x.sizes(), " and ", a.dtype(), " ", a.sizes());
    }
    const int64_t d = wrap_dim(dim, x.dim(), "linear_recurrence");
    // From the end sᵢ takes the factor of its neighbour aᵢ₊₁.
    const Tensor factors = from_end && x.numel() > 0 ? neighbour(a.detach(), d, true, 0) : a;
    return record("linear_recurrence", run(Scan::kLinear, x, &factors, d, from_end, x.dtype()),
                  {{x, [a, d, from_end](const Tensor& v) { return linear_recurrence(v, a, d, !from_end); }},
                   {a, [a, d, from_end](const Tensor& v, const Tensor& s) {
                        const Tensor x_bar = linear_recurrence(v, a, d, !from_end);
                        return from_end ? neighbour(x_bar, d, false, 0) * s
                                        : x_bar * neighbour(s, d, false, 0);
                    }}});
}

}  // namespace reel
