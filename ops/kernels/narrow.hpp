/// \file
/// Vectors of float32 from 16-bit numbers in memory, and back, rounded to the nearest, ties to even. `Half` and `BFloat16`
/// in tensor/dtype.cpp say the same in plain words, NaN's bits included.
#pragma once

#include "ops/kernels/simd.hpp"

namespace reel::kernels::REEL_SET {

/// What the elements stored as S are computed in.
template <class S>
using Computed = std::conditional_t<sizeof(S) == 2, float, S>;

template <class T>
void store(T* to, const Vec<T>& v) {
    v.store_unaligned(to);
}

/// Whether this set converts 16-bit numbers in vectors, both ways.
#if defined(__AVX2__)
inline constexpr bool kNarrow = true;
#else
inline constexpr bool kNarrow = false;
#endif

#if defined(__AVX512F__)
inline Vec<float> load(const Half* from) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}
inline void store(Half* to, const Vec<float>& v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}
inline Vec<float> load(const BFloat16* from) {
    const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}
inline void store(BFloat16* to, const Vec<float>& v) {
    const __m512i bits = _mm512_castps_si512(v);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    const __m512i result = _mm512_mask_or_epi32(rounded, _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q), bits,
                                                _mm512_set1_epi32(0x400000));
    const __m512i upper = _mm512_set_epi16(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 31, 29, 27, 25, 23,
                                           21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                        _mm512_castsi512_si256(_mm512_permutexvar_epi16(upper, result)));
}
#elif defined(__AVX2__)
inline Vec<float> load(const Half* from) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}
inline void store(Half* to, const Vec<float>& v) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}
inline Vec<float> load(const BFloat16* from) {
    const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}
/// The bits of bfloat16 numbers, as words of twice their size; NaN's are others.
inline __m256i rounded_words(const Vec<float>& v) {
    const __m256i bits = _mm256_castps_si256(v);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
    return _mm256_srli_epi32(rounded, 16);
}
inline void store(BFloat16* to, const Vec<float>& v) {
    const __m256i quiet =
        _mm256_srli_epi32(_mm256_or_si256(_mm256_castps_si256(v), _mm256_set1_epi32(0x400000)), 16);
    const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
    const __m256i words = _mm256_blendv_epi8(rounded_words(v), quiet, nan);
    const __m256i halves = _mm256_permute4x64_epi64(_mm256_packus_epi32(words, words), 0b1000);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_castsi256_si128(halves));
}
/// Two vectors, packed together where no number is NaN.
inline void store(BFloat16* to, const Vec<float>& v, const Vec<float>& w) {
    if (_mm256_movemask_ps(_mm256_cmp_ps(v, w, _CMP_UNORD_Q)) != 0) {
        store(to, v);
        return store(to + kWidth<float>, w);
    }
    const __m256i halves = _mm256_packus_epi32(rounded_words(v), rounded_words(w));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_permute4x64_epi64(halves, 0b11011000));
}
#else
using Bits = std::uint32_t __attribute__((vector_size(sizeof(Vec<float>))));

inline Bits load_bits(const void* from) {
    std::uint16_t bits __attribute__((vector_size(sizeof(Bits) / 2)));
    std::memcpy(&bits, from, sizeof(bits));
    return __builtin_convertvector(bits, Bits);
}
inline Vec<float> load(const BFloat16* from) { return std::bit_cast<Vec<float>>(load_bits(from) << 16); }
/// As `half_value` in convert.cpp, but for NaNs that signal: these are made quiet by the next operation.
inline Vec<float> load(const Half* from) {
    const Bits bits = load_bits(from);
    const Bits magnitude = (bits & 0x7fff) << 13;
    const Bits scaled = std::bit_cast<Bits>(std::bit_cast<Vec<float>>(magnitude) * Vec<float>(0x1p112F));
    const Bits special = std::bit_cast<Bits>(magnitude >= (31U << 23)) & 0x7f800000;
    return std::bit_cast<Vec<float>>(scaled | special | (bits & 0x8000) << 16);
}
#endif

#if defined(__AVX2__)
/// Two vectors, one after the other.
template <class S>
void store(S* to, const Vec<float>& v, const Vec<float>& w) {
    store(to, v);
    store(to + kWidth<float>, w);
}

/// The first `n` elements, and 0; the first `n` lanes.
template <class S>
requires(sizeof(S) == 2) Vec<float> load_some(const S* from, std::int64_t n) {
    S buffer[Vec<float>::size] = {};
    std::memcpy(buffer, from, static_cast<std::size_t>(n) * sizeof(S));
    return load(buffer);
}
template <class S>
requires(sizeof(S) == 2) void store_some(S* to, const Vec<float>& v, std::int64_t n) {
    S buffer[Vec<float>::size];
    store(buffer, v);
    std::memcpy(to, buffer, static_cast<std::size_t>(n) * sizeof(S));
}
#endif

}  // namespace reel::kernels::REEL_SET
