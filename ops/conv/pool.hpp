/// \file
/// Pooling: planes, the last two dimensions, summed up window by window.
#pragma once

#include <optional>

#include "../../tensor/tensor.hpp"
#include "pair.hpp"

#pragma GCC visibility push(default)
namespace reel {

struct MaxPool2dOptions {
    Pair kernel_size;
    Pair stride = kernel_size;
    Pair padding = 0;  ///< of −inf, at most half the kernel size
    Pair dilation = 1;
    bool ceil_mode = false;  ///< the last window may reach over the end
};
/// The largest element under the window: (N, C, H, W) or (C, H, W). NaN wins. x̄ = ȳ at that element of each
/// window, the first one where several are equal, else 0; a window of padding alone gives −inf. Keeps where it
/// is. Throws a `DTypeError` for
/// integers, a `ShapeError` where windows do not fit.
Tensor max_pool2d(const Tensor& x, const MaxPool2dOptions& options);

struct AvgPool2dOptions {
    Pair kernel_size;
    Pair stride = kernel_size;
    Pair padding = 0;               ///< of zeros, at most half the kernel size
    bool ceil_mode = false;         ///< the last window may reach over the end
    bool count_include_pad = true;  ///< the padding counts as elements
    std::optional<std::int64_t> divisor_override = None;
};
/// The mean of the elements under the window: (N, C, H, W) or (C, H, W). x̄ = Σ ȳ / n over the windows that
/// read the element, n what each divides by.
Tensor avg_pool2d(const Tensor& x, const AvgPool2dOptions& options);

}  // namespace reel
#pragma GCC visibility pop
