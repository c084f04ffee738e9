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
/// Φ(c + t) to 2⁻²⁷ of itself, from 0 down to −5.5 in 16 intervals that end where steps[0] y² + steps[1] y is ½,
/// 1½, …, so that Φ falls by about as much in each.
inline constexpr float kPhiSteps[] = {0.366611570f, -0.8f};
inline constexpr Lines kPhiPieces({
    {-0.305578798f, -0.949304104f, -1.51657474f, -1.98775482f, -2.43515134f, -2.77764726f, -3.14045143f,
     -3.43925166f, -3.72080684f, -4.01924658f, -4.26291513f, -4.50736189f, -4.75876665f, -4.98562622f,
     -5.20190239f, -5.42490005f},
    {0.379962683f, 0.171232983f, 0.0646870434f, 0.0234194063f, 0.00744278124f, 0.00273770117f,
     0.000843438378f, 0.000291662349f, 9.92936475e-5f, 2.91922715e-5f, 1.00888583e-5f, 3.28193141e-6f,
     9.73897272e-7f, 3.08807216e-7f, 9.8629414e-8f, 2.89934885e-8f},
    {0.380744129f, 0.254227012f, 0.126319855f, 0.0553254001f, 0.0205700416f, 0.00842458848f, 0.00287944963f,
     0.00107744313f, 0.000393220398f, 0.000123890801f, 4.51662127e-5f, 1.54624795e-5f, 4.82418591e-6f,
     1.59733656e-6f, 5.30825332e-7f, 1.62317932e-7f},
    {0.0581736825f, 0.12066938f, 0.0957867429f, 0.0549866669f, 0.025045583f, 0.0117002679f, 0.00452138577f,
     0.00185279909f, 0.000731548585f, 0.00024897384f, 9.62698687e-5f, 3.48474969e-5f, 1.1478588e-5f,
     3.98186148e-6f, 1.38065082e-6f, 4.40279251e-7f},
    {-0.0575327277f, -0.00418774411f, 0.0273698214f, 0.0272125322f, 0.0169015825f, 0.0094289314f,
     0.00425314019f, 0.00194450398f, 0.000841780333f, 0.000312912569f, 0.000129269145f, 4.9779781e-5f,
     1.74039706e-5f, 6.35115748e-6f, 2.30554565e-6f, 7.69108794e-7f},
    {-0.0140912635f, -0.0211057179f, -0.00558711868f, 0.00435831351f, 0.00611512829f, 0.00459747668f,
     0.0025856616f, 0.00136310165f, 0.000661099039f, 0.000272924692f, 0.000121719859f, 5.02853909e-5f,
     1.87920523e-5f, 7.25246537e-6f, 2.76817377e-6f, 9.69709731e-7f},
    {0.00779229868f, -0.00336271757f, -0.00581467897f, -0.0023529816f, 0.000443415222f, 0.0011421477f,
     0.000986937666f, 0.000646191998f, 0.000365698506f, 0.000172536136f, 8.43730886e-5f, 3.78506229e-5f,
     1.5269532e-5f, 6.27497548e-6f, 2.53194844e-6f, 9.35837761e-7f},
    {0.00226338604f, 0.0022736697f, -0.000715755508f, -0.00135134277f, -0.000633624033f, -8.48571726e-5f,
     0.000169155857f, 0.000188668069f, 0.000138678122f, 7.88979232e-5f, 4.38323768e-5f, 2.18060195e-5f,
     9.63856473e-6f, 4.25889721e-6f, 1.83328814e-6f, 7.18619333e-7f},
    {-0.00101650006f, 0.000573203724f, 0.00065881724f, -5.76470229e-5f, -0.000283688336f, -0.000213222884f,
     -5.28165037e-5f, 8.30347653e-6f, 2.98562827e-5f, 2.52371883e-5f, 1.71771644e-5f, 1.00617526e-5f,
     5.02918374e-6f, 2.5075276e-6f, 1.17565662e-6f, 5.02548687e-7f},
});
inline constexpr float kPhiPiecesEnd = -5.5f;

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

/// x Φ(x) = max(x, 0) − |x| Q(|x|); near 0, |x| Q(|x|) is ½ |x| less a polynomial.
template <class T>
Vec<T> gelu_by_bell(const Vec<T>& x) {
    const Vec<T> y = within_tail<T>(x);
    const Bell<T> bell(y);
    const Vec<T> far =
        bell.times(Vec<T>(T(kGeluLevel)), quotient(polynomial<T>(y, kGeluG<T>), polynomial<T>(y, kGeluN<T>)));
    const Vec<T> near =
        multiply_add(bell.exponent, polynomial<T>(bell.square.high, kNormalNear<T>), Vec<T>(T(0.5)) * y);
    const Vec<T> tail = xsimd::select(y <= Vec<T>(T(kGeluNear)), near, far);
    return larger(Vec<T>(T(-0.0)), x) - tail;  // x where it is a zero or NaN
}

/// x Φ(x) = max(x, 0) + y Φ(y), y = −|x|, with Φ from a table where there are tables; from −5.5 down by the bell. Above
/// 5.5, where y stays −5.5, the second summand is nothing beside x.
template <class T>
Vec<T> gelu(const Vec<T>& x) {
    if constexpr (kPicks<T>) {
        const Vec<T> below = number<T>(bits<T>(x) | Vec<Bits<T>>(kSign<T>));
        const Vec<T> y = larger(Vec<T>(kPhiPiecesEnd), below);
        const Vec<T> steps = multiply_add(y, Vec<T>(kPhiSteps[0]), Vec<T>(kPhiSteps[1]));
        const Vec<Bits<T>> i = bits<T>(multiply_add(y, steps, Vec<T>(kRounder<T>)));
        const Vec<T> near = multiply_add(y, kPhiPieces.polynomial(y, i), larger(Vec<T>(T(-0.0)), x));
        const auto beyond = x < Vec<T>(kPhiPiecesEnd);
        if (!xsimd::any(beyond)) [[likely]]
            return near;
        return xsimd::select(beyond, gelu_by_bell<T>(x), near);
    } else {
        return gelu_by_bell<T>(x);
    }
}

}  // namespace reel::kernels::REEL_SET::math
