// Every pointwise function within 2 units in the last place of the truth, in float32 and float64, over its
// whole range. What is measured, and against what, stands in `accuracy.cpp`.
#include "tests/ops/kernels/accuracy.hpp"

#include <doctest/doctest.h>

using namespace reel;
using namespace reel::accuracy;

namespace {

constexpr double kBound = 2;  // ulp

Long limit_or(Long x, Long y) { return std::isinf(x) ? (x > 0 ? x : -0.0L) : y; }

void check(const Accuracy& worst) {
    CHECK_MESSAGE(worst.ulps <= kBound, worst.name, " in ", worst.dtype, ": ", worst.ulps, " ulp at (",
                  worst.x, ", ", worst.y, ")");
}

}  // namespace

TEST_CASE("every pointwise function is within 2 ulp over its whole range") {
    CHECK(accuracies().size() > 20);
    for (const Accuracy& accuracy : accuracies()) check(accuracy);
}

TEST_CASE("gelu's approximation by tanh is within 2 ulp") {
    const Long slope = 1.595769121605730711759784239737527474L;  // 2 √(2/π)
    const auto truth = [slope](Long x) {
        return limit_or(x, x / (1 + std::exp(-slope * (x + 0.044715L * x * x * x))));
    };
    const Tensor x = linspace(-9, 4, kCount, kFloat32);
    const Tensor wide = linspace(-4, 4, kCount, kFloat64);
    Accuracy worst{"gelu tanh", kFloat32};
    Accuracy worst_wide{"gelu tanh", kFloat64};
    const Tensor y = gelu(x, "tanh");
    const Tensor y_wide = gelu(wide, "tanh");
    for (std::int64_t i = 0; i < kCount; ++i) {
        const float at = x.data_ptr<float>()[i];
        const double at_wide = wide.data_ptr<double>()[i];
        const double ulps = distance(y.data_ptr<float>()[i], truth(static_cast<Long>(at)));
        const double ulps_wide = distance(y_wide.data_ptr<double>()[i], truth(static_cast<Long>(at_wide)));
        if (!(ulps <= worst.ulps)) worst = {"gelu tanh", kFloat32, ulps, static_cast<double>(at)};
        if (!(ulps_wide <= worst_wide.ulps)) worst_wide = {"gelu tanh", kFloat64, ulps_wide, at_wide};
    }
    check(worst);
    if (kLongIsLonger) check(worst_wide);
}

TEST_CASE("logaddexp is within 2 ulp of the larger of its operands and the result") {
    const Tensor a = numbers<double>(0).clamp(-800, 800);
    const Tensor b = a + linspace(-40, 40, kCount, kFloat64);
    const Tensor y = logaddexp(a, b);
    Accuracy worst{"logaddexp", kFloat64};
    for (std::int64_t i = 0; i < kCount; ++i) {
        const Long p = static_cast<Long>(a.data_ptr<double>()[i]);
        const Long q = static_cast<Long>(b.data_ptr<double>()[i]);
        const Long truth = std::max(p, q) + std::log1p(std::exp(-std::abs(p - q)));
        const Long unit = std::max({std::abs(p), std::abs(q), std::abs(truth)}) * 0x1p-53L;
        const double ulps =
            static_cast<double>(std::abs(static_cast<Long>(y.data_ptr<double>()[i]) - truth) / unit);
        if (!std::isnan(truth) && !(ulps <= worst.ulps))
            worst = {"logaddexp", kFloat64, ulps, static_cast<double>(p), static_cast<double>(q)};
    }
    check(worst);
}
