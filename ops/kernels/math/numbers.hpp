/// \file
/// What vector mathematics is made of: polynomials, the bits of a number, and sums and products without
/// rounding errors.
#pragma once

#include <cmath>
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

/// The same by its even and its odd powers, for half the waiting, given x².
template <class T, std::size_t N>
Vec<T> polynomial(const Vec<T>& x, const Vec<T>& square, const T (&c)[N]) {
    constexpr std::size_t kEven = (N - 1) / 2 * 2;
    constexpr std::size_t kOdd = (N - 2) / 2 * 2 + 1;
    Vec<T> even(c[kEven]);
    Vec<T> odd(c[kOdd]);
    [&]<std::size_t... K>(std::index_sequence<K...>) {
        ((even = multiply_add(even, square, Vec<T>(c[kEven - 2 - 2 * K]))), ...);
    }
    (std::make_index_sequence<kEven / 2>());
    [&]<std::size_t... K>(std::index_sequence<K...>) {
        ((odd = multiply_add(odd, square, Vec<T>(c[kOdd - 2 - 2 * K]))), ...);
    }
    (std::make_index_sequence<kOdd / 2>());
    return multiply_add(odd, x, even);
}

// ---- Bits and tables

/// How a number is stored: unsigned integers of its size, the bits of its fraction, the bias of its exponent.
template <class T>
using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
template <class T>
inline constexpr int kFraction = std::numeric_limits<T>::digits - 1;
template <class T>
inline constexpr T kBias = static_cast<T>(std::numeric_limits<T>::max_exponent - 1);
/// 1.5 · 2ᶠ: a sum with it has no fraction, so adding it rounds to an integer, which then is in the
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

/// Whether this set has an instruction that picks numbers from a table, for each lane its own.
template <class T>
inline constexpr bool kPicks = false;
#if defined(__AVX2__)
template <>
inline constexpr bool kPicks<float> = true;
#endif
/// N lines of 8 or 16 numbers, to pick from by the lowest bits of integers: c, and the coefficients of powers of x − c.
template <std::size_t N, std::size_t kNumbers>
struct Lines {
    consteval Lines(const float (&lines)[N][kNumbers]) {
        for (std::size_t k = 0; k < N; ++k)
            for (std::size_t i = 0; i < 16; ++i) at[k][i] = lines[k][i % kNumbers];
    }
    alignas(64) float at[N][16];

    /// From line k; of 16 numbers AVX2 picks from the 8 that begin with number `first`.
    Vec<float> pick(std::size_t k, const Vec<std::uint32_t>& i,
                    [[maybe_unused]] std::size_t first = 0) const {
#if defined(__AVX512F__)
        return _mm512_permutexvar_ps(i, _mm512_load_ps(at[k]));
#elif defined(__AVX2__)
        return _mm256_permutevar8x32_ps(_mm256_load_ps(at[k] + first), i);
#else
        return Vec<float>(at[k][first]) + std::bit_cast<Vec<float>>(i);  // not called
#endif
    }
    Vec<float> polynomial(const Vec<float>& x, const Vec<std::uint32_t>& i, std::size_t first = 0) const {
        const Vec<float> t = x - pick(0, i, first);
#if defined(__AVX2__) && !defined(__AVX512F__)
        // By even and odd powers erf takes 0.85 of the time (AMD EPYC, Zen 4).
        if constexpr (kNumbers == 8) {
            static_assert(N % 2 == 1, "as many even powers as odd ones");
            const Vec<float> square = t * t;
            Vec<float> odd = pick(N - 1, i);
            Vec<float> even = pick(N - 2, i);
            for (std::size_t k = N - 3; k > 1; k -= 2) {
                odd = multiply_add(odd, square, pick(k, i));
                even = multiply_add(even, square, pick(k - 1, i));
            }
            return multiply_add(odd, t, even);
        }
#endif
        Vec<float> y = pick(N - 1, i, first);
        for (std::size_t k = N - 2; k > 0; --k) y = multiply_add(y, t, pick(k, i, first));
#if defined(__AVX2__) && !defined(__AVX512F__)
        if (kNumbers == 16 && first == 0) {
            const Vec<float> upper = number<float>(i << 28);
            if (_mm256_movemask_ps(upper) != 0) [[unlikely]]
                return _mm256_blendv_ps(y, polynomial(x, i, 8), upper);
        }
#endif
        return y;
    }
};

template <class T>
inline constexpr T kInfinity = std::numeric_limits<T>::infinity();
template <class T>
inline constexpr T kNaN = std::numeric_limits<T>::quiet_NaN();
/// The smallest number that is not subnormal.
template <class T>
inline constexpr T kSmallest = std::numeric_limits<T>::min();

/// 2ⁿ for integers n that are no exponent of a subnormal.
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

/// The bit of the sign.
template <class T>
inline constexpr Bits<T> kSign = Bits<T>{1} << (8 * sizeof(T) - 1);

/// −x, of zeros too (xsimd's own is 0 − x for some sets). The compiler's negation becomes a part of a fused multiply-add.
template <class T>
Vec<T> negated(const Vec<T>& x) {
    return Vec<T>(-x.data);
}

/// |x| with the sign of y.
template <class T>
Vec<T> with_sign(const Vec<T>& x, const Vec<T>& y) {
    const Vec<Bits<T>> sign(kSign<T>);
    return number<T>((bits<T>(x) & ~sign) | (bits<T>(y) & sign));
}

