// Sums, products, moments, norms and truth over dims: forward by `fold`, pullbacks beside them. Maxima and
// minima are in `extremes.cpp`.
#include "ops/reduce/reduce.hpp"

#include <algorithm>
#include <cmath>

#include "autograd/tape.hpp"
#include "ops/pointwise/by_promotion.hpp"
#include "ops/pointwise/compare.hpp"
#include "ops/pointwise/dense_driver.hpp"
#include "ops/pointwise/pointwise_driver.hpp"
#include "ops/pointwise/transcendental.hpp"
#include "ops/reduce/reduce_driver.hpp"
#include "ops/reduce/scan.hpp"

namespace reel {

namespace {

using kernels::Fn;
using kernels::ReduceOp;

/// The reduction in the result's shape, type and memory.
Tensor reduced(ReduceOp op, const Tensor& x, const ReducedDims& r, const Preparation& preparation,
               DType result) {
    return dense(r.shaped(reduce(op, x, r.dims, preparation)), result);
}

/// Π of the others: for each element, the product over `r.dims` without it. No division, so zeros do no harm.
Tensor product_of_others(const Tensor& x, const ReducedDims& r) {
    Shape order;  // the reduced dimensions go to the end and become one
    for (std::int64_t d = 0; d < x.dim(); ++d) {
        if (!contains(r.dims, d)) order.push_back(d);
    }
    const auto lead = static_cast<std::int64_t>(order.size());
    Shape inverse = x.sizes();
    for (std::int64_t d : r.dims) order.push_back(d);
    for (std::size_t i = 0; i < order.size(); ++i)
        inverse[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
    const Tensor moved = x.permute(order);
    Shape flat(std::span(moved.sizes().data(), static_cast<std::size_t>(lead)));
    flat.push_back(r.count);
    const Tensor rows = moved.reshape(flat);
    const Tensor before = exclusive_cumprod(rows, lead);
    const Tensor after = exclusive_cumprod(rows.flip(lead), lead).flip(lead);
    return (before * after).reshape(moved.sizes()).permute(inverse);
}

double smallest_normal(DType dtype) {
    return dtype == kFloat16 ? 0x1p-14 : dtype == kFloat64 ? 0x1p-1022 : 0x1p-126;
}

/// ȳ 2 (x − mean) / divisor.
Tensor var_gradient(const Tensor& y_bar, const Tensor& x, const ReducedDims& r, double divisor) {
    const Tensor wide_x = wide(x);
    return (r.unreduced(wide(y_bar)) * (2 / divisor)) * (wide_x - mean(wide_x, r.dims, true));
}

double divisor_of(const ReducedDims& r, bool unbiased) {
    return std::max(static_cast<double>(r.count) - (unbiased ? 1 : 0), 0.0);
}

/// f(Σ (x − mean)² / divisor).
Tensor moments(const char* name, const Tensor& x, const ReducedDims& r, double divisor, const auto& f) {
    check_floating(name, x);
    const States states = reduce_states(ReduceOp::kMoments, x, r.dims, {compute_dtype(x.dtype())});
    return r.shaped(states.map<kernels::Moments>(
        x.dtype(), [&](const kernels::Moments& m) { return f(m.squares / divisor); }));
}

/// y_bar / y, and 0 where y is.
Tensor over_result(const Tensor& y_bar, const Tensor& y) { return where(eq(y, 0), 0, y_bar / y); }

}  // namespace

Tensor sum(const Tensor& x, const Shape& dims, bool keepdim) {
    const ReducedDims r("sum", x, dims, keepdim);
    const DType result = x.is_floating_point() ? x.dtype() : kInt64;
    return record(
        "sum", reduced(ReduceOp::kSum, x, r, {compute_dtype(x.dtype())}, result),
        {{x, [r, sizes = x.sizes()](const Tensor& y_bar) { return r.unreduced(y_bar).expand(sizes); }}});
}

Tensor mean(const Tensor& x, const Shape& dims, bool keepdim) {
    check_floating("mean", x);
    const ReducedDims r("mean", x, dims, keepdim);
    const DType compute = compute_dtype(x.dtype());
    const Tensor total = reduced(ReduceOp::kSum, x, r, {compute}, compute);
    const auto n = static_cast<double>(r.count);
    return record("mean", apply({"mean", Fn::kDiv, compute, x.dtype(), nullptr}, {total, n}),
                  {{x, [r, n, sizes = x.sizes()](const Tensor& y_bar) {
                        return r.unreduced(y_bar / n).expand(sizes);
                    }}});
}

Tensor prod(const Tensor& x, const Shape& dims, bool keepdim) {
    const ReducedDims r("prod", x, dims, keepdim);
    const DType result = x.is_floating_point() ? x.dtype() : kInt64;
    return record("prod", reduced(ReduceOp::kProd, x, r, {compute_dtype(result)}, result),
                  {{x, [x, r](const Tensor& y_bar, const Tensor& y) {
                        // A quotient has the digits of y, which below the normal numbers are few.
                        const bool divisible =
                            logical_and(isfinite(y), abs(y) >= smallest_normal(y.dtype())).all().item<bool>();
                        return divisible ? r.unreduced(wide(y_bar) * y) / x
                                         : r.unreduced(wide(y_bar)) * product_of_others(wide(x), r);
                    }}});
}

Tensor var(const Tensor& x, const Shape& dims, bool unbiased, bool keepdim) {
    const ReducedDims r("var", x, dims, keepdim);
    const double divisor = divisor_of(r, unbiased);
    return record("var", moments("var", x, r, divisor, [](double y) { return y; }),
                  {{x, [x, r, divisor](const Tensor& y_bar) { return var_gradient(y_bar, x, r, divisor); }}});
}

Tensor std(const Tensor& x, const Shape& dims, bool unbiased, bool keepdim) {
    const ReducedDims r("std", x, dims, keepdim);
    const double divisor = divisor_of(r, unbiased);
    return record("std", moments("std", x, r, divisor, [](double y) { return std::sqrt(y); }),
                  {{x, [x, r, divisor](const Tensor& y_bar, const Tensor& y) {
                        return var_gradient(over_result(wide(y_bar), 2 * wide(y)), x, r, divisor);
                    }}});
}

Tensor any(const Tensor& x, const Shape& dims, bool keepdim) {
    const ReducedDims r("any", x, dims, keepdim);
    return r.shaped(reduce(ReduceOp::kMax, x, r.dims, {kBool}));
}

Tensor all(const Tensor& x, const Shape& dims, bool keepdim) {
    const ReducedDims r("all", x, dims, keepdim);
    return r.shaped(reduce(ReduceOp::kMin, x, r.dims, {kBool}));
}

Tensor count_nonzero(const Tensor& x, const Shape& dims, bool keepdim) {
    const ReducedDims r("count_nonzero", x, dims, keepdim);
    return r.shaped(reduce(ReduceOp::kSum, x, r.dims, {kBool}));
}

}  // namespace reel
