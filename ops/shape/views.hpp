/// \file
/// Views as free functions. Each gives other sizes and strides on the storage of `x`; the method of the same
/// name is the same operation. All are differentiable to any order. Dimensions count from either end, an
/// `IndexError` where there is none; a `ShapeError` where sizes do not fit. Views of everything are in
/// `views.cpp`, views of a part in `slicing.cpp`.
#pragma once

#include "../../tensor/tensor.hpp"

#pragma GCC visibility push(default)
namespace reel {

/// Dimensions start_dim … end_dim as one; a 0-d tensor gets one of size 1. Copies where the strides do not
/// allow a view. x̄ = ȳ in the shape of x.
inline Tensor flatten(const Tensor& x, std::int64_t start_dim = 0, std::int64_t end_dim = -1) {
    return x.flatten(start_dim, end_dim);
}
/// The elements in row-major order as another shape, of which one size may be -1. Copies where the strides do
/// not allow a view. x̄ = ȳ in the shape of x.
inline Tensor reshape(const Tensor& x, const Shape& shape) { return x.reshape(shape); }
/// Without dimensions of size 1, or without `dim` where its size is 1. x̄ = ȳ in the shape of x.
inline Tensor squeeze(const Tensor& x) { return x.squeeze(); }
inline Tensor squeeze(const Tensor& x, std::int64_t dim) { return x.squeeze(dim); }
/// With a dimension of size 1 put in at `dim`. x̄ = ȳ in the shape of x.
inline Tensor unsqueeze(const Tensor& x, std::int64_t dim) { return x.unsqueeze(dim); }
/// With two dimensions swapped. x̄ = ȳ transposed back.
inline Tensor transpose(const Tensor& x, std::int64_t dim0, std::int64_t dim1) {
    return x.transpose(dim0, dim1);
}
/// The transpose of a matrix; a tensor of fewer dimensions as it is. x̄ = ȳᵀ.
inline Tensor t(const Tensor& x) { return x.t(); }
/// Dimension `dim` as several, of which one size may be -1. x̄ = ȳ in the shape of x.
inline Tensor unflatten(const Tensor& x, std::int64_t dim, const Shape& sizes) {
    return x.unflatten(dim, sizes);
}
/// y's dimension i is x's dimension dims[i]. x̄ = ȳ permuted back.
inline Tensor permute(const Tensor& x, const Shape& dims) { return x.permute(dims); }
/// Dimension source[i] moves to destination[i]; the others keep their order. x̄ = ȳ moved back.
inline Tensor movedim(const Tensor& x, const Shape& source, const Shape& destination) {
    return x.movedim(source, destination);
}
/// Dimensions of size 1 repeated, and new ones in front; -1 leaves a size as it is. x̄ = ȳ summed over what
/// was repeated.
inline Tensor broadcast_to(const Tensor& x, const Shape& sizes) { return x.broadcast_to(sizes); }
/// Element `index` along `dim`, which is gone. x̄ = ȳ at the index, else 0.
inline Tensor select(const Tensor& x, std::int64_t dim, std::int64_t index) { return x.select(dim, index); }
/// Elements start … start + length − 1 along `dim`. x̄ = ȳ at these elements, else 0.
inline Tensor narrow(const Tensor& x, std::int64_t dim, std::int64_t start, std::int64_t length) {
    return x.narrow(dim, start, length);
}
/// Elements start, start + step, … before `end` along `dim`, by Python's rules; a negative step walks backwards. x̄ = ȳ
/// at these elements, else 0.
inline Tensor slice(const Tensor& x, std::int64_t dim = 0, std::optional<std::int64_t> start = None,
                    std::optional<std::int64_t> end = None, std::int64_t step = 1) {
    return x.slice(dim, start, end, step);
}
/// y[…, i] = x[i, i + offset] of two dimensions, which are gone. x̄ = ȳ on the diagonal, else 0.
inline Tensor diagonal(const Tensor& x, std::int64_t offset = 0, std::int64_t dim1 = 0,
                       std::int64_t dim2 = 1) {
    return x.diagonal(offset, dim1, dim2);
}
/// All elements along `dim`. x̄ = ȳ at the index of each, else 0.
inline std::vector<Tensor> unbind(const Tensor& x, std::int64_t dim = 0) { return x.unbind(dim); }
/// Parts of one size along `dim` (the last may be smaller), or of the sizes given. x̄ = ȳ in the place of each
/// part.
inline std::vector<Tensor> split(const Tensor& x, std::int64_t split_size, std::int64_t dim = 0) {
    return x.split(split_size, dim);
}
inline std::vector<Tensor> split(const Tensor& x, const std::vector<std::int64_t>& split_sizes,
                                 std::int64_t dim = 0) {
    return x.split(split_sizes, dim);
}
/// At most `chunks` parts of one size. x̄ = ȳ in the place of each part.
inline std::vector<Tensor> chunk(const Tensor& x, std::int64_t chunks, std::int64_t dim = 0) {
    return x.chunk(chunks, dim);
}
/// Backwards along `dims`. x̄ = ȳ flipped.
inline Tensor flip(const Tensor& x, const Shape& dims) { return x.flip(dims); }
/// Any layout on the storage of `x`, bounds-checked. `offset` counts from the storage's first element; where
/// not given it is that of `x`. x̄ = Σ ȳ of the elements that are in the same place.
inline Tensor as_strided(const Tensor& x, const Shape& sizes, const Shape& strides,
                         std::optional<std::int64_t> offset = None) {
    return x.as_strided(sizes, strides, offset);
}

}  // namespace reel
#pragma GCC visibility pop
