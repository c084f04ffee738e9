/// \file
/// eˣ and eˣ − 1.
///
/// x = n log 2 + r with a whole n and |r| ≤ ½ log 2; eʳ = 1 + r + r² p(r), a minimax polynomial p;
/// eˣ = 2ⁿ eʳ.
#pragma once

#include <array>

#include "ops/kernels/math/numbers.hpp"

namespace reel::kernels::REEL_SET::math {

/// Beyond these bounds eˣ is 0, also when multiplied by a thousand, or infinite.
template <class T>
inline constexpr T kExpLow = sizeof(T) == 4 ? T(-115) : T(-755);
template <class T>
inline constexpr T kExpHigh = sizeof(T) == 4 ? T(89) : T(710);
/// Where |x| is below, eˣ is a normal number, and stays one when multiplied by 0.001.
template <class T>
inline constexpr T kExpNormal = sizeof(T) == 4 ? T(80) : T(700);

/// log 2 in two parts, the first so short that its product with an exponent is exact.
template <class T>
inline constexpr T kLog2High = sizeof(T) == 4 ? T(0x1.62e4p-1) : T(0x1.62e42feep-1);
template <class T>
inline constexpr T kLog2Low = sizeof(T) == 4 ? T(0x1.7f7d1cf79abcap-20) : T(0x1.a39ef35793c76p-33);
template <class T>
inline constexpr T kLog2E = T(0x1.71547652b82fep+0);

/// p(r) = (eʳ − 1 − r) / r² for |r| ≤ ½ log 2, to 2⁻²⁸ (float) and 2⁻⁵⁷ (double) of eʳ.
template <class T>
inline constexpr T kExpTail[] = {0.500000009567554736f, 0.166665183085881573f, 0.0416662042309780665f,
                                 0.00836895332269251135f, 0.00139505963810633288f};
template <>
[[gnu::visibility("hidden")]] inline constexpr double kExpTail<double>[] = {
    0.500000000000001032,   0.166666666666666746,    0.0416666666665209454,    0.00833333333332212691,
    0.0013888888948140006,  0.000198412698868363916, 0.0000248014869653508887, 2.75572420593404259e-6,
    2.76327915826623339e-7, 2.51101543404620492e-8};

/// Where an exponential would be subnormal, it is made 2 to this power times as large until its last factor,
/// which takes that back, so that it is rounded once.
template <class T>
inline constexpr T kLift = sizeof(T) == 4 ? T(64) : T(512);
template <class T>
inline constexpr T kUnlift = sizeof(T) == 4 ? T(0x1p-64) : T(0x1p-512);

/// eʳ − 1 for |r| ≤ ½ log 2.
template <class T>
Vec<T> expm1_of_remainder(const Vec<T>& r) {
    const Vec<T> square = r * r;
    return multiply_add(square, polynomial<T>(r, square, kExpTail<T>), r);
}
/// eʳ − 1 − r.
template <class T>
Vec<T> exp_tail(const Vec<T>& r) {
    const Vec<T> square = r * r;
    return square * polynomial<T>(r, square, kExpTail<T>);
}

/// x = n log 2 + r, for x within the bounds. `rounded` has n + offset in its lowest bits.
template <class T>
struct ExpArgument {
    explicit ExpArgument(const Vec<T>& x, T offset = 0)
        : rounded(multiply_add(x, Vec<T>(kLog2E<T>), Vec<T>(kRounder<T> + offset))),
          n(rounded - Vec<T>(kRounder<T> + offset)),
          coarse(multiply_add(n, Vec<T>(-kLog2High<T>), x)),
          r(multiply_add(n, Vec<T>(-kLog2Low<T>), coarse)) {}
    Vec<T> rounded, n, coarse, r;

