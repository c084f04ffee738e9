/// \file
/// Sine, cosine, tangent and the arc tangent.
///
/// x = n π/2 + r with |r| ≤ π/4, π/2 in parts so short that their products with n are exact (Cody and Waite, "Software
/// Manual for the Elementary Functions", 1980); then minimax polynomials of r. Arguments too large for that are
/// reduced one by one, in integers: `angle.hpp`.
#pragma once

#include <cmath>

#include "ops/kernels/math/angle.hpp"
#include "ops/kernels/math/numbers.hpp"

namespace reel::kernels::REEL_SET::math {

/// (sin r − r) / r³ and (cos r − 1 + r²/2) / r⁴ as polynomials of r² for |r| ≤ π/4.
template <class T>
inline constexpr T kSinTail[] = {-0.166666546383778149f, 0.00833209849989102487f, -0.000195036284768739351f};
template <>
inline constexpr double kSinTail<double>[] = {-0.166666666666666319,    0.00833333333332236985,
                                              -0.000198412698297710962, 2.7557313678647988e-6,
                                              -2.50507559593085992e-8,  1.58966664112967036e-10};
template <class T>
inline constexpr T kCosTail[] = {0.0416666468073555292f, -0.00138873644931892011f, 0.0000244380917682682017f};
template <>
inline constexpr double kCosTail<double>[] = {0.0416666666666665992,    -0.0013888888888874065,
                                              0.0000248015872894435418, -2.75573143406778118e-7,
                                              2.08757216262177358e-9,   -1.13595594563303978e-11};
/// (arctan t − t) / t³ as a polynomial of t² for |t| ≤ tan(π/8).
template <class T>
inline constexpr T kAtanTail[] = {-0.333333185210833501f, 0.199985225435556792f, -0.142427456684634936f,
                                  0.105797104964401144f, -0.06028579051899579f};
template <>
inline constexpr double kAtanTail<double>[] = {
    -0.333333333333332671,  0.199999999999687428,  -0.142857142813124814,  0.111111108224544133,
    -0.0909089848222340411, 0.0769206727569412076, -0.0666312936078657073, 0.0584774013240452438,
    -0.0503737464118187488, 0.0379886495163441682, -0.0177992429453303663};

/// π/2 in parts, and the largest |x| for which n times each part but the last is exact.
template <class T>
inline constexpr T kHalfPi[] = {0x1.92p+0f, 0x1.fb4p-12f, 0x1.444p-24f, 0x1.68c234p-39f};
template <>
inline constexpr double kHalfPi<double>[] = {0x1.921fb544p+0, 0x1.0b4611a6p-34, 0x1.3198a2ep-69,
                                             0x1.b839a252049c1p-104};
template <class T>
inline constexpr T kReducible = sizeof(T) == 4 ? T(6400) : T(1e6);

/// x = n π/2 + r + lost.
template <class T>
struct TrigArgument {
    explicit TrigArgument(const Vec<T>& x) {
        const T two_over_pi = T(0x1.45f306dc9c883p-1);
        const Vec<T> rounder(kRounder<T>);
        const Vec<T> rounded = multiply_add(x, Vec<T>(two_over_pi), rounder);
        const Vec<T> n = rounded - rounder;
        quadrant = bits<T>(rounded);
        const Vec<T> coarse = (x - n * Vec<T>(kHalfPi<T>[0])) - n * Vec<T>(kHalfPi<T>[1]);
        const Pair<T> finer = two_sum<T>(coarse, -n * Vec<T>(kHalfPi<T>[2]));
        const Pair<T> sum = two_sum<T>(finer.high, multiply_add(n, Vec<T>(-kHalfPi<T>[3]), finer.low));
        r = sum.high;
        lost = sum.low;
        const auto reducible = xsimd::abs(x) <= Vec<T>(kReducible<T>);
        if (!xsimd::all(reducible)) [[unlikely]]
            reduce_large(x);
        square = r * r;
    }
    /// What comes of a number does not depend on its neighbours.
    void reduce_large(const Vec<T>& x) {
        alignas(Vec<T>) T at[Vec<T>::size];
        alignas(Vec<T>) T high[Vec<T>::size];
        alignas(Vec<T>) T low[Vec<T>::size];
        alignas(Vec<T>) Bits<T> turns[Vec<T>::size];
        x.store_aligned(at);
        r.store_aligned(high);
        lost.store_aligned(low);
        quadrant.store_aligned(turns);
        for (std::size_t i = 0; i < Vec<T>::size; ++i) {
            if (std::abs(at[i]) <= kReducible<T>) continue;
            if (!std::isfinite(at[i])) {
                high[i] = low[i] = kNaN<T>;
                continue;
            }
            const ReducedAngle angle = reduce_angle(static_cast<double>(at[i]));
            high[i] = static_cast<T>(angle.r);
            low[i] = static_cast<T>((angle.r - static_cast<double>(high[i])) + angle.lost);
            turns[i] = static_cast<Bits<T>>(angle.quadrant);
        }
        r = Vec<T>::load_aligned(high);
        lost = Vec<T>::load_aligned(low);
        quadrant = Vec<Bits<T>>::load_aligned(turns);
    }
    Vec<T> r, lost, square;
    Vec<Bits<T>> quadrant;

