// gradcheck where functions saturate: derivatives that are nearly nothing, made of numbers that are not. What
// rounding leaves of them is no mistake, and what is wrong beyond it still is one.
#include <doctest/doctest.h>

#include "reel.hpp"

using namespace reel;

namespace {

struct Function {
    const char* name;
    Tensor (*f)(const Tensor&);
};

/// x against a logit of 0.
Tensor against_zero(const Tensor& x) { return cat({x, x * 0}); }

const std::vector<Function> kSaturating = {
    {"tanh", tanh},
    {"sigmoid", sigmoid},
    {"erf", erf},
    {"logsigmoid", logsigmoid},
    {"softplus", [](const Tensor& x) { return softplus(x, 1, 1e9); }},
    {"silu", silu},
    {"elu", [](const Tensor& x) { return elu(x); }},
    {"gelu", [](const Tensor& x) { return gelu(x); }},
    {"gelu tanh", [](const Tensor& x) { return gelu(x, "tanh"); }},
    {"softmax", [](const Tensor& x) { return softmax(against_zero(x), 0); }},
    {"log_softmax", [](const Tensor& x) { return log_softmax(against_zero(x), 0); }},
    {"cross_entropy", [](const Tensor& x) { return cross_entropy(against_zero(x), tensor(0)); }},
};

/// tanh, its gradient `slope` (y), whose own derivative is `bend` (y) times that.
Tensor tanh_with(const Tensor& x, Tensor (*slope)(const Tensor&), Tensor (*bend)(const Tensor&)) {
    return record(
        "tanh_with", tanh(x.detach()),
        {{x, [=](const Tensor& g, const Tensor& y) {
              const Tensor at = y.detach();
              return g * record("slope", slope(at), {{y, [=](const Tensor& h) { return h * bend(at); }}});
          }}});
}

Tensor right_slope(const Tensor& y) { return 1 - y * y; }
Tensor wrong_slope(const Tensor& y) { return 1 - y; }
Tensor right_bend(const Tensor& y) { return -2 * y; }
Tensor wrong_bend(const Tensor& y) { return -y; }
Tensor bend_off_by_a_billionth(const Tensor& y) { return -2 * (1 + 1e-9) * y; }

Tensor at(double x) { return tensor({x}, kFloat64); }

void check_passes(const Function& function, double x) {
    CAPTURE(function.name);
    CAPTURE(x);
    const GradcheckReport first = gradcheck(function.f, at(x));
    CHECK_MESSAGE(first, first);
    const GradcheckReport second = gradgradcheck(function.f, at(x));
    CHECK_MESSAGE(second, second);
}

}  // namespace

TEST_CASE("gradcheck passes what is right where it saturates") {
    for (const Function& function : kSaturating) {
        for (const double x :
             {3.0, 8.0, 12.0, 15.0, 17.0, 18.3, 20.0, 25.0, 30.0, 36.0, 37.5, 40.0, 100.0, 700.0}) {
            check_passes(function, x);
            check_passes(function, -x);
        }
    }
}

TEST_CASE("gradcheck passes what is right where it is subnormal, and next to where it overflows") {
    for (const double x : {-740.0, -710.0, 700.0, 702.0}) check_passes({"exp", exp}, x);
    check_passes({"sigmoid", sigmoid}, -740);
}

TEST_CASE("gradcheck fails what is wrong where it saturates") {
    const auto right = [](const Tensor& x) { return tanh_with(x, right_slope, right_bend); };
    const auto wrong_first = [](const Tensor& x) { return tanh_with(x, wrong_slope, right_bend); };
    const auto wrong_second = [](const Tensor& x) { return tanh_with(x, right_slope, wrong_bend); };
    const auto nearly = [](const Tensor& x) { return tanh_with(x, right_slope, bend_off_by_a_billionth); };
    for (const double x : {0.5, 3.0, 8.0, -8.0, 12.0, 15.0}) {
        CAPTURE(x);
        CHECK(gradcheck(right, at(x)));
        CHECK(gradgradcheck(right, at(x)));
        CHECK(gradcheck(wrong_first, at(x)).verdict() == Verdict::kWrong);
        CHECK(gradcheck(wrong_second, at(x)));
        CHECK(gradgradcheck(wrong_second, at(x)).verdict() == Verdict::kWrong);
    }
    CHECK(gradgradcheck(nearly, at(0.5)).verdict() == Verdict::kWrong);
    const auto small = [=](const Tensor& x) { return wrong_second(x) * 1e-9; };
    CHECK(gradgradcheck(small, at(0.5)).verdict() == Verdict::kWrong);
}
