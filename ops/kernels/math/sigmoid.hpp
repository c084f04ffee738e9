/// \file
/// Functions made of one exponential: the logistic function and its kin, the hyperbolic tangent.
#pragma once

#include "ops/kernels/math/log.hpp"

namespace reel::kernels::REEL_SET::math {

/// With e = e⁻|ˣ| = (high + low) 2ⁿ: a / (1 + e) for positive x and a e / (1 + e) for negative x, rounded once also
/// where that is subnormal. |a| is of the order of 1 where |x| is large. What numerator and denominator have lost to
/// rounding is brought in at the end: 1 / (d + δ) = (1 − δ / d) / d, and 1 / d = 3/2 − d / 2, nearly, for d from 1 to 2.
template <class T, class E>
Vec<T> times_sigmoid(const Vec<T>& a, const Vec<T>& x, const E& e, const Pair<T>& fraction) {
    const auto negative = x < Vec<T>(0);
    const Vec<T> power = e.scaled(fraction.high);
    const Vec<T> under = Vec<T>(1) + power;
    const Vec<T> excess = (under - Vec<T>(1)) - power;  // δ = −excess
    const Vec<T> inverse = multiply_add(under, Vec<T>(T(-0.5)), Vec<T>(T(1.5)));
    const Vec<T> missing = multiply_add(excess, inverse, xsimd::select(negative, fraction.low, Vec<T>(0)));
    const Vec<T> ratio = quotient(xsimd::select(negative, fraction.high, Vec<T>(1)), under);
    const Vec<T> y =
        kFused ? multiply_add(a, ratio, (a * ratio) * missing) : times_pair<T>(a, ratio, ratio * missing);
    return xsimd::select(negative, e.scaled(y), y);
}

/// 1 + eˣ = 1 + 2ⁿ + 2ⁿ (eʳ − 1), rounded once, for |x| below `kExpNormal`.
template <class T>
Vec<T> one_plus_exp(const Vec<T>& x) {
    const ExpArgument<T> a(x, kBias<T>);
    const Vec<T> power = number<T>(bits<T>(a.rounded) << kFraction<T>);
    const Vec<T> sum = power + Vec<T>(1);
    const Vec<T> lost = Vec<T>(1) - (sum - power);
    return sum + multiply_add(power, expm1_of_remainder<T>(a.r), lost);
}

/// 1 / (1 + e⁻ˣ); eˣ where 1 is nothing beside e⁻ˣ.
template <class T>
Vec<T> sigmoid(const Vec<T>& x) {
    const Vec<T> y = quotient(Vec<T>(1), one_plus_exp<T>(-x));
    if (exp_is_normal<T>(x)) [[likely]]
        return y;
    const Vec<T> far = xsimd::select(x > Vec<T>(0), Vec<T>(1), exp<T>(x));
    return xsimd::select(xsimd::abs(x) < Vec<T>(kExpNormal<T>), y, far);
}

/// x / (1 + e⁻ˣ); x eˣ where 1 is nothing beside e⁻ˣ.
template <class T>
Vec<T> silu(const Vec<T>& x) {
    const Vec<T> y = quotient(x, one_plus_exp<T>(-x));
    if (exp_is_normal<T>(x)) [[likely]]
        return y;
    const Vec<T> bounded = xsimd::select(x < Vec<T>(kExpLow<T>), Vec<T>(kExpLow<T>), x);
    const PlainExponential<T> e(x);
    const Vec<T> far = xsimd::select(x > Vec<T>(0), x, e.scaled(bounded * e.fraction));
    return xsimd::select(xsimd::abs(x) < Vec<T>(kExpNormal<T>), y, far);
}

/// σ(x) and 1 − σ(x), neither by subtraction.
template <class V>
struct BothSigmoids {
    explicit BothSigmoids(const V& x) {
        const V e = exp<typename V::value_type>(-xsimd::abs(x));
        const V larger = quotient(V(1), V(1) + e);
        const V smaller = e * larger;
        above = xsimd::select(x < V(0), smaller, larger);
        below = xsimd::select(x < V(0), larger, smaller);
    }
    V above, below;
};

/// The constants of gelu's approximation, and what a type loses of them.
inline constexpr double kGeluSlope = 0x1.9884533d43651p+0;  // 2 √(2/π)
inline constexpr double kGeluCubic = 0.044715;
template <class T>
inline constexpr T kGeluSlopeLow = sizeof(T) == 4 ? T(kGeluSlope - double(float(kGeluSlope)))
                                                  : T(-0x1.cbc0d30ebfd15p-54);
template <class T>
inline constexpr T kGeluCubicLow = sizeof(T) == 4 ? T(kGeluCubic - double(float(kGeluCubic)))
                                                  : T(0x1.441355475a31ap-59);
/// ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))) = x σ(v), v = 2 √(2/π) x (1 + 0.044715 x²) with twice the digits.
template <class T>
Vec<T> gelu_tanh(const Vec<T>& x) {
    const Vec<T> end(50);  // beyond it is x or 0
    const Vec<T> z = xsimd::select(x > end, end, xsimd::select(x < -end, -end, x));
    const Pair<T> slope = {Vec<T>(T(kGeluSlope)), Vec<T>(kGeluSlopeLow<T>)};
    const Pair<T> cubic = {Vec<T>(T(kGeluCubic)), Vec<T>(kGeluCubicLow<T>)};
    const Pair<T> square = cubic * two_product<T>(z, z);
    const Pair<T> sum = two_sum<T>(Vec<T>(1), square.high);
    const Pair<T> v = slope * Pair<T>{z, Vec<T>(0)} * Pair<T>{sum.high, sum.low + square.low};
    const auto negative = x < Vec<T>(0);
    const Exponential<T> e(-xsimd::abs(v.high), xsimd::select(negative, v.low, -v.low));
    return xsimd::select(x > end, x, times_sigmoid<T>(z, x, e, quick_two_sum<T>(e.high, e.low)));
}

/// log(1 + eˣ⁺ᵈ) for x ≤ 0.
template <class T>
Vec<T> log1p_exp(const Vec<T>& x, const Vec<T>& d) {
    const Exponential<T> e(x, d);
    const Vec<T> high = e.value();
    // What is lost matters where e is of the order of 1, far from where it is subnormal.
    const Vec<T> lost = (e.high - (e.high + e.low)) + e.low;
    const Vec<T> small = lost * power_of_two<T>(e.argument.n);
    return log1p<T>(high, xsimd::select(high < Vec<T>(kSmallest<T>), Vec<T>(0), small));
}

/// log(1 + eˣ⁺ᵈ) for any x.
template <class T>
Vec<T> softplus(const Vec<T>& x, const Vec<T>& d) {
    const Vec<T> zero(0);
    const auto positive = x > zero;
    const Vec<T> rest = log1p_exp<T>(xsimd::select(positive, -x, x), xsimd::select(positive, -d, d));
    return xsimd::select(positive, x, zero) + rest;
}

/// log(eᵃ + eᵇ) = max + log(1 + exp(−|a − b|)).
template <class T>
Vec<T> logaddexp(const Vec<T>& a, const Vec<T>& b) {
    const auto larger = a > b;
    const Vec<T> most = xsimd::select(larger, a, b);
    const Vec<T> least = xsimd::select(larger, b, a);
    const Pair<T> difference = two_sum<T>(least, -most);
    const auto equal = a == b;  // infinities too
    const Vec<T> x = xsimd::select(equal, Vec<T>(0), difference.high);
    const Vec<T> y = most + log1p_exp<T>(x, xsimd::select(equal, Vec<T>(0), difference.low));
    return xsimd::select(is_nan(a) || is_nan(b), a + b, y);
}

/// (tanh x − x) / x³ as a polynomial of x² for |x| ≤ 0.6, to 2⁻²⁷ (float) and 2⁻⁵⁶ (double) of tanh x.
template <class T>
inline constexpr T kTanhTail[] = {-0.333333015354238341f, 0.133318594610984655f, -0.053769031060345306f,
                                  0.0207240661894332549f, -0.00579296258887844271f};
template <>
inline constexpr double kTanhTail<double>[] = {
    -0.333333333333332066,    0.133333333333055299,     -0.0539682539500658979,  0.021869487982197595,
    -0.0088632260760328982,   0.00359202857636305566,   -0.00145515530238626247, 0.000586945793246806581,
    -0.000229816810966765919, 0.0000785545570252289933, -0.000016758659082573348};

/// Where tanh x is 1 in this type.
template <class T>
inline constexpr T kTanhEnd = sizeof(T) == 4 ? T(10) : T(20);

/// tanh x: near 0 by its own polynomial, else 1 − 2 / (e²ˣ + 1), whose rounded parts count less the larger x
/// is: log 2 need not be in two parts.
template <class T>
Vec<T> tanh(const Vec<T>& x) {
    const Vec<T> y = smaller(Vec<T>(kTanhEnd<T>), Vec<T>(xsimd::abs(x)));
    const Vec<T> square = y * y;
    const Vec<T> near = multiply_add(y * square, polynomial<T>(square, kTanhTail<T>), y);
    const Vec<T> rounder(kRounder<T> + kBias<T>);
    const Vec<T> rounded = multiply_add(y + y, Vec<T>(kLog2E<T>), rounder);
    const Vec<T> r = multiply_add(rounded - rounder, Vec<T>(T(-0x1.62e42fefa39efp-1)), y + y);
    const Vec<T> power = number<T>(bits<T>(rounded) << kFraction<T>);
    const Vec<T> sum = multiply_add(power, expm1_of_remainder<T>(r), power + Vec<T>(1));
    const Vec<T> far = Vec<T>(1) - quotient(Vec<T>(2), sum);
    const Vec<T> size = xsimd::select(y <= Vec<T>(T(0.6)), near, far);
    return number<T>(bits<T>(size) | (bits<T>(x) & Vec<Bits<T>>(kSign<T>)));
}

}  // namespace reel::kernels::REEL_SET::math
