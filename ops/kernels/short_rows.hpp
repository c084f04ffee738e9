/// \file
/// Rows of a few elements for kernels that take fibres side by side: turned in registers on the way from memory and back.
#pragma once

#include "ops/kernels/fibre_sums.hpp"

namespace reel::kernels::REEL_SET {

/// Where a kernel turns rows itself; elsewhere they are turned before (`fibre_driver.cpp`).
#if defined(__AVX2__) && !defined(__AVX512F__)
inline constexpr bool kTurnsRows = true;

inline Vec<float> from_halves(const float* low, const float* high) {
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(low)), _mm_loadu_ps(high), 1);
}
inline Vec<double> from_halves(const double* low, const double* high) {
    return _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(low)), _mm_loadu_pd(high), 1);
}
inline void store_low(const Vec<float>& v, float* to) { _mm_storeu_ps(to, _mm256_castps256_ps128(v)); }
inline void store_high(const Vec<float>& v, float* to) { _mm_storeu_ps(to, _mm256_extractf128_ps(v, 1)); }
inline void store_low(const Vec<double>& v, double* to) { _mm_storeu_pd(to, _mm256_castpd256_pd128(v)); }
inline void store_high(const Vec<double>& v, double* to) { _mm_storeu_pd(to, _mm256_extractf128_pd(v, 1)); }
/// Element r of half h of vector c becomes element c of half h of vector r.
inline void turn(Vec<double> (&v)[2]) {
    const Vec<double> first = _mm256_unpacklo_pd(v[0], v[1]);
    v[1] = _mm256_unpackhi_pd(v[0], v[1]);
    v[0] = first;
}
inline void turn(Vec<float> (&v)[4]) {
    const __m256d a = _mm256_castps_pd(_mm256_unpacklo_ps(v[0], v[1]));
    const __m256d b = _mm256_castps_pd(_mm256_unpacklo_ps(v[2], v[3]));
    const __m256d c = _mm256_castps_pd(_mm256_unpackhi_ps(v[0], v[1]));
    const __m256d d = _mm256_castps_pd(_mm256_unpackhi_ps(v[2], v[3]));
    v[0] = _mm256_castpd_ps(_mm256_unpacklo_pd(a, b));
    v[1] = _mm256_castpd_ps(_mm256_unpackhi_pd(a, b));
    v[2] = _mm256_castpd_ps(_mm256_unpacklo_pd(c, d));
    v[3] = _mm256_castpd_ps(_mm256_unpackhi_pd(c, d));
}
#else
inline constexpr bool kTurnsRows = false;
#endif

/// So many columns of W rows are turned at once: half a vector.
template <class T>
inline constexpr int64_t kColumns = kWidth<T> / 2;

/// From so many elements on the vectors of a row are its own: four of them, of float32 twelve where rows are turned here (400,000
/// elements in rows of 32 take 0.74 of the time, of 64 0.93; AMD EPYC, Zen 4), of float64 four, whose sums are closer by rows; two
/// of a gradient.
template <class T>
inline constexpr int64_t kLongRow = (kTurnsRows && sizeof(T) == sizeof(float) ? 12 : 4) * kWidth<T>;
template <class T>
inline constexpr int64_t kLongBackwardRow = 2 * kWidth<T>;

/// A kernel of rows that leaves the short ones to another. They are called by their address, or GCC would make one function of
/// both, which has too few registers.
template <class T, int64_t kLong, auto kLongRows, auto kShortRows, class... Arguments>
void rows_by_length(int64_t n, Arguments... arguments) {
    static constexpr decltype(kLongRows) kKernels[] = {kLongRows, kTurnsRows ? kShortRows : kLongRows};
    kKernels[n >= kColumns<T> && n < kLong](n, arguments...);
}