    /// What `r` has lost to rounding.
    Vec<T> lost() const { return multiply_add(n, Vec<T>(-kLog2Low<T>), coarse - r); }
};

/// Whether all eˣ are normal numbers, so that multiplying by 2ⁿ is adding n to an exponent.
template <class T>
bool exp_is_normal(const Vec<T>& x) {
    return xsimd::all(xsimd::abs(x) < Vec<T>(kExpNormal<T>));
}

/// Powers of two are split into eighths (float) and quarters (double), whose numbers are in a table, so that half as long a
/// polynomial does: exp takes 0.7 of the time, of double precision 0.85 (2048 in L1; AMD EPYC, Zen 4). Not with AVX-512, whose
/// picks take the units that multiply.
#if defined(__AVX2__) && !defined(__AVX512F__)
inline constexpr bool kHasParts = true;
#else
inline constexpr bool kHasParts = false;
#endif
template <class T>
inline constexpr int kPartBits = !kHasParts       ? 0
                                 : sizeof(T) == 4 ? 3
                                                  : 2;
template <class T>
inline constexpr T kParts = T(1 << kPartBits<T>);

/// (eʳ − 1 − r) / r² for |r| ≤ log 2 / 16 (float) and log 2 / 8 (double), to 2⁻²⁵ and 2⁻⁵⁷ of eʳ; and to 2⁻³² (float).
template <class T>
inline constexpr T kPartTail[] = {0.500064786f, 0.16668026f};
template <>
[[gnu::visibility("hidden")]] inline constexpr double kPartTail<double>[] = {0.5,
                                                                             0.166666666666959536,
                                                                             0.0416666666667220301,
                                                                             0.0083333331299535553,
                                                                             0.00138888885952069139,
                                                                             0.000198455169560674208,
                                                                             0.000024806586100527964};
inline constexpr float kLongPartTail[] = {0.5f, 0.166680287f, 0.0416706371f};

#if defined(__AVX2__) && !defined(__AVX512F__)
/// 2^(j/8).
inline constexpr double kEighths[] = {0x1p+0,
                                      0x1.172b83c7d517bp+0,
                                      0x1.306fe0a31b715p+0,
                                      0x1.4bfdad5362a27p+0,
                                      0x1.6a09e667f3bcdp+0,
                                      0x1.8ace5422aa0dbp+0,
                                      0x1.ae89f995ad3adp+0,
                                      0x1.d5818dcfba487p+0};
/// The bits of 2^(j/8) or 2^(j/4), less those that j adds when it is shifted to the exponent; of a double their lower or upper half.
template <class T, int kHalf = 0>
alignas(32) inline constexpr auto kPartBitsOf = [] {
    std::array<std::uint32_t, 8> table{};
    for (std::size_t i = 0; i < 8; ++i) {
        const Bits<T> j = i % (1 << kPartBits<T>);
        const auto power = std::bit_cast<Bits<T>>(static_cast<T>(kEighths[j << (3 - kPartBits<T>)]));
        table[i] = static_cast<std::uint32_t>((power - (j << (kFraction<T> - kPartBits<T>))) >> (32 * kHalf));
    }
    return table;
}();
/// What float32 loses of them, as a part of them.
alignas(32) inline constexpr auto kPartLost = [] {
    std::array<float, 8> table{};
    for (std::size_t j = 0; j < 8; ++j) {
        const double rounded = static_cast<double>(static_cast<float>(kEighths[j]));
        table[j] = static_cast<float>((kEighths[j] - rounded) / rounded);
    }
    return table;
}();
template <class T, int kHalf = 0>
__m256i part_bits(const __m256i& j) {
    const auto* table = reinterpret_cast<const __m256i*>(kPartBitsOf<T, kHalf>.data());
    return _mm256_permutevar8x32_epi32(_mm256_load_si256(table), j);
}

/// 2^(n/8) or 2^(n/4), n in the lowest bits of `rounded`.
template <class T>
Vec<T> power_of_parts(const Vec<T>& rounded) {
    const Vec<Bits<T>> j = bits<T>(rounded);
    const Vec<Bits<T>> exponent = j << (kFraction<T> - kPartBits<T>);
    if constexpr (sizeof(T) == 4) {
        return number<T>(Vec<Bits<T>>(part_bits<T>(j)) + exponent);
    } else {
        const __m256i both = _mm256_shuffle_epi32(j, 0xa0);  // j in both halves
        const __m256i lower = part_bits<T, 0>(both);
        const __m256i upper = part_bits<T, 1>(both);
        return number<T>(Vec<Bits<T>>(_mm256_blend_epi32(lower, upper, 0xaa)) + exponent);
    }
}

/// eʳ − 1 for the r of `kPartTail`.
template <class T>
Vec<T> expm1_of_part(const Vec<T>& r) {
    const Vec<T> square = r * r;
    return multiply_add(square, polynomial<T>(r, square, kPartTail<T>), r);
}
/// The same plus what the table's number for j has lost to rounding, as a part of it.
template <bool kLong>
Vec<float> fine_expm1_of_part(const Vec<float>& r, const Vec<std::uint32_t>& j) {
    const Vec<float> lost = _mm256_permutevar8x32_ps(_mm256_load_ps(kPartLost.data()), j);
    const Vec<float> tail =
        kLong ? polynomial<float>(r, kLongPartTail) : polynomial<float>(r, kPartTail<float>);
    return multiply_add(r * r, tail, r + lost);
}

/// How near an exponential of float32 is: 1.1 ulp, or without what the table loses, or also by a longer polynomial.
enum class Digits { kPlain, kFine, kFinest };

/// eˣ (e⁻ˣ where the sign is −1) = power (1 + rest), for |x| below `kExpNormal`.
template <class T, int kSign = 1, Digits kDigits = Digits::kPlain>
struct ExponentialByParts {
    explicit ExponentialByParts(const Vec<T>& x) {
        const Vec<T> rounder(kRounder<T>);
        const Vec<T> rounded = multiply_add(x, Vec<T>(kSign * kParts<T> * kLog2E<T>), rounder);
        const Vec<T> n = rounded - rounder;
        const Vec<T> coarse =
            multiply_add(n, Vec<T>(-kLog2High<T> / kParts<T>), kSign < 0 ? negated<T>(x) : x);
        const Vec<T> r = multiply_add(n, Vec<T>(-kLog2Low<T> / kParts<T>), coarse);
        power = power_of_parts<T>(rounded);
        if constexpr (kDigits != Digits::kPlain) {
            rest = fine_expm1_of_part<kDigits == Digits::kFinest>(r, bits<T>(rounded));
        } else {
            rest = expm1_of_part<T>(r);
        }
    }
    Vec<T> power, rest;

