// Packing: panels of an operand, in the order in which a tile reads them, from wherever its strides say.
#include <algorithm>

#include "ops/kernels/gemm.hpp"

namespace reel::kernels::REEL_SET {

namespace {

using std::int64_t;

/// The vector type that compilers shuffle.
template <class T>
struct Lanes {
    typedef T Type __attribute__((vector_size(sizeof(Vec<T>))));
};

/// Lane i of the result: lane i of x where bit `kBit` of i is as `kUpper` says, else lane i ^ kBit of y.
template <bool kUpper, int64_t kBit, class T, std::size_t... kLane>
Vec<T> halves(const Vec<T>& x, const Vec<T>& y, std::index_sequence<kLane...>) {
    typename Lanes<T>::Type from, other;
    std::memcpy(&from, &x, sizeof(x));
    std::memcpy(&other, &y, sizeof(y));
    constexpr auto kSource = [](std::size_t i) {
        const auto lane = static_cast<int64_t>(i);
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

/// Transposes a square of vectors: exchanges, bit by bit, what the rows and the lanes are numbered by
/// (Eklundh 1972).
template <class T, int64_t kBit = kWidth<T> / 2>
void transpose(Vec<T> (&x)[Vec<T>::size]) {
    if constexpr (kBit > 0) {
        constexpr auto kLanes = std::make_index_sequence<Vec<T>::size>();
        for (int64_t i = 0; i < kWidth<T>; ++i) {
            if (i & kBit) continue;
            const Vec<T> low = halves<false, kBit>(x[i], x[i + kBit], kLanes);
            x[i + kBit] = halves<true, kBit>(x[i + kBit], x[i], kLanes);
            x[i] = low;
        }
        transpose<T, kBit / 2>(x);
    }
}

/// A panel whose rows stand dense in memory. Here and below a row's last vector runs into the next row, which
/// is written after it.
template <class T>
void copy_panel(int64_t k, int64_t n, const T* from, int64_t along, int64_t width, T* to) {
    for (int64_t l = 0; l < k; ++l) {
        const T* x = from + l * along;
        T* y = to + l * width;
        int64_t j = 0;
        for (; j + kWidth<T> <= n; j += kWidth<T>) load(x + j).store_unaligned(y + j);
        if (j < n) load_first(x + j, n - j).store_unaligned(y + j);
    }
}

/// A panel whose columns stand dense in memory: squares of vectors are transposed, the last columns first.
template <class T>
void transpose_panel(int64_t k, int64_t n, const T* from, int64_t across, int64_t width, T* to) {
    for (int64_t l = 0; l < k; l += kWidth<T>) {
        const int64_t rows = std::min(kWidth<T>, k - l);
        for (int64_t j = (n - 1) / kWidth<T> * kWidth<T>; j >= 0; j -= kWidth<T>) {
            Vec<T> x[Vec<T>::size];
            for (int64_t i = 0; i < kWidth<T>; ++i) {
                const T* column = from + std::min(j + i, n - 1) * across + l;
                x[i] = rows == kWidth<T> ? load(column) : load_first(column, rows);
            }
            transpose<T>(x);
            for (int64_t i = 0; i < rows; ++i) x[i].store_unaligned(to + (l + i) * width + j);
        }
    }
}

template <class T>
void gather_panel(int64_t k, int64_t n, const T* from, int64_t along, int64_t across, int64_t width, T* to) {
    for (int64_t l = 0; l < k; ++l) {
        for (int64_t j = 0; j < width; ++j) to[l * width + j] = from[l * along + std::min(j, n - 1) * across];
    }
}

template <class T>
void pack(int64_t k, int64_t n, const void* x, int64_t along, int64_t across, int64_t width, void* y) {
    const auto* from = static_cast<const T*>(x);
    auto* to = static_cast<T*>(y);
    for (int64_t j = 0; j < n; j += width) {
        const int64_t count = std::min(width, n - j);
        if (across == 1 || count == 1) {
            copy_panel(k, count, from, along, width, to);
        } else if (along == 1 && k > 1) {
            transpose_panel(k, count, from, across, width, to);
        } else {
            gather_panel(k, count, from, along, across, width, to);
        }
        from += count * across;
        to += k * width;
    }
}

}  // namespace

void install_pack(Table& table) {
    table.gemm[static_cast<std::size_t>(kFloat32)].pack = &pack<float>;
    table.gemm[static_cast<std::size_t>(kFloat64)].pack = &pack<double>;
}

}  // namespace reel::kernels::REEL_SET
