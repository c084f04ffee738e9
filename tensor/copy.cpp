#include "tensor/copy.hpp"

namespace reel {

namespace {

/// Rows of one `Unit`.
template <std::int64_t kUnit>
void copy_units(std::byte* to, std::int64_t to_step, const std::byte* from, std::int64_t step,
                std::int64_t rows) {
    for (std::int64_t row = 0; row < rows; ++row) std::memcpy(to + row * to_step, from + row * step, kUnit);
}

/// Rows of at least one `Unit`, and whole ones but for the last, which overlaps the one before. A call of memcpy for each row
/// would take twice as long.
template <std::int64_t kUnit>
void copy_short(std::byte* to, std::int64_t to_step, const std::byte* from, std::int64_t step,
                std::int64_t rows, std::int64_t bytes) {
    if (bytes == kUnit) return copy_units<kUnit>(to, to_step, from, step, rows);
    for (std::int64_t row = 0; row < rows; ++row, to += to_step, from += step) {
        fetch_lines(from, kRowsAhead * step, bytes);
        for (std::int64_t at = 0; at < bytes - kUnit; at += kUnit) std::memcpy(to + at, from + at, kUnit);
        std::memcpy(to + bytes - kUnit, from + bytes - kUnit, kUnit);
    }
}

}  // namespace

void copy_rows(std::byte* to, std::int64_t to_step, const std::byte* from, std::int64_t step,
               std::int64_t rows, std::int64_t bytes, bool streams) {
    if (bytes >= kShortRow) {
        for (std::int64_t row = 0; row < rows; ++row, to += to_step, from += step) {
            if (bytes <= 1024) fetch_lines(from, kRowsAhead * step, bytes);
            copy_bytes(to, from, bytes, streams);
        }
    } else if (bytes >= 16) {
        copy_short<16>(to, to_step, from, step, rows, bytes);
    } else if (bytes >= 8) {
        copy_short<8>(to, to_step, from, step, rows, bytes);
    } else if (bytes >= 4) {
        copy_short<4>(to, to_step, from, step, rows, bytes);
    } else if (bytes >= 1) {
        copy_short<1>(to, to_step, from, step, rows, bytes);
    }
}

}  // namespace reel
