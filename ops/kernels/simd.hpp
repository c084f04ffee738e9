/// \file
/// One vector vocabulary for all kernels: `Vec<T>` of the instruction set that the file is compiled for, and
/// the few words in which xsimd's versions 8 to 14 differ.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <xsimd/xsimd.hpp>

#include "ops/kernels/table.hpp"

// The namespace of this instruction set's code; the build passes it.
#if !defined(REEL_SET)
#error "kernels are compiled with -DREEL_SET=<name of the instruction set>"
#endif

// Inlines all that a function calls. Not under a sanitizer, with whose checks GCC would take minutes for one file.
#if defined(REEL_SANITIZED)
#define REEL_FLATTEN
#else
#define REEL_FLATTEN [[gnu::flatten]]
#endif

namespace reel::kernels::REEL_SET {

template <class T>
using Vec = xsimd::batch<T>;
template <class T>
using Mask = typename Vec<T>::batch_bool_type;

template <class T>
inline constexpr std::int64_t kWidth = static_cast<std::int64_t>(Vec<T>::size);

template <class T>
Vec<T> load(const T* from) {
    return Vec<T>::load_unaligned(from);
}
#if defined(__AVX512F__)
/// The first `n` of 16 lanes. Tails by way of memory would cost a tiny operation a fifth of its time.
inline __mmask16 first_lanes(std::int64_t n) { return static_cast<__mmask16>((1u << n) - 1); }
#endif

#if defined(__AVX2__) && !defined(__AVX512F__)
// As many ones as there are lanes, then zeros: n lanes are masked by what begins n places before the zeros.
inline constexpr std::int32_t kOnes32[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
inline constexpr std::int64_t kOnes64[8] = {-1, -1, -1, -1};
#endif

/// The first `n` elements; the rest repeats the last, so that no lane computes on garbage.
template <class T>
Vec<T> load_some(const T* from, std::int64_t n) {
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<T, float>) {
        return _mm512_mask_loadu_ps(_mm512_set1_ps(from[n - 1]), first_lanes(n), from);
    } else if constexpr (std::is_same_v<T, double>) {
        return _mm512_mask_loadu_pd(_mm512_set1_pd(from[n - 1]), static_cast<__mmask8>(first_lanes(n)), from);
    }
#endif
    alignas(Vec<T>) T buffer[Vec<T>::size];
    for (std::int64_t i = 0; i < kWidth<T>; ++i) buffer[i] = from[i < n ? i : n - 1];
    return Vec<T>::load_aligned(buffer);
}
/// The first `n` elements; the rest is 0.
template <class T>
Vec<T> load_first(const T* from, std::int64_t n) {
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<T, float>) {
        return _mm512_maskz_loadu_ps(first_lanes(n), from);
    } else if constexpr (std::is_same_v<T, double>) {
        return _mm512_maskz_loadu_pd(static_cast<__mmask8>(first_lanes(n)), from);
    }
#elif defined(__AVX2__)
    if constexpr (std::is_same_v<T, float>) {
        return _mm256_maskload_ps(from,
                                  _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kOnes32 + 8 - n)));
    } else if constexpr (std::is_same_v<T, double>) {
        return _mm256_maskload_pd(from,
                                  _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kOnes64 + 4 - n)));
    }
#endif
    alignas(Vec<T>) T buffer[Vec<T>::size];
    for (std::int64_t i = 0; i < kWidth<T>; ++i) buffer[i] = i < n ? from[i] : T(0);
    return Vec<T>::load_aligned(buffer);
}
template <class T>
void store_some(T* to, const Vec<T>& v, std::int64_t n) {
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<T, float>) {
        return _mm512_mask_storeu_ps(to, first_lanes(n), v);
    } else if constexpr (std::is_same_v<T, double>) {
        return _mm512_mask_storeu_pd(to, static_cast<__mmask8>(first_lanes(n)), v);
    }
#elif defined(__AVX2__)
    if constexpr (std::is_same_v<T, float>) {  // 0.8 ns on Zen 4, masked 3.5, by way of memory 1.8
        if (n >= kWidth<T>) return v.store_unaligned(to);
        __m128 rest = _mm256_castps256_ps128(v);
        if ((n & 4) != 0) {
            _mm_storeu_ps(to, rest);
            rest = _mm256_extractf128_ps(v, 1);
            to += 4;
        }
        if ((n & 2) != 0) {
            _mm_storel_pi(reinterpret_cast<__m64*>(to), rest);
            rest = _mm_movehl_ps(rest, rest);
            to += 2;
        }
        if ((n & 1) != 0) _mm_store_ss(to, rest);
        return;
    }
