#include "tensor/copy.hpp"

#include <cmath>

namespace reel {

namespace {

/// Rows that overlap, or are one row again and again, are near already: 4 MB of windows of 64 bytes, every 16 bytes, take 97 us,
/// and 118 where they are fetched (AMD EPYC, Zen 4).
bool lie_apart(std::int64_t step, std::int64_t bytes) { return step > bytes || step < -bytes; }

/// Rows of one unit. Four at a time: where a loop of so few instructions crosses a line, it takes twice as long.
template <std::int64_t kUnit>
void copy_each(std::byte* to, std::int64_t to_step, const std::byte* from, std::int64_t step,
               std::int64_t rows) {
#pragma GCC unroll 4
    for (std::int64_t row = 0; row < rows; ++row) std::memcpy(to + row * to_step, from + row * step, kUnit);
}

template <std::int64_t kUnit>
void copy_short(std::byte* to, std::int64_t to_step, const std::byte* from, std::int64_t step,
                std::int64_t rows, std::int64_t bytes) {
    if (bytes == kUnit) return copy_each<kUnit>(to, to_step, from, step, rows);
    for (std::int64_t row = 0; row < rows; ++row, to += to_step, from += step) {
        if (lie_apart(step, bytes)) fetch_lines(from, kRowsAhead * step, bytes);
        copy_units<kUnit>(to, from, bytes);
    }
}

}  // namespace

void copy_rows(std::byte* to, std::int64_t to_step, const std::byte* from, std::int64_t step,
               std::int64_t rows, std::int64_t bytes, bool streams) {
    if (bytes >= kShortCopy) {
        // What is fetched, or overlaps, is near: memcpy is as fast.
        const bool near = !streams && (bytes <= 1024 || std::abs(step) < bytes);
        for (std::int64_t row = 0; row < rows; ++row, to += to_step, from += step) {
            if (bytes <= 1024 && lie_apart(step, bytes)) fetch_lines(from, kRowsAhead * step, bytes);
            near ? copy_bytes(to, from, bytes) : copy_bytes(to, from, bytes, streams);
        }
    } else if (bytes > 0) {
        with_unit_of(bytes, [=](auto unit) { copy_short<unit>(to, to_step, from, step, rows, bytes); });
    }
}

}  // namespace reel
