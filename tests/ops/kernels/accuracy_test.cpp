// Every pointwise function within 2 units in the last place of the truth, in float32 and float64, over its
// whole range: the numbers are spread over all bit patterns, subnormal ones and infinities included. The
// truth is the C library's, in long double.
#include <doctest/doctest.h>

#include <bit>
#include <cfloat>
#include <cmath>
#include <limits>

#include "reel.hpp"

using namespace reel;

namespace {

using Long = long double;

constexpr double kBound = 2;            // ulp
constexpr std::int64_t kCount = 60000;  // numbers for each function and type
constexpr Long kSqrtHalf = 0.707106781186547524400844362104849039L;

// ---- Numbers ----------------------------------------------------------------------------------------------

/// The bits of a weyl sequence: even over all patterns.
std::uint64_t pattern(std::int64_t i) { return static_cast<std::uint64_t>(i) * 0x9e3779b97f4a7c15U; }

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

// ---- Distances --------------------------------------------------------------------------------------------

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

struct Worst {
    double ulps = 0;
    double x = 0;
    double y = 0;
};

void check(const std::string& name, const Worst& worst, DType dtype) {
    CHECK_MESSAGE(worst.ulps <= kBound, name, " in ", dtype, ": ", worst.ulps, " ulp at (", worst.x, ", ",
                  worst.y, ")");
}

// ---- Functions --------------------------------------------------------------------------------------------

struct Function {
    const char* name;
    Tensor (*f)(const Tensor&);
    Long (*truth)(Long);
};

struct Function2 {
    const char* name;
    Tensor (*f)(const Tensor&, const Tensor&);
    Long (*truth)(Long, Long);
};

/// ½ erfc(−x / √2), with what the quotient loses put back: where x is large the result hangs on it.
Long normal(Long x) {
    if (x > 40) return 1;  // what is lost of z² would swamp it
    if (x < -140) return 0;
    const Long z = -x * kSqrtHalf;
    const Long lost = std::fma(-x, kSqrtHalf, -z);
    return std::erfc(z) / 2 * (1 - 2 * z * lost);
}

Long limit_or(Long x, Long y) { return std::isinf(x) ? (x > 0 ? x : -0.0L) : y; }
Long log1p_exp(Long x) { return std::max(x, 0.0L) + std::log1p(std::exp(-std::abs(x))); }

constexpr Function kFunctions[] = {
    {"exp", exp, [](Long x) { return std::exp(x); }},
    {"expm1", expm1, [](Long x) { return std::expm1(x); }},
    {"log", log, [](Long x) { return std::log(x); }},
    {"log1p", log1p, [](Long x) { return std::log1p(x); }},
    {"sqrt", sqrt, [](Long x) { return std::sqrt(x); }},
    {"rsqrt", rsqrt, [](Long x) { return 1 / std::sqrt(x); }},
    {"square", square, [](Long x) { return x * x; }},
    {"reciprocal", reciprocal, [](Long x) { return 1 / x; }},
    {"sin", sin, [](Long x) { return std::sin(x); }},
    {"cos", cos, [](Long x) { return std::cos(x); }},
    {"tan", tan, [](Long x) { return std::tan(x); }},
    {"tanh", tanh, [](Long x) { return std::tanh(x); }},
    {"erf", erf, [](Long x) { return std::erf(x); }},
    {"sigmoid", sigmoid, [](Long x) { return 1 / (1 + std::exp(-x)); }},
    {"logsigmoid", logsigmoid, [](Long x) { return std::isnan(x) ? x : -log1p_exp(-x); }},
    {"softplus", [](const Tensor& x) { return softplus(x, 1, 1e9); },
     [](Long x) { return std::isnan(x) ? x : log1p_exp(x); }},
    {"elu", [](const Tensor& x) { return elu(x, 1.75); },
     [](Long x) { return x > 0 ? x : 1.75L * std::expm1(x); }},
    {"silu", silu, [](Long x) { return limit_or(x, x / (1 + std::exp(-x))); }},
    {"gelu", [](const Tensor& x) { return gelu(x); }, [](Long x) { return limit_or(x, x * normal(x)); }},
    {"pow 2.5", [](const Tensor& x) { return pow(x, 2.5); }, [](Long x) { return std::pow(x, 2.5L); }},
    {"pow -13.25", [](const Tensor& x) { return pow(x, -13.25); },
     [](Long x) { return std::pow(x, -13.25L); }},
    {"pow of 1.75", [](const Tensor& x) { return pow(1.75, x); }, [](Long x) { return std::pow(1.75L, x); }},
};

constexpr Function2 kFunctions2[] = {
    {"pow", [](const Tensor& x, const Tensor& y) { return pow(x, y); },
     [](Long x, Long y) { return std::pow(x, y); }},
    {"atan2", atan2, [](Long y, Long x) { return std::atan2(y, x); }},
    {"xlogy", [](const Tensor& x, const Tensor& y) { return xlogy(x, y); },
     [](Long x, Long y) { return x == 0 && !std::isnan(y) ? 0 : x * std::log(y); }},
    {"fmod", [](const Tensor& x, const Tensor& y) { return fmod(x, y); },
     [](Long x, Long y) { return std::fmod(x, y); }},
    {"div", [](const Tensor& x, const Tensor& y) { return x / y; }, [](Long x, Long y) { return x / y; }},
};

template <class T>
void check_one(const Function& function) {
    const Tensor x = numbers<T>(0);
    const Tensor y = function.f(x);
    Worst worst;
    for (std::int64_t i = 0; i < kCount; ++i) {
        const T at = x.data_ptr<T>()[i];
        const double ulps = distance<T>(y.data_ptr<T>()[i], function.truth(static_cast<Long>(at)));
        if (!(ulps <= worst.ulps)) worst = {ulps, static_cast<double>(at), 0};
    }
    check(function.name, worst, x.dtype());
}

template <class T>
void check_two(const Function2& function) {
    const Tensor a = numbers<T>(0);
    const Tensor b = numbers<T>(kCount / 2 + 1).flip({0}).contiguous();
    const Tensor y = function.f(a, b);
    Worst worst;
    for (std::int64_t i = 0; i < kCount; ++i) {
        const T at = a.data_ptr<T>()[i];
        const T by = b.data_ptr<T>()[i];
        const double ulps =
            distance<T>(y.data_ptr<T>()[i], function.truth(static_cast<Long>(at), static_cast<Long>(by)));
        if (!(ulps <= worst.ulps)) worst = {ulps, static_cast<double>(at), static_cast<double>(by)};
    }
    check(function.name, worst, a.dtype());
}

/// Whether long double has digits to spare beyond float64's.
constexpr bool kLongIsLonger = LDBL_MANT_DIG > DBL_MANT_DIG;

}  // namespace

