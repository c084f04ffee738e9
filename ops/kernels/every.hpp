/// \file
/// Vectors of elements that are a short step apart. None reads memory beyond its last element.
#pragma once

#include <utility>

#include "ops/kernels/simd.hpp"

namespace reel::kernels::REEL_SET {

/// A step that is known where it is compiled.
template <std::int64_t step>
using Every = std::integral_constant<std::int64_t, step>;

/// Every second element as a vector. Of the second half it is the odd ones that are wanted: so nothing is read beyond the last.
#if defined(__AVX512F__)
inline Vec<float> load_second(const float* x) {
    const __m512i lanes = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 17, 19, 21, 23, 25, 27, 29, 31);
    return _mm512_permutex2var_ps(_mm512_loadu_ps(x), lanes, _mm512_loadu_ps(x + 15));
}
inline Vec<double> load_second(const double* x) {
    const __m512i lanes = _mm512_setr_epi64(0, 2, 4, 6, 9, 11, 13, 15);
    return _mm512_permutex2var_pd(_mm512_loadu_pd(x), lanes, _mm512_loadu_pd(x + 7));
}
#elif defined(__AVX2__)
inline Vec<float> load_second(const float* x) {
    const __m256 pairs = _mm256_shuffle_ps(_mm256_loadu_ps(x), _mm256_loadu_ps(x + 7), 0b11'01'10'00);
    return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(pairs), 0b11'01'10'00));
}
inline Vec<double> load_second(const double* x) {
    return _mm256_permute4x64_pd(_mm256_shuffle_pd(_mm256_loadu_pd(x), _mm256_loadu_pd(x + 3), 0b1010),
                                 0b11'01'10'00);
}
/// Every fourth: half the instructions of one element after the other.
inline Vec<float> load_fourth(const float* x) {
    const __m256 a = _mm256_unpacklo_ps(_mm256_loadu_ps(x), _mm256_loadu_ps(x + 8));
    const __m256 b = _mm256_shuffle_ps(_mm256_loadu_ps(x + 16), _mm256_loadu_ps(x + 21), 0b11'11'00'00);
    return _mm256_permutevar8x32_ps(_mm256_shuffle_ps(a, b, 0b10'00'01'00),
                                    _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}
/// Every third: eight lanes of three vectors that do not meet, the last two of which are read alone.
inline Vec<float> load_third(const float* x) {
    const __m256 six = _mm256_blend_ps(_mm256_loadu_ps(x), _mm256_loadu_ps(x + 8), 0b10'01'00'10);
    const __m256 seven = _mm256_blend_ps(six, _mm256_castps128_ps256(_mm_loadu_ps(x + 16)), 0b00'00'01'00);
    return _mm256_permutevar8x32_ps(_mm256_blend_ps(seven, _mm256_broadcast_ss(x + 21), 0b00'10'00'00),
                                    _mm256_setr_epi32(0, 3, 6, 1, 4, 7, 2, 5));
}
#elif defined(__SSE2__)
inline Vec<float> load_second(const float* x) {
    return _mm_shuffle_ps(_mm_loadu_ps(x), _mm_loadu_ps(x + 3), 0b11'01'10'00);
}
#endif

/// A vector of elements that are `step` apart, the first at x.
template <class S, class Step>
auto load_every(const S* x, Step step) {
    if constexpr (std::is_same_v<Step, Every<2>> && requires { load_second(x); }) {
        return load_second(x);
    } else if constexpr (std::is_same_v<Step, Every<3>> && requires { load_third(x); }) {
        return load_third(x);
    } else if constexpr (std::is_same_v<Step, Every<4>> && requires { load_fourth(x); }) {
        return load_fourth(x);
    } else {
        return [&]<std::size_t... i>(std::index_sequence<i...>) {
            return Vec<S>{x[static_cast<std::int64_t>(i) * step]...};
        }
        (std::make_index_sequence<Vec<S>::size>());
    }
}

/// Calls f with a short step as one that is known where it is compiled.
void with_step(std::int64_t step, const auto& f) {
    if (step == 2) return f(Every<2>());
    if (step == 3) return f(Every<3>());
    f(Every<4>());
}

}  // namespace reel::kernels::REEL_SET
