// Reductions: forward by `fold`, pullbacks beside them.
#include "ops/reduce.hpp"

#include "autograd/tape.hpp"
#include "ops/apply.hpp"
#include "ops/compare.hpp"
#include "ops/fold.hpp"
#include "ops/pointwise.hpp"

namespace reel {

namespace {

using kernels::Fold;

/// What a reduction knows of its dims.
struct Dims {
    Shape dims;              ///< wrapped
    Shape kept;              ///< the result's sizes with keepdim
    Shape result;            ///< the result's sizes
    std::int64_t count = 1;  ///< elements folded into one

    Dims(const char* name, const Tensor& x, const Shape& given, bool keepdim)
        : dims(wrap_dims(given, x.dim(), name)),
          kept(reduced_sizes(x.sizes(), dims, true)),
          result(reduced_sizes(x.sizes(), dims, keepdim)) {
        for (std::int64_t d : dims) count *= x.sizes()[static_cast<std::size_t>(d)];
    }
};

/// The fold in the result's shape and type.
Tensor folded(Fold how, const Tensor& x, const Dims& d, DType compute, DType result) {
    const Tensor y = fold(how, x, d.dims, compute);
    const Tensor shaped = Tensor::make(y.impl().storage, compute, d.result, contiguous_strides(d.result), 0);
    return dense(shaped, result);
}

/// A reduction's gradient spread over what was reduced.
Tensor spread(const Tensor& g, const Shape& kept, const Shape& sizes) {
    return g.reshape(kept).expand(sizes);
}

void check_not_empty(const char* name, const Tensor& x, const Dims& d) {
    if (d.count == 0 && numel(d.result) > 0) {
        fail<ShapeError>(name, ": no elements to choose from in a tensor of shape ", x.sizes(), " over dims ",
                         d.dims);
    }
}

Tensor extremum(const char* name, Fold how, const Tensor& x, const Shape& dims, bool keepdim) {
    const Dims d(name, x, dims, keepdim);
    check_not_empty(name, x, d);
    const DType compute = x.dtype() == kBool ? kInt64 : compute_dtype(x.dtype());
    return record(name, folded(how, x, d, compute, x.dtype()),
                  {{x, [x, d](const Tensor& g, const Tensor& y) {
                        const Tensor winners = eq(x, y.detach().reshape(d.kept)).to(g.dtype());
                        return (g.reshape(d.kept) / winners.sum(d.dims, true)) * winners;
                    }}});
}

}  // namespace

Tensor sum(const Tensor& x, const Shape& dims, bool keepdim) {
    const Dims d("sum", x, dims, keepdim);
    const DType result = x.is_floating_point() ? x.dtype() : kInt64;
    return record(
        "sum", folded(Fold::kSum, x, d, compute_dtype(result), result),
        {{x, [kept = d.kept, sizes = x.sizes()](const Tensor& g) { return spread(g, kept, sizes); }}});
}

Tensor mean(const Tensor& x, const Shape& dims, bool keepdim) {
    if (!x.is_floating_point()) {
        fail<DTypeError>("mean: a floating tensor is needed, not ", x.dtype(),
                         "; convert it with to(kFloat32)");
    }
    const Dims d("mean", x, dims, keepdim);
    const DType compute = compute_dtype(x.dtype());
    const Tensor total = folded(Fold::kSum, x, d, compute, compute);
    const auto n = static_cast<double>(d.count);
    return record(
        "mean", apply({"mean", kernels::Fn::kDiv, compute, x.dtype(), nullptr}, {total, n}),
        {{x, [kept = d.kept, sizes = x.sizes(), n](const Tensor& g) { return spread(g / n, kept, sizes); }}});
}

Tensor amax(const Tensor& x, const Shape& dims, bool keepdim) {
    return extremum("amax", Fold::kMax, x, dims, keepdim);
}
Tensor amin(const Tensor& x, const Shape& dims, bool keepdim) {
    return extremum("amin", Fold::kMin, x, dims, keepdim);
}

Tensor any(const Tensor& x, const Shape& dims, bool keepdim) {
    const Dims d("any", x, dims, keepdim);
    return folded(Fold::kSum, ne(x, 0), d, kInt64, kBool);
}

Tensor all(const Tensor& x, const Shape& dims, bool keepdim) {
    const Dims d("all", x, dims, keepdim);
    return folded(Fold::kMin, ne(x, 0), d, kInt64, kBool);
}

}  // namespace reel
