// The functions and their truths. The numbers are spread over all bit patterns, subnormal ones and infinities
// included.
#include "tests/ops/kernels/accuracy.hpp"

namespace reel::accuracy {

namespace {

constexpr Long kSqrtHalf = 0.707106781186547524400844362104849039L;

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
    {"softplus of 0.3", [](const Tensor& x) { return softplus(x, 0.3, 1e9); },
     [](Long x) {
         return std::isnan(x) ? x : log1p_exp(static_cast<Long>(0.3) * x) / static_cast<Long>(0.3);
     }},
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
Accuracy measure(const Function& function) {
    const Tensor x = numbers<T>(0);
    const Tensor y = function.f(x);
    Accuracy worst{function.name, dtype_of<T>()};
    for (std::int64_t i = 0; i < kCount; ++i) {
        const T at = x.data_ptr<T>()[i];
        const double ulps = distance<T>(y.data_ptr<T>()[i], function.truth(static_cast<Long>(at)));
        if (!(ulps <= worst.ulps)) worst = {function.name, dtype_of<T>(), ulps, static_cast<double>(at)};
    }
    return worst;
}

template <class T>
Accuracy measure(const Function2& function) {
    const Tensor a = numbers<T>(0);
    const Tensor b = numbers<T>(kCount / 2 + 1).flip({0}).contiguous();
    const Tensor y = function.f(a, b);
    Accuracy worst{function.name, dtype_of<T>()};
    for (std::int64_t i = 0; i < kCount; ++i) {
        const T at = a.data_ptr<T>()[i];
        const T by = b.data_ptr<T>()[i];
        const double ulps =
            distance<T>(y.data_ptr<T>()[i], function.truth(static_cast<Long>(at), static_cast<Long>(by)));
        if (ulps <= worst.ulps) continue;
        worst = {function.name, dtype_of<T>(), ulps, static_cast<double>(at), static_cast<double>(by)};
    }
    return worst;
}

template <class T>
void measure_all(std::vector<Accuracy>& found) {
    for (const Function& function : kFunctions) found.push_back(measure<T>(function));
    for (const Function2& function : kFunctions2) found.push_back(measure<T>(function));
}

}  // namespace

const std::vector<Accuracy>& accuracies() {
    static const std::vector<Accuracy> found = [] {
        std::vector<Accuracy> all;
        measure_all<float>(all);
        if (kLongIsLonger) measure_all<double>(all);
        return all;
    }();
    return found;
}

}  // namespace reel::accuracy
