// The softmax family as the worked examples have it: values recomputed in float64, each line a test.
#include <doctest/doctest.h>

#include <limits>

#include "examples/teaching.hpp"
#include "reel.hpp"
#include "tests/seeds/close.hpp"

using namespace reel;
using seeds::close;

namespace {
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kUlps = 5e-7;  // four of float32
constexpr double kFour = 5e-5;  // half a unit of the fourth decimal
const std::vector<double> kOneTwoThree = {0.0900, 0.2447, 0.6652};
}  // namespace

TEST_CASE("seeds: naive softmax of 1000 and more is inf / inf and shifted it is right") {
    const Tensor x = tensor({1000.0, 1001.0, 1002.0});
    CHECK(close(exp(x), {kInf, kInf, kInf}, 0));
    CHECK(exp(x).sum().item<double>() == kInf);
    CHECK(close(teaching::softmax(x), {kNan, kNan, kNan}, 0));

    const Tensor shifted = x - x.max();
    CHECK(close(shifted, {-2, -1, 0}, 0));
    CHECK(close(exp(shifted), {0.1353, 0.3679, 1}, kFour));
    CHECK(exp(shifted).sum().item<double>() == doctest::Approx(1.5032).epsilon(kFour));
    CHECK(close(softmax(x, -1), kOneTwoThree, kFour));
    CHECK(softmax(x, -1).sum().item<double>() == doctest::Approx(1).epsilon(1e-7));
}

TEST_CASE("seeds: naive softmax of [-1000, -999, -998] is 0 / 0, shifted the same probabilities") {
    const Tensor x = tensor({-1000.0, -999.0, -998.0});
    CHECK(close(exp(x), {0, 0, 0}, 0));
    CHECK(close(teaching::softmax(x), {kNan, kNan, kNan}, 0));
    CHECK(softmax(x, -1).allclose(softmax(tensor({1000.0, 1001.0, 1002.0}), -1), kUlps, 0));
}

TEST_CASE("seeds: naive and stable softmax agree on [1, 2, 3]") {
    const Tensor x = tensor({1.0, 2.0, 3.0});
    CHECK(teaching::softmax(x).allclose(softmax(x, -1), 1e-6, 0));
    CHECK(close(softmax(x, -1), kOneTwoThree, kFour));
}

TEST_CASE("seeds: the rows of [[1, 2, 3], [4, 5, 6]] have the same softmax and log-softmax") {
    const Tensor x = tensor({{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}});
    CHECK(close(softmax(x, 1), {.09, .24, .67, .09, .24, .67}, 6e-3));
    CHECK(close(log_softmax(x, 1), {-2.4076, -1.4076, -0.4076, -2.4076, -1.4076, -0.4076}, kFour));
    CHECK(softmax(x, 1)[0].allclose(softmax(x, 1)[1], kUlps, 0));
}

TEST_CASE("seeds: shift invariance of softmax and log_softmax") {
    manual_seed(4);
    for (int trial = 0; trial < 200; ++trial) {
        // Eighths, moved by a whole number: the shift itself is exact, and what is left is the function's
        // ulps.
        const Tensor x = randint(-400, 400, {3, 7}).to(kFloat64) / 8;
        const double c = randint(-1'000'000, 1'000'000, {1}).item<double>();
        CAPTURE(c);
        CHECK(softmax(x + c, -1).allclose(softmax(x, -1), 2e-15, 0));
        CHECK(log_softmax(x + c, -1).allclose(log_softmax(x, -1), 2e-15, 0));
        // And with rounding, for any number.
        const double any = rand({1}, kFloat64).item<double>() * 100 - 50;
        CHECK(softmax(x + any, -1).allclose(softmax(x, -1), 1e-12, 1e-14));
        CHECK(log_softmax(x + any, -1).allclose(log_softmax(x, -1), 1e-12, 1e-12));
    }
}

TEST_CASE("seeds: softmax and log_softmax against scipy.special") {
    // scipy.special.softmax and log_softmax (1.10.1) of the same rows in float64.
    const Tensor x = tensor({{0.3, -1.2, 2.5, 0.0}, {100.0, 0.0, -100.0, 50.0}}, kFloat64);
    CHECK(close(softmax(x, 1),
                {0.09100040667134894, 0.020304935314150334, 0.8212798986629193, 0.06741475935158148, 1.0,
                 3.720075976020836e-44, 1.3838965267367376e-87, 1.9287498479639178e-22},
                1e-15));
    CHECK(close(log_softmax(x, 1),
                {-2.39689130355935, -3.89689130355935, -0.19689130355934983, -2.69689130355935, 0.0, -100.0,
                 -200.0, -50.0},
                1e-13));
}

