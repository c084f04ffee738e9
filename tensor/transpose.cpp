#include "tensor/transpose.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <xsimd/xsimd.hpp>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace reel {

namespace {

constexpr std::int64_t kLine = 64;           // bytes of a cache line
constexpr std::int64_t kStreamed = 4 << 20;  // bytes from which a result is written past the caches

/// Writes a cache line; `past` the caches, where the machine can and `to` is aligned: no line is fetched only
/// to be overwritten.
void write_line(void* to, const void* line, [[maybe_unused]] bool past) {
#if defined(__SSE2__)
    if (past) {
        for (std::int64_t i = 0; i < kLine / 16; ++i) {
            _mm_stream_si128(static_cast<__m128i*>(to) + i,
                             _mm_load_si128(static_cast<const __m128i*>(line) + i));
        }
        return;
    }
#endif
    std::memcpy(to, line, kLine);
}

/// Lines written past the caches are in memory before what is written next.
void finish_lines() {
#if defined(__SSE2__)
    _mm_sfence();
#endif
}

/// The lines of a tile: as many elements as a cache line holds, on both sides.
template <class Unit>
constexpr std::int64_t kTile = kLine / static_cast<std::int64_t>(sizeof(Unit));

/// tile[r][c] = from[r + c · step].
template <class Unit>
void transpose_tile(const Unit* from, std::int64_t step, Unit (&tile)[kTile<Unit>][kTile<Unit>]) {
    for (std::int64_t c = 0; c < kTile<Unit>; ++c) {
        for (std::int64_t r = 0; r < kTile<Unit>; ++r) tile[r][c] = from[r + c * step];
    }
}

/// Four by four in registers, where there are registers of four.
void transpose_tile(const std::uint32_t* from, std::int64_t step, std::uint32_t (&tile)[16][16]) {
    using Four = xsimd::make_sized_batch_t<std::uint32_t, 4>;
    if constexpr (std::is_void_v<Four>) {
        transpose_tile<std::uint32_t>(from, step, tile);
    } else {
        for (std::int64_t c = 0; c < 16; c += 4) {
            for (std::int64_t r = 0; r < 16; r += 4) {
                Four line[4];
                for (std::int64_t k = 0; k < 4; ++k)
                    line[k] = Four::load_unaligned(from + r + (c + k) * step);
                const Four even[2] = {xsimd::zip_lo(line[0], line[2]), xsimd::zip_hi(line[0], line[2])};
                const Four odd[2] = {xsimd::zip_lo(line[1], line[3]), xsimd::zip_hi(line[1], line[3])};
                for (std::int64_t k = 0; k < 2; ++k) {
                    xsimd::zip_lo(even[k], odd[k]).store_unaligned(&tile[r + 2 * k][c]);
                    xsimd::zip_hi(even[k], odd[k]).store_unaligned(&tile[r + 2 * k + 1][c]);
                }
            }
        }
    }
}

}  // namespace

// Blocks of tiles keep the pages of both sides in reach; what is larger than the caches goes past them.
template <class Unit>
void transpose(const Unit* from, std::int64_t step, std::int64_t rows, std::int64_t columns, Unit* dense) {
    constexpr std::int64_t kSide = kTile<Unit>;
    constexpr std::int64_t kRows = 16 * kSide;
    constexpr std::int64_t kColumns = 4 * kSide;
    const bool streams = rows * columns * static_cast<std::int64_t>(sizeof(Unit)) >= kStreamed &&
                         columns % kSide == 0 && reinterpret_cast<std::uintptr_t>(dense) % kLine == 0;
    const std::int64_t whole_rows = rows / kSide * kSide;
    const std::int64_t whole_columns = columns / kSide * kSide;
    for (std::int64_t r0 = 0; r0 < whole_rows; r0 += kRows) {
        for (std::int64_t c0 = 0; c0 < whole_columns; c0 += kColumns) {
            for (std::int64_t r = r0; r < std::min(whole_rows, r0 + kRows); r += kSide) {
                for (std::int64_t c = c0; c < std::min(whole_columns, c0 + kColumns); c += kSide) {
                    alignas(kLine) Unit tile[kSide][kSide];
                    transpose_tile(from + r + c * step, step, tile);
                    Unit* to = dense + r * columns + c;
                    for (std::int64_t k = 0; k < kSide; ++k) write_line(to + k * columns, tile[k], streams);
                }
            }
        }
    }
    if (streams) finish_lines();
    for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t c = r < whole_rows ? whole_columns : 0; c < columns; ++c) {
            dense[r * columns + c] = from[r + c * step];
        }
    }
}

template void transpose(const std::uint8_t*, std::int64_t, std::int64_t, std::int64_t, std::uint8_t*);
template void transpose(const std::uint16_t*, std::int64_t, std::int64_t, std::int64_t, std::uint16_t*);
template void transpose(const std::uint32_t*, std::int64_t, std::int64_t, std::int64_t, std::uint32_t*);
template void transpose(const std::uint64_t*, std::int64_t, std::int64_t, std::int64_t, std::uint64_t*);

}  // namespace reel
