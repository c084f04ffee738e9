/// \file
/// ln, sin and cos that give the same bits on every machine, by their Taylor series on a short interval. Good
/// to a few ulp, which is all that random numbers need; see Note [The same numbers everywhere]. Not the
/// operations of `ops/`.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <numbers>
#include <type_traits>

namespace reel::portable {

/// Terms after which the series below are exact to the type's last digit.
template <class T>
constexpr int kTerms = std::is_same_v<T, float> ? 6 : 10;

template <class T>
using Coefficients = std::array<T, kTerms<T>>;

/// 1 / (2k + 1): artanh z = z Σ z²ᵏ / (2k + 1).
template <class T>
constexpr Coefficients<T> kArtanh = [] {
    Coefficients<T> c{};
    for (int k = 0; k < kTerms<T>; ++k) c[static_cast<std::size_t>(k)] = T(1) / T(2 * k + 1);
    return c;
}();

/// (−1)ᵏ / (2k + odd)!: the series of cos (odd = 0) and of sin x / x (odd = 1) in x².
template <class T, int odd>
constexpr Coefficients<T> kTrigonometric = [] {
    Coefficients<T> c{};
    double term = 1;
    for (int k = 0; k < kTerms<T>; ++k) {
        c[static_cast<std::size_t>(k)] = static_cast<T>(term);
        term /= -(2.0 * k + odd + 1) * (2.0 * k + odd + 2);
    }
    return c;
}();

/// Σ cₖ zᵏ
template <class T>
T series(const Coefficients<T>& c, T z) {
    T sum = c.back();
    for (std::size_t k = c.size() - 1; k-- > 0;) sum = sum * z + c[k];
    return sum;
}

/// ln x for positive normal x: x = m · 2ᵉ with m of [√½, √2), ln m = 2 artanh((m − 1) / (m + 1)).
template <class T>
T log(T x) {
    using Bits = std::conditional_t<std::is_same_v<T, float>, std::int32_t, std::int64_t>;
    constexpr int kFraction = std::is_same_v<T, float> ? 23 : 52;
    constexpr T kLowest = std::numbers::sqrt2_v<T> / 2;
    const Bits exponent = (std::bit_cast<Bits>(x) - std::bit_cast<Bits>(kLowest)) >> kFraction;
    const T m = std::bit_cast<T>(std::bit_cast<Bits>(x) - (exponent << kFraction));
    const T z = (m - 1) / (m + 1);
    return static_cast<T>(exponent) * std::numbers::ln2_v<T> + 2 * z * series(kArtanh<T>, z * z);
}

/// sin x and cos x for |x| ≤ π/4.
template <class T>
T sin(T x) {
    return x * series(kTrigonometric<T, 1>, x * x);
}
template <class T>
T cos(T x) {
    return series(kTrigonometric<T, 0>, x * x);
}

}  // namespace reel::portable