TEST_CASE("every float32 function is within 2 ulp over its whole range") {
    for (const Function& function : kFunctions) check_one<float>(function);
    for (const Function2& function : kFunctions2) check_two<float>(function);
}

TEST_CASE("every float64 function is within 2 ulp over its whole range") {
    if (!kLongIsLonger) return;
    for (const Function& function : kFunctions) check_one<double>(function);
    for (const Function2& function : kFunctions2) check_two<double>(function);
}

TEST_CASE("gelu's approximation by tanh is within 2 ulp") {
    const Long slope = 1.595769121605730711759784239737527474L;  // 2 √(2/π)
    const auto truth = [slope](Long x) {
        return limit_or(x, x / (1 + std::exp(-slope * (x + 0.044715L * x * x * x))));
    };
    const Tensor x = linspace(-9, 4, kCount, kFloat32);
    const Tensor wide = linspace(-4, 4, kCount, kFloat64);
    Worst worst;
    Worst worst_wide;
    const Tensor y = gelu(x, "tanh");
    const Tensor y_wide = gelu(wide, "tanh");
    for (std::int64_t i = 0; i < kCount; ++i) {
        const float at = x.data_ptr<float>()[i];
        const double at_wide = wide.data_ptr<double>()[i];
        const double ulps = distance(y.data_ptr<float>()[i], truth(static_cast<Long>(at)));
        const double ulps_wide = distance(y_wide.data_ptr<double>()[i], truth(static_cast<Long>(at_wide)));
        if (!(ulps <= worst.ulps)) worst = {ulps, static_cast<double>(at), 0};
        if (!(ulps_wide <= worst_wide.ulps)) worst_wide = {ulps_wide, at_wide, 0};
    }
    check("gelu tanh", worst, kFloat32);
    if (kLongIsLonger) check("gelu tanh", worst_wide, kFloat64);
}

TEST_CASE("logaddexp is within 2 ulp of the larger of its operands and the result") {
    const Tensor a = numbers<double>(0).clamp(-800, 800);
    const Tensor b = a + linspace(-40, 40, kCount, kFloat64);
    const Tensor y = logaddexp(a, b);
    Worst worst;
    for (std::int64_t i = 0; i < kCount; ++i) {
        const Long p = static_cast<Long>(a.data_ptr<double>()[i]);
        const Long q = static_cast<Long>(b.data_ptr<double>()[i]);
        const Long truth = std::max(p, q) + std::log1p(std::exp(-std::abs(p - q)));
        const Long unit = std::max({std::abs(p), std::abs(q), std::abs(truth)}) * 0x1p-53L;
        const double ulps =
            static_cast<double>(std::abs(static_cast<Long>(y.data_ptr<double>()[i]) - truth) / unit);
        if (!std::isnan(truth) && !(ulps <= worst.ulps))
            worst = {ulps, static_cast<double>(p), static_cast<double>(q)};
    }
    check("logaddexp", worst, kFloat64);
}
