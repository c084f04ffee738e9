// Conversion between element types. To and from the 16-bit types without branches, so that the compiler makes
// vectors of the loops; `Half` and `BFloat16` in tensor/dtype.cpp say the same in plain words.
#include <array>
#include <bit>

#include "ops/kernels/simd.hpp"

namespace reel::kernels::REEL_SET {

namespace {

template <class From, class To>
void convert(std::int64_t n, const void* from, void* to) {
    const auto* x = static_cast<const From*>(from);
    auto* y = static_cast<To*>(to);
    for (std::int64_t i = 0; i < n; ++i) y[i] = convert_element<To>(x[i]);
}

/// condition ? a : b, with both computed.
std::uint32_t choose(bool condition, std::uint32_t a, std::uint32_t b) {
    const std::uint32_t mask = 0U - static_cast<std::uint32_t>(condition);
    return (a & mask) | (b & ~mask);
}

/// The nearest binary16 number, ties to even.
std::uint16_t half_bits(float x) {
    const auto f = std::bit_cast<std::uint32_t>(x);
    const std::uint32_t magnitude = f & 0x7fffffffU;
    // Normal: the exponent moves by 112, and what is cut off carries into it.
    const std::uint32_t normal = (magnitude - (112U << 23) + 0xfffU + ((magnitude >> 13) & 1U)) >> 13;
    // Subnormal: a sum with ½ leaves multiples of 2⁻²⁴ in the lowest bits.
    const std::uint32_t subnormal = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5F) -
                                    std::bit_cast<std::uint32_t>(0.5F);
    std::uint32_t bits = choose(magnitude < (113U << 23), subnormal, normal);
    bits = choose(magnitude >= 0x477ff000U, 0x7c00U, bits);  // 65520 and above round to infinity
    bits = choose(magnitude > 0x7f800000U, 0x7e00U, bits);   // NaN
    return static_cast<std::uint16_t>(bits | ((f >> 16) & 0x8000U));
}

float half_value(std::uint16_t half) {
    const std::uint32_t magnitude = (half & 0x7fffU) << 13;
    // The exponent is 112 too small; a product mends it for subnormal numbers too.
    const auto scaled = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) * 0x1p112F);
    const std::uint32_t bits = choose(magnitude >= (31U << 23), magnitude | 0x7f800000U, scaled);
    return std::bit_cast<float>(bits | (static_cast<std::uint32_t>(half & 0x8000U) << 16));
}

/// The nearest bfloat16 number, ties to even.
std::uint16_t bfloat16_bits(float x) {
    const auto f = std::bit_cast<std::uint32_t>(x);
    const std::uint32_t rounded = (f + 0x7fffU + ((f >> 16) & 1U)) >> 16;
    const std::uint32_t quiet = (f >> 16) | 0x40U;
    return static_cast<std::uint16_t>(choose((f & 0x7fffffffU) > 0x7f800000U, quiet, rounded));
}

float bfloat16_value(std::uint16_t bits) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

/// to[i] = f(from[i]) on the bits of a 16-bit type on one side, floats on the other.
template <auto f, class From, class To>
void convert_bits(std::int64_t n, const void* from, void* to) {
    const auto* x = static_cast<const From*>(from);
    auto* y = static_cast<To*>(to);
    for (std::int64_t i = 0; i < n; ++i) y[i] = f(x[i]);
}

#if defined(__AVX2__)
/// Eight numbers at a time by the processor's own instructions. Those treat NaNs in their own way, so that a
/// vector with one goes the plain way.
[[gnu::target("f16c")]] void to_halves(std::int64_t n, const void* from, void* to) {
    const auto* x = static_cast<const float*>(from);
    auto* y = static_cast<std::uint16_t*>(to);
    for (; n >= 8; n -= 8, x += 8, y += 8) {
        const __m256 v = _mm256_loadu_ps(x);
        if (_mm256_movemask_ps(_mm256_cmp_ps(v, v, _CMP_UNORD_Q)) != 0) {
            convert_bits<half_bits, float, std::uint16_t>(8, x, y);
        } else {
            _mm_storeu_si128(reinterpret_cast<__m128i*>(y), _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
        }
    }
    convert_bits<half_bits, float, std::uint16_t>(n, x, y);
}
[[gnu::target("f16c")]] void of_halves(std::int64_t n, const void* from, void* to) {
    const auto* x = static_cast<const std::uint16_t*>(from);
    auto* y = static_cast<float*>(to);
    for (; n >= 8; n -= 8, x += 8, y += 8) {
        const __m256 v = _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x)));
        if (_mm256_movemask_ps(_mm256_cmp_ps(v, v, _CMP_UNORD_Q)) != 0) {
            convert_bits<half_value, std::uint16_t, float>(8, x, y);
        } else {
            _mm256_storeu_ps(y, v);
        }
    }
    convert_bits<half_value, std::uint16_t, float>(n, x, y);
}