/// f element by element: for arguments that vectors do not take.
template <class T, class F, class... V>
Vec<T> one_by_one(const F& f, const V&... x) {
    alignas(Vec<T>) T buffer[sizeof...(V)][Vec<T>::size];
    std::size_t k = 0;
    (x.store_aligned(buffer[k++]), ...);
    for (std::size_t i = 0; i < Vec<T>::size; ++i) {
        if constexpr (sizeof...(V) == 1) {
            buffer[0][i] = f(buffer[0][i]);
        } else {
            buffer[0][i] = f(buffer[0][i], buffer[1][i]);
        }
    }
    return Vec<T>::load_aligned(buffer[0]);
}

// ---- Sums and products without rounding errors

/// A number in two parts, high + low, where low is what did not fit into high.
template <class T>
struct Pair {
    Vec<T> high, low;
};

/// a + b.
template <class T>
Pair<T> two_sum(const Vec<T>& a, const Vec<T>& b) {
    const Vec<T> sum = a + b;
    const Vec<T> from_b = sum - a;
    return {sum, (a - (sum - from_b)) + (b - from_b)};
}
/// a + b for |a| ≥ |b| or a = 0.
template <class T>
Pair<T> quick_two_sum(const Vec<T>& a, const Vec<T>& b) {
    const Vec<T> sum = a + b;
    return {sum, b - (sum - a)};
}
/// a b. (Without a fused multiply-add by Dekker's splitting: a and b must not be huge.)
template <class T>
Pair<T> two_product(const Vec<T>& a, const Vec<T>& b) {
    const Vec<T> product = a * b;
    if constexpr (kFused) {
        return {product, multiply_subtract(a, b, product)};
    } else {
        const Vec<T> splitter(static_cast<T>((std::int64_t{1} << ((kFraction<T> + 2) / 2)) + 1));
        const Vec<T> a_high = splitter * a - (splitter * a - a);
        const Vec<T> b_high = splitter * b - (splitter * b - b);
        const Vec<T> a_low = a - a_high;
        const Vec<T> b_low = b - b_high;
        return {product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low};
    }
}
template <class T>
Pair<T> operator*(const Pair<T>& a, const Pair<T>& b) {
    const Pair<T> product = two_product<T>(a.high, b.high);
    return {product.high, product.low + (a.high * b.low + a.low * b.high)};
}

/// a (high + low), rounded once.
template <class T>
Vec<T> times_pair(const Vec<T>& a, const Vec<T>& high, const Vec<T>& low) {
    // Where a is infinite, so is a · low, and may have the other sign.
    const auto is_infinite = xsimd::abs(a) == Vec<T>(kInfinity<T>);
    if constexpr (kFused) return xsimd::select(is_infinite, a * high, multiply_add(a, high, a * low));
    // Where a is large, splitting it would overflow.
    const Vec<T> scale(static_cast<T>(std::int64_t{1} << kFraction<T>));
    const auto is_large = xsimd::abs(a) > quotient(Vec<T>(std::numeric_limits<T>::max()), scale);
    const Vec<T> scaled = xsimd::select(is_large, quotient(a, scale), a);
    const Pair<T> product = two_product<T>(scaled, high);
    const Vec<T> sum = product.high + multiply_add(scaled, low, product.low);
    const Vec<T> plain = a * high;
    const auto is_exact = is_infinite || (plain == Vec<T>(0));  // keeps the sign of a zero
    return xsimd::select(is_exact, plain, xsimd::select(is_large, sum * scale, sum));
}

/// With one division: the quotient by the reciprocal, then what is missing.
template <class T>
Pair<T> operator/(const Pair<T>& a, const Pair<T>& b) {
    const Vec<T> reciprocal = quotient(Vec<T>(1), b.high);
    const Vec<T> high = a.high * reciprocal;
    const Pair<T> back = two_product<T>(high, b.high);
    return {high, ((a.high - back.high) - back.low + (a.low - high * b.low)) * reciprocal};
}

/// a − b trunc(a / b), exact, with the sign of a.
template <class T>
Vec<T> fmod(const Vec<T>& a, const Vec<T>& b) {
    const T large = static_cast<T>(std::int64_t{1} << (kFraction<T> - 1));
    const Vec<T> ratio = quotient(a, b);
    const auto is_exact = (xsimd::abs(ratio) < Vec<T>(large)) &&
                          (xsimd::abs(a) < Vec<T>(1 / kSmallest<T> / large)) &&
                          (xsimd::abs(b) < Vec<T>(1 / kSmallest<T> / large));
    if (!xsimd::all(is_exact)) return one_by_one<T>([](T x, T y) { return std::fmod(x, y); }, a, b);
    const Pair<T> product = two_product<T>(xsimd::trunc(ratio), b);
    const Vec<T> rest = (a - product.high) - product.low;
    // Where the ratio was rounded up to an integer the quotient is one too large.
    const Vec<T> zero(0);
    const auto too_far = ((a > zero) && (rest < zero)) || ((a < zero) && (rest > zero));
    return with_sign<T>(xsimd::select(too_far, xsimd::abs(b) - xsimd::abs(rest), rest), a);
}

}  // namespace reel::kernels::REEL_SET::math
