/// \file
/// The normal distribution's tail and the error function.
///
/// Q(y) = ½ erfc(y / √2) = exp(−y²/2) / (√(2π) y + G(y) / N(y)) for y ≥ 0, with minimax polynomials G and N
/// of positive coefficients. For large y, where Horner's rule loses digits, N is on both sides of N /
/// (√(2π) y N + G), so that its error cancels.
#pragma once

#include "ops/kernels/math/exp.hpp"

namespace reel::kernels::REEL_SET::math {

/// Beyond it Q(y) is 0 in this type.
template <class T>
inline constexpr T kTailEnd = sizeof(T) == 4 ? T(14.5) : T(38.75);

inline constexpr double kSqrt2Pi = 2.50662827463100050242;
/// G and N over [0, end]: Q to 2⁻³⁰ (float) and 2⁻⁶¹ (double) of itself.
template <class T>
inline constexpr T kTailG[] = {2.000000001393301f, 1.26212809986063153f, 0.417243257365221439f,
                               0.0750236958065576242f, 0.00628199607195892943f};
template <>
inline constexpr double kTailG<double>[] = {2.0,
                                            2.68056364875792127,
                                            1.83327797324667781,
                                            0.81932397748198772,
                                            0.261438773693309617,
                                            0.061775077773634623,
                                            0.0109075667147551077,
                                            0.00142022226310324993,
                                            0.000130790474484194801,
                                            7.73478041182878586e-6,
                                            2.25403702470543786e-7};
template <class T>
inline constexpr T kTailN[] = {1.0f,
                               1.08649368441585038f,
                               0.566822468797998477f,
                               0.171200578731211213f,
                               0.0299423010558920038f,
                               0.00250591258550585341f};
template <>
inline constexpr double kTailN<double>[] = {1.0,
                                            1.79571140089159564,
                                            1.59783929710272671,
                                            0.916009533389382439,
                                            0.372882822909748573,
                                            0.112692648704876965,
                                            0.0257593502983952018,
                                            0.00445530567274011509,
                                            0.000572758170847311319,
                                            0.0000523576962692561183,
                                            3.08573093599586918e-6,
                                            8.99230670741745116e-8};
/// erf(x) / x − 1 as a polynomial of x² for |x| ≤ 0.9.
template <class T>
inline constexpr T kErfNear[] = {0.12837916676437253f,     -0.376126349798293073f,  0.112837150324594591f,
                                 -0.0268605084414594691f,  0.00520385910697158233f, -0.00081756387041297176f,
                                 0.0000851310163035251033f};
template <>
inline constexpr double kErfNear<double>[] = {
    0.128379167095512574,   -0.37612638903183728,     0.11283791670953704,     -0.026866170644806635,
    0.00522397762160322656, -0.000854832675492018713, 0.000120553210422107137, -0.000014925299739684795,
    1.64552139315487872e-6, -1.62754760834960282e-7,  1.40460470256734457e-8,  -8.4818491641676574e-10};

/// Where numbers can be picked from tables: erf(c + t), less t where c is 0, in 8 intervals of 17/32 from 0 to
/// 3.97, to 2⁻²⁷ of itself. The lines of such a table are c, the value there, and the coefficients of t, t² and so
/// on.
inline constexpr Lines kErfPieces({
    {0.0f, 0.528369486f, 1.07055461f, 1.57878745f, 2.10640931f, 2.66360426f, 3.21245885f, 3.69118285f},
    {0.0f, 0.545073628f, 0.869972348f, 0.974434078f, 0.997107267f, 0.999834716f, 0.999994457f, 0.999999821f},
    {0.128379166f, 0.853515089f, 0.358687043f, 0.093313776f, 0.013350809f, 0.000935896882f, 3.72029717e-5f,
     1.36547317e-6f},
    {8.71258834e-8f, -0.450970709f, -0.38399443f, -0.147322685f, -0.0281221997f, -0.0024928588f,
     -0.000119517084f, -5.03968658e-6f},
    {-0.376128405f, -0.125654072f, 0.154498115f, 0.123955846f, 0.0350417234f, 0.00411466882f, 0.000243622824f,
     1.19393344e-5f},
    {1.51533904e-5f, 0.183466882f, 0.0453294143f, -0.0487364493f, -0.0275382698f, -0.00464898115f,
     -0.00035102808f, -2.03396939e-5f},
    {0.112844519f, -0.00102466834f, -0.0658217445f, -0.00640035793f, 0.0126632312f, 0.00372000528f,
     0.000376015261f, 2.67675805e-5f},
    {-0.000529455079f, -0.0474742278f, 0.0106449071f, 0.0162120815f, -0.0013857038f, -0.00206298451f,
     -0.000321747822f, -2.85951701e-5f},
    {-0.0250691324f, 0.00687350892f, 0.0127188917f, -0.00577858835f, -0.00189291954f, 0.000662975654f,
     0.000221695227f, 2.00307732e-5f},
});
/// |x|, at most the end of the tail; NaN stays NaN.
template <class T>
Vec<T> within_tail(const Vec<T>& x) {
    return smaller(Vec<T>(kTailEnd<T>), Vec<T>(xsimd::abs(x)));
}

/// exp(−y²/2) for y within the tail. What y² loses to rounding goes into the remainder.
template <class T>
struct Bell {
    explicit Bell(const Vec<T>& y)
        : square(two_product<T>(y, y)),
          exponent(square.high * Vec<T>(T(-0.5))),
          argument(exponent, kBias<T> + kLift<T>),
          rest(expm1_of_remainder<T>(multiply_add(square.low, Vec<T>(T(-0.5)), argument.r))) {}
    Pair<T> square;
    Vec<T> exponent;
    ExpArgument<T> argument;
    Vec<T> rest;

