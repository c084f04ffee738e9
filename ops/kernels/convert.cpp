// Conversion between element types. To and from the 16-bit types without branches, so that the compiler makes
// vectors of the loops; `Half` and `BFloat16` in tensor/dtype.cpp say the same in plain words.
#include <algorithm>
#include <bit>

#include "ops/kernels/narrow.hpp"
#include "ops/kernels/stored_as.hpp"

namespace reel::kernels::REEL_SET {

namespace {

template <class From, class To>
void convert(std::int64_t n, const void* from, void* to) {
    const auto* x = static_cast<const From*>(from);
    auto* y = static_cast<To*>(to);
    if constexpr (std::is_same_v<From, Bool> && std::is_arithmetic_v<To>) {
        // A byte that is not 0 is 1. (A comparison would be turned into a vector of To's bits, three times as slow.)
        for (std::int64_t i = 0; i < n; ++i) y[i] = static_cast<To>(std::min(x[i].byte, std::uint8_t{1}));
    } else {
        for (std::int64_t i = 0; i < n; ++i) y[i] = convert_element<To>(x[i]);
    }
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
    bits = choose(magnitude > 0x7f800000U, 0x7e00U | ((magnitude >> 13) & 0x3ffU), bits);  // NaN: made quiet
    return static_cast<std::uint16_t>(bits | ((f >> 16) & 0x8000U));
}

[[maybe_unused]] float half_value(std::uint16_t half) {
    const std::uint32_t magnitude = (half & 0x7fffU) << 13;
    // The exponent is 112 too small; a product mends it for subnormal numbers too.
    const auto scaled = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) * 0x1p112F);
    const std::uint32_t quiet = choose(magnitude > (31U << 23), 0x400000U, 0);  // NaN
    const std::uint32_t bits = choose(magnitude >= (31U << 23), magnitude | 0x7f800000U | quiet, scaled);
    return std::bit_cast<float>(bits | (static_cast<std::uint32_t>(half & 0x8000U) << 16));
}

/// The nearest bfloat16 number, ties to even.
std::uint16_t bfloat16_bits(float x) {
    const auto f = std::bit_cast<std::uint32_t>(x);
    const std::uint32_t rounded = (f + 0x7fffU + ((f >> 16) & 1U)) >> 16;
    const std::uint32_t quiet = (f >> 16) | 0x40U;
    return static_cast<std::uint16_t>(choose((f & 0x7fffffffU) > 0x7f800000U, quiet, rounded));
}

[[maybe_unused]] float bfloat16_value(std::uint16_t bits) {
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
/// Whether numbers are not 0, 32 at a time: their masks are packed into bytes.
void convert_to_bool(std::int64_t n, const void* from, void* to) {
    const auto* x = static_cast<const float*>(from);
    auto* y = static_cast<Bool*>(to);
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    const auto mask = [&](std::int64_t i) {
        return _mm256_castps_si256(_mm256_cmp_ps(_mm256_loadu_ps(x + i), _mm256_setzero_ps(), _CMP_NEQ_UQ));
    };
    std::int64_t i = 0;
    for (; i + 32 <= n; i += 32) {
        const __m256i halves[] = {_mm256_packs_epi32(mask(i), mask(i + 8)),
                                  _mm256_packs_epi32(mask(i + 16), mask(i + 24))};
        const __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(halves[0], halves[1]), order);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(y + i), _mm256_and_si256(bytes, _mm256_set1_epi8(1)));
    }
    convert<float, Bool>(n - i, x + i, y + i);
}
#endif

/// to[i] = from[i], where one of the two has 16 bits and the other is float32.
template <class From, class To>
void convert_narrow(std::int64_t n, const void* from, void* to) {
    const auto* x = static_cast<const From*>(from);
    auto* y = static_cast<To*>(to);
    constexpr std::int64_t w = kWidth<float>;
    std::int64_t i = 0;
#pragma GCC unroll 2
    for (; i + 2 * w <= n; i += 2 * w) store(y + i, load(x + i), load(x + i + w));
    for (; i + w <= n; i += w) store(y + i, load(x + i));
    if (i < n) store_some(y + i, load_some(x + i, n - i), n - i);
}

/// The integers of floating numbers, rounded towards zero.
#if defined(__AVX512F__)
inline Vec<double> integers_of(const Vec<double>& x) { return _mm512_castsi512_pd(_mm512_cvttpd_epi64(x)); }
inline bool all_fit(const Vec<double>&) { return true; }
#elif defined(__AVX2__)
/// As the fraction of a double whose last bit is worth 1.
inline Vec<double> integers_of(const Vec<double>& x) {
    const Vec<double> one_place(0x1.8p52);
    return _mm256_castsi256_pd(
        _mm256_sub_epi64(_mm256_castpd_si256(xsimd::trunc(x) + one_place), _mm256_castpd_si256(one_place)));
}
inline bool all_fit(const Vec<double>& x) { return xsimd::all(xsimd::abs(x) < Vec<double>(0x1p51)); }
#endif

#if defined(__AVX2__)
template <class From>
void convert_to_int64(std::int64_t n, const void* from, void* to) {
    const auto* x = static_cast<const From*>(from);
    auto* y = static_cast<std::int64_t*>(to);
    constexpr std::int64_t w = kWidth<double>;
    std::int64_t i = 0;
    for (; i + w <= n; i += w) {
        const Vec<double> v = load_as<double>(x + i);
        if (!all_fit(v)) {
            convert<From, std::int64_t>(w, x + i, y + i);
            continue;
        }
        integers_of(v).store_unaligned(reinterpret_cast<double*>(y + i));
    }
    convert<From, std::int64_t>(n - i, x + i, y + i);
}
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
#if defined(__AVX2__)
    set(kFloat32, kInt64, &convert_to_int64<float>);
    set(kFloat32, kBool, &convert_to_bool);
    set(kFloat64, kInt64, &convert_to_int64<double>);
#endif
    if constexpr (kNarrow) {
        set(kFloat32, kFloat16, &convert_narrow<float, Half>);
        set(kFloat16, kFloat32, &convert_narrow<Half, float>);
        set(kFloat32, kBFloat16, &convert_narrow<float, BFloat16>);
        set(kBFloat16, kFloat32, &convert_narrow<BFloat16, float>);
    } else {
        set(kFloat32, kFloat16, &convert_bits<half_bits, float, std::uint16_t>);
        set(kFloat16, kFloat32, &convert_bits<half_value, std::uint16_t, float>);
        set(kFloat32, kBFloat16, &convert_bits<bfloat16_bits, float, std::uint16_t>);
        set(kBFloat16, kFloat32, &convert_bits<bfloat16_value, std::uint16_t, float>);
    }
}

}  // namespace reel::kernels::REEL_SET