#endif
    alignas(Vec<T>) T buffer[Vec<T>::size];
    v.store_aligned(buffer);
    for (std::int64_t i = 0; i < n; ++i) to[i] = buffer[i];
}

/// Stores a vector past the caches, where the machine can; `to` is aligned. See tensor/stream.hpp.
inline void stream(float* to, const Vec<float>& v) {
#if defined(__AVX512F__)
    _mm512_stream_ps(to, v);
#elif defined(__AVX__)
    _mm256_stream_ps(to, v);
#elif defined(__SSE2__)
    _mm_stream_ps(to, v);
#else
    v.store_aligned(to);
#endif
}
inline void stream(double* to, const Vec<double>& v) {
#if defined(__AVX512F__)
    _mm512_stream_pd(to, v);
#elif defined(__AVX__)
    _mm256_stream_pd(to, v);
#elif defined(__SSE2__)
    _mm_stream_pd(to, v);
#else
    v.store_aligned(to);
#endif
}

/// Where x is NaN. Not x != x: for AVX xsimd 8's != is an ordered comparison, false where a NaN takes part; and a negated mask
/// two halves of integers.
template <class T>
Mask<T> is_nan(const xsimd::batch<T>& x) {
#if defined(__AVX2__) && !defined(__AVX512F__)
    if constexpr (std::is_same_v<T, float>) return _mm256_cmp_ps(x, x, _CMP_UNORD_Q);
    if constexpr (std::is_same_v<T, double>) return _mm256_cmp_pd(x, x, _CMP_UNORD_Q);
#endif
    return !(x == x);
}
template <class T>
requires std::is_arithmetic_v<T>
bool is_nan(T x) { return x != x; }

/// The larger and the smaller one of two numbers; b where they are equal, and where one of them is NaN: what
/// x86 has one instruction for. Not xsimd's, which say nothing of NaN and changed their order in version 14; and
/// not a > b ? a : b, of which GCC makes two.
#if defined(__AVX512F__)
inline Vec<float> larger(const Vec<float>& a, const Vec<float>& b) { return _mm512_max_ps(a, b); }
inline Vec<float> smaller(const Vec<float>& a, const Vec<float>& b) { return _mm512_min_ps(a, b); }
inline Vec<double> larger(const Vec<double>& a, const Vec<double>& b) { return _mm512_max_pd(a, b); }
inline Vec<double> smaller(const Vec<double>& a, const Vec<double>& b) { return _mm512_min_pd(a, b); }
#elif defined(__AVX__)
inline Vec<float> larger(const Vec<float>& a, const Vec<float>& b) { return _mm256_max_ps(a, b); }
inline Vec<float> smaller(const Vec<float>& a, const Vec<float>& b) { return _mm256_min_ps(a, b); }
inline Vec<double> larger(const Vec<double>& a, const Vec<double>& b) { return _mm256_max_pd(a, b); }
inline Vec<double> smaller(const Vec<double>& a, const Vec<double>& b) { return _mm256_min_pd(a, b); }
#elif defined(__SSE2__)
inline Vec<float> larger(const Vec<float>& a, const Vec<float>& b) { return _mm_max_ps(a, b); }
inline Vec<float> smaller(const Vec<float>& a, const Vec<float>& b) { return _mm_min_ps(a, b); }
inline Vec<double> larger(const Vec<double>& a, const Vec<double>& b) { return _mm_max_pd(a, b); }
inline Vec<double> smaller(const Vec<double>& a, const Vec<double>& b) { return _mm_min_pd(a, b); }
#else
template <class V>
V larger(const V& a, const V& b) {
    return xsimd::select(a > b, a, b);
}
template <class V>
V smaller(const V& a, const V& b) {
    return xsimd::select(a < b, a, b);
}
#endif

/// v where the mask says so and 0 elsewhere, and the other way round. One instruction, which needs no unit that
/// multiplies: for xsimd's `select` of a zero GCC 12 compares once more, and blends.
#if defined(__AVX512F__)
inline Vec<float> only_where(const Mask<float>& m, const Vec<float>& v) { return _mm512_maskz_mov_ps(m, v); }
inline Vec<double> only_where(const Mask<double>& m, const Vec<double>& v) {
    return _mm512_maskz_mov_pd(m, v);
}
template <class T>
Vec<T> zero_where(const xsimd::batch_bool<T>& m, const xsimd::batch<T>& v) {
    return only_where(!m, v);
}
#elif defined(__AVX__)
inline Vec<float> only_where(const Mask<float>& m, const Vec<float>& v) { return _mm256_and_ps(m, v); }
inline Vec<double> only_where(const Mask<double>& m, const Vec<double>& v) { return _mm256_and_pd(m, v); }
inline Vec<float> zero_where(const Mask<float>& m, const Vec<float>& v) { return _mm256_andnot_ps(m, v); }
inline Vec<double> zero_where(const Mask<double>& m, const Vec<double>& v) { return _mm256_andnot_pd(m, v); }
#else
template <class T>
Vec<T> only_where(const xsimd::batch_bool<T>& m, const xsimd::batch<T>& v) {
    return xsimd::select(m, v, Vec<T>(0));
}
template <class T>
Vec<T> zero_where(const xsimd::batch_bool<T>& m, const xsimd::batch<T>& v) {
    return xsimd::select(m, Vec<T>(0), v);
}
#endif

