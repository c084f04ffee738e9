/// \file
/// Transposition of memory, at the speed of memory. Which operands need it is decided in `iterate.cpp`.
#pragma once

#include <cstdint>

namespace reel {

/// What an element is to a copy: its bytes.
void with_unit(std::int64_t itemsize, const auto& f) {
    switch (itemsize) {
        case 1:
            return f(std::uint8_t{});
        case 2:
            return f(std::uint16_t{});
        case 4:
            return f(std::uint32_t{});
        default:
            return f(std::uint64_t{});
    }
}

/// to[r · to_step + c] = from[r + c · step] for r < rows and c < columns: neighbours in memory become
/// neighbours of a column. `Unit` is an unsigned integer of 1, 2, 4 or 8 bytes. Where it `streams`, whole lines of what is
/// written go past the caches.
template <class Unit>
void transpose(const Unit* from, std::int64_t step, std::int64_t rows, std::int64_t columns, Unit* to,
               std::int64_t to_step, bool streams = false);

/// The same of what is in cache on both sides, short rows or columns: to write it once matters more there than to write whole
/// lines (125,000 rows of 16 through softmax and back: 3.2 ms, with whole lines 3.7; AMD EPYC, Zen 3).
template <class Unit>
void transpose_near(const Unit* from, std::int64_t step, std::int64_t rows, std::int64_t columns, Unit* to,
                    std::int64_t to_step);

}  // namespace reel
