// Folds: sums, products, maxima and minima of dense rows and columns. Floating sums are folded in a fixed
// tree: blocks of a fixed size, whose shape depends on nothing but the number of elements.
#include <algorithm>
#include <type_traits>

#include "ops/kernels/simd.hpp"

namespace reel::kernels::REEL_SET {

namespace {

using std::int64_t;

struct Sum {
    static auto identity(auto zero) { return zero; }
    auto operator()(const auto& a, const auto& b) const { return a + b; }
};
struct Prod {
    template <class T>
    static T identity(T) {
        return T(1);
    }
    auto operator()(const auto& a, const auto& b) const { return a * b; }
};
template <class T>
constexpr T kLowest = std::is_floating_point_v<T> ? -std::numeric_limits<T>::infinity()
                                                  : std::numeric_limits<T>::lowest();
template <class T>
constexpr T kHighest = std::is_floating_point_v<T> ? std::numeric_limits<T>::infinity()
                                                   : std::numeric_limits<T>::max();

/// NaN wins.
struct Max {
    template <class T>
    static T identity(T) {
        return kLowest<T>;
    }
    template <class V>
    V operator()(const V& a, const V& b) const {
        if constexpr (std::is_arithmetic_v<V>) {
            return a > b || a != a ? a : b;
        } else {
            return xsimd::select((a > b) || (a != a), a, b);
        }
    }
};
struct Min {
    template <class T>
    static T identity(T) {
        return kHighest<T>;
    }
    template <class V>
    V operator()(const V& a, const V& b) const {
        if constexpr (std::is_arithmetic_v<V>) {
            return a < b || a != a ? a : b;
        } else {
            return xsimd::select((a < b) || (a != a), a, b);
        }
    }
};

/// The fold of at most kBlock numbers: four vector accumulators, then their lanes in pairs.
constexpr int64_t kBlock = 1024;

template <class F, class T>
T fold_lanes(const F& f, Vec<T> v) {
    alignas(Vec<T>) T lanes[Vec<T>::size];
    v.store_aligned(lanes);
    for (std::size_t half = Vec<T>::size / 2; half > 0; half /= 2) {
        for (std::size_t i = 0; i < half; ++i) lanes[i] = f(lanes[i], lanes[i + half]);
    }
    return lanes[0];
}

template <class F, class T>
T fold_block(int64_t n, const T* x) {
    const F f;
    const T identity = F::identity(T{});
    constexpr int64_t w = kWidth<T>;
    Vec<T> acc[4] = {Vec<T>(identity), Vec<T>(identity), Vec<T>(identity), Vec<T>(identity)};
    int64_t i = 0;
    for (; i + 4 * w <= n; i += 4 * w) {
        for (int64_t k = 0; k < 4; ++k) acc[k] = f(load(x + i + k * w), acc[k]);
    }
    for (; i + w <= n; i += w) acc[0] = f(load(x + i), acc[0]);
    T result = fold_lanes<F, T>(f, f(f(acc[0], acc[1]), f(acc[2], acc[3])));
    for (; i < n; ++i) result = f(x[i], result);
    return result;
}

/// Pairwise over blocks: the halves split at a multiple of kBlock, so the tree depends on n alone.
template <class F, class T>
T fold_tree(int64_t n, const T* x) {
    if (n <= kBlock) return fold_block<F, T>(n, x);
    const int64_t blocks = (n + kBlock - 1) / kBlock;
    const int64_t half = blocks / 2 * kBlock;
    const F f;
    return f(fold_tree<F, T>(half, x), fold_tree<F, T>(n - half, x + half));
}

template <class F, class T>
void row(int64_t n, const void* x, void* y) {
    if constexpr (std::is_floating_point_v<T>) {
        *static_cast<T*>(y) = fold_tree<F, T>(n, static_cast<const T*>(x));
    } else {
        const F f;
        T result = F::identity(T{});
        for (int64_t i = 0; i < n; ++i) result = f(static_cast<const T*>(x)[i], result);
        *static_cast<T*>(y) = result;
    }
}

/// A strip of columns that stays in cache, folded over blocks of rows in pairs.
template <class F, class T>
void fold_strip(int64_t rows, int64_t columns, const T* x, int64_t stride, T* y) {
    constexpr int64_t kRows = 32;
    const F f;
    if (rows <= kRows) {
        const T identity = F::identity(T{});
        for (int64_t j = 0; j < columns; ++j) y[j] = identity;
        for (int64_t i = 0; i < rows; ++i) {
            for (int64_t j = 0; j < columns; ++j) y[j] = f(x[i * stride + j], y[j]);
        }
        return;
    }
    const int64_t half = (rows / 2 + kRows - 1) / kRows * kRows;
    T other[256];
    fold_strip<F, T>(half, columns, x, stride, y);
    fold_strip<F, T>(rows - half, columns, x + half * stride, stride, other);
    for (int64_t j = 0; j < columns; ++j) y[j] = f(y[j], other[j]);
}

template <class F, class T>
void columns(int64_t rows, int64_t columns, const void* x, int64_t stride, void* y) {
    constexpr int64_t kStrip = 256;
    for (int64_t j = 0; j < columns; j += kStrip) {
        fold_strip<F, T>(rows, std::min(kStrip, columns - j), static_cast<const T*>(x) + j, stride,
                         static_cast<T*>(y) + j);
    }
}

template <class F, class T>
void add_fold(Table& table, Fold fold) {
    table.reduce[static_cast<std::size_t>(fold)][static_cast<std::size_t>(dtype_of<T>())] = {&row<F, T>,
                                                                                             &columns<F, T>};
}

template <class F>
void add_numbers(Table& table, Fold fold) {
    add_fold<F, float>(table, fold);
    add_fold<F, double>(table, fold);
    add_fold<F, int64_t>(table, fold);
}

}  // namespace

void install_reduce(Table& table) {
    add_numbers<Sum>(table, Fold::kSum);
    add_numbers<Prod>(table, Fold::kProd);
    add_numbers<Max>(table, Fold::kMax);
    add_numbers<Min>(table, Fold::kMin);
}

}  // namespace reel::kernels::REEL_SET
