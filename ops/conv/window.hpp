/// \file
/// What convolution and pooling share: numbers given once or per dimension, and where a window slides.
#pragma once

#include "ops/kernels/table.hpp"
#include "tensor/tensor.hpp"

namespace reel {

/// Where `window` slides over planes of the last two dims of `x`; its `out_` sizes are filled in, and steps that are
/// never taken become 1. Throws a `ShapeError` unless strides and dilations are at least 1, paddings at least 0, and
/// there is room for the window.
kernels::Sliding slide(const char* name, const Tensor& x, const kernels::Sliding& window,
                       bool ceil_mode = false);

/// `x` with its last two sizes replaced by those of the results.
Shape slid_sizes(const Tensor& x, const kernels::Sliding& window);

}  // namespace reel
