/// \file
/// Views as free functions. Each gives other sizes and strides on the storage of `x`; the method of the same
/// name is the same operation. All are differentiable to any order. Dimensions count from either end, an
/// `IndexError` where there is none; a `ShapeError` where sizes do not fit. Views of everything are in
/// `views.cpp`, views of a part in `parts.cpp`.
#pragma once

#include "tensor/tensor.hpp"

namespace reel {

/// Dimensions start_dim … end_dim as one; a 0-d tensor gets one of size 1. Copies where the strides do not
/// allow a view.
Tensor flatten(const Tensor& x, std::int64_t start_dim = 0, std::int64_t end_dim = -1);
/// The elements in row-major order as another shape, of which one size may be -1. Copies where the strides do
/// not allow a view.
Tensor reshape(const Tensor& x, const Shape& shape);
/// Without dimensions of size 1, or without `dim` where its size is 1.
Tensor squeeze(const Tensor& x);
Tensor squeeze(const Tensor& x, std::int64_t dim);
/// With a dimension of size 1 put in at `dim`.
Tensor unsqueeze(const Tensor& x, std::int64_t dim);
/// With two dimensions swapped.
Tensor transpose(const Tensor& x, std::int64_t dim0, std::int64_t dim1);
/// y's dimension i is x's dimension dims[i].
Tensor permute(const Tensor& x, const Shape& dims);
/// Dimension source[i] moves to destination[i]; the others keep their order.
Tensor movedim(const Tensor& x, const Shape& source, const Shape& destination);
/// Dimensions of size 1 repeated, and new ones in front; -1 leaves a size as it is.
Tensor broadcast_to(const Tensor& x, const Shape& sizes);
/// Element `index` along `dim`, which is gone.
Tensor select(const Tensor& x, std::int64_t dim, std::int64_t index);
/// Elements start … start + length − 1 along `dim`.
Tensor narrow(const Tensor& x, std::int64_t dim, std::int64_t start, std::int64_t length);
/// y[…, i] = x[i, i + offset] of two dimensions, which are gone.
Tensor diagonal(const Tensor& x, std::int64_t offset = 0, std::int64_t dim1 = 0, std::int64_t dim2 = 1);
/// All elements along `dim`.
std::vector<Tensor> unbind(const Tensor& x, std::int64_t dim = 0);
/// Parts of one size along `dim` (the last may be smaller), or of the sizes given.
std::vector<Tensor> split(const Tensor& x, std::int64_t split_size, std::int64_t dim = 0);
std::vector<Tensor> split(const Tensor& x, const std::vector<std::int64_t>& split_sizes,
                          std::int64_t dim = 0);
/// At most `chunks` parts of one size.
std::vector<Tensor> chunk(const Tensor& x, std::int64_t chunks, std::int64_t dim = 0);
/// Backwards along `dims`.
Tensor flip(const Tensor& x, const Shape& dims);
/// Any layout on the storage of `x`, bounds-checked. `offset` counts from the storage's first element; where
/// not given it is that of `x`.
Tensor as_strided(const Tensor& x, const Shape& sizes, const Shape& strides,
                  std::optional<std::int64_t> offset = None);

}  // namespace reel
