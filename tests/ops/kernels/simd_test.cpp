// The vocabulary of the kernels where xsimd's own words leave something open, or changed their meaning
// between its versions: NaN, the sign of zeros, roundings. Of the plainest instruction set; `kernels/sets`
// tries the others.
#define REEL_SET plainest
#include "ops/kernels/simd.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>

#include "ops/kernels/math/numbers.hpp"

namespace words = reel::kernels::plainest;

namespace {

template <class T>
constexpr T kNaN = std::numeric_limits<T>::quiet_NaN();
template <class T>
constexpr T kInf = std::numeric_limits<T>::infinity();
template <class T>
constexpr std::array<T, 10> kNumbers = {
    T(0),    T(-0.0),  T(1),    T(-1),    T(2.5),
    kInf<T>, -kInf<T>, kNaN<T>, -kNaN<T>, std::numeric_limits<T>::denorm_min()};

/// The same number: NaN is NaN, and zeros have a sign.
template <class T>
bool same(T a, T b) {
    return (a != a && b != b) || (a == b && std::signbit(a) == std::signbit(b));
}

/// f of vectors of one number is what `expected` says of that number.
template <class T, class F, class Expected>
void check_one(const F& f, const Expected& expected) {
    for (T a : kNumbers<T>) {
        CAPTURE(a);
        CHECK(same(words::first_lane(f(words::Vec<T>(a))), T(expected(a))));
    }
}
template <class T, class F, class Expected>
void check_two(const F& f, const Expected& expected) {
    for (T a : kNumbers<T>) {
        for (T b : kNumbers<T>) {
            CAPTURE(a);
            CAPTURE(b);
            CHECK(same(words::first_lane(f(words::Vec<T>(a), words::Vec<T>(b))), T(expected(a, b))));
        }
    }
}

}  // namespace

TEST_CASE_TEMPLATE("simd: the larger and the smaller one, the second where they are equal or NaN", T, float,
                   double) {
    check_two<T>([](const auto& a, const auto& b) { return words::larger(a, b); },
                 [](T a, T b) { return a > b ? a : b; });
    check_two<T>([](const auto& a, const auto& b) { return words::smaller(a, b); },
                 [](T a, T b) { return a < b ? a : b; });
}

TEST_CASE_TEMPLATE("simd: what is NaN, and what is less than what", T, float, double) {
    using V = words::Vec<T>;
    const auto chosen = [](const auto& condition) { return xsimd::select(condition, V(1), V(0)); };
    check_one<T>([&](const V& a) { return chosen(words::is_nan(a)); }, [](T a) { return a != a; });
    check_two<T>([&](const V& a, const V& b) { return chosen(a == b); }, [](T a, T b) { return a == b; });
    check_two<T>([&](const V& a, const V& b) { return chosen(a < b); }, [](T a, T b) { return a < b; });
    check_two<T>([&](const V& a, const V& b) { return chosen(a <= b); }, [](T a, T b) { return a <= b; });
    check_two<T>([&](const V& a, const V& b) { return chosen(!(a > b)); }, [](T a, T b) { return !(a > b); });
}

TEST_CASE_TEMPLATE("simd: signs, quotients and roots", T, float, double) {
    using V = words::Vec<T>;
    check_one<T>([](const V& a) { return words::math::negated<T>(a); }, [](T a) { return -a; });
    check_one<T>([](const V& a) { return V(xsimd::abs(a)); }, [](T a) { return std::fabs(a); });
    check_one<T>([](const V& a) { return words::square_root(a); }, [](T a) { return std::sqrt(a); });
    check_two<T>([](const V& a, const V& b) { return words::quotient(a, b); },
                 [](T a, T b) { return a / b; });
    check_two<T>([](const V& a, const V& b) { return words::math::with_sign<T>(a, b); },
                 [](T a, T b) { return std::copysign(a, b); });
}