/// near[c · W + r] = x[r · step + c] of `rows` rows, of which fewer than W repeat the last; blocks of columns at the end overlap.
/// Returns the rows' maxima.
template <class T>
Vec<T> read_rows(int64_t n, int64_t rows, const T* x, int64_t step, T* near) {
    constexpr int64_t w = kWidth<T>;
    if constexpr (kTurnsRows) {
        Vec<T> max[kColumns<T>];
        for (Vec<T>& m : max) m = Vec<T>(-std::numeric_limits<T>::infinity());
        const auto read = [&](const auto& row) {
            for (int64_t c = 0; c < n; c += kColumns<T>) {
                const int64_t first = std::min(c, n - kColumns<T>);
                Vec<T> v[kColumns<T>];
                for (int64_t r = 0; r < kColumns<T>; ++r)
                    v[r] = from_halves(row(r) + first, row(r + kColumns<T>) + first);
                turn(v);
                for (int64_t k = 0; k < kColumns<T>; ++k) {
                    v[k].store_aligned(near + (first + k) * w);
                    max[k] = larger(max[k], v[k]);
                }
            }
        };
        if (rows == w) {
            read([&](int64_t r) { return x + r * step; });
        } else {
            read([&](int64_t r) { return x + std::min(r, rows - 1) * step; });
        }
        return larger(larger(max[0], max[1]), larger(max[kColumns<T> - 2], max[kColumns<T> - 1]));
    }
    return Vec<T>(0);
}
/// The reverse.
template <class T>
void write_rows(int64_t n, int64_t rows, const T* near, T* y, int64_t step) {
    constexpr int64_t w = kWidth<T>;
    if constexpr (kTurnsRows) {
        const auto write = [&](auto all) {
            for (int64_t c = 0; c < n; c += kColumns<T>) {
                const int64_t first = std::min(c, n - kColumns<T>);
                Vec<T> v[kColumns<T>];
                for (int64_t k = 0; k < kColumns<T>; ++k) v[k] = Vec<T>::load_aligned(near + (first + k) * w);
                turn(v);
                for (int64_t r = 0, high = kColumns<T>; r < kColumns<T>; ++r, ++high) {
                    if (all || r < rows) store_low(v[r], y + r * step + first);
                    if (all || high < rows) store_high(v[r], y + high * step + first);
                }
            }
        };
        rows == w ? write(std::true_type()) : write(std::false_type());
    }
}

/// Where fibre f of a panel begins.
template <class T, Grouping kGrouping, class P>
auto* fibre(const P& panel, int64_t f) {
    using To = std::conditional_t<std::is_same_v<P, Panel>, T, const T>;
    return static_cast<To*>(panel.data) + (kGrouping == kRows ? f * panel.stride : f);
}

/// Where what is kept of the vector of fibres l … begins: one that overlaps its neighbour has a place of its own.
template <class T>
int64_t kept(int64_t l, int64_t n) {
    return (l + kWidth<T> - 1) / kWidth<T> * kWidth<T> * n;
}

/// A group of short rows, side by side in `near`.
template <class T>
class ShortRows {
public:
    ShortRows(int64_t n, int64_t count, ConstPanel x, T* near, T* max) : n_(n), count_(count), near_(near) {
        for_each_vector<T>(count, [&](int64_t l, int64_t lanes) {
            read_rows<T>(n, lanes, fibre<T, kRows>(x, l), x.stride, near_of(l)).store_unaligned(max + l);
        });
    }
    T* near_of(int64_t l) const { return near_ + kept<T>(l, n_); }
    /// f(l, lanes, z) for every vector of them.
    void for_each(const auto& f) const {
        for_each_vector<T>(count_, [&](int64_t l, int64_t lanes) {
            f(l, lanes, Lanes<T, T>{near_of(l), kWidth<T>});
        });
    }

private:
    int64_t n_, count_;
    T* near_;
};

/// Reads what is needed twice, keeps it side by side (lines a page apart would push each other out of the cache), and returns the
/// maxima.
template <class T, Grouping kGrouping>
Vec<T> read_once(int64_t n, int64_t lanes, const T* x, int64_t stride, T* near) {
    constexpr int64_t w = kWidth<T>;
    if constexpr (kGrouping == kRows) return read_rows<T>(n, lanes, x, stride, near);
    Vec<T> max;
    with_lanes<T>(lanes, x, stride, [&](const auto& z) {
        max = maximum<T>(n, [&](int64_t c) {
            const Vec<T> element = z(c);
            element.store_aligned(near + c * w);
            return element;
        });
    });
    return max;
}

/// Writes f(z(c)); `near` is room for it.
template <class T, Grouping kGrouping, class F>
void map_fibres(int64_t n, int64_t lanes, const auto& z, T* near, T* y, int64_t stride, const F& f) {
    if constexpr (kGrouping == kRows) {
        map_lanes<T>(n, kWidth<T>, z, near, kWidth<T>, f);
        write_rows<T>(n, lanes, near, y, stride);
    } else {
        map_lanes<T>(n, lanes, z, y, stride, f);
    }
}

}  // namespace reel::kernels::REEL_SET
