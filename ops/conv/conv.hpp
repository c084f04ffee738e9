/// \file
/// Convolution of images.
#pragma once

#include "../../tensor/tensor.hpp"
#include "pair.hpp"

#pragma GCC visibility push(default)
namespace reel {

struct Conv2dOptions {
    Pair stride = 1;
    Pair padding = 0;  ///< of zeros, on both sides
    Pair dilation = 1;
    std::int64_t groups = 1;
};

/// y[n, o, i, j] = bias[o] + Σ over c, a, b of weight[o, c, a, b] x[n, c, i·stride + a·dilation − padding,
/// …]. x: (N, C, H, W) or (C, H, W); weight: (O, C/groups, kernel height, kernel width); bias: (O), or
/// undefined for none. With groups, output channels read only the input channels of their group. Floating
/// tensors of one dtype (the 16-bit types are summed in float32). With w the weight, x̄ = Σ w ȳ over the
/// windows that read the element, w̄ = Σ x ȳ over the places that the weight was laid on; the bias gets Σ ȳ of
/// its channel. Throws a `ShapeError` where sizes do not fit, a `DTypeError` for other types.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
              const Conv2dOptions& options = {});

}  // namespace reel
#pragma GCC visibility pop
