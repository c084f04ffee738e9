/// \file
/// The register tile of products, for this instruction set.
#pragma once

#include "ops/kernels/simd.hpp"

namespace reel::kernels::REEL_SET {

// As many sums as leave registers for a row of B's panel and an element of A.
#if defined(__AVX512F__)
inline constexpr std::int64_t kTileRows = 14;  ///< 28 sums in 32 registers
inline constexpr std::int64_t kTileVectors = 2;
#elif defined(__aarch64__)
inline constexpr std::int64_t kTileRows = 8;  ///< 24 sums in 32 registers
inline constexpr std::int64_t kTileVectors = 3;
#elif defined(__AVX2__)
inline constexpr std::int64_t kTileRows = 6;  ///< 12 sums in 16 registers
inline constexpr std::int64_t kTileVectors = 2;
#else
inline constexpr std::int64_t kTileRows = 4;  ///< 8 sums in 16 registers; a product needs one of its own
inline constexpr std::int64_t kTileVectors = 2;
#endif

template <class T>
inline constexpr std::int64_t kTileColumns = kTileVectors * kWidth<T>;

}  // namespace reel::kernels::REEL_SET
