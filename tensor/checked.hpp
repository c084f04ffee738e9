/// \file
/// Sizes and offsets that no int64 may be able to hold: computed exactly, then narrowed or refused.
#pragma once

#include <cstdint>
#include <limits>

#include "tensor/error.hpp"

namespace reel {

/// Holds any product of two int64 numbers, and sums of a few such products.
__extension__ typedef __int128 Wide;

inline bool fits_int64(Wide value) {
    using Limits = std::numeric_limits<std::int64_t>;
    return value >= Limits::min() && value <= Limits::max();
}

/// For a stride or an offset by which no element is reached unless it fits: those of an empty tensor and of
/// dimensions of size 1 may be any.
inline std::int64_t low_bits(Wide value) { return static_cast<std::int64_t>(value); }

/// The value as an int64. Throws a `ShapeError` where it is none: `what` names the operation, the result and
/// the numbers at fault.
template <class... What>
std::int64_t to_int64(Wide value, const What&... what) {
    if (!fits_int64(value)) fail<ShapeError>(what..., " does not fit into an int64");
    return static_cast<std::int64_t>(value);
}

}  // namespace reel
