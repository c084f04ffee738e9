/// \file
/// Vectors of floating numbers that are stored as another type than they are computed in.
#pragma once

#include "ops/kernels/simd.hpp"

namespace reel::kernels::REEL_SET {

/// W numbers of any floating type as a vector of `T`.
template <class T, class S>
Vec<T> load_as(const S* from) {
    if constexpr (std::is_same_v<T, S>) {
        return load(from);
#if defined(__AVX512F__)
    } else if constexpr (std::is_same_v<T, double> && std::is_same_v<S, float>) {
        return _mm512_cvtps_pd(_mm256_loadu_ps(from));
#elif defined(__AVX__)
    } else if constexpr (std::is_same_v<T, double> && std::is_same_v<S, float>) {
        return _mm256_cvtps_pd(_mm_loadu_ps(from));
#endif
    } else {
        alignas(Vec<T>) T lanes[kWidth<T>];
        for (std::int64_t i = 0; i < kWidth<T>; ++i) lanes[i] = static_cast<T>(from[i]);
        return Vec<T>::load_aligned(lanes);
    }
}
/// The first `n` of them; the rest repeats the last.
template <class T, class S>
Vec<T> load_some_as(const S* from, std::int64_t n) {
    alignas(Vec<T>) T lanes[kWidth<T>];
    for (std::int64_t i = 0; i < kWidth<T>; ++i) lanes[i] = static_cast<T>(from[i < n ? i : n - 1]);
    return Vec<T>::load_aligned(lanes);
}

/// The first `n` of them; the rest is 0.
template <class T, class S>
Vec<T> load_first_as(const S* from, std::int64_t n) {
    if constexpr (std::is_same_v<T, S>) {
        return load_first(from, n);
#if defined(__AVX512F__)
    } else if constexpr (std::is_same_v<T, double> && std::is_same_v<S, float>) {
        return _mm512_cvtps_pd(_mm512_castps512_ps256(_mm512_maskz_loadu_ps(first_lanes(n), from)));
#elif defined(__AVX2__)
    } else if constexpr (std::is_same_v<T, double> && std::is_same_v<S, float>) {
        return _mm256_cvtps_pd(
            _mm_maskload_ps(from, _mm_loadu_si128(reinterpret_cast<const __m128i*>(kOnes32 + 8 - n))));
#endif
    } else {
        alignas(Vec<T>) T lanes[kWidth<T>];
        for (std::int64_t i = 0; i < kWidth<T>; ++i) lanes[i] = i < n ? static_cast<T>(from[i]) : T(0);
        return Vec<T>::load_aligned(lanes);
    }
}
/// W numbers of double precision, rounded to `T`.
template <class T>
void store_as(T* to, const Vec<double>& v) {
    if constexpr (std::is_same_v<T, double>) {
        v.store_unaligned(to);
#if defined(__AVX512F__)
    } else if constexpr (std::is_same_v<T, float>) {
        _mm256_storeu_ps(to, _mm512_cvtpd_ps(v));
#elif defined(__AVX__)
    } else if constexpr (std::is_same_v<T, float>) {
        _mm_storeu_ps(to, _mm256_cvtpd_ps(v));
#endif
    } else {
        alignas(Vec<double>) double lanes[kWidth<double>];
        v.store_aligned(lanes);
        for (std::int64_t i = 0; i < kWidth<double>; ++i) to[i] = static_cast<T>(lanes[i]);
    }
}

/// f(x, y), computed in double precision. In registers: a vector read from memory where its halves have just been written would
/// wait for them.
template <class F>
Vec<float> in_double(const F& f, const Vec<float>& x, const Vec<float>& y) {
#if defined(__AVX512F__)
    const auto low = [](__m512 v) { return _mm512_cvtps_pd(_mm512_castps512_ps256(v)); };
    const auto high = [](__m512 v) {
        return _mm512_cvtps_pd(_mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(v), 1)));
    };
    const __m256 first = _mm512_cvtpd_ps(f(Vec<double>(low(x)), Vec<double>(low(y))));
    const __m256 second = _mm512_cvtpd_ps(f(Vec<double>(high(x)), Vec<double>(high(y))));
    const __m512d both = _mm512_castpd256_pd512(_mm256_castps_pd(first));
    return _mm512_castpd_ps(_mm512_insertf64x4(both, _mm256_castps_pd(second), 1));
#elif defined(__AVX__)
    const auto low = [](__m256 v) { return _mm256_cvtps_pd(_mm256_castps256_ps128(v)); };
    const auto high = [](__m256 v) { return _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1)); };
    const __m128 first = _mm256_cvtpd_ps(f(Vec<double>(low(x)), Vec<double>(low(y))));
    const __m128 second = _mm256_cvtpd_ps(f(Vec<double>(high(x)), Vec<double>(high(y))));
    return _mm256_set_m128(second, first);
#else
    alignas(Vec<float>) float a[kWidth<float>];
    alignas(Vec<float>) float b[kWidth<float>];
    x.store_aligned(a);
    y.store_aligned(b);
    for (std::int64_t i = 0; i < kWidth<float>; i += kWidth<double>)
        store_as(a + i, f(load_as<double>(a + i), load_as<double>(b + i)));
    return Vec<float>::load_aligned(a);
#endif
}

}  // namespace reel::kernels::REEL_SET
