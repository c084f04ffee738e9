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

/// 1 + e⁻ˣ = 1 + 2ⁿ + 2ⁿ (eʳ − 1), rounded once, for |x| below `kExpNormal`.
template <class T>
Vec<T> one_plus_exp_of_minus(const Vec<T>& x) {
    const Vec<T> one(1);
#if defined(__AVX2__) && !defined(__AVX512F__)
    if constexpr (sizeof(T) == 4) {  // double precision would be off by 2 ulp
        const ExponentialByParts<T, -1, Digits::kFine> e(x);
        const Vec<T> sum = one + e.power;
        const Vec<T> lost = smaller(one, e.power) - (sum - larger(one, e.power));
        return sum + multiply_add(e.power, e.rest, lost);
    }
#endif
    const ExpArgument<T> a(-x, kBias<T>);
    const Vec<T> power = number<T>(bits<T>(a.rounded) << kFraction<T>);
    const Vec<T> sum = power + one;
    const Vec<T> lost = one - (sum - power);
    return sum + multiply_add(power, expm1_of_remainder<T>(a.r), lost);
}

/// 1 / (1 + e⁻ˣ); eˣ where 1 is nothing beside e⁻ˣ.
template <class T>
Vec<T> sigmoid(const Vec<T>& x) {
    const Vec<T> y = quotient(Vec<T>(1), one_plus_exp_of_minus<T>(x));
    if (exp_is_normal<T>(x)) [[likely]]
        return y;
    const Vec<T> far = xsimd::select(x > Vec<T>(0), Vec<T>(1), exp<T>(x));
    return xsimd::select(xsimd::abs(x) < Vec<T>(kExpNormal<T>), y, far);
}

/// x / (1 + e⁻ˣ); x eˣ where 1 is nothing beside e⁻ˣ.
template <class T>
Vec<T> silu(const Vec<T>& x) {
    const Vec<T> y = quotient(x, one_plus_exp_of_minus<T>(x));
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
        using T = typename V::value_type;
#if defined(__AVX2__) && !defined(__AVX512F__)
        if (exp_is_normal<T>(x)) [[likely]] {
            const V e = ExponentialByParts<T, -1>(x).value();
            above = quotient(V(1), V(1) + e);
            below = e * above;
            return;
        }
#endif
        const V e = exp<T>(-xsimd::abs(x));
        const V larger = quotient(V(1), V(1) + e);
        const V smaller = e * larger;
        above = xsimd::select(x < V(0), smaller, larger);
        below = xsimd::select(x < V(0), larger, smaller);
    }
    V above, below;
};

/// log(1 + u) for u from 0 to 1: with s = u / (2 + u), 2s + s³ p(s²) = u − s (u − s² p(s²)), of which less is lost.
/// `lost` is added.
template <class T>
Vec<T> log1p_of_part(const Vec<T>& u, const Vec<T>& lost = Vec<T>(0)) {
    const Vec<T> s = quotient(u, u + Vec<T>(2));
    const Vec<T> z = s * s;
    return u + multiply_add(s, multiply_subtract(z, polynomial<T>(z, z * z, kLogWideTail<T>), u), lost);
}

/// log(1 + e) for an e = eˣ, x ≤ 0.
template <class T>
Vec<T> log1p_exp(const Exponential<T>& e) {
    const Vec<T> u = e.value();
    // What is lost matters where u is of the order of 1, far from where it is subnormal. There 1 / (1 + u) = 1 − u / 2, nearly.
    const Vec<T> lost = ((e.high - (e.high + e.low)) + e.low) * power_of_two<T>(e.argument.n);
    const Vec<T> small =
        xsimd::select(u < Vec<T>(kSmallest<T>), Vec<T>(0), multiply_add(lost, u * Vec<T>(T(-0.5)), lost));
    return log1p_of_part<T>(u, small);
}

/// The same of x, which is not above 0.
template <class T>
Vec<T> log1p_exp(const Vec<T>& x) {
#if defined(__AVX2__) && !defined(__AVX512F__)
    if constexpr (sizeof(T) == 4) {
        if (exp_is_normal<T>(x)) [[likely]]
            return log1p_of_part<T>(ExponentialByParts<T, 1, Digits::kFinest>(x).value());
    }
#endif
    return log1p_exp<T>(Exponential<T>(x));
}

