/// \file
/// The reductions that all reduction kernels are made of: a dense row to one number, and many rows to one row.
/// Floating sums are reduced in a fixed tree, whose shape depends on nothing but the number of elements.
#pragma once

#include <algorithm>
#include <limits>
#include <type_traits>

#include "ops/kernels/every.hpp"
#include "ops/kernels/narrow.hpp"
#include "ops/kernels/wrapping.hpp"
#include "tensor/stream.hpp"

namespace reel::kernels::REEL_SET {

struct Sum {
    template <class T>
    static constexpr T identity() {
        return T(0);
    }
    template <class V>
    V operator()(const V& a, const V& b) const {
        return plus(a, b);
    }
};
struct Prod {
    template <class T>
    static constexpr T identity() {
        return T(1);
    }
    template <class V>
    V operator()(const V& a, const V& b) const {
        return times(a, b);
    }
};
/// NaN wins.
struct Max {
    template <class T>
    static constexpr T identity() {
        if constexpr (std::is_floating_point_v<T>) {
            return -std::numeric_limits<T>::infinity();
        } else {
            return std::numeric_limits<T>::lowest();
        }
    }
    template <class V>
    V operator()(const V& a, const V& b) const {
        if constexpr (std::is_arithmetic_v<V>) {
            return a > b || a != a ? a : b;
        } else if constexpr (std::is_integral_v<typename V::value_type>) {
            return xsimd::select(a > b, a, b);
        } else {
            return xsimd::select(a == a, larger(a, b), a);  // b where b is NaN
        }
    }
    /// Whether a does not beat b, which came before it.
    template <class V>
    static auto loses(const V& a, const V& b) {
        return (a <= b) | is_nan(b);
    }
};
struct Min {
    template <class T>
    static constexpr T identity() {
        if constexpr (std::is_floating_point_v<T>) {
            return std::numeric_limits<T>::infinity();
        } else if constexpr (sizeof(T) == 1) {
            return 1;  // true
        } else {
            return std::numeric_limits<T>::max();
        }
    }
    template <class V>
    V operator()(const V& a, const V& b) const {
        if constexpr (std::is_arithmetic_v<V>) {
            return a < b || a != a ? a : b;
        } else if constexpr (std::is_integral_v<typename V::value_type>) {
            return xsimd::select(a < b, a, b);
        } else {
            return xsimd::select(a == a, smaller(a, b), a);
        }
    }
    template <class V>
    static auto loses(const V& a, const V& b) {
        return (a >= b) | is_nan(b);
    }
};

/// Bools are reduced as bytes of 0 and 1.
template <class T>
using Stored = std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>;

/// Columns of a strip: what a strip of rows leaves stays in L1.
inline constexpr std::int64_t kStrip = 512;

template <class F, class T>
T reduce_lanes(const Vec<T>& v) {
    return first_lane(combine_lanes<T>(
        v, [](const Vec<T>& half, const auto& exchange) { return F()(half, exchange(half)); }));
}

/// Four neighbouring vectors in pairs, read one after the other: operands GCC reads from the last to the first (every second
/// element of 16 MB in 0.25 ms, not 0.32, and beside other work in 0.27, not 0.6; AMD EPYC, Zen 4).
template <class F, class T, class At>
Vec<T> reduce_four(std::int64_t first, const At& at) {
    const F f;
    const Vec<T> one = at(first);
    const Vec<T> two = f(one, at(first + 1));
    const Vec<T> three = at(first + 2);
    return f(two, f(three, at(first + 3)));
}

/// A row, whose elements are `step` apart, as vectors of T.
template <class T, class S, class Step>
struct RowVectors {
    const S* x;
    Step step;
    Vec<T> operator()(std::int64_t i) const {
        const S* first = x + i * kWidth<T> * step;
        if constexpr (Step::value == 1)
            return load(first);
        else
            return load_every(first, step);
    }
};

/// Vectors that are reduced eight after eight, into two results by turns, in the order of memory. What is unrolled further GCC
/// reads in an order of its own, which no prefetch follows: then 4 MB take 71 us from L3, not 58, and 64 MB from memory 6.5 ms,
/// not 2.2 (AMD EPYC, Zen 4).
inline constexpr std::int64_t kLeaf = 64;

/// The reduction of at most `kLeaf` vectors from at(first) on.
template <class F, class T, class At>
[[gnu::always_inline]] inline Vec<T> reduce_leaf(std::int64_t first, std::int64_t n, const At& at) {
    const F f;
    Vec<T> acc(F::template identity<T>());
    Vec<T> other = acc;
    const std::int64_t end = first + n;
    for (; first + 8 <= end; first += 8) {
        const Vec<T> four = reduce_four<F, T>(first, at);
        acc = f(f(four, reduce_four<F, T>(first + 4, at)), acc);
        std::swap(acc, other);
    }
    acc = f(acc, other);
    for (; first < end; ++first) acc = f(at(first), acc);
    return acc;
}

template <class F, class T, class At>
Vec<T> reduce_vectors(std::int64_t first, std::int64_t n, const At& at);

/// The same of more: by halves, the last four leaves of which are read without a call in between (4 MB in 58 us, not 61; AMD
/// EPYC, Zen 4). Not inlined: a vector kept over a call takes an aligned stack frame, which short rows would pay for, too (a fifth
/// of the instructions for 32 vectors).
template <class F, class T, class At>
[[gnu::noinline]] Vec<T> reduce_halves(std::int64_t first, std::int64_t n, const At& at) {
    const F f;
    if (n == 4 * kLeaf) {
        Vec<T> leaf[4];
        for (Vec<T>& each : leaf) {
            each = reduce_leaf<F, T>(first, kLeaf, at);
            first += kLeaf;
        }
        return f(f(leaf[0], leaf[1]), f(leaf[2], leaf[3]));
    }
    const std::int64_t half = (n + kLeaf - 1) / kLeaf / 2 * kLeaf;
    const Vec<T> before = reduce_vectors<F, T>(first, half, at);  // as an operand it would come second
    return f(before, reduce_vectors<F, T>(first + half, n - half, at));
}

/// The reduction of vectors at(first) … at(first + n - 1), in pairs.
template <class F, class T, class At>
Vec<T> reduce_vectors(std::int64_t first, std::int64_t n, const At& at) {
    if (n > kLeaf) return reduce_halves<F, T>(first, n, at);
    return reduce_leaf<F, T>(first, n, at);
}

/// Brings the beginning of the next row nearer where it does not follow this one: 2,048 rows of 1,500 that lie 2,048 apart take
/// 0.29 ms, and 0.34 without (AMD EPYC, Zen 4).
template <class S>
[[gnu::always_inline]] inline void fetch_next(const S* row, std::int64_t n, std::int64_t stride) {
    constexpr std::int64_t kBeginning = 1024 / sizeof(S);
    if (stride != n) fetch_lines(row, stride, std::min(n, kBeginning));
}

/// Whether a row is reduced by vectors, and not as the compiler sees fit: it would compare integers of 64 bits one by one,
/// and no set but AVX-512 multiplies them.
template <class F, class T>
inline constexpr bool kByVectors = std::is_floating_point_v<T> ||
                                   (sizeof(T) == 8 && !std::is_same_v<F, Prod>);

/// The reduction in T of a row stored as S, of elements that are `step` apart.
template <class F, class T, class S, class Step = Every<1>>
T reduce_row(std::int64_t n, const S* x, Step step = {}) {
    const F f;
    T result = F::template identity<T>();
    if constexpr (kByVectors<F, T>) {
        const std::int64_t vectors = n / kWidth<T>;
        const Vec<T> whole = reduce_vectors<F, T>(0, vectors, RowVectors<T, S, Step>{x, step});
        // Read last, too: to sum 32,768 rows of 100 takes 0.27 ms, and 0.35 where they wait for their ends first.
        for (std::int64_t i = vectors * kWidth<T>; i < n; ++i)
            result = f(convert_element<T>(x[i * step]), result);
        return vectors == 0 ? result : f(reduce_lanes<F, T>(whole), result);
    } else {
        constexpr std::int64_t kChains = sizeof(T) == 1 ? 1 : 16;  // independent; of bytes one fills a vector
        T chain[kChains];
        std::fill_n(chain, kChains, result);
        const std::int64_t whole = n / kChains * kChains;
        for (std::int64_t i = 0; i < whole; i += kChains) {
            for (std::int64_t k = 0; k < kChains; ++k) chain[k] = f(x[(i + k) * step], chain[k]);
        }
        for (T part : chain) result = f(part, result);
        for (std::int64_t i = whole; i < n; ++i) result = f(x[i * step], result);
        return result;
    }
}

/// y[j] = f(eight rows of x in pairs, y[j]).
template <class F, class T, class S>
void reduce_eight(std::int64_t columns, const S* x, std::int64_t stride, T* y) {
    const F f;
    const auto eight = [&](const auto& at) {
        return f(f(f(at(0), at(1)), f(at(2), at(3))), f(f(at(4), at(5)), f(at(6), at(7))));
    };
    std::int64_t j = 0;
    if constexpr (kByVectors<F, T>) {
        for (; j + kWidth<T> <= columns; j += kWidth<T>) {
            // In the order of memory: the processor's own prefetch does not follow eight places at once (16 MB in 2 ms, not 1).
            if (stride == columns) fetch_ahead(x, 8 * j, 8 * kWidth<T>);
            const Vec<T> v = eight([&](std::int64_t k) { return load(x + k * stride + j); });
            f(v, load(y + j)).store_unaligned(y + j);
        }
    }
    for (; j < columns; ++j) {
        y[j] = f(static_cast<T>(eight([&](std::int64_t k) { return convert_element<T>(x[k * stride + j]); })),
                 y[j]);
    }
}

/// y[j] = reduction over i of x[i · stride + j] for a strip of at most kStrip columns: blocks of rows, in pairs.
template <class F, class T, class S>
void reduce_strip(std::int64_t rows, std::int64_t columns, const S* x, std::int64_t stride, T* y) {
    constexpr std::int64_t kRows = 64;
    const F f;
    if (rows > kRows) {
        const std::int64_t half = (rows + kRows - 1) / kRows / 2 * kRows;
        T other[kStrip];
        reduce_strip<F, T>(half, columns, x, stride, y);
        reduce_strip<F, T>(rows - half, columns, x + half * stride, stride, other);
        for (std::int64_t j = 0; j < columns; ++j) y[j] = f(y[j], other[j]);
        return;
    }
    std::fill_n(y, columns, F::template identity<T>());
    std::int64_t i = 0;
    for (; i + 8 <= rows; i += 8) reduce_eight<F, T>(columns, x + i * stride, stride, y);
    for (; i < rows; ++i) {
        for (std::int64_t j = 0; j < columns; ++j) y[j] = f(convert_element<T>(x[i * stride + j]), y[j]);
    }
}

/// Enters a reduction into the table.
template <class T>
void add_reduction(Table& table, ReduceOp op, const Reduction& reduction) {
    table.reduce[static_cast<std::size_t>(op)][static_cast<std::size_t>(dtype_of<T>())] = reduction;
}

}  // namespace reel::kernels::REEL_SET
