/// \file
/// Copies of memory that does not overlap: of bytes, and of rows that lie apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "tensor/stream.hpp"
#include "tensor/wide.hpp"

namespace reel {

/// memcpy. From 2 KB on that may be the processor's own copy, which takes ten times as long where `to` lies 1 to 31 bytes
/// after `from` but for whole pages (a shift by some columns: 1.6 ms for 4 MB, and 0.2 so; AMD EPYC, Zen 3, glibc 2.36).
inline void copy_bytes(void* to, const void* from, std::int64_t bytes) {
    constexpr std::uintptr_t kPage = 4096;
    const std::uintptr_t apart =
        (reinterpret_cast<std::uintptr_t>(to) - reinterpret_cast<std::uintptr_t>(from)) % kPage;
    std::int64_t done = 0;
    if (bytes >= 2048 && apart > 0 && apart < 32) {
        for (; done + kLine <= bytes; done += kLine)
            std::memcpy(static_cast<char*>(to) + done, static_cast<const char*>(from) + done, kLine);
    }
    std::memcpy(static_cast<char*>(to) + done, static_cast<const char*>(from) + done,
                static_cast<std::size_t>(bytes - done));
}

/// copy_bytes for rows that are read and written one after the other, or past the caches from the first whole line on. By
/// vectors of ours rows of 2 KB of two tensors are joined in 0.32 ms, and by memcpy in 0.7 (8 MB; AMD EPYC, Zen 4, glibc 2.36);
/// shorter ones it copies faster, and longer ones are the processor's.
inline void copy_bytes(void* to, const void* from, std::int64_t bytes, bool streams) {
    const auto misplaced = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(to) % kLine);
    const std::int64_t head = misplaced > 0 ? kLine - misplaced : 0;
    if (!streams || bytes < head + kLine) {
        if (bytes < 1024 || bytes > 4096 || !copy_wide(to, 0, from, 0, 1, bytes)) copy_bytes(to, from, bytes);
        return;
    }
    std::memcpy(to, from, static_cast<std::size_t>(head));
    stream(static_cast<char*>(to) + head, static_cast<const char*>(from) + head, bytes - head);
}

/// Rows shorter than that are copied without a call for each, and streamed by way of memory in cache, where they are joined:
/// lines must not be streamed in parts (40 MB of rows of 132 bytes in 2.0 ms, not 4.0; of 400 bytes, 3.1 and 3.6; AMD EPYC, Zen 3).
inline constexpr std::int64_t kShortCopy = 256;
inline constexpr std::int64_t kJoined = 8192;  ///< bytes joined at a time: half of L1

/// At least one `kUnit`, and whole ones but for the last, which overlaps the one before.
template <std::int64_t kUnit>
[[gnu::always_inline]] inline void copy_units(void* to, const void* from, std::int64_t bytes) {
    auto* y = static_cast<char*>(to);
    const auto* x = static_cast<const char*>(from);
    for (std::int64_t at = 0; at < bytes - kUnit; at += kUnit) std::memcpy(y + at, x + at, kUnit);
    std::memcpy(y + bytes - kUnit, x + bytes - kUnit, kUnit);
}

/// f of the unit for so many bytes, from 1 on, as a constant.
inline void with_unit_of(std::int64_t bytes, const auto& f) {
    if (bytes >= 16) return f(std::integral_constant<std::int64_t, 16>());
    if (bytes >= 8) return f(std::integral_constant<std::int64_t, 8>());
    if (bytes >= 4) return f(std::integral_constant<std::int64_t, 4>());
    f(std::integral_constant<std::int64_t, 1>());
}

/// Rows of `bytes` bytes each, so many bytes apart; where it `streams`, past the caches from a row's first whole line on.
void copy_rows(std::byte* to, std::int64_t to_step, const std::byte* from, std::int64_t step,
               std::int64_t rows, std::int64_t bytes, bool streams = false);

}  // namespace reel
