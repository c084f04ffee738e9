/// \file
/// How a reduction meets tensors: any dims, any layout, threads. The operations are in `reduce.hpp`.
#pragma once

#include "ops/kernels/table.hpp"
#include "tensor/tensor.hpp"

namespace reel {

/// Folds `x`, converted to `compute`, over the (wrapped) `dims`: a new tensor of type `compute`, with 1 in
/// the place of every reduced dimension. An empty fold gives the fold's identity.
///
/// Note [Fixed tree]
/// The order in which numbers are folded depends on shapes alone: blocks of a fixed size, combined in pairs.
/// So a result is the same bit for bit at every thread count, and the error of a sum grows with the logarithm
/// of its length.
Tensor fold(kernels::Fold how, const Tensor& x, const Shape& dims, DType compute);

}  // namespace reel
