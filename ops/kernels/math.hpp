/// \file
/// Vector mathematics for kernels: eˣ and its kin, each within 2 ulp over the whole range, subnormal results
/// included. One algorithm serves float and double, with coefficients of its own for each. Call them by their
/// full name, `math::exp(x)`: xsimd has functions of the same names and other accuracy.
#pragma once

#include <utility>

#include "ops/kernels/simd.hpp"

namespace reel::kernels::REEL_SET::math {

/// Σ cₖ xᵏ by Horner's rule.
template <class T, std::size_t N>
Vec<T> polynomial(const Vec<T>& x, const T (&c)[N]) {
    Vec<T> y(c[N - 1]);
    [&]<std::size_t... K>(std::index_sequence<K...>) {
        ((y = multiply_add(y, x, Vec<T>(c[N - 2 - K]))), ...);
    }
    (std::make_index_sequence<N - 1>());
    return y;
}

/// How a number is stored: unsigned integers of its size, the bits of its fraction, the bias of its exponent.
template <class T>
using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
template <class T>
inline constexpr int kFraction = std::numeric_limits<T>::digits - 1;
template <class T>
inline constexpr T kBias = static_cast<T>(std::numeric_limits<T>::max_exponent - 1);
/// 1.5 · 2ᶠ: a sum with it has no fraction, so adding it rounds to a whole number, which then stands in the
/// lowest bits.
template <class T>
inline constexpr T kRounder = static_cast<T>(std::int64_t{3} << (kFraction<T> - 1));

template <class T>
Vec<Bits<T>> bits(const Vec<T>& x) {
    return std::bit_cast<Vec<Bits<T>>>(x);
}
template <class T>
Vec<T> number(const Vec<Bits<T>>& x) {
    return std::bit_cast<Vec<T>>(x);
}

/// 2ⁿ for whole numbers n that are no exponent of a subnormal.
template <class T>
Vec<T> power_of_two(const Vec<T>& n) {
    return number<T>(bits<T>(n + Vec<T>(kRounder<T> + kBias<T>)) << kFraction<T>);
}

/// y 2ⁿ, rounded once also where the result is subnormal: in two steps, each of them in range.
template <class T>
Vec<T> scale(const Vec<T>& y, const Vec<T>& n) {
    const Vec<T> rounder(kRounder<T> + kBias<T>);
    const Vec<T> half = multiply_add(n, Vec<T>(static_cast<T>(0.5)), rounder);
    const Vec<T> first = number<T>(bits<T>(half) << kFraction<T>);
    return y * first * power_of_two<T>(n - (half - rounder));
}

// ---- eˣ -----------------------------------------------------------------------------------------------

/// Beyond these bounds eˣ is 0 or infinite.
template <class T>
inline constexpr T kExpLow = sizeof(T) == 4 ? T(-104.5) : T(-746);
template <class T>
inline constexpr T kExpHigh = sizeof(T) == 4 ? T(89) : T(710);

/// log 2 in two parts, the first so short that its product with an exponent is exact.
template <class T>
inline constexpr T kLog2High = static_cast<T>(0x1.62e4p-1);
template <class T>
inline constexpr T kLog2Low = static_cast<T>(0x1.7f7d1cf79abcap-20);
template <>
inline constexpr double kLog2High<double> = 0x1.62e42feep-1;
template <>
inline constexpr double kLog2Low<double> = 0x1.a39ef35793c76p-33;
template <class T>
inline constexpr T kLog2E = static_cast<T>(0x1.71547652b82fep+0);

/// (eʳ − 1 − r) / r² for |r| ≤ ½ log 2.
template <class T>
inline constexpr T kExpTail[] = {0.500000009567554736f, 0.166665183085881573f, 0.0416662042309780665f,
                                 0.00836895332269251135f, 0.00139505963810633288f};
template <>
inline constexpr double kExpTail<double>[] = {
    0.500000000000001032,   0.166666666666666746,    0.0416666666665209454,    0.00833333333332212691,
    0.0013888888948140006,  0.000198412698868363916, 0.0000248014869653508887, 2.75572420593404259e-6,
    2.76327915826623339e-7, 2.51101543404620492e-8};

/// x = n log 2 + r with a whole n and |r| ≤ ½ log 2, for x within the bounds.
template <class T>
struct ExpArgument {
    explicit ExpArgument(const Vec<T>& x)
        : rounded(multiply_add(x, Vec<T>(kLog2E<T>), Vec<T>(kRounder<T>))),
          n(rounded - Vec<T>(kRounder<T>)),
          coarse(multiply_add(n, Vec<T>(-kLog2High<T>), x)),
          r(multiply_add(n, Vec<T>(-kLog2Low<T>), coarse)) {}
    Vec<T> rounded, n, coarse, r;

    /// What `r` has lost to rounding.
    Vec<T> lost() const { return multiply_add(n, Vec<T>(-kLog2Low<T>), coarse - r); }
    /// eʳ − 1 − r.
    Vec<T> tail() const { return r * r * polynomial<T>(r, kExpTail<T>); }
    /// y 2ⁿ where that is a normal number: n is added to the exponent.
    Vec<T> scale_normal(const Vec<T>& y) const {
        return number<T>(bits<T>(y) + (bits<T>(rounded) << kFraction<T>));
    }
};

/// x within the bounds; NaN stays NaN.
template <class T>
Vec<T> within_exp_bounds(const Vec<T>& x) {
    const Vec<T> low(kExpLow<T>);
    const Vec<T> high(kExpHigh<T>);
    return xsimd::select(x < low, low, xsimd::select(x > high, high, x));
}

/// Whether all of eˣ are normal numbers, with some room.
template <class T>
bool exp_is_normal(const Vec<T>& x) {
    return xsimd::all(xsimd::abs(x) < Vec<T>(sizeof(T) == 4 ? T(87) : T(708)));
}

/// eˣ.
template <class T>
Vec<T> exp(const Vec<T>& x) {
    if (exp_is_normal<T>(x)) {
        const ExpArgument<T> a(x);
        return a.scale_normal(Vec<T>(1) + (a.r + a.tail()));
    }
    const ExpArgument<T> a(within_exp_bounds<T>(x));
    return scale<T>(Vec<T>(1) + (a.r + a.tail()), a.n);
}

/// eˣ⁺ᵈ for a d of at most a few units in the last place of x (ignored where x decides alone: it may be NaN
/// there).
template <class T>
Vec<T> exp(const Vec<T>& x, const Vec<T>& d) {
    if (exp_is_normal<T>(x)) {
        const ExpArgument<T> a(x);
        return a.scale_normal(Vec<T>(1) + (a.r + (a.tail() + (a.lost() + d))));
    }
    const Vec<T> bounded = within_exp_bounds<T>(x);
    const ExpArgument<T> a(bounded);
    const Vec<T> low = a.lost() + xsimd::select(bounded == x, d, Vec<T>(0));
    return scale<T>(Vec<T>(1) + (a.r + (a.tail() + low)), a.n);
}

}  // namespace reel::kernels::REEL_SET::math
