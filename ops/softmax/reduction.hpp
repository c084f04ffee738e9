/// \file
/// How a loss is reduced.
#pragma once

#include <cstdint>

#pragma GCC visibility push(default)
namespace reel {

/// What becomes of a loss's elements: they stay as they are, or are averaged, or added up.
enum class Reduction : std::uint8_t { kNone, kMean, kSum };

inline constexpr Reduction kNone = Reduction::kNone;
inline constexpr Reduction kMean = Reduction::kMean;
inline constexpr Reduction kSum = Reduction::kSum;

}  // namespace reel
#pragma GCC visibility pop
