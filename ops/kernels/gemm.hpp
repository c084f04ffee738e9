/// \file
/// What the kernels of products share: the register tile of this instruction set, products of integers, and the
/// transposition of a square of vectors.
#pragma once

#include <algorithm>
#include <utility>

#include "ops/kernels/narrow.hpp"

namespace reel::kernels::REEL_SET {

// As many sums as leave registers for a row of B's panel and an element of A.
#if defined(__AVX512F__)
inline constexpr std::int64_t kTileRows = 12;  ///< 24 sums in 32 registers
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
inline constexpr std::int64_t kTileColumns = kTileVectors* kWidth<T>;

/// a b + c modulo 2⁶⁴. xsimd has no such product for most sets.
inline Vec<std::uint64_t> multiply_add(const Vec<std::uint64_t>& a, const Vec<std::uint64_t>& b,
                                       const Vec<std::uint64_t>& c) {
#if defined(__AVX512DQ__)
    return _mm512_add_epi64(_mm512_mullo_epi64(a, b), c);
#else
    using Words = std::uint64_t __attribute__((vector_size(sizeof(a))));
    return std::bit_cast<Vec<std::uint64_t>>(std::bit_cast<Words>(a) * std::bit_cast<Words>(b) +
                                             std::bit_cast<Words>(c));
#endif
}

/// The first `n` elements of 16 bits; the rest is 0.
template <class From>
requires(sizeof(From) == 2) Vec<float> load_first(const From* from, std::int64_t n) {
    From some[Vec<float>::size] = {};
    std::copy_n(from, n, some);
    return load(some);
}

/// x and y exchange lanes: those of x where bit `kBit` is set, for those of y where it is not.
template <std::int64_t kBit, class T>
[[gnu::always_inline]] inline void exchange(Vec<T>& x, Vec<T>& y) {
    constexpr auto kLanes = std::make_index_sequence<Vec<T>::size>();
    constexpr auto kLow = [](std::int64_t i) { return (i & kBit) != 0 ? (i ^ kBit) + kWidth<T> : i; };
    constexpr auto kHigh = [](std::int64_t i) { return (i & kBit) != 0 ? i + kWidth<T> : i ^ kBit; };
    const Vec<T> low = shuffled<kLow, T>(x, y, kLanes);
    y = shuffled<kHigh, T>(x, y, kLanes);
    x = low;
}
template <std::int64_t kBit, class T, std::size_t... kPair>
[[gnu::always_inline]] inline void exchange_rows(Vec<T> (&x)[Vec<T>::size], std::index_sequence<kPair...>) {
    constexpr auto kRow = [](std::size_t pair) { return pair / kBit * 2 * kBit + pair % kBit; };
    (exchange<kBit, T>(x[kRow(kPair)], x[kRow(kPair) + kBit]), ...);
}

/// Of every four lanes, the first two of x and y in turn, and the other two.
[[gnu::always_inline]] inline void interleave(Vec<float>& x, Vec<float>& y) {
    constexpr auto kLanes = std::make_index_sequence<Vec<float>::size>();
    constexpr auto kLow = [](std::int64_t i) { return i / 4 * 4 + i % 4 / 2 + i % 2 * kWidth<float>; };
    constexpr auto kHigh = [](std::int64_t i) { return i / 4 * 4 + i % 4 / 2 + 2 + i % 2 * kWidth<float>; };
    const Vec<float> low = shuffled<kLow, float>(x, y, kLanes);
    y = shuffled<kHigh, float>(x, y, kLanes);
    x = low;
}

/// Transposes a square of vectors: exchanges, bit by bit, what the rows and the lanes are numbered by
/// (Eklundh 1972). Written out, so that the square stays in registers. For the first bit of 32-bit lanes AVX2
/// has no instruction; it has one that interleaves, which does the same before the second bit.
template <class T, std::int64_t kEnd = kWidth<T>, std::int64_t kBit = 1>
[[gnu::always_inline]] inline void transpose(Vec<T> (&x)[Vec<T>::size]) {
    constexpr auto kPairs = std::make_index_sequence<Vec<T>::size / 2>();
    if constexpr (kBit == 1 && sizeof(T) == 4 && kWidth<T> < 16) {
        for (std::int64_t i = 0; i < kWidth<T>; i += 2) interleave(x[i], x[i + 1]);
        exchange_rows<2, T>(x, kPairs);
        for (std::int64_t i = 0; i < kWidth<T>; i += 4) std::swap(x[i + 1], x[i + 2]);
        transpose<T, kEnd, 4>(x);
    } else if constexpr (kBit < kEnd) {
        exchange_rows<kBit, T>(x, kPairs);
        transpose<T, kEnd, 2 * kBit>(x);
    }
}

#if defined(__AVX2__)
/// A vector of two halves, each from its place.
template <class T>
[[gnu::always_inline]] inline Vec<T> load_halves(const T* low, const T* high) {
#if defined(__AVX512F__)
    const auto half = [](const T* x) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x)); };
    return std::bit_cast<Vec<T>>(_mm512_inserti64x4(_mm512_castsi256_si512(half(low)), half(high), 1));
#else
    const auto half = [](const T* x) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(x)); };
    return std::bit_cast<Vec<T>>(_mm256_inserti128_si256(_mm256_castsi128_si256(half(low)), half(high), 1));
#endif
}
#endif

/// As many columns as a vector has lanes, each dense in memory; after the last one it is repeated.
template <class T, class From = T>
struct DenseColumns {
    const From* column[Vec<T>::size];

    DenseColumns(const From* first, std::int64_t across, std::int64_t count) {
        for (std::int64_t i = 0; i < kWidth<T>; ++i) column[i] = first + (i < count ? i : count - 1) * across;
    }
    /// rows[i] = elements l + i of all columns.
    [[gnu::always_inline]] void read(std::int64_t l, Vec<T> (&rows)[Vec<T>::size]) const {
#if defined(__AVX2__)
        // The exchange of halves is left to the loads, which have time for it.
        constexpr std::int64_t kHalf = kWidth<T> / 2;
        if constexpr (std::is_same_v<T, From>) {
            for (std::int64_t i = 0; i < kHalf; ++i) {
                rows[i] = load_halves(column[i] + l, column[i + kHalf] + l);
                rows[i + kHalf] = load_halves(column[i] + l + kHalf, column[i + kHalf] + l + kHalf);
            }
            return transpose<T, kHalf>(rows);
        }
#endif
        for (std::int64_t i = 0; i < kWidth<T>; ++i) rows[i] = load(column[i] + l);
        transpose<T>(rows);
    }
    /// The same for i < count.
    void read_first(std::int64_t l, std::int64_t count, Vec<T> (&rows)[Vec<T>::size]) const {
        for (std::int64_t i = 0; i < kWidth<T>; ++i) rows[i] = load_first(column[i] + l, count);
        transpose<T>(rows);
    }
};

}  // namespace reel::kernels::REEL_SET