    /// sin(r + lost) − r.
    Vec<T> sin_tail() const { return multiply_add(r * square, polynomial<T>(square, kSinTail<T>), lost); }
    /// cos(r + lost) as a sum.
    Pair<T> cos_pair() const {
        const Pair<T> sum = quick_two_sum<T>(Vec<T>(1), Vec<T>(T(-0.5)) * square);
        const Vec<T> tail = square * square * polynomial<T>(square, kCosTail<T>);
        return quick_two_sum<T>(sum.high, sum.low + (tail - r * lost));
    }
    /// sin(r + lost) as a sum.
    Pair<T> sin_pair() const { return quick_two_sum<T>(r, sin_tail()); }
};

/// Whether the quarter turn n is odd.
template <class T>
auto is_odd(const Vec<Bits<T>>& n) {
    return number<T>((n & Vec<Bits<T>>(1)) << kFraction<T>) != Vec<T>(0);
}

/// `y` with its sign turned where n is 2 or 3 modulo 4.
template <class T>
Vec<T> turned(const Vec<T>& y, const Vec<Bits<T>>& n) {
    return number<T>(bits<T>(y) ^ ((n & Vec<Bits<T>>(2)) << (8 * sizeof(T) - 2)));
}

/// sin(x + quarters π/2).
template <class T>
Vec<T> sin_turned(const Vec<T>& x, Bits<T> quarters) {
    const TrigArgument<T> a(x);
    const Vec<Bits<T>> n = a.quadrant + Vec<Bits<T>>(quarters);
    const Pair<T> cosine = a.cos_pair();
    const Vec<T> y = xsimd::select(is_odd<T>(n), cosine.high + cosine.low, a.r + a.sin_tail());
    return turned<T>(y, n);
}

/// (sin r − r) / r³ as a polynomial of r² for |r| ≤ π/2, to 2⁻²⁷ (float) and 2⁻⁶¹ (double) of sin r.
template <class T>
inline constexpr T kHalfTurnTail[] = {-0.166666597127914429f, 0.00833306632975135026f,
                                      -0.000198093553764066271f, 2.60475290913065351e-6f};
template <>
inline constexpr double kHalfTurnTail<double>[] = {
    -0.166666666666666657,   0.00833333333333321122,  -0.000198412698412150257, 2.75573192120847829e-6,
    -2.50521069556361596e-8, 1.60589436908059116e-10, -7.64309094086919241e-13, 2.72218103942439584e-15};
/// π in parts, each rounded down, and the largest |x| that they serve.
template <class T>
inline constexpr T kPi[] = {0x1.921fb4p+1f, 0x1.4442dp-23f, 0x1.846988p-47f};
template <>
inline constexpr double kPi<double>[] = {0x1.921fb54442d18p+1, 0x1.1a62633145c06p-53, 0x1.c1cd129024e08p-106};
template <class T>
inline constexpr T kHalfTurnsEnd = sizeof(T) == 4 ? T(1e5) : T(1e9);

/// sin x, or with `shift` = ½ cos x, by fused products: x = (n + shift) π + r with |r| ≤ π/2, and ± sin r by one
/// polynomial. r is rounded twice at most: less the first part of π it is exact. r³ takes what r² has lost to
/// rounding along: without it float32 would be off by 2.1 ulp instead of 1.7.
template <class T>
Vec<T> sin_by_half_turns(const Vec<T>& x, T shift) {
    const Vec<T> rounder(kRounder<T>);
    const Vec<T> inverse(T(0x1.45f306dc9c883p-2));
    const Vec<T> rounded =
        shift == 0 ? multiply_add(x, inverse, rounder) : multiply_add(x, inverse, Vec<T>(-shift)) + rounder;
    const Vec<T> n = (rounder - rounded) - Vec<T>(shift);  // negative
    Vec<T> r = x;
    for (const T part : kPi<T>) r = multiply_add(n, Vec<T>(part), r);
    const Vec<T> square = r * r;
    const Vec<T> cube = multiply_add(r, square, r * multiply_subtract(r, r, square));
    const Vec<T> y = multiply_add(cube, polynomial<T>(square, kHalfTurnTail<T>), r);
    return number<T>(bits<T>(y) ^
                     (bits<T>(shift == 0 ? rounded : rounded + Vec<T>(1)) << (8 * sizeof(T) - 1)));
}

/// `sin_turned` by the shorter way, where there is one.
template <class T>
Vec<T> sin_from(const Vec<T>& x, int quarters) {
    if constexpr (kFused) {
        const auto near = xsimd::abs(x) <= Vec<T>(kHalfTurnsEnd<T>);
        const Vec<T> y = sin_by_half_turns<T>(x, T(0.5) * static_cast<T>(quarters));
        if (xsimd::all(near)) [[likely]]
            return y;
        return xsimd::select(near, y, sin_turned<T>(x, static_cast<Bits<T>>(quarters)));
    } else {
        return sin_turned<T>(x, static_cast<Bits<T>>(quarters));
    }
}

/// sin x.
template <class T>
Vec<T> sin(const Vec<T>& x) {
    return xsimd::select(xsimd::abs(x) < Vec<T>(4 * kSmallest<T>), x, sin_from<T>(x, 0));
}

/// cos x.
template <class T>
Vec<T> cos(const Vec<T>& x) {
    return sin_from<T>(x, 1);
}

/// tan x = sin r / cos r, or −cos r / sin r in odd quarters.
template <class T>
Vec<T> tan(const Vec<T>& x) {
    const TrigArgument<T> a(x);
    const Pair<T> sine = a.sin_pair();
    const Pair<T> cosine = a.cos_pair();
    const auto odd = is_odd<T>(a.quadrant);
    const Pair<T> over = {xsimd::select(odd, -cosine.high, sine.high),
                          xsimd::select(odd, -cosine.low, sine.low)};
    const Pair<T> under = {xsimd::select(odd, sine.high, cosine.high),
                           xsimd::select(odd, sine.low, cosine.low)};
    const Pair<T> ratio = over / under;
    return xsimd::select(xsimd::abs(x) < Vec<T>(4 * kSmallest<T>), x, ratio.high + ratio.low);
}

/// The angle of the point (x, y). With q = min / max of |x| and |y|, arctan q is taken as it is up to
/// tan(π/8), above it as
/// π/4 + arctan((min − max) / (min + max)).
template <class T>
Vec<T> atan2(const Vec<T>& y, const Vec<T>& x) {
    const T quarter_pi = T(0x1.921fb54442d18p-1);
    const T quarter_pi_low = sizeof(T) == 4 ? T(0x1.921fb54442d18p-1 - double(float(0x1.921fb54442d18p-1)))
                                            : T(0x1.1a62633145c07p-55);
    const Vec<T> zero(0);
    const Vec<T> one(1);
    const Vec<T> ax = xsimd::abs(x);
    const Vec<T> ay = xsimd::abs(y);
    const auto steep = ay > ax;
    const auto infinite = (ax == ay) && (ax == Vec<T>(kInfinity<T>));
    const Vec<T> most = xsimd::select(infinite, one, xsimd::select(steep, ay, ax));
    const Vec<T> shorter = xsimd::select(infinite, one, xsimd::select(steep, ax, ay));
    const Vec<T> longer = xsimd::select(most == zero, one, most);
    const auto wide = shorter > longer * Vec<T>(T(0x1.a827999fcef32p-2));
    // The sum must not overflow.
    const T huge = std::numeric_limits<T>::max() / 2;
    const Vec<T> quarter = xsimd::select(longer > Vec<T>(huge), Vec<T>(T(0.25)), one);
    const Vec<T> over = xsimd::select(wide, quarter * shorter - quarter * longer, shorter);
    const Vec<T> under = xsimd::select(wide, quarter * shorter + quarter * longer, longer);
    const Vec<T> t = quotient(over, under);
    const Vec<T> square = t * t;
    // The angle is sign · (t + tail) + eighths · π/4.
    const Vec<T> tail = t * square * polynomial<T>(square, kAtanTail<T>);
    const Vec<T> two(2);
    Vec<T> eighths = xsimd::select(wide, one, zero);
    Vec<T> sign = one;
    eighths = xsimd::select(steep, two - eighths, eighths);
    sign = xsimd::select(steep, -sign, sign);
    const auto left = x < zero || (x == zero && quotient(one, x) < zero);
    eighths = xsimd::select(left, Vec<T>(4) - eighths, eighths);
    sign = xsimd::select(left, -sign, sign);
    const Pair<T> sum = quick_two_sum<T>(eighths * Vec<T>(quarter_pi), sign * t);
    const Vec<T> low = sum.low + multiply_add(eighths, Vec<T>(quarter_pi_low), sign * tail);
    const Vec<T> angle = xsimd::select(eighths == zero, t + tail, sum.high + low);
    return xsimd::select(is_nan(x) || is_nan(y), x + y, with_sign<T>(angle, y));
}

}  // namespace reel::kernels::REEL_SET::math