TEST_CASE("seeds: stress, logits of ±1000 and beyond stay finite") {
    const Tensor rows = tensor({{1000.0, -1000.0, 0.0},
                                {-1000.0, -1000.0, -1000.0},
                                {1e30, 1e30, -1e30},
                                {1e-30, -1e-30, 0.0},
                                {-1e30, -1e35, -1e38}});
    for (const DType dtype : {kFloat32, kFloat64}) {
        const Tensor p = softmax(rows.to(dtype), 1);
        CHECK(p.isfinite().all().item<bool>());
        CHECK(log_softmax(rows.to(dtype), 1).isfinite().all().item<bool>());
        const double third = 1.0 / 3;
        CHECK(close(p, {1, 0, 0, third, third, third, .5, .5, 0, third, third, third, 1, 0, 0}, 1e-7));
    }
}

TEST_CASE("seeds: log-softmax of float32 [1000, 1001, 1002] keeps its digits") {
    const Tensor x = tensor({1000.0, 1001.0, 1002.0});
    CHECK(close(log_softmax(x, -1), {-2.407606, -1.407606, -0.407606}, 5e-7));
    // z - lse with one rounded lse: wrong in the fifth digit.
    CHECK_FALSE(close(x - logsumexp(x, -1), {-2.407606, -1.407606, -0.407606}, 5e-6));
}

TEST_CASE("seeds: float32 exp overflows above 88.72 and is subnormal below -87.34 and zero below -103.97") {
    const auto e = [](double x) { return exp(tensor({x})).item<float>(); };
    const float smallest_normal = std::numeric_limits<float>::min();
    CHECK(std::isfinite(e(88.72)));
    CHECK(std::isinf(e(88.73)));
    CHECK(e(-87.33) >= smallest_normal);
    CHECK((e(-87.34) > 0 && e(-87.34) < smallest_normal));
    CHECK((e(-88) > 0 && e(-88) < smallest_normal));  // the source says zero here
    CHECK(e(-103.97) > 0);
    CHECK(e(-103.98) == 0);
}

TEST_CASE("seeds: one row of 50,257 logits sums to 1") {
    manual_seed(50257);
    const Tensor p = softmax(randn({50257}) * 10, -1);
    CHECK(p.to(kFloat64).sum().item<double>() == doctest::Approx(1).epsilon(1e-6));
    CHECK(p.amin().item<float>() >= 0);
    CHECK_FALSE(p.isnan().any().item<bool>());
}

TEST_CASE("seeds: softmax over any dimension of any layout") {
    manual_seed(7);
    const Tensor x = randn({3, 4, 5}, kFloat64);
    for (std::int64_t dim = -3; dim < 3; ++dim) {
        CAPTURE(dim);
        for (const Tensor& view :
             {x.transpose(0, 2), x.slice(1, 1, None, 2), x.flip({1}), x.permute({1, 2, 0})}) {
            CHECK(softmax(view, dim).allclose(softmax(view.contiguous(), dim), 1e-14, 0));
            const Tensor e = exp(view);
            CHECK(softmax(view, dim).allclose(e / e.sum(dim, true), 1e-13, 0));
        }
    }
}

TEST_CASE("seeds: temperature divides the logits, low is peaked and high is uniform") {
    const Tensor logits = tensor({2.0, 1.0, .5, .1}, kFloat64);
    const std::vector<double> temperatures = {0.1, 0.5, 1, 2, 5};
    const std::vector<double> first = {.999954, .828162, .574522, .405575, .308317};
    for (std::size_t i = 0; i < first.size(); ++i) {
        CAPTURE(temperatures[i]);
        const Tensor p = softmax(logits / temperatures[i], -1);
        CHECK(std::abs(p[0].item<double>() - first[i]) <= 5e-7);
        CHECK(p.sum().item<double>() == doctest::Approx(1).epsilon(1e-12));
    }
    CHECK(close(softmax(logits / 1e-3, -1), {1, 0, 0, 0}, 1e-12));
    CHECK(close(softmax(logits / 1e9, -1), {.25, .25, .25, .25}, 1e-9));
}
