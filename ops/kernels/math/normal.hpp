/// \file
/// The normal distribution's tail, the error function, and gelu.
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
/// y Q(y) exp(y²/2) = level + G / N from `kGeluNear` on, to 2⁻³¹ (float) and 2⁻⁶⁴ (double) of itself: the
/// level lies between the values at both ends, so that G / N is small beside it and its rounding errors count
/// less.
inline constexpr double kGeluLevel = 43.0 / 128;
template <class T>
inline constexpr T kGeluG[] = {-0.335943652263870822f, -0.087375781165172607f,  0.0311411110441575439f,
                               0.0285911081297673376f, 0.00817480376359914572f, 0.000971004189842906068f};
template <>
inline constexpr double kGeluG<double>[] = {
    -0.335937500001138811,   -0.346832178393741319,    -0.139363919526810979,  0.000206864157323141866,
    0.0289625895444198203,   0.0169259204497206954,    0.00570128946525056572, 0.00130975219385193704,
    0.000212501506598338784, 0.0000238711895734288328, 1.70908159177442432e-6, 6.06665482358738093e-8};
template <class T>
inline constexpr T kGeluN[] = {1.0f,
                               1.74861072400079177f,
                               1.32182334694317755f,
                               0.55100267587185817f,
                               0.12976270152284966f,
                               0.0154113739729109166f};
template <>
inline constexpr double kGeluN<double>[] = {1.0,
                                            2.52080276363459282,
                                            2.97919410858378116,
                                            2.18414254888675168,
                                            1.10675980883212035,
                                            0.408371903346819218,
                                            0.112418344715975634,
                                            0.0232074925740819747,
                                            0.00354454537612342655,
                                            0.000384975967871260144,
                                            0.0000271262209135111826,
                                            9.62888019755497655e-7};
/// (2 Φ(x) − 1) / x as a polynomial of x² for |x| ≤ `kGeluNear`.
template <class T>
inline constexpr T kNormalNear[] = {0.797884559862783923f, -0.132980663535860482f, 0.0199455245391943493f,
                                    -0.00236547293378171227f, 0.000209013759055471968f};
template <>
inline constexpr double kNormalNear<double>[] = {
    0.797884560802865356,    -0.132980760133810887,    0.0199471140200712497, -0.00237465643095084899,
    0.000230869375098507501, -0.000018889311496191991, 1.3319339384978329e-6, -8.24395843383018709e-8,
    4.52293877682366411e-9,  -2.02390561640113114e-10};
inline constexpr double kGeluNear = 0.69;
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
    const Vec<T> square = x * x;
    const Vec<T> near = multiply_add(x, polynomial<T>(square, kErfNear<T>), x);
    const Vec<T> y = within_tail<T>(x * Vec<T>(T(0x1.6a09e667f3bcdp+0)));
    const Vec<T> far = Vec<T>(1) - normal_tail<T>(y, Bell<T>(y).times(Vec<T>(2), Vec<T>(0)));
    return xsimd::select(xsimd::abs(x) <= Vec<T>(T(0.9)), near, with_sign<T>(far, x));
}

/// x Φ(x) = max(x, 0) − |x| Q(|x|); near 0, |x| Q(|x|) is ½ |x| less a polynomial.
template <class T>
Vec<T> gelu(const Vec<T>& x) {
    const Vec<T> y = within_tail<T>(x);
    const Bell<T> bell(y);
    const Vec<T> far =
        bell.times(Vec<T>(T(kGeluLevel)), quotient(polynomial<T>(y, kGeluG<T>), polynomial<T>(y, kGeluN<T>)));
    const Vec<T> near =
        multiply_add(bell.exponent, polynomial<T>(bell.square.high, kNormalNear<T>), Vec<T>(T(0.5)) * y);
    const Vec<T> tail = xsimd::select(y <= Vec<T>(T(kGeluNear)), near, far);
    return larger(Vec<T>(T(-0.0)), x) - tail;  // x where it is a zero or NaN
}

}  // namespace reel::kernels::REEL_SET::math
