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

/// A vector of float32 numbers in double precision, and back. In registers: a vector read from memory where its halves have just
/// been written would wait for them.
struct Halves {
    Vec<double> low, high;
};
inline Halves halves(const Vec<float>& v) {
#if defined(__AVX512F__)
    const __m256d high = _mm512_extractf64x4_pd(_mm512_castps_pd(v), 1);
    return {_mm512_cvtps_pd(_mm512_castps512_ps256(v)), _mm512_cvtps_pd(_mm256_castpd_ps(high))};
#elif defined(__AVX__)
    return {_mm256_cvtps_pd(_mm256_castps256_ps128(v)), _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1))};
#elif defined(__SSE2__)
    return {_mm_cvtps_pd(v), _mm_cvtps_pd(_mm_movehl_ps(v, v))};
#else
    alignas(Vec<float>) float lanes[kWidth<float>];
    v.store_aligned(lanes);
    return {load_as<double>(lanes), load_as<double>(lanes + kWidth<double>)};
#endif
}
inline Vec<float> whole(const Halves& v) {
#if defined(__AVX512F__)
    const __m512d low = _mm512_castpd256_pd512(_mm256_castps_pd(_mm512_cvtpd_ps(v.low)));
    return _mm512_castpd_ps(_mm512_insertf64x4(low, _mm256_castps_pd(_mm512_cvtpd_ps(v.high)), 1));
#elif defined(__AVX__)
    return _mm256_set_m128(_mm256_cvtpd_ps(v.high), _mm256_cvtpd_ps(v.low));
#elif defined(__SSE2__)
    return _mm_movelh_ps(_mm_cvtpd_ps(v.low), _mm_cvtpd_ps(v.high));
#else
    alignas(Vec<float>) float lanes[kWidth<float>];
    store_as(lanes, v.low);
    store_as(lanes + kWidth<double>, v.high);
    return Vec<float>::load_aligned(lanes);
#endif
}

/// f(x, y), computed in double precision.
template <class F>
Vec<float> in_double(const F& f, const Vec<float>& x, const Vec<float>& y) {
    const Halves a = halves(x);
    const Halves b = halves(y);
    return whole({f(a.low, b.low), f(a.high, b.high)});
}

}  // namespace reel::kernels::REEL_SET