/// In how many lanes it is set.
template <class T>
std::int64_t count_lanes(const xsimd::batch_bool<T>& m) {
#if defined(__AVX512F__)
    return __builtin_popcount(static_cast<std::conditional_t<sizeof(T) == 4, __mmask16, __mmask8>>(m));
#elif defined(__AVX__)
    if constexpr (sizeof(T) == 4) return __builtin_popcount(static_cast<unsigned>(_mm256_movemask_ps(m)));
    if constexpr (sizeof(T) == 8) return __builtin_popcount(static_cast<unsigned>(_mm256_movemask_pd(m)));
#else
    bool lanes[kWidth<T>];
    m.store_unaligned(lanes);
    return std::count(lanes, lanes + kWidth<T>, true);
#endif
}

template <class V>
typename V::value_type first_lane(const V& v) {
    alignas(V) typename V::value_type lanes[V::size];
    v.store_aligned(lanes);
    return lanes[0];
}

/// Lane i of the result: lane kSource(i) of x and y in a row.
template <auto kSource, class T, std::size_t... kLane>
[[gnu::always_inline]] inline Vec<T> shuffled(const Vec<T>& x, const Vec<T>& y,
                                              std::index_sequence<kLane...>) {
    T a __attribute__((vector_size(sizeof(Vec<T>))));
    T b __attribute__((vector_size(sizeof(Vec<T>))));
    std::memcpy(&a, &x, sizeof(x));
    std::memcpy(&b, &y, sizeof(y));
#if defined(__clang__)
    a = __builtin_shufflevector(a, b, kSource(static_cast<std::int64_t>(kLane))...);
#else
    using Index = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
    [[maybe_unused]] const Index order __attribute__((vector_size(sizeof(Vec<T>)))) = {
        static_cast<Index>(kSource(static_cast<std::int64_t>(kLane)))...};
    a = __builtin_shuffle(a, b, order);
#endif
    Vec<T> result;
    std::memcpy(&result, &a, sizeof(result));
    return result;
}

/// All lanes put together by f(a, b), half with half: the result is in every lane. A state of f is made of
/// vectors, and f(state, exchange) reads its other half by exchange(vector).
template <class T, class State, class F, std::int64_t kBits = kWidth<T> / 2>
State combine_lanes(const State& state, const F& f) {
    if constexpr (kBits == 0) {
        return state;
    } else {
        static constexpr auto kOther = [](std::int64_t i) { return i ^ kBits; };
        const auto exchange = [](const Vec<T>& v) {
            return shuffled<kOther, T>(v, v, std::make_index_sequence<Vec<T>::size>());
        };
        return combine_lanes<T, State, F, kBits / 2>(f(state, exchange), f);
    }
}

/// A state made of vectors, to be had as it is in one lane, in every lane.
template <class T, class State>
class ByLane {
public:
    explicit ByLane(const State& state) : state_(state) { std::memcpy(lanes_, &state, sizeof(State)); }
    State operator[](std::int64_t l) const {
        Vec<T> parts[kParts];
        for (std::size_t i = 0; i < kParts; ++i)
            parts[i] = Vec<T>(lanes_[i * Vec<T>::size + static_cast<std::size_t>(l)]);
        State one = state_;
        std::memcpy(static_cast<void*>(&one), parts, sizeof(State));
        return one;
    }

private:
    static constexpr std::size_t kParts = sizeof(State) / sizeof(Vec<T>);
    State state_;
    alignas(Vec<T>) T lanes_[kParts * Vec<T>::size];
};

/// Σ of all lanes.
template <class T>
T sum_of_lanes(const xsimd::batch<T>& v) {
    const auto plus = [](const Vec<T>& half, const auto& exchange) { return half + exchange(half); };
    return first_lane(combine_lanes<T>(v, plus));
}

