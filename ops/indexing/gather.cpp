// Reading and writing along one dimension by an index of the result's own shape.
#include "autograd/tape.hpp"
#include "ops/indexing/gather_driver.hpp"
#include "ops/indexing/indexing.hpp"
#include "ops/pointwise/compare.hpp"
#include "ops/pointwise/dense_driver.hpp"
#include "ops/pointwise/transcendental.hpp"
#include "tensor/factory.hpp"

namespace reel {

namespace {

using std::int64_t;

/// A 0-d tensor as one of a single element.
Tensor at_least_1d(const Tensor& x) { return x.dim() == 0 ? x.view({1}) : x; }

/// Throws unless `index` is empty, or has as many dimensions as `x` and fits into it, but along `dim` (-1: along
/// all).
void check_fits(const char* name, const Tensor& index, const Tensor& x, int64_t dim) {
    if (index.numel() == 0) return;
    bool fits = index.dim() == x.dim();
    for (int64_t d = 0; d < x.dim() && fits; ++d) fits = d == dim || index.size(d) <= x.size(d);
    if (fits) return;
    if (dim < 0)
        fail<ShapeError>(name, ": the index of shape ", index.sizes(), " exceeds the source's ", x.sizes());
    fail<ShapeError>(name, ": an index of shape ", index.sizes(), " for a tensor of shape ", x.sizes(),
                     "; it needs as many dimensions, and none may be longer but dimension ", dim);
}

/// The places of x[index[i][j]][j] (for dim 0, and so on).
GatherPlan gather_plan_along(const char* name, const Tensor& x, int64_t dim, const Tensor& index) {
    Shape strides = x.strides();
    strides[dim] = 0;
    return {name, index.sizes(), strides, {{index, dim, x.sizes()[dim], false, x.strides()[dim]}}};
}

/// Checks the arguments of a scatter and wraps `dim`.
int64_t check_scatter(const char* name, const Tensor& x, int64_t dim, const Tensor& index,
                      const Tensor& src) {
    check_index(name, index);
    if (src.dtype() != x.dtype()) {
        fail<DTypeError>(name, ": a source of ", src.dtype(), " for a tensor of ", x.dtype());
    }
    const int64_t d = wrap_dim(dim, x.dim(), name);
    check_fits(name, index, x, d);
    if (src.dim() > 0) check_fits(name, index, src, -1);
    return d;
}

/// The part of `src` that an index of `sizes` pairs with; a 0-d one goes with every index.
Tensor fitting(const Tensor& src, const Shape& sizes) {
    if (src.dim() == 0) return src.expand(sizes);
    Tensor part = src;
    for (int64_t d = 0; d < src.dim(); ++d) {
        const int64_t size = sizes[d];
        if (size != src.size(d)) part = part.narrow(d, 0, size);
    }
    return part;
}

Tensor scatter_from(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& src) {
    const int64_t d = check_scatter("scatter", x, dim, index, src);
    if (index.numel() == 0) return x.clone();
    const Tensor part = fitting(src, index.sizes());
    const Tensor y = dense_copy(x, x.dtype());
    put(y, gather_plan_along("scatter", y, d, index), part);
    return record("scatter", y,
                  {{x, [d, index](const Tensor& y_bar) { return y_bar.scatter(d, index, 0); }},
                   {part, [d, index, sizes = x.sizes()](const Tensor& y_bar) {
                        const Tensor writer = Tensor::empty(sizes, kInt64);
                        const Tensor last =
                            last_writes(writer, gather_plan_along("scatter", writer, d, index));
                        return where(last, y_bar.gather(d, index), 0);
                    }}});
}

/// For errors the operation has a name.
Tensor gathered(const char* name, const Tensor& x, int64_t dim, const Tensor& index) {
    check_index(name, index);
    const Composite whole;
    if (x.dim() == 0 || index.dim() == 0) {
        return gathered(name, at_least_1d(x), dim, at_least_1d(index)).view(index.sizes());
    }
    const int64_t d = wrap_dim(dim, x.dim(), name);
    check_fits(name, index, x, d);
    if (index.numel() == 0) return x.narrow(0, 0, 0).flatten().view(index.sizes());
    return record("gather", take(x, gather_plan_along(name, x, d, index)),
                  {{x, [d, index, sizes = x.sizes()](const Tensor& y_bar) {
                        return zeros({}, y_bar.dtype()).expand(sizes).scatter_add(d, index, y_bar);
                    }}});
}

}  // namespace

Tensor Tensor::gather(int64_t dim, const Tensor& index) const {
    return gathered("gather", *this, dim, index);
}

Tensor Tensor::scatter(int64_t dim, const Tensor& index, const Tensor& src) const {
    const Composite whole;
    if (this->dim() == 0 || index.dim() == 0) {
        return scatter_from(at_least_1d(*this), dim, at_least_1d(index), at_least_1d(src)).view(sizes());
    }
    return scatter_from(*this, dim, index, src);
}

Tensor Tensor::scatter(int64_t dim, const Tensor& index, Scalar value) const {
    check_number("scatter", value, dtype());
    const Composite whole;
    const Tensor number = full({}, value, dtype());
    if (this->dim() > 0 && index.dim() > 0) return scatter_from(*this, dim, index, number);
    return scatter_from(at_least_1d(*this), dim, at_least_1d(index), number).view(sizes());
}

Tensor Tensor::scatter_add(int64_t dim, const Tensor& index, const Tensor& src) const {
    const Composite whole;
    if (this->dim() == 0 || index.dim() == 0) {
        return at_least_1d(*this).scatter_add(dim, at_least_1d(index), at_least_1d(src)).view(sizes());
    }
    const int64_t d = check_scatter("scatter_add", *this, dim, index, src);
    if (index.numel() == 0) return clone();
    const Tensor part = fitting(src, index.sizes());
    const Tensor y = dense_copy(*this, dtype());
    reel::add(y, gather_plan_along("scatter_add", y, d, index), part);
    return record("scatter_add", y,
                  {{*this, [](const Tensor& y_bar) { return y_bar; }},
                   {part, [d, index](const Tensor& y_bar) { return y_bar.gather(d, index); }}});
}

Tensor Tensor::take_along_dim(const Tensor& indices, std::optional<int64_t> dim) const {
    check_index("take_along_dim", indices);
    const Composite whole;
    if (!dim) return reel::take_along_dim(flatten(), indices.flatten(), 0);
    if (indices.dim() != this->dim()) {
        fail<ShapeError>("take_along_dim: indices of shape ", indices.sizes(), " for a tensor of shape ",
                         sizes(), "; as many dimensions are needed");
    }
    const int64_t along = wrap_dim(*dim, this->dim(), "take_along_dim");
    if (this->dim() == 0) return view({1}).take_along_dim(indices.view({1}), 0).view({});
    Shape own = sizes();
    Shape theirs = indices.sizes();
    own[along] = theirs[along] = 1;
    Shape from = broadcast_shapes(own, theirs, "take_along_dim");
    Shape to = from;
    from[along] = sizes()[along];
    to[along] = indices.sizes()[along];
    // Indices count from the end, too; what is out of range stays as it is, for the message.
    const Tensor from_end = reel::logical_and(indices < 0, indices >= -from[along]);
    const bool none = !from_end.any().item<bool>();
    const Tensor front = none ? indices : reel::where(from_end, indices + from[along], indices);
    return gathered("take_along_dim", expand(from), along, front.expand(to));
}

}  // namespace reel
