/// \file
/// The maxima of fibres and the sums of their exponentials, which the softmax family is made of. The exponentials themselves:
/// `shifted_exp.hpp`.
///
/// Note [All but one maximum]
/// A fibre is summed without one element that attains its maximum: Σ e^(z - max) = 1 + rest. Where one logit
/// leads by 40, rest is 4e-18, which 1 + rest has lost; log1p(rest) and rest / (1 + rest) have not.
#pragma once

#include <algorithm>
#include <cmath>

#include "ops/kernels/fibre_vectors.hpp"
#include "ops/kernels/shifted_exp.hpp"

namespace reel::kernels::REEL_SET {

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

/// The exponentials of a fibre, or of fibres side by side: in each lane the sum of all but the largest one so far, by the
/// smaller of two as they come, which is NaN once one is.
template <class T, class S>
struct Rest {
    Vec<T> max = Vec<T>(-std::numeric_limits<T>::infinity());
    Vec<T> largest = Vec<T>(0);
    Vec<T> last = Vec<T>(0);  // of the sum, so far
    Sums<T, S> sums = {};

    /// `keep(c, e)` is given each vector of exponentials.
    template <class Keep>
    Vec<T> term(int64_t c, const Vec<T>& z, const auto& exponential, const Keep& keep) {
        max = larger(max, z);
        const Vec<T> e = exponential(z);
        keep(c, e);
        const Vec<T> other = smaller(largest, e);
        largest = larger(largest, e);
        return other;
    }
    /// kPlainTerms at a time are summed as they come. The loop is not unrolled: with AVX2 the constants of one term fill the
    /// registers, and of eight would be read again for each (a row of 1,000 takes 0.9 of the time; AMD EPYC, Zen 3).
    template <class Load, class Keep>
    void add(int64_t vectors, const Load& z, const auto& exponential, const Keep& keep) {
        int64_t c = 0;
        for (; c + kPlainTerms < vectors; c += kPlainTerms)
            sums.add(few(c, c + kPlainTerms, z, exponential, keep));
        last = few(c, vectors, z, exponential, keep);
    }
    Vec<T> few(int64_t c, int64_t end, const auto& z, const auto& exponential, const auto& keep) {
        Vec<T> sum(0);
#pragma GCC unroll 1
        for (; c < end; ++c) sum = sum + term(c, z(c), exponential, keep);
        return sum;
    }
    void lanes(double* to) {
        sums.add(last);
        sums.lanes(to);
    }
    /// The lanes of one fibre together, given its largest exponential.
    double total(T peak) {
        const auto leads = largest >= Vec<T>(peak);
        sums.add(last + zero_where(leads, largest));
        const int64_t others = count_lanes(leads) - 1;
        const double sum = sums.total();
        return others == 0 ? sum : sum + static_cast<double>(others) * static_cast<double>(peak);
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

    /// The numbers of fibres l …, the maxima of which are known, from what has exponentiated them.
    void settle(int64_t l, const Vec<T>& maxima, const auto& exponential) {
        settle_top(l, maxima, exponential);
        exponential(maxima).store_unaligned(peak + l);
    }
    /// Those that `tops` needs.
    void settle_top(int64_t l, const Vec<T>& maxima, const auto& exponential) {
        exponential.top(maxima).store_unaligned(top + l);
        exponential.exponent().store_unaligned(exponent + l);
        if (sizeof(T) == sizeof(double)) exponential(maxima).store_unaligned(peak + l);
    }
    /// The exponentials of the maxima without the lift, of float32 as they would be without rounding.
    Vec<double> tops(int64_t l) const {
        if constexpr (sizeof(T) < sizeof(double)) {
            return top_exponential(top + l, exponent + l);
        } else {
            return load(peak + l) * Vec<double>(math::kUnlift<double>);
        }
    }
    /// rest = Σ' e^(z - max), where Σ' leaves one maximum out. Of float64 both are lifted: the peak of nothing but -inf is tiny.
    Vec<double> rests(int64_t l) const {
        if constexpr (sizeof(T) == sizeof(double)) return load(sum + l) / load(peak + l);
        return load(sum + l) * Vec<double>(static_cast<double>(math::kUnlift<T>)) / tops(l);
    }
};

/// So many short rows are taken at once, and long ones alone: what a row needs from its maximum to its first
/// exponential, and from the last one to its sum, is done for one while the others' is on its way.
inline int64_t rows_at_once(int64_t n) {
    constexpr int64_t kElements = 1024;  // stay in L1 between maximum and exponentials
    return n > kShortRow ? 1 : std::clamp<int64_t>(kElements / std::max<int64_t>(n, 1), 1, kShortRows);
}
/// What is found of them is written by whole vectors, from any of them on.
template <class T>
inline constexpr int64_t kFewRows = kShortRows + kWidth<T>;

/// So many elements of a row are looked through for their maximum before its exponentials are made; longer rows are long.
inline constexpr int64_t kSearched = 256;

template <class T>
T largest_lane(const xsimd::batch<T>& v) {
    return first_lane(combine_lanes<T>(
        v, [](const Vec<T>& half, const auto& exchange) { return larger(half, exchange(half)); }));
}

/// The maxima of fibres `first` …, dense rows which begin `next` elements apart.
template <class T, class S, int64_t N>
void find_row_maxima(int64_t n, int64_t rows, const S* x, int64_t next, Found<T, N>& found, int64_t first) {
    const int64_t whole = n / kWidth<T> * kWidth<T>;
    for (int64_t f = 0; f < rows; ++f, x += next) {
        Vec<T> max = row_tail<T>(x + whole, n - whole);
        if (whole > 0) max = larger(maximum<T>(whole / kWidth<T>, Row<T, S>{x}), max);
        found.max[first + f] = largest_lane(max);
    }
}

/// The exponentials of one row that is followed by a row `next` elements further.
template <class T, class S>
Rest<T, S> rest_of_row(int64_t n, const S* z, int64_t next, const auto& exponential, const auto& keep) {
    const int64_t vectors = n / kWidth<T>;
    const int64_t whole = vectors * kWidth<T>;
    Rest<T, S> rest;
    rest.add(vectors, RowBeforeNext<T, S>{z, next}, exponential, keep);
    if (whole < n)
        rest.last = rest.last + rest.term(vectors, row_tail<T>(z + whole, n - whole), exponential, keep);
    return rest;
}

/// What is found of rows whose maxima are known, by vectors of them. `keep_of(f)` keeps the exponentials of row f.
template <class T, class S, bool kNear, class KeepOf, int64_t N>
void find_row_sums(int64_t n, int64_t rows, const S* x, int64_t next, const KeepOf& keep_of,
                   Found<T, N>& found, int64_t first) {
    for (int64_t l = 0; l < rows; l += kWidth<T>) {
        const Vec<T> maxima = rows == 1 ? Vec<T>(found.max[first]) : load(found.max + first + l);
        const ShiftedExp<T, kNear> all(maxima);
        found.settle(first + l, maxima, all);
        const ByLane<T, ShiftedExp<T, kNear>> each(all);
        for (int64_t f = l; f < std::min(rows, l + kWidth<T>); ++f)
            found.sum[first + f] =
                rest_of_row<T>(n, x + f * next, rows * next, rows == 1 ? all : each[f - l], keep_of(f))
                    .total(found.peak[first + f]);
    }
}

/// The same of one row.
template <class T, class S, class Keep, int64_t N>
[[gnu::noinline]] void find_far_row(int64_t n, const S* x, const Keep& keep, Found<T, N>& found, int64_t f) {
    Found<T, kFewRows<T>> alone;
    alone.max[0] = found.max[f];
    find_row_sums<T, S, false>(
        n, 1, x, 0, [&](int64_t) { return keep; }, alone, 0);
    found.top[f] = alone.top[0];
    found.exponent[f] = alone.exponent[0];
    found.peak[f] = alone.peak[0];
    found.sum[f] = alone.sum[0];
}

/// Of a long row, of which the maximum of the beginning is known: it is read once, and its exponentials stay in range if its own
/// maximum is not much larger (4,096 rows of 1,000 take 0.85 of the time, 64 of 50,257 take 0.78; AMD EPYC, Zen 4).
template <class T, class S, class Keep, int64_t N>
void find_long_row(int64_t n, const S* x, int64_t next, const Keep& keep, Found<T, N>& found, int64_t f) {
    constexpr T kSlack = 24;
    const T beginning = found.max[f];
    const ShiftedExp<T, true> exponential{Vec<T>(beginning)};
    Rest<T, S> rest = rest_of_row<T>(n, x, next, exponential, keep);
    const T max = largest_lane(rest.max);
    found.max[f] = max;
    if (!(std::abs(max) < kFarMax<T> && max - beginning <= kSlack)) [[unlikely]]
        return find_far_row(n, x, keep, found, f);
    found.settle(f, Vec<T>(max), exponential);
    found.sum[f] = rest.total(found.peak[f]);
}

template <class T, class S, class KeepOf, int64_t N>
void find_rows(int64_t n, int64_t rows, const S* x, int64_t next, const KeepOf& keep_of, Found<T, N>& found,
               int64_t first = 0) {
    find_row_maxima(std::min(n, kSearched), rows, x, next, found, first);
    if (n > kSearched) {
        for (int64_t f = 0; f < rows; ++f) find_long_row(n, x + f * next, next, keep_of(f), found, first + f);
        return;
    }
    find_row_sums<T, S, true>(n, rows, x, next, keep_of, found, first);
    for (int64_t f = 0; f < rows; ++f) {
        if (!(std::abs(found.max[first + f]) < kFarMax<T>)) [[unlikely]]
            find_far_row(n, x + f * next, keep_of(f), found, first + f);
    }
}

/// Fibres l … l + W - 1 lie side by side, stored as `S`. Their maxima are known.
template <class T, class S, class Load, class Keep, int64_t N>
void find_lane_sums(int64_t n, const Vec<T>& max, const Load& z, const Keep& keep, Found<T, N>& found,
                    int64_t l) {
    with_exponential<T>(max, [&](const auto& exponential) {
        Rest<T, S> rest;
        rest.add(n, z, exponential, keep);
        max.store_unaligned(found.max + l);
        found.settle(l, max, exponential);
        rest.lanes(found.sum + l);
    });
}

}  // namespace reel::kernels::REEL_SET