    /// (high + low) exp(−y²/2) for |high| ≥ |low|, rounded once also where that is subnormal.
    Vec<T> times(const Vec<T>& high, const Vec<T>& low) const {
        const Vec<T> lifted = number<T>(bits<T>(argument.rounded) << kFraction<T>);
        return (high + multiply_add(high + low, rest, low)) * lifted * Vec<T>(kUnlift<T>);
    }
};

/// Q(y) for y within the tail, to a few digits less than all.
template <class T>
Vec<T> normal_tail(const Vec<T>& y, const Vec<T>& bell) {
    const Vec<T> n = polynomial<T>(y, kTailN<T>);
    return quotient(bell * n, multiply_add(Vec<T>(T(kSqrt2Pi)) * y, n, polynomial<T>(y, kTailG<T>)));
}

/// erf x: near 0 by its own polynomial, else 1 − 2 Q(x √2).
template <class T>
Vec<T> erf(const Vec<T>& x) {
    if constexpr (kPicks<T>) {
        const Vec<T> y = smaller(Vec<T>(T(3.97)), Vec<T>(xsimd::abs(x)));
        const Vec<Bits<T>> i = bits<T>(multiply_add(y, Vec<T>(T(32) / 17), Vec<T>(kRounder<T>)));
        const Vec<T> piece = kErfPieces.polynomial(y, i);
        const auto near = kErfPieces.pick(0, i) == Vec<T>(0);
        const Vec<T> size = piece + only_where(near, y);
        return number<T>(bits<T>(size) | (bits<T>(x) & Vec<Bits<T>>(kSign<T>)));
    }
    const Vec<T> square = x * x;
    const Vec<T> near = multiply_add(x, polynomial<T>(square, kErfNear<T>), x);
    const Vec<T> y = within_tail<T>(x * Vec<T>(T(0x1.6a09e667f3bcdp+0)));
    const Vec<T> far = Vec<T>(1) - normal_tail<T>(y, Bell<T>(y).times(Vec<T>(2), Vec<T>(0)));
    return xsimd::select(xsimd::abs(x) <= Vec<T>(T(0.9)), near, with_sign<T>(far, x));
}

}  // namespace reel::kernels::REEL_SET::math