/// The same of bfloat16, sixteen at a time.
void to_bfloat16s(std::int64_t n, const void* from, void* to) {
    const auto* x = static_cast<const float*>(from);
    auto* y = static_cast<std::uint16_t*>(to);
    const auto rounded = [](const __m256& v) {
        const __m256i bits = _mm256_castps_si256(v);
        const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
        return _mm256_srli_epi32(_mm256_add_epi32(_mm256_add_epi32(bits, odd), _mm256_set1_epi32(0x7fff)),
                                 16);
    };
    for (; n >= 16; n -= 16, x += 16, y += 16) {
        const __m256 low = _mm256_loadu_ps(x);
        const __m256 high = _mm256_loadu_ps(x + 8);
        if (_mm256_movemask_ps(_mm256_cmp_ps(low + high, low + high, _CMP_UNORD_Q)) != 0) {
            convert_bits<bfloat16_bits, float, std::uint16_t>(16, x, y);  // a NaN, or inf - inf
            continue;
        }
        const __m256i packed = _mm256_packus_epi32(rounded(low), rounded(high));  // half by half
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(y), _mm256_permute4x64_epi64(packed, 0b11011000));
    }
    convert_bits<bfloat16_bits, float, std::uint16_t>(n, x, y);
}
#else
constexpr Convert to_bfloat16s = &convert_bits<bfloat16_bits, float, std::uint16_t>;
constexpr Convert to_halves = &convert_bits<half_bits, float, std::uint16_t>;
constexpr Convert of_halves = &convert_bits<half_value, std::uint16_t, float>;
#endif

/// The same of wider numbers.
template <auto f>
std::uint16_t of_float64(double x) {
    return f(round_to_odd(x));
}
template <auto f>
std::uint16_t of_int64(std::int64_t x) {
    return f(round_to_odd(round_to_odd(x)));
}

template <class From>
void install_from(Table& table) {
    auto& row = table.convert[static_cast<std::size_t>(dtype_of<From>())];
    for (DType to : {kBool, kInt64, kFloat16, kBFloat16, kFloat32, kFloat64}) {
        row[static_cast<std::size_t>(to)] =
            dispatch(to, [](auto zero) -> Convert { return &convert<From, decltype(zero)>; });
    }
}

}  // namespace

void install_convert(Table& table) {
    for (DType from : {kBool, kInt64, kFloat16, kBFloat16, kFloat32, kFloat64}) {
        dispatch(from, [&](auto zero) { install_from<decltype(zero)>(table); });
    }
    const auto set = [&table](DType from, DType to, Convert loop) {
        table.convert[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)] = loop;
    };
    set(kFloat64, kFloat16, &convert_bits<of_float64<half_bits>, double, std::uint16_t>);
    set(kInt64, kFloat16, &convert_bits<of_int64<half_bits>, std::int64_t, std::uint16_t>);
    set(kFloat64, kBFloat16, &convert_bits<of_float64<bfloat16_bits>, double, std::uint16_t>);
    set(kInt64, kBFloat16, &convert_bits<of_int64<bfloat16_bits>, std::int64_t, std::uint16_t>);
    set(kFloat32, kFloat16, to_halves);
    set(kFloat16, kFloat32, of_halves);
    set(kFloat32, kBFloat16, to_bfloat16s);
    set(kBFloat16, kFloat32, &convert_bits<bfloat16_value, std::uint16_t, float>);
}

}  // namespace reel::kernels::REEL_SET