/// log(1 + eˣ) for any x.
template <class T>
Vec<T> softplus(const Vec<T>& x) {
    return larger(Vec<T>(0), x) + log1p_exp<T>(-xsimd::abs(x));
}
/// log(1 + eˣ⁺ᵈ).
template <class T>
Vec<T> softplus(const Vec<T>& x, const Vec<T>& d) {
    return larger(Vec<T>(0), x) +
           log1p_exp<T>(Exponential<T>(-xsimd::abs(x), xsimd::select(x > Vec<T>(0), -d, d)));
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
    const Vec<T> y = most + log1p_exp<T>(Exponential<T>(x, xsimd::select(equal, Vec<T>(0), difference.low)));
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

#if defined(__AVX512F__)
/// tanh(c + t) to 2⁻²⁷ of itself: up to ¼, and from there to 9.3, where it is 1, in intervals of numbers that have exponent and
/// first bit of the fraction in common. The lowest four bits of these are the interval's number; the first one's is 9.
inline constexpr Lines kTanhPieces({
    {2.50758958f, 3.48023915f, 4.95522451f, 7.07531214f, 8.66438484f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f,
     0.317572266f, 0.431402117f, 0.616640747f, 0.884025216f, 1.26460922f, 1.7679894f},
    {0.986814618f, 0.998104513f, 0.999900699f, 0.999998569f, 0.99999994f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f,
     0.307310104f, 0.406492412f, 0.548784792f, 0.708430111f, 0.85232985f, 0.943388641f},
    {0.0261969175f, 0.0037873832f, 0.000198603797f, 2.86050158e-6f, 1.19196756e-7f, 0.0f, 0.0f, 0.0f, 0.0f,
     1.0f, 0.905560493f, 0.834763944f, 0.698835254f, 0.498126775f, 0.273533821f, 0.110017873f},
    {-0.0258513652f, -0.00378022832f, -0.000198689682f, -2.86261161e-6f, -1.19101806e-7f, 0.0f, 0.0f, 0.0f,
     0.0f, -3.82358678e-8f, -0.278287888f, -0.339325011f, -0.383510143f, -0.352888018f, -0.23314108f,
     -0.103789575f},
    {0.0167779513f, 0.00251052273f, 0.000132262008f, 1.91281356e-6f, 7.95084816e-8f, 0.0f, 0.0f, 0.0f, 0.0f,
     -0.333330482f, -0.216324285f, -0.140357971f, -0.0224813856f, 0.083955057f, 0.107535847f, 0.0612410717f},
    {-0.00794293638f, -0.00124513055f, -6.54436662e-5f, -9.43972736e-7f, -4.0141714e-8f, 0.0f, 0.0f, 0.0f,
     0.0f, -7.05245911e-5f, 0.159231648f, 0.169953808f, 0.140170813f, 0.0581562482f, -0.0139385797f,
     -0.0231812261f},
    {0.00282932771f, 0.000491160958f, 2.65872368e-5f, 3.67023745e-7f, 1.56414561e-8f, 0.0f, 0.0f, 0.0f, 0.0f,
     0.1341203f, 0.0399225131f, 0.0115798078f, -0.0538023971f, -0.0582020245f, -0.0179115608f,
     0.00390773732f},
    {-0.000695493538f, -0.000162848592f, -1.00251527e-5f, -1.44326037e-7f, -4.94876362e-9f, 0.0f, 0.0f, 0.0f,
     0.0f, -0.00422654627f, -0.0692540482f, -0.0200293493f, -0.0255891178f, 0.0136680724f, 0.0146247121f,
     0.0018390076f},
    {6.04132038e-5f, 4.15788309e-5f, 2.56361614e-6f, 4.84341882e-8f, 1.95133576e-9f, 0.0f, 0.0f, 0.0f, 0.0f,
     -0.0444982126f, 0.411594808f, -2.00995755f, 0.0263384208f, 0.0132901771f, -0.00437177904f,
     -0.00195466238f},
});

inline Vec<float> tanh_by_pieces(const Vec<float>& x) {
    const Vec<float> y = smaller(Vec<float>(9.3f), Vec<float>(xsimd::abs(x)));
    const Vec<Bits<float>> i = bits<float>(larger(Vec<float>(0.1875f), y)) >> (kFraction<float> - 1);
    const Vec<float> size = kTanhPieces.polynomial(y, i);
    return number<float>(bits<float>(size) | (bits<float>(x) & Vec<Bits<float>>(kSign<float>)));
}
#endif

/// tanh x: near 0 by its own polynomial, else 1 − 2 / (e²ˣ + 1), whose rounded parts count less the larger x
/// is: log 2 need not be in two parts.
template <class T>
Vec<T> tanh(const Vec<T>& x) {
#if defined(__AVX512F__)
    if constexpr (sizeof(T) == 4) return tanh_by_pieces(x);
#endif
    const Vec<T> y = smaller(Vec<T>(kTanhEnd<T>), Vec<T>(xsimd::abs(x)));
    const Vec<T> square = y * y;
    const Vec<T> near = multiply_add(y * square, polynomial<T>(square, kTanhTail<T>), y);
    const Vec<T> rounder(kRounder<T> + (kHasParts ? T(0) : kBias<T>));
    const Vec<T> rounded = multiply_add(y + y, Vec<T>(kParts<T> * kLog2E<T>), rounder);
    const Vec<T> r = multiply_add(rounded - rounder, Vec<T>(T(-0x1.62e42fefa39efp-1) / kParts<T>), y + y);
#if defined(__AVX2__) && !defined(__AVX512F__)
    const Vec<T> power = power_of_parts<T>(rounded);
    const Vec<T> sum = multiply_add(power, expm1_of_part<T>(r), power + Vec<T>(1));
#else
    const Vec<T> power = number<T>(bits<T>(rounded) << kFraction<T>);
    const Vec<T> sum = multiply_add(power, expm1_of_remainder<T>(r), power + Vec<T>(1));
#endif
    const Vec<T> far = Vec<T>(1) - quotient(Vec<T>(2), sum);
    const Vec<T> size = xsimd::select(y <= Vec<T>(T(0.6)), near, far);
    return number<T>(bits<T>(size) | (bits<T>(x) & Vec<Bits<T>>(kSign<T>)));
}

}  // namespace reel::kernels::REEL_SET::math
