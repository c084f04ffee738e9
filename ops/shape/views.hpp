/// \file
/// Views as free functions. Each gives other sizes and strides on the storage of `x`; the method of the same
/// name is the same operation. All are differentiable to any order. Dimensions count from either end, an
/// `IndexError` where there is none; a `ShapeError` where sizes do not fit. Views of everything are in
/// `views.cpp`, views of a part in `slicing.cpp`.
#pragma once

#include "../../tensor/tensor.hpp"

namespace [[gnu::visibility("default")]] reel {

/// Dimensions start_dim … end_dim as one; a 0-d tensor gets one of size 1. Copies where the strides do not
/// allow a view. x̄ = ȳ in the shape of x.
Tensor flatten(const Tensor& x, std::int64_t start_dim = 0, std::int64_t end_dim = -1);
/// The elements in row-major order as another shape, of which one size may be -1. Copies where the strides do
/// not allow a view. x̄ = ȳ in the shape of x.
Tensor reshape(const Tensor& x, const Shape& shape);
/// Without dimensions of size 1, or without `dim` where its size is 1. x̄ = ȳ in the shape of x.
Tensor squeeze(const Tensor& x);
Tensor squeeze(const Tensor& x, std::int64_t dim);
/// With a dimension of size 1 put in at `dim`. x̄ = ȳ in the shape of x.
Tensor unsqueeze(const Tensor& x, std::int64_t dim);
/// With two dimensions swapped. x̄ = ȳ transposed back.
Tensor transpose(const Tensor& x, std::int64_t dim0, std::int64_t dim1);
/// The transpose of a matrix; a tensor of fewer dimensions as it is. x̄ = ȳᵀ.
Tensor t(const Tensor& x);
/// Dimension `dim` as several, of which one size may be -1. x̄ = ȳ in the shape of x.
Tensor unflatten(const Tensor& x, std::int64_t dim, const Shape& sizes);
/// y's dimension i is x's dimension dims[i]. x̄ = ȳ permuted back.
Tensor permute(const Tensor& x, const Shape& dims);
/// Dimension source[i] moves to destination[i]; the others keep their order. x̄ = ȳ moved back.
Tensor movedim(const Tensor& x, const Shape& source, const Shape& destination);
/// Dimensions of size 1 repeated, and new ones in front; -1 leaves a size as it is. x̄ = ȳ summed over what
/// was repeated.
Tensor broadcast_to(const Tensor& x, const Shape& sizes);
/// Element `index` along `dim`, which is gone. x̄ = ȳ at the index, else 0.
Tensor select(const Tensor& x, std::int64_t dim, std::int64_t index);
/// Elements start … start + length − 1 along `dim`. x̄ = ȳ at these elements, else 0.
Tensor narrow(const Tensor& x, std::int64_t dim, std::int64_t start, std::int64_t length);
/// Elements start, start + step, … before `end` along `dim`, by Python's rules; a negative step walks backwards. x̄ = ȳ
/// at these elements, else 0.
Tensor slice(const Tensor& x, std::int64_t dim = 0, std::optional<std::int64_t> start = None,
             std::optional<std::int64_t> end = None, std::int64_t step = 1);
/// y[…, i] = x[i, i + offset] of two dimensions, which are gone. x̄ = ȳ on the diagonal, else 0.
Tensor diagonal(const Tensor& x, std::int64_t offset = 0, std::int64_t dim1 = 0, std::int64_t dim2 = 1);
/// All elements along `dim`. x̄ = ȳ at the index of each, else 0.
std::vector<Tensor> unbind(const Tensor& x, std::int64_t dim = 0);
/// Parts of one size along `dim` (the last may be smaller), or of the sizes given. x̄ = ȳ in the place of each
/// part.
std::vector<Tensor> split(const Tensor& x, std::int64_t split_size, std::int64_t dim = 0);
std::vector<Tensor> split(const Tensor& x, const std::vector<std::int64_t>& split_sizes,
                          std::int64_t dim = 0);
/// At most `chunks` parts of one size. x̄ = ȳ in the place of each part.
std::vector<Tensor> chunk(const Tensor& x, std::int64_t chunks, std::int64_t dim = 0);
/// Backwards along `dims`. x̄ = ȳ flipped.
Tensor flip(const Tensor& x, const Shape& dims);
/// Any layout on the storage of `x`, bounds-checked. `offset` counts from the storage's first element; where
/// not given it is that of `x`. x̄ = Σ ȳ of the elements that are in the same place.
Tensor as_strided(const Tensor& x, const Shape& sizes, const Shape& strides,
                  std::optional<std::int64_t> offset = None);

}  // namespace reel
