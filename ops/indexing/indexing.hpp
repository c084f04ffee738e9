/// \file
/// Reading and writing at chosen places: `index` and `index_put` with the words of `tensor/indexing.hpp`,
/// `gather`, `scatter` and their kin along one dimension, masks, rows of a table. The methods of the same
/// names are the same operations. All are differentiable to any order in their floating arguments; the
/// adjoint of reading is adding, and the other way round.
#pragma once

#include "../../tensor/tensor.hpp"

#pragma GCC visibility push(default)
namespace reel {

/// x.index({…}): integers select, `Slice` slices (negative steps too), `None` makes a dimension of size 1,
/// `Ellipsis` stands for as many full slices as are missing; all these give a view. Bool tensors pick where
/// they are true and index as many dimensions as they have; int64 tensors pick elements along one
/// dimension each, broadcast with one another, negative numbers counting from the end; both copy. The
/// dimensions of the index tensors take the place of those that they index where these are neighbours,
/// else in front. x̄ = ȳ added at the places read, else 0. Throws an `IndexError` for an index out of its
/// range, too many indices, and masks that do not fit, a `DTypeError` for index tensors of other types.
inline Tensor index(const Tensor& x, const TensorIndices& indices) { return x.index(indices); }
/// A copy of `x` with `value`, broadcast, at the places of the index; or added there. Where a place is named
/// twice the last write wins, and alone has gradient; sums are taken in the order of the index. x̄ = ȳ, 0 at
/// the places overwritten; the value gets ȳ there. Throws a `DTypeError` unless `value` has the type of `x`.
inline Tensor index_put(const Tensor& x, const TensorIndices& indices, const Tensor& value,
                        bool accumulate = false) {
    return x.index_put(indices, value, accumulate);
}

/// Slices `index[0], index[1], …` of `x` along `dim`. `index` is int64, 1-D or 0-d. x̄ = ȳ added at the slices
/// read, else 0.
inline Tensor index_select(const Tensor& x, std::int64_t dim, const Tensor& index) {
    return x.index_select(dim, index);
}
/// y[i][j] = x[index[i][j]][j] for dim 0, and so on. The result has the shape of `index`, which has as many
/// dimensions as `x` and is nowhere longer but along `dim`. x̄ = ȳ added at the places read, else 0.
inline Tensor gather(const Tensor& x, std::int64_t dim, const Tensor& index) { return x.gather(dim, index); }
/// A copy of `x` with y[index[i][j]][j] = src[i][j] for dim 0, and so on. Where a place is named twice the
/// last write wins, and alone has gradient. x̄ = ȳ, 0 at the places overwritten; src gets ȳ there.
inline Tensor scatter(const Tensor& x, std::int64_t dim, const Tensor& index, const Tensor& src) {
    return x.scatter(dim, index, src);
}
inline Tensor scatter(const Tensor& x, std::int64_t dim, const Tensor& index, Scalar value) {
    return x.scatter(dim, index, value);
}
/// The same with y[index[i][j]][j] += src[i][j]: the adjoint of `gather`. x̄ = ȳ, and src gets ȳ at its
/// places.
inline Tensor scatter_add(const Tensor& x, std::int64_t dim, const Tensor& index, const Tensor& src) {
    return x.scatter_add(dim, index, src);
}
/// `gather` with `x` and `indices` broadcast but along `dim`, where indices count from either end; without `dim` from
/// the flattened `x`.
inline Tensor take_along_dim(const Tensor& x, const Tensor& indices, std::optional<std::int64_t> dim = None) {
    return x.take_along_dim(indices, dim);
}

/// The elements for which the mask, broadcast with `x`, holds: 1-D, in row-major order. x̄ = ȳ where the mask
/// holds, else 0.
inline Tensor masked_select(const Tensor& x, const Tensor& mask) { return x.masked_select(mask); }
/// The indices of the elements that are not 0: int64, one row for each of them.
inline Tensor nonzero(const Tensor& x) { return x.nonzero(); }

/// 1 at the index in a new last dimension of `num_classes` (-1: the largest index + 1), 0 elsewhere; int64.
Tensor one_hot(const Tensor& indices, std::int64_t num_classes = -1);
/// Rows of `weight`, a matrix: y[…, :] = weight[indices[…], :]. With W the weight, W̄ = ȳ added at the rows
/// read, else 0.
Tensor embedding(const Tensor& indices, const Tensor& weight);

}  // namespace reel
#pragma GCC visibility pop