    Vec<T> value() const { return multiply_add(power, rest, power); }
};
#endif

/// x within the bounds; NaN stays NaN.
template <class T>
Vec<T> within_exp_bounds(const Vec<T>& x) {
    const Vec<T> low(kExpLow<T>);
    const Vec<T> high(kExpHigh<T>);
    return xsimd::select(x < low, low, xsimd::select(x > high, high, x));
}

/// y 2ⁿ, the n of `a`.
template <class T>
Vec<T> scale(const Vec<T>& y, const ExpArgument<T>& a, bool normal) {
    if (!normal) return scale<T>(y, a.n);
    return number<T>(bits<T>(y) + (bits<T>(a.rounded) << kFraction<T>));
}

/// eˣ⁺ᵈ = (high + low) 2ⁿ with high in [√½, √2], for a d of at most a few units in the last place of x
/// (ignored where x decides alone: it may be NaN there).
template <class T>
struct Exponential {
    explicit Exponential(const Vec<T>& x)
        : normal(exp_is_normal<T>(x)), argument(normal ? x : within_exp_bounds<T>(x)) {
        set(argument.r, exp_tail<T>(argument.r) + argument.lost());
    }
    Exponential(const Vec<T>& x, const Vec<T>& d)
        : normal(exp_is_normal<T>(x)), argument(normal ? x : within_exp_bounds<T>(x)) {
        const Vec<T> used = normal ? d : xsimd::select(xsimd::abs(x) < Vec<T>(2 * kExpHigh<T>), d, Vec<T>(0));
        const Pair<T> r = quick_two_sum<T>(argument.r, argument.lost() + used);
        set(r.high, multiply_add(r.low, Vec<T>(1) + r.high, exp_tail<T>(r.high)));
    }
    bool normal;
    ExpArgument<T> argument;
    Vec<T> high, low;

    /// y 2ⁿ for a y that is of the order of 1, or n = 0.
    Vec<T> scaled(const Vec<T>& y) const { return scale<T>(y, argument, normal); }
    Vec<T> value() const { return scaled(high + low); }

private:
    /// 1 + r + tail.
    void set(const Vec<T>& r, const Vec<T>& tail) {
        high = Vec<T>(1) + r;
        low = r - (high - Vec<T>(1)) + tail;
    }
};

/// eˣ = fraction 2ⁿ, in one number.
template <class T>
struct PlainExponential {
    explicit PlainExponential(const Vec<T>& x)
        : normal(exp_is_normal<T>(x)),
          argument(normal ? x : within_exp_bounds<T>(x)),
          rest(argument.r + exp_tail<T>(argument.r)),
          fraction(Vec<T>(1) + rest) {}
    bool normal;
    ExpArgument<T> argument;
    Vec<T> rest, fraction;

    /// What the last sum has lost to rounding.
    Vec<T> lost() const { return rest - (fraction - Vec<T>(1)); }

