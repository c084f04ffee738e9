/// \file
/// Dense memory: new tensors in a given order of memory, copies, and whether two tensors share some.
#pragma once

#include "tensor/tensor.hpp"

namespace reel {

/// A new tensor whose dimensions are in memory in the given order, the outermost first.
Tensor empty_in_order(const Shape& sizes, const Shape& order, DType dtype);
/// Writes the elements of `x`, broadcast and converted, to `y`. Right also where they overlap.
void copy_elements(const Tensor& y, const Tensor& x);
/// A dense copy of `x` in row-major order, converted.
Tensor dense_copy(const Tensor& x, DType dtype);
/// `x` itself where it is dense and of this type, else such a copy. Not recorded: for kernels.
Tensor dense(const Tensor& x, DType dtype);
Tensor dense(Tensor&& x, DType dtype);
inline Tensor dense(const Tensor& x) { return dense(x, x.dtype()); }

/// Whether writing to `y` could change elements of `x` that are still to be read.
bool overlaps(const Tensor& y, const Tensor& x);

}  // namespace reel
