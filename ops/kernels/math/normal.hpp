/// \file
/// The normal distribution's tail and the error function.
///
/// Q(y) = ½ erfc(y / √2) = exp(−y²/2) / (√(2π) y + G(y) / N(y)) for y ≥ 0, with minimax polynomials G and N
/// of positive coefficients. For large y, where Horner's rule loses digits, N stands on both sides of N /
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
/// (Φ(x) − ½) / x as a polynomial of x² for |x| ≤ 0.6.
template <class T>
inline constexpr T kNormalNear[] = {0.398942280279498426f, -0.0664903636825142152f, 0.00997320322919819415f,
                                    -0.00118464243962400424f, 0.000107043832963506835f};
template <>
inline constexpr double kNormalNear<double>[] = {
    0.398942280401432678,    -0.0664903800669054,     0.00997355701003249039,
    -0.00118732821538833249, 0.000115434686336788023, -9.4446462659113562e-6,
    6.65923411447974701e-7,  -4.11031917048819025e-8, 2.09317507217200714e-9};
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

/// exp(−y²/2). What y² loses to rounding is a factor of its own.
template <class T>
Vec<T> bell(const Vec<T>& y) {
    const Pair<T> square = two_product<T>(y, y);
    return exp<T>(square.high * Vec<T>(T(-0.5))) * multiply_add(square.low, Vec<T>(T(-0.5)), Vec<T>(1));
}

/// Q(y) for y in [0, end], its exponential apart; to the last digit for y above 0.6.
template <class T>
struct NormalTail {
    explicit NormalTail(const Vec<T>& y)
        : square(two_product<T>(y, y)),
          exponential(square.high * Vec<T>(T(-0.5)), square.low * Vec<T>(T(-0.5))) {
        const Vec<T> n = polynomial<T>(y, kTailN<T>);
        const Pair<T> slope = two_product<T>(Vec<T>(T(kSqrt2Pi)), y);
        const Pair<T> steep = two_product<T>(slope.high, n);
        const Vec<T> g = multiply_add(slope.low, n, polynomial<T>(y, kTailG<T>));
        const Pair<T> under = quick_two_sum<T>(steep.high, g);
        const Vec<T> quotient = n / under.high;
        const Pair<T> back = two_product<T>(quotient, under.high);
        const Vec<T> rest = (n - back.high) - back.low - quotient * (under.low + steep.low);
        ratio = {quotient, quotient * (rest * rough_reciprocal<T>(n))};
    }
    Pair<T> square;
    Exponential<T> exponential;
    Pair<T> ratio;

    /// a Q(y), rounded once also where that is subnormal.
    Vec<T> times(const Vec<T>& a) const {
        const Pair<T> product = two_product<T>(a, ratio.high);
        const Vec<T> low =
            multiply_add(product.low + a * ratio.low, exponential.high, product.high * exponential.low);
        const Pair<T> all = two_product<T>(product.high, exponential.high);
        return exponential.scaled(all.high + (all.low + low));
    }
};

/// |x|, at most the end of the tail; NaN stays NaN.
template <class T>
Vec<T> within_tail(const Vec<T>& x) {
    const Vec<T> y = xsimd::abs(x);
    return xsimd::select(y > Vec<T>(kTailEnd<T>), Vec<T>(kTailEnd<T>), y);
}

/// erf x: near 0 by its own polynomial, else 1 − 2 Q(x √2).
template <class T>
Vec<T> erf(const Vec<T>& x) {
    const Vec<T> square = x * x;
    const Vec<T> near = multiply_add(x, polynomial<T>(square, kErfNear<T>), x);
    const Vec<T> far =
        Vec<T>(1) - NormalTail<T>(within_tail<T>(x * Vec<T>(T(0x1.6a09e667f3bcdp+0)))).times(Vec<T>(2));
    return xsimd::select(xsimd::abs(x) <= Vec<T>(T(0.9)), near, with_sign<T>(far, x));
}

/// x Φ(x): near 0 as ½ x + x² · (Φ(x) − ½) / x, else as max(x, 0) − |x| Q(|x|).
template <class T>
Vec<T> gelu(const Vec<T>& x) {
    const Vec<T> y = within_tail<T>(x);
    const Vec<T> tail = NormalTail<T>(y).times(y);
    const Vec<T> far = xsimd::select(x < Vec<T>(0), negated<T>(tail), x - tail);
    const Vec<T> square = x * x;
    const Vec<T> near = multiply_add(square, polynomial<T>(square, kNormalNear<T>), Vec<T>(T(0.5)) * x);
    return xsimd::select(y <= Vec<T>(T(0.6)), with_sign<T>(near, x), far);
}

}  // namespace reel::kernels::REEL_SET::math
