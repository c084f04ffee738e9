/// \file
/// Arguments of sin, cos and tan that are too large for a product with π/2 in parts: reduced exactly, in integers
/// (M. Payne and R. Hanek, "Radian reduction for trigonometric functions", SIGNUM Newsletter 18, 1983).
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "ops/kernels/simd.hpp"

namespace reel::kernels::REEL_SET::math {

/// x = n π/2 + r + lost, |r| ≤ π/4, n modulo 4.
struct ReducedAngle {
    double r, lost;
    std::uint64_t quadrant;
};

/// The first 1280 bits of 2/π after the point, as `coefficients.py` prints them.
inline constexpr std::uint64_t kTwoOverPi[] = {
    0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe5163abdebbc561, 0xb7246e3a424dd2e0,
    0x06492eea09d1921c, 0xfe1deb1cb129a73e, 0xe88235f52ebb4484, 0xe99c7026b45f7e41, 0x3991d639835339f4,
    0x9c845f8bbdf9283b, 0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d,
    0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab, 0xf0cfbc209af4361d};

/// 64 bits of 2/π from bit `first` after the point on; before it there are zeros.
inline std::uint64_t bits_of_two_over_pi(int first) {
    if (first <= -64) return 0;
    const int word = (first + 64) / 64 - 1;
    const int shift = first - 64 * word;
    const std::uint64_t high = word < 0 ? 0 : kTwoOverPi[word];
    return shift == 0 ? high : (high << shift) | (kTwoOverPi[word + 1] >> (64 - shift));
}

/// With |x| = m 2ᵉ, m an integer of 53 bits: bits of 2/π above 2^(2 - e) make multiples of 4 quarter turns of the
/// product and are left out; of the rest 192 are taken. What is cut off is below 2⁻¹³⁷, and no float64 number is
/// nearer to a multiple of π/2 than 2⁻⁶².
inline ReducedAngle reduce_angle(double x) {
    using Product = unsigned __int128;
    constexpr int kFraction = 52;
    constexpr int kBias = 1023;
    constexpr double kHalfPi = 0x1.921fb54442d18p+0;
    constexpr double kHalfPiLow = 0x1.1a62633145c07p-54;
    const auto bits = std::bit_cast<std::uint64_t>(x);
    const int exponent = static_cast<int>(bits >> kFraction & 0x7ff) - kBias - kFraction;
    const std::uint64_t m = (bits & ((std::uint64_t{1} << kFraction) - 1)) | std::uint64_t{1} << kFraction;
    const int first = exponent - 2;
    // The product modulo 4, with 190 bits after the point.
    const Product low = Product{m} * bits_of_two_over_pi(first + 128);
    const Product middle = Product{m} * bits_of_two_over_pi(first + 64) + (low >> 64);
    std::uint64_t part[3] = {m * bits_of_two_over_pi(first) + static_cast<std::uint64_t>(middle >> 64),
                             static_cast<std::uint64_t>(middle), static_cast<std::uint64_t>(low)};
    std::uint64_t quadrant = (part[0] + (std::uint64_t{1} << 61)) >> 62;
    part[0] -= quadrant << 62;
    const bool negative = part[0] >> 63 != 0;
    if (negative) {
        part[2] = 0 - part[2];
        part[1] = ~part[1] + (part[2] == 0);
        part[0] = ~part[0] + (part[2] == 0 && part[1] == 0);
    }
    // The fraction as a sum of two float64 numbers.
    int exponent_of_part = -62;
    while (part[0] == 0 && exponent_of_part > -190) {
        part[0] = part[1];
        part[1] = part[2];
        part[2] = 0;
        exponent_of_part -= 64;
    }
    const int zeros = part[0] == 0 ? 0 : std::countl_zero(part[0]);
    if (zeros > 0) {
        part[0] = part[0] << zeros | part[1] >> (64 - zeros);
        part[1] = part[1] << zeros | part[2] >> (64 - zeros);
    }
    const std::uint64_t high_bits = part[0] >> 11 << 11;  // 53 of them
    const double high = std::ldexp(static_cast<double>(high_bits), exponent_of_part - zeros);
    const double rest = std::ldexp(static_cast<double>(part[0] - high_bits), exponent_of_part - zeros) +
                        std::ldexp(static_cast<double>(part[1]), exponent_of_part - zeros - 64);
    const double product = high * kHalfPi;
    const double lost = std::fma(high, kHalfPi, -product) + (high * kHalfPiLow + rest * kHalfPi);
    const double r = product + lost;
    const double sign = (negative ? -1.0 : 1.0) * (x < 0 ? -1.0 : 1.0);
    if (x < 0) quadrant = 0 - quadrant;
    return {sign * r, sign * (lost - (r - product)), quadrant};
}

}  // namespace reel::kernels::REEL_SET::math
