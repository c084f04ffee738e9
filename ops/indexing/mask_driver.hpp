/// \file
/// The true elements of masks: where they are, and what other tensors have there.
#pragma once

#include "tensor/tensor.hpp"

namespace reel {

/// The coordinates of the true elements of a mask in row-major order: one row for each of its dimensions, or (`by_element`) for
/// each element.
Tensor true_coordinates(const Tensor& mask, bool by_element = false);
/// The elements of `x` for which the mask, of the same shape, holds.
Tensor compact(const Tensor& x, const Tensor& mask);

}  // namespace reel