    Vec<T> scaled(const Vec<T>& y) const { return scale<T>(y, argument, normal); }
    Vec<T> value() const { return scaled(fraction); }
};

#if defined(__AVX512F__)
/// 2^(j/16), and p(r) for |r| ≤ log 2 / 32, to 2⁻⁵⁶ of eʳ.
alignas(64) inline constexpr double kSixteenths[] = {0x1p+0,
                                                     0x1.0b5586cf9890fp+0,
                                                     0x1.172b83c7d517bp+0,
                                                     0x1.2387a6e756238p+0,
                                                     0x1.306fe0a31b715p+0,
                                                     0x1.3dea64c123422p+0,
                                                     0x1.4bfdad5362a27p+0,
                                                     0x1.5ab07dd485429p+0,
                                                     0x1.6a09e667f3bcdp+0,
                                                     0x1.7a11473eb0187p+0,
                                                     0x1.8ace5422aa0dbp+0,
                                                     0x1.9c49182a3f09p+0,
                                                     0x1.ae89f995ad3adp+0,
                                                     0x1.c199bdd85529cp+0,
                                                     0x1.d5818dcfba487p+0,
                                                     0x1.ea4afa2a490dap+0};
inline constexpr double kShortExpTail[] = {0.500000000000000565, 0.166666666644088241, 0.0416666666596477041,
                                           0.0083334722014429413, 0.00138891292308124034};

/// eˣ with n in sixteenths, so that half as long a polynomial does, within 1.2 ulp: a million in L1 take 0.7 of the time.
/// The processor scales by 2 to the n rounded down, also to subnormal numbers, 0 and infinity.
inline Vec<double> exp_by_sixteenths(const Vec<double>& x) {
    const Vec<double> inside = smaller(Vec<double>(800.0), larger(Vec<double>(-800.0), x));
    const Vec<double> rounder(kRounder<double> / 16);
    const Vec<double> rounded = multiply_add(inside, Vec<double>(kLog2E<double>), rounder);
    const Vec<double> n = rounded - rounder;
    const Vec<double> coarse = multiply_add(n, Vec<double>(-kLog2High<double>), inside);
    const Vec<double> r = multiply_add(n, Vec<double>(-kLog2Low<double>), coarse);
    const Vec<double> rest = multiply_add(r * r, polynomial<double>(r, kShortExpTail), r);
    const Vec<double> power = _mm512_permutex2var_pd(_mm512_load_pd(kSixteenths), bits<double>(rounded),
                                                     _mm512_load_pd(kSixteenths + 8));
    return _mm512_scalef_pd(multiply_add(power, rest, power), n);
}
#endif

/// eˣ.
template <class T>
Vec<T> exp(const Vec<T>& x) {
#if defined(__AVX512F__)
    if constexpr (sizeof(T) == 8) return exp_by_sixteenths(x);
#elif defined(__AVX2__)
    if (exp_is_normal<T>(x)) [[likely]]
        return ExponentialByParts<T>(x).value();
#endif
    return PlainExponential<T>(x).value();
}

/// eˣ⁺ᵈ, d as for `Exponential`.
template <class T>
Vec<T> exp(const Vec<T>& x, const Vec<T>& d) {
    return Exponential<T>(x, d).value();
}

/// eˣ − 1 = 2 (2ⁿ⁻¹ − ½ + 2ⁿ⁻¹ (eʳ − 1)) as a sum, for |x| not subnormal.
template <class T>
Pair<T> expm1_pair(const Vec<T>& x) {
    const Vec<T> low(-50);  // e⁻⁵⁰ is nothing beside 1
    const Vec<T> high(kExpHigh<T>);
    const ExpArgument<T> a(xsimd::select(x < low, low, xsimd::select(x > high, high, x)));
    const Vec<T> half_power = power_of_two<T>(a.n - Vec<T>(1));
    const Pair<T> sum = quick_two_sum<T>(half_power - Vec<T>(T(0.5)), half_power * a.r);
    const Vec<T> rest = sum.low + half_power * (exp_tail<T>(a.r) + a.lost());
    return {sum.high + sum.high, rest + rest};
}

/// eˣ − 1.
template <class T>
Vec<T> expm1(const Vec<T>& x) {
    const Pair<T> y = expm1_pair<T>(x);
    return xsimd::select(xsimd::abs(x) < Vec<T>(4 * kSmallest<T>), x, y.high + y.low);
}

}  // namespace reel::kernels::REEL_SET::math
