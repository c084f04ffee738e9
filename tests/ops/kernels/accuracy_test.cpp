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
    // Where float32 does not hold β, a product and a quotient more are rounded: 2.5, without fused multiply-add 3.5.
    const double bound = worst.name == "softplus of 0.3" ? 2 * kBound : kBound;
    CHECK_MESSAGE(worst.ulps <= bound, worst.name, " in ", worst.dtype, ": ", worst.ulps, " ulp at (",
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

TEST_CASE("sin, cos and tan reduce the largest and the hardest arguments exactly") {
    struct Row {
        double x;
        Long sine, cosine, tangent;
    };
    // By mpmath with 2,600 bits. The first is the float64 number nearest to a multiple of π/2.
    constexpr Row kRows[] = {
        {0x1.6ac5b262ca1ffp+849, 1.0L, -4.6871659242546276111e-19L, -2133485385753703843.7L},
        {0x1.6ac5b262ca1ffp+850, -9.3743318485092552222e-19L, -1.0L, 9.3743318485092552222e-19L},
        {0x1.fde9f10a8d361p+78, -0.92716259057751664658L, 0.37465921933616986606L, -2.4746824386712955344L},
        {0x1.d1a94a2p+38, -0.32291926092067482151L, 0.94642651639017655697L, -0.34119845051715265429L},
        {0x1.6bcc41e9p+48, 0.74722676363195889815L, 0.66456915645560065894L, 1.1243777361218546542L},
        {0x1.fffffffffffffp+1023, 0.0049619547891840617905L, -0.99998768942655993746L,
         -0.0049620158744448949005L},
        {-0x1p+1000, 0.15920170308624243824L, 0.98724607759891348424L, 0.1612583799506580567L},
        {0x1.e8481p+19, 0.14195469900074400353L, 0.98987315522323776644L, 0.14340695901459228309L},
        {0x1.674e79cb6b2p+43, 0.48604408549173606168L, 0.87393429212870573021L, 0.55615632647603620476L}};
    for (const Row& row : kRows) {
        const Tensor x = full({1}, row.x, kFloat64);
        CHECK(distance(sin(x).item(), row.sine) <= kBound);
        CHECK(distance(cos(x).item(), row.cosine) <= kBound);
        CHECK(distance(tan(x).item(), row.tangent) <= kBound);
        CHECK(distance(sin(-x).item(), -row.sine) <= kBound);
    }
}
