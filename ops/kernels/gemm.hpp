/// \file
/// What the kernels of products share: the register tile of this instruction set, and the transposition of a
/// square of vectors.
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

/// Lane i of the result: lane i of x where bit `kBit` of i is as `kUpper` says, else lane i ^ kBit of y.
template <bool kUpper, std::int64_t kBit, class T, std::size_t... kLane>
[[gnu::always_inline]] inline Vec<T> halves(const Vec<T>& x, const Vec<T>& y, std::index_sequence<kLane...>) {
    T from __attribute__((vector_size(sizeof(Vec<T>))));
    T other __attribute__((vector_size(sizeof(Vec<T>))));
    std::memcpy(&from, &x, sizeof(x));
    std::memcpy(&other, &y, sizeof(y));
    constexpr auto kSource = [](std::size_t i) {
        const auto lane = static_cast<std::int64_t>(i);
        return ((lane & kBit) != 0) == kUpper ? lane : (lane ^ kBit) + kWidth<T>;
    };
#if defined(__clang__)
    from = __builtin_shufflevector(from, other, kSource(kLane)...);
#else
    using Bits = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
    [[maybe_unused]] const Bits order
        __attribute__((vector_size(sizeof(Vec<T>)))) = {static_cast<Bits>(kSource(kLane))...};
    from = __builtin_shuffle(from, other, order);
#endif
    Vec<T> result;
    std::memcpy(&result, &from, sizeof(result));
    return result;
}

/// x and y exchange lanes: those of x where bit `kBit` is set, for those of y where it is not.
template <std::int64_t kBit, class T>
[[gnu::always_inline]] inline void exchange(Vec<T>& x, Vec<T>& y) {
    constexpr auto kLanes = std::make_index_sequence<Vec<T>::size>();
    const Vec<T> low = halves<false, kBit, T>(x, y, kLanes);
    y = halves<true, kBit, T>(y, x, kLanes);
    x = low;
}
template <std::int64_t kBit, class T, std::size_t... kPair>
[[gnu::always_inline]] inline void exchange_rows(Vec<T> (&x)[Vec<T>::size], std::index_sequence<kPair...>) {
    constexpr auto kRow = [](std::size_t pair) { return pair / kBit * 2 * kBit + pair % kBit; };
    (exchange<kBit, T>(x[kRow(kPair)], x[kRow(kPair) + kBit]), ...);
}

/// Transposes a square of vectors: exchanges, bit by bit, what the rows and the lanes are numbered by
/// (Eklundh 1972). Written out, so that the square stays in registers.
template <class T, std::int64_t kBit = kWidth<T> / 2>
[[gnu::always_inline]] inline void transpose(Vec<T> (&x)[Vec<T>::size]) {
    if constexpr (kBit > 0) {
        exchange_rows<kBit, T>(x, std::make_index_sequence<Vec<T>::size / 2>());
        transpose<T, kBit / 2>(x);
    }
}

/// As many columns as a vector has lanes, each dense in memory; after the last one it is repeated.
template <class T>
struct DenseColumns {
    const T* column[Vec<T>::size];

    DenseColumns(const T* first, std::int64_t across, std::int64_t count) {
        for (std::int64_t i = 0; i < kWidth<T>; ++i) column[i] = first + (i < count ? i : count - 1) * across;
    }
    /// rows[i] = elements l + i of all columns.
    [[gnu::always_inline]] void read(std::int64_t l, Vec<T> (&rows)[Vec<T>::size]) const {
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
