/// \file
/// Writing by vectors of 32 bytes, where the processor has them. What is not a kernel is compiled for every machine, which on
/// x86 means 16 bytes: to write 4 MB takes 100 us so, and 55 by vectors of 32 (AMD EPYC, Zen 4).
#pragma once

#include <cstddef>
#include <cstdint>

namespace reel {

inline constexpr std::int64_t kWide = 32;  ///< bytes

/// Whether the processor has them, and the kernels are not to be those of SSE2.
bool has_wide();

/// Each element `times` over. False, and nothing is done, where that is less than a vector, or the processor has none.
template <class Unit>
bool repeat_wide(const Unit* from, std::int64_t step, std::int64_t count, std::int64_t times, Unit* dense);

/// Rows of `bytes` bytes each, so many bytes apart. False as above.
bool copy_wide(void* to, std::int64_t to_step, const void* from, std::int64_t step, std::int64_t rows,
               std::int64_t bytes);

}  // namespace reel
