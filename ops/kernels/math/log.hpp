/// \file
/// Logarithms, and powers by them.
///
/// x = 2ᵉ m with m in [√½, √2); with f = m − 1 and s = f / (2 + f), log m = 2 artanh s = 2s + s³ p(s²), a
/// minimax polynomial p. Or log m by a table, see `kLogPieces`.
#pragma once

#include "ops/kernels/math/exp.hpp"
#include "ops/kernels/stored_as.hpp"

namespace reel::kernels::REEL_SET::math {

/// (2 artanh s − 2s) / s³ as a polynomial of s², to 2⁻²⁸ (float) and 2⁻⁵⁷ (double) of 2s.
template <class T>
inline constexpr T kLogTail[] = {0.666667785993368618f, 0.399760338253726571f, 0.299268536919040192f};
template <>
inline constexpr double kLogTail<double>[] = {
    0.666666666666670981, 0.399999999995171785, 0.285714287300113351, 0.222221990053930758,
    0.181835764308910609, 0.15313030178560309,  0.148119362411350918};
/// The same for s up to ⅓, to 2⁻²⁶ (float) and 2⁻⁵⁸ (double) of 2s.
template <class T>
inline constexpr T kLogWideTail[] = {0.666664120458666906f, 0.400217698821508494f, 0.279978639408358987f,
                                     0.280312731504799615f};
template <>
inline constexpr double kLogWideTail<double>[] = {
    0.666666666666662999,  0.40000000000158771,  0.285714285476492117, 0.222222239831061152,
    0.181817434326794152,  0.153865708204177714, 0.133008255124820861, 0.121072945663836978,
    0.0833466952994873245, 0.170289115013122445};
/// (p(z) − ⅔) / z, to 2⁻³⁶ (float) and 2⁻⁶⁵ (double).
template <class T>
inline constexpr T kLogFarTail[] = {0.400001526436145969f, 0.285470836701921599f, 0.234198208764331736f};
template <>
inline constexpr double kLogFarTail<double>[] = {
    0.400000000000022712, 0.285714285700919284, 0.22222222521348291, 0.181817842374831484,
    0.153867635138605141, 0.132566691960449495, 0.131977472992031305};
/// log₂ m / s as a polynomial of s², to 2⁻³⁶, and (2ʳ − 1) / r for |r| ≤ ½, to 2⁻²⁹ of 2ʳ.
inline constexpr double kFloatLog2[] = {2.88539008179020255, 0.961796673200180345, 0.577083611570791852,
                                        0.411671134611502522, 0.340759361846654546};
inline constexpr double kFloatExp2[] = {0.693147207710708089,   0.240226507301540992,
                                        0.055503251075760979,   0.00961809719586497372,
                                        0.00134012643278690774, 0.00015445437453314303};
template <class T>
inline constexpr T kSqrtHalf = T(0x1.6a09e667f3bcdp-1);
/// Where numbers can be picked from a table: m from 23/32 to 23/16 is in one of 8 intervals with 1/q near the
/// middle, and log m = log(1/q) + log(1 + r), r = q m − 1, without a division. The q are such that float32 holds
/// their logarithms to 12 digits more; around 1 it is 1.
inline constexpr float kLogStart = 23.0f / 32;
inline constexpr Lines kLogPieces({
    {1.33250117f, 1.23147058f, 1.14280593f, 1.06764722f, 1.0f, 0.889368832f, 0.800714672f, 0.727879822f},
    {-0.287057757f, -0.208209053f, -0.133486584f, -0.0654573664f, 0.0f, 0.117243245f, 0.222250611f,
     0.317619324f},
});
/// (log(1 + r) − r) / r² for −0.056 ≤ r ≤ 0.063, to 2⁻²⁶ of the logarithm.
inline constexpr float kLog1pTail[] = {-0.499999450108570152f, 0.333338432255545307f, -0.25068287467168838f,
                                       0.197990460118979692f};
template <class T>
inline constexpr T kTwoThirds = T(2) / T(3);
template <class T>
inline constexpr T kTwoThirdsLow = sizeof(T) == 4 ? T(2.0 / 3 - static_cast<double>(2.0f / 3))
                                                  : T(0x1.5555555555555p-55);

/// The numbers whose logarithm needs no special care.
template <class T>
auto log_is_plain(const Vec<T>& x) {
    return (x >= Vec<T>(kSmallest<T>)) && (x <= Vec<T>(std::numeric_limits<T>::max()));
}

/// x = 2ᵉ m for positive x, m in [start, 2 start).
template <class T>
struct LogArgument {
    /// `plain`: no x is subnormal.
    LogArgument(const Vec<T>& x, bool plain, T start) {
        Vec<T> normal = x;
        Vec<T> shift(0);
        if (!plain) {
            const auto is_subnormal = x < Vec<T>(kSmallest<T>);
            const Vec<T> up(kFraction<T> + 1);
            normal = xsimd::select(is_subnormal, x * power_of_two<T>(up), x);
            shift = xsimd::select(is_subnormal, up, shift);
        }
        // The exponent field of `above` counts in multiples of the start.
        const Bits<T> base = std::bit_cast<Bits<T>>(start);
        const Bits<T> bias = static_cast<Bits<T>>(kBias<T>) << kFraction<T>;
        const Bits<T> mask = (Bits<T>{1} << kFraction<T>)-1;
        const T shifted = static_cast<T>(mask + 1);  // 2ᶠ: integers are in its lowest bits
        above = bits<T>(normal) + Vec<Bits<T>>(bias - base);
        const Vec<Bits<T>> field = (above >> kFraction<T>) | Vec<Bits<T>>(std::bit_cast<Bits<T>>(shifted));
        e = number<T>(field) - Vec<T>(shifted + kBias<T>) - shift;
        m = number<T>((above & Vec<Bits<T>>(mask)) + Vec<Bits<T>>(base));
    }
    Vec<T> e, m;
    Vec<Bits<T>> above;
};

/// log x as a sum.
template <class T>
Pair<T> log_sum(const Vec<T>& x, bool plain) {
    if constexpr (kPicks<T>) {
        const LogArgument<T> a(x, plain, kLogStart);
        const Vec<Bits<T>> interval = a.above >> (kFraction<T> - 3);
        const Vec<T> r = multiply_subtract(a.m, kLogPieces.pick(0, interval), Vec<T>(1));
        const Vec<T> high = multiply_add(a.e, Vec<T>(T(0x1.62e42fefa39efp-1)), kLogPieces.pick(1, interval));
        return {high, multiply_add(r * r, polynomial<T>(r, kLog1pTail), r)};
    } else {
        const LogArgument<T> a(x, plain, kSqrtHalf<T>);
        const Vec<T> f = a.m - Vec<T>(1);
        const Vec<T> s = quotient(f, Vec<T>(2) + f);
        const Vec<T> z = s * s;
        const Vec<T> h = Vec<T>(T(0.5)) * f * f;
        const Vec<T> rest = z * polynomial<T>(z, kLogTail<T>);
        const Vec<T> low = multiply_add(s, h + rest, a.e * Vec<T>(kLog2Low<T>));
        const Pair<T> high = quick_two_sum<T>(a.e * Vec<T>(kLog2High<T>), f);
        return {high.high, high.low - (h - low)};
    }
}

/// `y` but for the arguments that are not plain: −∞ at 0, NaN below, ∞ at ∞.
template <class T>
Vec<T> log_specials(const Vec<T>& x, const Vec<T>& y) {
    const Vec<T> zero(0);
    const Vec<T> at_or_below = xsimd::select(x == zero, Vec<T>(-kInfinity<T>), Vec<T>(kNaN<T>));
    const Vec<T> known = xsimd::select(x > zero, y, xsimd::select(x <= zero, at_or_below, x));
    return xsimd::select(x == Vec<T>(kInfinity<T>), x, known);
}

/// log x.
template <class T>
Vec<T> log(const Vec<T>& x) {
    if (xsimd::all(log_is_plain<T>(x))) [[likely]] {
        const Pair<T> y = log_sum<T>(x, true);
        return y.high + y.low;
    }
    const Pair<T> y = log_sum<T>(x, false);
    return log_specials<T>(x, y.high + y.low);
}

/// a log x, rounded once.
template <class T>
Vec<T> times_log(const Vec<T>& a, const Vec<T>& x) {
    const bool plain = xsimd::all(log_is_plain<T>(x));
    const Pair<T> log = log_sum<T>(x, plain);
    const Vec<T> y = times_pair<T>(a, log.high, log.low);
    return plain ? y
                 : xsimd::select(log_is_plain<T>(x) || (x > Vec<T>(0) && x < Vec<T>(1)), y,
                                 a * log_specials<T>(x, log.high));
}

/// log(1 + x).
template <class T>
Vec<T> log1p(const Vec<T>& x) {
    const Pair<T> u = two_sum<T>(Vec<T>(1), x);
    const Pair<T> log = log_sum<T>(u.high, true);
    const Vec<T> y = log.high + (log.low + quotient(u.low, u.high));
    if (xsimd::all(log_is_plain<T>(x))) return y;
    const Vec<T> known = log_specials<T>(x + Vec<T>(1), y);
    return xsimd::select(xsimd::abs(x) < Vec<T>(kSmallest<T>), x, known);
}

/// e + log₂(1 + f), for f = m − 1, and 2ʳ for |r| ≤ ½: with more digits than float32 has.
inline Vec<double> short_log2(const Vec<double>& e, const Vec<double>& f) {
    const Vec<double> s = f / (f + Vec<double>(2));
    const Vec<double> z = s * s;
    return multiply_add(s, polynomial<double>(z, z * z, kFloatLog2), e);
}
inline Vec<double> short_exp2(const Vec<double>& r) {
    return multiply_add(r, polynomial<double>(r, r * r, kFloatExp2), Vec<double>(1));
}

/// log(1 + x) for x ≥ 0, as a result of type T.
template <class T>
Vec<double> log1p_as(const Vec<double>& x) {
    if constexpr (sizeof(T) == sizeof(double)) return log1p<double>(x);
    const LogArgument<double> a(Vec<double>(1) + x, true, kSqrtHalf<double>);
    // The sum has lost what is to be seen of a small x.
    const Vec<double> f = xsimd::select(a.e == Vec<double>(0), x, a.m - Vec<double>(1));
    const Vec<double> y = short_log2(a.e, f) * Vec<double>(0x1.62e42fefa39efp-1);
    return xsimd::select(x < Vec<double>(kInfinity<double>), y, x);
}

/// log x for positive x, with twice the digits.
template <class T>
Pair<T> log_pair(const Vec<T>& x) {
    const LogArgument<T> a(x, xsimd::all(log_is_plain<T>(x)), kSqrtHalf<T>);
    const Vec<T> f = a.m - Vec<T>(1);
    const Pair<T> two_f = quick_two_sum<T>(Vec<T>(2), f);
    const Pair<T> s = Pair<T>{f, Vec<T>(0)} / two_f;
    const Pair<T> z = s * s;
    const Pair<T> near =
        quick_two_sum<T>(Vec<T>(kTwoThirds<T>), z.high * polynomial<T>(z.high, kLogFarTail<T>));
    const Pair<T> p = {near.high,
                       multiply_add(z.low, Vec<T>(kLogFarTail<T>[0]), near.low + Vec<T>(kTwoThirdsLow<T>))};
    const Pair<T> cubic = s * z * p;
    const Pair<T> whole = quick_two_sum<T>(a.e * Vec<T>(kLog2High<T>), s.high + s.high);
    const Pair<T> sum = quick_two_sum<T>(whole.high, cubic.high);
    const Vec<T> low = multiply_add(a.e, Vec<T>(kLog2Low<T>), cubic.low + (s.low + s.low));
    return quick_two_sum<T>(sum.high, whole.low + sum.low + low);
}

/// xʸ for positive finite x.
inline Vec<double> positive_power(const Vec<double>& x, const Vec<double>& y) {
    const Pair<double> log = log_pair<double>(x);
    const Pair<double> product = two_product<double>(y, log.high);
    const Vec<double> low = multiply_add(y, log.low, product.low);
    return exp<double>(product.high,
                       xsimd::select(low == low, low, Vec<double>(0)));  // of an infinite y it is NaN
}

/// The same of float32 numbers in double precision, where p = y log₂ x needs no sums of two numbers: within 0.6 ulp, in 0.6
/// of the time (a million; AMD EPYC, Zen 3).
inline Vec<double> positive_power_of_floats(const Vec<double>& x, const Vec<double>& y) {
    const LogArgument<double> a(x, true, kSqrtHalf<double>);
    const Vec<double> p = y * short_log2(a.e, a.m - Vec<double>(1));
    const Vec<double> end(200);  // beyond it float32 has 0 and infinity
    const Vec<double> inside = smaller(end, larger(-end, p));
    const Vec<double> rounder(kRounder<double> + kBias<double>);
    const Vec<double> rounded = inside + rounder;
    return number<double>(bits<double>(rounded) << kFraction<double>) *
           short_exp2(inside - (rounded - rounder));
}
inline Vec<float> positive_power(const Vec<float>& x, const Vec<float>& y) {
    return in_double(positive_power_of_floats, x, y);
}

/// xʸ as in IEEE 754 and C: 1 where y is 0 or x is 1, NaN for a negative x with a y that is not whole.
template <class T>
Vec<T> pow(const Vec<T>& x, const Vec<T>& y) {
    const Vec<T> zero(0);
    const Vec<T> one(1);
    const Vec<T> infinity(kInfinity<T>);
    if (xsimd::all((x > zero) && (x < infinity) && (xsimd::abs(y) < infinity))) [[likely]]
        return positive_power(x, y);
    const Vec<T> base = xsimd::abs(x);
    const auto ordinary = (base > zero) && (base < infinity);
    Vec<T> power = positive_power(xsimd::select(ordinary, base, one), y);
    // 0, ∞ and NaN have no exponent: their logarithm is put in by hand.
    const Vec<T> limit = y * xsimd::select(base == zero, -infinity, base);
    power = xsimd::select(ordinary, power, xsimd::select(limit < zero, zero, limit));
    const Vec<T> half = y * Vec<T>(T(0.5));
    const auto whole = xsimd::floor(y) == y;
    const auto odd = whole && (xsimd::floor(half) != half);
    power = xsimd::select(odd, with_sign<T>(power, x), power);
    power = xsimd::select((x < zero) && !whole && (base < infinity), Vec<T>(kNaN<T>), power);
    const auto is_one = (y == zero) || (x == one) || ((base == one) && (xsimd::abs(y) == infinity));
    return xsimd::select(is_one, one, power);
}

}  // namespace reel::kernels::REEL_SET::math
