/// \file
/// What the loops of the softmax family have in common: fibres read vector by vector, their maxima, the sums
/// of their exponentials, and how a fibre is written. The exponentials themselves: `shifted_exp.hpp`.
///
/// Note [All but one maximum]
/// A fibre is summed without one element that attains its maximum: Σ e^(z - max) = 1 + rest. Where one logit
/// leads by 40, rest is 4e-18, which 1 + rest has lost; log1p(rest) and rest / (1 + rest) have not.
#pragma once

#include <algorithm>

#include "ops/kernels/shifted_exp.hpp"
#include "tensor/stream.hpp"

namespace reel::kernels::REEL_SET {

using std::int64_t;

/// A vector of each of a group's fibres: element c of W fibres that lie side by side. Fibres are stored as
/// `S` and computed in `T`.
template <class T, class S>
struct Lanes {
    const S* x;
    int64_t stride;
    Vec<T> operator()(int64_t c) const { return load_as<T>(x + c * stride); }
};

/// The same of fewer than W fibres; the other lanes repeat the last.
template <class T, class S>
struct FewLanes {
    const S* x;
    int64_t stride;
    int64_t count;
    Vec<T> operator()(int64_t c) const { return load_some_as<T>(x + c * stride, count); }
};

/// One dense fibre, a vector at a time.
template <class T, class S>
struct Row {
    const S* x;
    Vec<T> operator()(int64_t v) const { return load_as<T>(x + v * kWidth<T>); }
};

/// The same, while the memory that is `ahead` elements further is brought nearer: the next row, which would
/// be waited for while its maximum is looked for.
template <class T, class S>
struct RowBeforeNext {
    const S* x;
    int64_t ahead;
    Vec<T> operator()(int64_t v) const {
        prefetch(x + v * kWidth<T>, ahead);
        return load_as<T>(x + v * kWidth<T>);
    }
};

template <class T>
inline constexpr T kIota[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/// What is left of a row after its whole vectors, filled up with -inf.
template <class T, class S>
Vec<T> row_tail(const S* x, int64_t n) {
    constexpr T kNothing = -std::numeric_limits<T>::infinity();
    if (n == 0) return Vec<T>(kNothing);
    return xsimd::select(load(kIota<T>) < Vec<T>(static_cast<T>(n)), load_first_as<T>(x, n),
                         Vec<T>(kNothing));
}

/// The largest element in each lane. A NaN may get lost: the sum finds it.
template <class T, class Load>
Vec<T> maximum(int64_t count, const Load& z) {
    constexpr int64_t kChains = 4;
    Vec<T> max[kChains];
    for (int64_t k = 0; k < kChains; ++k) max[k] = z(k < count ? k : 0);
    int64_t c = kChains;
    for (; c + kChains <= count; c += kChains) {
        for (int64_t k = 0; k < kChains; ++k) max[k] = larger(max[k], z(c + k));
    }
    for (; c < count; ++c) max[0] = larger(max[0], z(c));
    return larger(larger(max[0], max[1]), larger(max[2], max[3]));
}

/// So many terms are summed without what a sum loses.
inline constexpr int64_t kPlainTerms = 8;

/// Counts the elements that attain the maximum, in each lane or (`Count` is an integer) in all, and sums the exponentials of
/// the others.
template <class T, class S, class Count = Vec<T>>
struct Rest {
    ShiftedExp<T> exponential;
    Vec<T> max;
    Count count = Count(0);
    Sums<T, S> sums = {};

    /// `keep(c, e)` is given each vector of exponentials.
    template <class Keep>
    Vec<T> term(int64_t c, const Vec<T>& z, const Keep& keep) {
        const auto is_max = z == max;
        if constexpr (std::is_integral_v<Count>) {
            count += count_lanes(is_max);
        } else {
            count = count + only_where(is_max, Vec<T>(1));
        }
        const Vec<T> e = exponential(z);
        keep(c, e);
        return zero_where(is_max, e);
    }
    /// kPlainTerms at a time are summed as they come. The loop is not unrolled: with AVX2 the constants of one term fill the
    /// registers, and of eight would be read again for each (a row of 1,000 takes 0.9 of the time; AMD EPYC, Zen 3).
    template <class Load, class Keep>
    void add(int64_t vectors, const Load& z, const Keep& keep) {
        int64_t c = 0;
        for (; c + kPlainTerms <= vectors; c += kPlainTerms) sums.add(few(c, kPlainTerms, z, keep));
        if (c < vectors) sums.add(few(c, vectors - c, z, keep));
    }
    Vec<T> few(int64_t c, int64_t terms, const auto& z, const auto& keep) {
        Vec<T> sum(0);
#pragma GCC unroll 1
        for (const int64_t end = c + terms; c < end; ++c) sum = sum + term(c, z(c), keep);
        return sum;
    }
};

/// Keeps exponentials as vectors, one after the other.
template <class T>
struct KeepAll {
    T* to;
    void operator()(int64_t c, const Vec<T>& e) const { e.store_aligned(to + c * kWidth<T>); }
};
/// For those who do not need the exponentials again.
struct KeepNothing {
    void operator()(int64_t, const auto&) const {}
};

/// What is known of N fibres before the numbers are put together. `peak` is the exponential of the maximum.
template <class T, int64_t N>
struct Found {
    T max[N];
    T top[N];
    T exponent[N];
    T peak[N];
    double sum[N];
    T count[N];
};

/// So many short rows are taken at once, and long ones alone: what a row needs from its maximum to its first
/// exponential, and from the last one to its sum, is done for one while the others' is on its way.
inline int64_t rows_at_once(int64_t n) {
    constexpr int64_t kElements = 1024;  // stay in L1 between maximum and exponentials
    return n > kShortRow ? 1 : std::clamp<int64_t>(kElements / std::max<int64_t>(n, 1), 1, kShortRows);
}
/// What is found of them takes whole vectors.
template <class T>
inline constexpr int64_t kFewRows = std::max({kWidth<T>, kWidth<double>, kShortRows});

/// The maxima of fibres `first` …, dense rows which begin `next` elements apart.
template <class T, class S, int64_t N>
void find_row_maxima(int64_t n, int64_t rows, const S* x, int64_t next, Found<T, N>& found, int64_t first) {
    const int64_t whole = n / kWidth<T> * kWidth<T>;
    for (int64_t f = 0; f < rows; ++f, x += next) {
        Vec<T> max = row_tail<T>(x + whole, n - whole);
        if (whole > 0) max = larger(maximum<T>(whole / kWidth<T>, Row<T, S>{x}), max);
        found.max[first + f] = first_lane(combine_lanes<T>(
            max, [](const Vec<T>& v, const auto& exchange) { return larger(v, exchange(v)); }));
    }
}

/// What the maxima of a row are counted in, and what it comes to.
#if defined(__AVX2__)
template <class T>
using RowCount = int64_t;
inline double total(int64_t count) { return static_cast<double>(count); }
#else
template <class T>
using RowCount = Vec<T>;
#endif
template <class T>
double total(const xsimd::batch<T>& v) {
    alignas(Vec<T>) T lanes[kWidth<T>];
    v.store_aligned(lanes);
    Vec<double> sum(0);
    for (int64_t i = 0; i < kWidth<T>; i += kWidth<double>) sum = sum + load_as<double>(lanes + i);
    return sum_of_lanes(sum);
}

/// The rest of what is found of them. `keep_of(f)` keeps the exponentials of row f.
template <class T, class S, class KeepOf, int64_t N>
void find_row_sums(int64_t n, int64_t rows, const S* x, int64_t next, const KeepOf& keep_of,
                   Found<T, N>& found, int64_t first) {
    const int64_t vectors = n / kWidth<T>;
    const int64_t whole = vectors * kWidth<T>;
    const bool is_short = sizeof(T) < sizeof(double) && n <= kPlainTerms * kWidth<T>;
    for (int64_t l = 0; l < rows; l += kWidth<T>) {
        const Vec<T> max = rows == 1 ? Vec<T>(found.max[first]) : load(found.max + first + l);
        const Rest<T, S> all{ShiftedExp<T>(max), max};
        all.exponential.top().store_unaligned(found.top + first + l);
        all.exponential.exponent().store_unaligned(found.exponent + first + l);
        all.exponential(max).store_unaligned(found.peak + first + l);
        for (int64_t f = l; f < std::min(rows, l + kWidth<T>); ++f) {
            const S* z = x + f * next;
            const auto keep = keep_of(f);
            Rest<T, S, RowCount<T>> rest{rows == 1 ? all.exponential : only_lane<T>(all.exponential, f - l),
                                         Vec<T>(found.max[first + f])};
            const RowBeforeNext<T, S> elements{z, rows * next};
            if (is_short) {
                Vec<T> sum = rest.few(0, vectors, elements, keep);
                if (whole < n) sum = sum + rest.term(vectors, row_tail<T>(z + whole, n - whole), keep);
                found.sum[first + f] = total(sum);
            } else {
                rest.add(vectors, elements, keep);
                if (whole < n) rest.sums.add(rest.term(vectors, row_tail<T>(z + whole, n - whole), keep));
                found.sum[first + f] = rest.sums.total();
            }
            found.count[first + f] = static_cast<T>(total(rest.count));
        }
    }
}

template <class T, class S, class KeepOf, int64_t N>
void find_rows(int64_t n, int64_t rows, const S* x, int64_t next, const KeepOf& keep_of, Found<T, N>& found,
               int64_t first = 0) {
    find_row_maxima(n, rows, x, next, found, first);
    find_row_sums(n, rows, x, next, keep_of, found, first);
}

/// Fibres l … l + W - 1 lie side by side, stored as `S`. Their maxima are known.
template <class T, class S, class Load, class Keep, int64_t N>
void find_lane_sums(int64_t n, const Vec<T>& max, const Load& z, const Keep& keep, Found<T, N>& found,
                    int64_t l) {
    Rest<T, S> rest{ShiftedExp<T>(max), max};
    rest.add(n, z, keep);
    max.store_unaligned(found.max + l);
    rest.exponential.top().store_unaligned(found.top + l);
    rest.exponential.exponent().store_unaligned(found.exponent + l);
    rest.exponential(max).store_unaligned(found.peak + l);
    rest.sums.lanes(found.sum + l);
    rest.count.store_unaligned(found.count + l);
}

/// f(z) for `lanes` fibres side by side, which may be fewer than a vector has; z(c) is element c of each.
template <class T, class S, class F>
void with_lanes(int64_t lanes, const S* x, int64_t stride, const F& f) {
    if (lanes == kWidth<T>) {
        f(Lanes<T, S>{x, stride});
    } else {
        f(FewLanes<T, S>{x, stride, lanes});
    }
}

/// Of fibres l … l + W - 1, W that of double precision: e^top 2^-exponent, and rest = Σ' e^(z - max), where
/// Σ' leaves one maximum out.
template <class T>
struct Concluded {
    template <int64_t N>
    Concluded(const Found<T, N>& found, int64_t l)
        : top(top_exponential<T>(found.top + l, found.exponent + l)),
          rest(load(found.sum + l) * Vec<double>(static_cast<double>(math::kUnlift<T>)) / top +
               (load_as<double>(found.count + l) - Vec<double>(1))) {}
    Vec<double> top, rest;
};

/// y[i] = f(a[i], b[i]) on n elements; past the caches from the first aligned one on, where y `streams`. Who writes
/// rows so waits for them when all are written (`finish`): after each row it would take longer than a short one.
template <class T, class F>
void map_rows(int64_t n, const T* a, const T* b, T* y, bool streams, const F& f) {
    int64_t i = 0;
    if (streams) {
        const auto misplaced =
            static_cast<int64_t>(reinterpret_cast<std::uintptr_t>(y) % sizeof(Vec<T>) / sizeof(T));
        if (misplaced > 0) {
            i = std::min(n, kWidth<T> - misplaced);
            store_some<T>(y, f(load_some(a, i), load_some(b, i)), i);
        }
        for (; i + kWidth<T> <= n; i += kWidth<T>) stream(y + i, f(load(a + i), load(b + i)));
    }
    for (; i + kWidth<T> <= n; i += kWidth<T>) f(load(a + i), load(b + i)).store_unaligned(y + i);
    if (i == n) return;
    if (n < kWidth<T> || streams || y == a || y == b)
        return store_some<T>(y + i, f(load_some(a + i, n - i), load_some(b + i, n - i)), n - i);
    i = n - kWidth<T>;  // overlaps the one before
    f(load(a + i), load(b + i)).store_unaligned(y + i);
}
inline void finish(const Panel& y) {
    if (y.streams) finish_stream();
}
/// The same of one row.
template <class T, class F>
void map_row(int64_t n, const T* x, T* y, bool streams, const F& f) {
    map_rows<T>(n, x, x, y, streams, [&](const Vec<T>& v, const Vec<T>&) { return f(v); });
}

/// y[c · stride] = f(x(c)), element after element of `lanes` fibres side by side.
template <class T, class F>
void map_lanes(int64_t n, int64_t lanes, const auto& x, T* y, int64_t stride, const F& f) {
    if (lanes == kWidth<T>) {
        for (int64_t c = 0; c < n; ++c) f(x(c)).store_unaligned(y + c * stride);
    } else {
        for (int64_t c = 0; c < n; ++c) store_some<T>(y + c * stride, f(x(c)), lanes);
    }
}

}  // namespace reel::kernels::REEL_SET
