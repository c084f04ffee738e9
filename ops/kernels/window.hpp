/// \file
/// Where a sliding window lies inside its plane.
#pragma once

#include <algorithm>

#include "ops/kernels/simd.hpp"

namespace reel::kernels::REEL_SET {

/// The results [first, last) of `count` for which `start + result * stride` is inside [0, length). The same of
/// a window's elements, with the dilation as stride.
struct Inside {
    std::int64_t first, last;

    Inside(std::int64_t start, std::int64_t stride, std::int64_t length, std::int64_t count)
        : first(start >= 0 ? 0 : std::min(count, (-start + stride - 1) / stride)),
          last(start >= length ? 0 : std::min(count, (length - 1 - start) / stride + 1)) {
        last = std::max(first, last);
    }
};

}  // namespace reel::kernels::REEL_SET