/// a / b and √x, rounded once. xsimd 8's own are estimates for float32 on Arm.
template <class V>
V quotient(const V& a, const V& b) {
    return a / b;
}
template <class V>
V square_root(const V& x) {
    return xsimd::sqrt(x);
}
#if defined(__aarch64__)
inline Vec<float> quotient(const Vec<float>& a, const Vec<float>& b) { return vdivq_f32(a, b); }
inline Vec<float> square_root(const Vec<float>& x) { return vsqrtq_f32(x); }
#endif

/// a b + c and a b - c, rounded once where the machine can (`kFused`). xsimd's own `fma` does so only for
/// some sets.
#if defined(__AVX512F__)
inline constexpr bool kFused = true;
inline Vec<float> multiply_add(const Vec<float>& a, const Vec<float>& b, const Vec<float>& c) {
    return _mm512_fmadd_ps(a, b, c);
}
inline Vec<float> multiply_subtract(const Vec<float>& a, const Vec<float>& b, const Vec<float>& c) {
    return _mm512_fmsub_ps(a, b, c);
}
inline Vec<double> multiply_add(const Vec<double>& a, const Vec<double>& b, const Vec<double>& c) {
    return _mm512_fmadd_pd(a, b, c);
}
inline Vec<double> multiply_subtract(const Vec<double>& a, const Vec<double>& b, const Vec<double>& c) {
    return _mm512_fmsub_pd(a, b, c);
}
#elif defined(__AVX2__) && defined(__FMA__)
inline constexpr bool kFused = true;
inline Vec<float> multiply_add(const Vec<float>& a, const Vec<float>& b, const Vec<float>& c) {
    return _mm256_fmadd_ps(a, b, c);
}
inline Vec<float> multiply_subtract(const Vec<float>& a, const Vec<float>& b, const Vec<float>& c) {
    return _mm256_fmsub_ps(a, b, c);
}
inline Vec<double> multiply_add(const Vec<double>& a, const Vec<double>& b, const Vec<double>& c) {
    return _mm256_fmadd_pd(a, b, c);
}
inline Vec<double> multiply_subtract(const Vec<double>& a, const Vec<double>& b, const Vec<double>& c) {
    return _mm256_fmsub_pd(a, b, c);
}
#elif defined(__aarch64__)
inline constexpr bool kFused = true;
inline Vec<float> multiply_add(const Vec<float>& a, const Vec<float>& b, const Vec<float>& c) {
    return vfmaq_f32(c, a, b);
}
inline Vec<float> multiply_subtract(const Vec<float>& a, const Vec<float>& b, const Vec<float>& c) {
    return vnegq_f32(vfmsq_f32(c, a, b));
}
inline Vec<double> multiply_add(const Vec<double>& a, const Vec<double>& b, const Vec<double>& c) {
    return vfmaq_f64(c, a, b);
}
inline Vec<double> multiply_subtract(const Vec<double>& a, const Vec<double>& b, const Vec<double>& c) {
    return vnegq_f64(vfmsq_f64(c, a, b));
}
#else
inline constexpr bool kFused = false;
template <class T>
Vec<T> multiply_add(const Vec<T>& a, const Vec<T>& b, const Vec<T>& c) {
    return a * b + c;
}
template <class T>
Vec<T> multiply_subtract(const Vec<T>& a, const Vec<T>& b, const Vec<T>& c) {
    return a * b - c;
}
#endif

/// How many of n bools are true: a vector of bytes at a time, each of which counts up to 255.
inline std::int64_t count_true(std::int64_t n, const Bool* bools) {
    const auto* x = reinterpret_cast<const std::uint8_t*>(bools);
    using Bytes = Vec<std::uint8_t>;
    constexpr std::int64_t w = kWidth<std::uint8_t>;
    constexpr std::uint64_t kEven = 0x00ff00ff00ff00ff;
    constexpr std::uint64_t kLowest = 0x0001000100010001;
    std::int64_t count = 0;
    std::int64_t i = 0;
    while (i + w <= n) {
        const std::int64_t end = i + std::min<std::int64_t>(255, (n - i) / w) * w;
        Bytes bytes(std::uint8_t{0});
        for (; i < end; i += w) bytes += xsimd::min(load(x + i), Bytes(std::uint8_t{1}));
        std::uint64_t words[w / 8];
        std::memcpy(words, &bytes, sizeof(words));
        // Neighbours are added to 16 bits; the product gathers all four sums in its highest 16.
        for (std::uint64_t word : words) {
            const std::uint64_t pairs = (word & kEven) + (word >> 8 & kEven);
            count += static_cast<std::int64_t>(pairs * kLowest >> 48);
        }
    }
    for (; i < n; ++i) count += x[i] != 0;
    return count;
}

}  // namespace reel::kernels::REEL_SET
