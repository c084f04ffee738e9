/// \file
/// How far the pointwise functions are from the truth, in units in the last place. The truth is the C
/// library's, in long double. `accuracy_test.cpp` holds the functions to their bound; `docs/operations.md`
/// tells what they need of it (`tests/docs/operations.cpp`).
#pragma once

#include <bit>
#include <cfloat>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "reel.hpp"

namespace reel::accuracy {

using Long = long double;

/// Whether long double has digits to spare beyond float64's.
inline constexpr bool kLongIsLonger = LDBL_MANT_DIG > DBL_MANT_DIG;

inline constexpr std::int64_t kCount = 60000;  // numbers for each function and type

/// The bits of a weyl sequence: even over all patterns.
inline std::uint64_t pattern(std::int64_t i) { return static_cast<std::uint64_t>(i) * 0x9e3779b97f4a7c15U; }

/// One half has any bits at all, one half is of the sizes that occur.
template <class T>
T number(std::int64_t i) {
    using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    if (i % 2 == 0) return std::bit_cast<T>(static_cast<Bits>(pattern(i) >> (64 - 8 * sizeof(T))));
    const double turn = static_cast<double>(pattern(i) >> 11) * 0x1p-53;
    return static_cast<T>((2 * turn - 1) * (i % 4 == 1 ? 2 : 40));
}

template <class T>
Tensor numbers(std::int64_t shift) {
    const Tensor x = empty({kCount}, dtype_of<T>());
    for (std::int64_t i = 0; i < kCount; ++i) x.data_ptr<T>()[i] = number<T>(i + shift);
    T* at = x.data_ptr<T>();
    for (T special :
         {T(0), T(-0.0), std::numeric_limits<T>::infinity(), -std::numeric_limits<T>::infinity(),
          std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::denorm_min(), T(1), T(-1),
          std::numeric_limits<T>::max(), std::numeric_limits<T>::lowest(), std::numeric_limits<T>::min()}) {
        *at++ = special;
    }
    return x;
}

/// |y − truth| in units of the last place that T has there; infinite where one is special and the other not.
template <class T>
double distance(T y, Long truth) {
    const double infinity = std::numeric_limits<double>::infinity();
    if (std::isnan(truth)) return std::isnan(y) ? 0 : infinity;
    const T nearest = static_cast<T>(truth);
    if (std::isnan(y) || std::isinf(y) || std::isinf(nearest)) return y == nearest ? 0 : infinity;
    if (truth == 0) return y == 0 && std::signbit(y) == std::signbit(truth) ? 0 : infinity;
    using Limits = std::numeric_limits<T>;
    const int exponent =
        std::max(std::ilogb(truth) + 1 - Limits::digits, Limits::min_exponent - Limits::digits);
    return static_cast<double>(std::abs(static_cast<Long>(y) - truth) / std::ldexp(1.0L, exponent));
}

/// The worst that a function does in a type, and where.
struct Accuracy {
    std::string name;
    DType dtype;
    double ulps = 0;
    double x = 0;
    double y = 0;
};

/// Of every function over the whole range of float32 and, where the truth has the digits, of float64.
/// Measured once.
const std::vector<Accuracy>& accuracies();

}  // namespace reel::accuracy
