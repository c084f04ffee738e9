// Gradients where a formula that is right on paper is not so in numbers: 16 bits, ends of the range,
// cancellation, corners.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "reel.hpp"

using namespace reel;

namespace {

using List = std::vector<Tensor>;
using Values = std::vector<double>;

constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNaN = std::nan("");

Tensor leaf(const TensorData& data, DType dtype) { return tensor(data, dtype).set_requires_grad(); }
Values values(const Tensor& t) { return t.defined() ? t.to_vector<double>() : Values{}; }

/// Throws no exception and compares element by element, relative to the expected value.
void check_close(const Tensor& found, const Values& expected, double tolerance) {
    const Values x = values(found);
    REQUIRE(x.size() == expected.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
        CAPTURE(i);
        if (std::isnan(expected[i])) {
            CHECK(std::isnan(x[i]));
        } else if (std::isinf(expected[i]) || expected[i] == 0) {
            CHECK(x[i] == expected[i]);
        } else {
            CHECK(std::abs(x[i] - expected[i]) <= tolerance * std::abs(expected[i]));
        }
    }
}

Tensor gradient(const std::function<Tensor(const Tensor&)>& f, const Tensor& x, double cotangent = 1) {
    const Tape tape;
    const Tensor y = f(x);
    return grad({y}, {x}, {.grad_outputs = {full_like(y, cotangent)}})[0];
}

}  // namespace

TEST_CASE("pullbacks of 16-bit types compute in float32") {
    constexpr double kHalf = 0x1p-9;  // y is rounded, and its cube once more
    const auto check = [](const TensorData& at, double cotangent, const Values& expected, const auto& f) {
        check_close(gradient(f, leaf(at, kFloat16), cotangent), expected, kHalf);
    };
    const Tensor large = tensor({800.0}, kFloat16);
    check({300.0}, 1, {-800.0 / 300 / 300}, [&](const Tensor& s) { return large.clone().div_(s); });
    check({8.0}, 1024, {-12800}, [&](const Tensor& s) { return large / s; });
    check({8.0}, 1024, {-12800}, [&](const Tensor& s) { return 800 / s; });
    check({200.0, 200.0}, 10, {2000, 2000}, [](const Tensor& x) { return x.prod(); });
    check({6e-4, 8e-4}, 1024, {614.4, 819.2}, [](const Tensor& x) { return x.norm(); });
    check({6e-4, 8e-4}, 1024, {614.4, 819.2}, [](const Tensor& x) { return x.norm(2, {0}); });
    check({2e-4}, 1e-4, {-0.5e-4 * std::pow(2e-4, -1.5)}, [](const Tensor& x) { return x.rsqrt(); });
    const Tensor other = tensor({400.0}, kFloat16);
    check({300.0}, 1, {400.0 / 250000}, [&](const Tensor& x) { return atan2(x, other); });
    check({300.0}, 1, {-400.0 / 250000}, [&](const Tensor& x) { return atan2(other, x); });
    const Tensor equal = full({70000}, 2, kFloat16).set_requires_grad();
    CHECK(gradient([](const Tensor& x) { return x.amax(); }, equal)[0].item<double>() ==
          doctest::Approx(1.0 / 70000).epsilon(0.01));
    const Values deviation = {-1 / std::sqrt(2), 1 / std::sqrt(2)};
    check({100.0, 400.0}, 1, deviation, [](const Tensor& x) { return x.std(); });
    check({200.0, 300.0}, 1, {301, 200}, [](const Tensor& x) { return x.cumprod(0); });
}

TEST_CASE("a divisor of any size has its gradient in float32") {
    for (const double size : {1e25, -1e25, 1e-18, 3.0}) {
        const Tensor s = leaf({size}, kFloat32);
        const Tensor y = tensor({size}, kFloat32);
        check_close(gradient([&](const Tensor& t) { return y.clone().div_(t); }, s), {-1 / size}, 1e-6);
        check_close(gradient([&](const Tensor& t) { return y / t; }, s), {-1 / size}, 1e-6);
    }
}

TEST_CASE("binary cross-entropy keeps its digits where the answer is sure") {
    for (const double x : {-17.0, -18.0, -30.0, -80.0, -1.0, 5.0}) {
        const Tensor logit = leaf({x}, kFloat32);
        const Tensor target = leaf({0.0}, kFloat32);
        Tape tape;
        const Tensor loss = binary_cross_entropy_with_logits(logit, target);
        CHECK(loss.item<double>() ==
              doctest::Approx(x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x))).epsilon(1e-6));
        loss.backward();
        check_close(logit.grad(), {1 / (1 + std::exp(-x))}, 1e-6);
        check_close(target.grad(), {-x}, 1e-6);
    }
    const Tensor target = leaf({0.0, 0.0}, kFloat32);
    Tape tape;
    binary_cross_entropy_with_logits(tensor({-kInf, kInf}, kFloat32), target, {.reduction = kNone})
        .backward(ones({2}));
    check_close(target.grad(), {kInf, -kInf}, 0);
}

TEST_CASE("losses of two shapes send both their gradients") {
    const Tensor x = full({2, 3}, 0.3, kFloat64).log().set_requires_grad();
    const Tensor target = leaf({0.2, 0.3, 0.5}, kFloat64);
    for (const Reduction reduction : {kSum, kMean}) {
        const double n = reduction == kMean ? 6 : 1;
        Tape tape;
        kl_div(x, target, reduction).backward();
        check_close(x.grad(), {-0.2 / n, -0.3 / n, -0.5 / n, -0.2 / n, -0.3 / n, -0.5 / n}, 1e-12);
        CHECK(target.grad().sizes() == Shape{3});
        x.zero_grad();
        target.zero_grad();
        mse_loss(x, target, reduction).backward();
        CHECK(x.grad().sizes() == Shape{2, 3});
        x.zero_grad();
        target.zero_grad();
    }
}

TEST_CASE("rms_norm of 16 bits has the epsilon of float32") {
    for (const DType dtype : {kFloat16, kBFloat16, kFloat32}) {
        const Tensor y = rms_norm(full({4}, 0.1, dtype), {4});
        CHECK(y.to(kFloat64)[0].item<double>() == doctest::Approx(1).epsilon(1e-3));
    }
}

TEST_CASE("corners of gradients") {
    const Tensor zero = leaf({0.0, 0.0}, kFloat32);
    check_close(gradient([](const Tensor& x) { return atan2(x, zeros({2})); }, zero), {0, 0}, 0);
    check_close(gradient([](const Tensor& x) { return atan2(zeros({2}), x); }, zero), {0, 0}, 0);
    check_close(gradient([](const Tensor& x) { return elu(x); }, leaf({kNaN, 1.0, 0.0, -1.0}, kFloat64)),
                {kNaN, 1, 1, std::exp(-1.0)}, 1e-12);
    const Tensor bounds = leaf({2.0, 3.0, 0.5}, kFloat32);
    check_close(gradient([](const Tensor& m) { return ones({3}).clamp(m, m); }, bounds), {1, 1, 1}, 0);
    check_close(gradient([](const Tensor& m) { return ones({3}).clamp(m, m + 1); }, bounds), {1, 1, 0}, 0);
}

TEST_CASE("products without terms have zeros for gradients") {
    const auto check = [](const Shape& a_sizes, const Shape& b_sizes) {
        const Tensor a = zeros(a_sizes).set_requires_grad();
        const Tensor b = zeros(b_sizes).set_requires_grad();
        Tape tape;
        matmul(a, b).sum().backward();
        CHECK(a.grad().sizes() == a_sizes);
        CHECK(b.grad().sizes() == b_sizes);
    };
    check({3, 2, 0}, {0, 2});
    check({2, 3, 5}, {5, 0});
    check({2, 0, 5}, {5, 3});
    check({3, 2, 0}, {0});
    check({0, 2}, {2});
    const Tensor x = zeros({2, 3, 0}).set_requires_grad();
    const Tensor w = zeros({4, 0}).set_requires_grad();
    Tape tape;
    linear(x, w).sum().backward();
    CHECK(w.grad().sizes() == Shape{4, 0});
}

TEST_CASE("a float64 exponent has a gradient of float64") {
    for (const DType base : {kInt64, kFloat16, kFloat32, kFloat64}) {
        const Tensor x = tensor({2, 3}, base);
        const Tensor e = leaf({1.5, 1.2}, kFloat64);
        Tape tape;
        pow(x, e).sum().backward();
        check_close(e.grad(), {std::pow(2, 1.5) * std::log(2), std::pow(3, 1.2) * std::log(3)}, 1e-14);
    }
}

TEST_CASE("derivatives keep their digits where the function has lost them") {
    check_close(gradient([](const Tensor& x) { return x.expm1(); }, leaf({-20.0, -50.0, 1.0}, kFloat32)),
                {std::exp(-20.0), std::exp(-50.0), std::exp(1.0)}, 1e-6);
    check_close(gradient([](const Tensor& x) { return x.rsqrt(); }, leaf({2e-26}, kFloat32)),
                {-0.5 * std::pow(static_cast<double>(2e-26f), -1.5)}, 1e-6);
}

TEST_CASE("attention takes a bool mask with more leading dimensions, as a floating one") {
    const Tensor q = randn({2, 3});
    const Tensor mask = ones({4, 2, 2}, kBool).tril();
    const Tensor floating = zeros({4, 2, 2}).masked_fill(mask.logical_not(), -kInf);
    const Tensor y = scaled_dot_product_attention(q, q, q, {.attn_mask = mask});
    CHECK(y.sizes() == Shape{4, 2, 3});
    CHECK(y.allclose(scaled_dot_product_attention(q, q, q, {.attn_mask = floating})));
}

TEST_CASE("a write to an expanded tensor of no elements is allowed") {
    zeros({1, 0}).expand({3, 0}).fill_(1);
    CHECK_THROWS_AS(zeros({1}).expand({3}).fill_(1), ShapeError);
}

TEST_CASE("a bool is added as the number that it is") {
    CHECK(values(tensor({1, 2}).add_(true, -1)) == Values{0, 1});
    CHECK(values(tensor({1, 2}).add(true, -1)) == Values{0, 1});
    CHECK(values(tensor({1.0, 2.0}).add(true, -2)) == Values{-1, 0});
    CHECK(values(tensor({1, 2}).add_(tensor({true, true}), -1)) == Values{0, 1});
    CHECK(tensor({true, false}).add(true, -1).dtype() == kBool);
}

TEST_CASE("norms and clipping beyond the range of squares") {
    for (const double size : {1e200, 1e-200, 1e300, 5e-324}) {
        const Tensor x = tensor({3 * size, 4 * size}, kFloat64);
        CHECK(x.norm().item<double>() / size == doctest::Approx(5));
        CHECK(x.view({2, 1}).norm(2, {0})[0].item<double>() / size == doctest::Approx(5));
    }
    CHECK(tensor({1.0, kInf}, kFloat64).norm().item<double>() == kInf);
    CHECK(std::isnan(tensor({1e200, kNaN}, kFloat64).norm().item<double>()));
    const Tensor a = zeros({2}, kFloat64).set_requires_grad();
    const Tensor b = zeros({1}, kFloat64).set_requires_grad();
    a.set_grad(tensor({1e200, 0.0}, kFloat64));
    CHECK(clip_grad_norm_({a, b}, 1) == doctest::Approx(1e200));
    check_close(a.grad(), {1, 0}, 1e-12);
    b.set_grad(tensor({kNaN}, kFloat64));
    clip_grad_norm_({a, b}, 1);
    check_close(a.grad(), {kNaN, kNaN}, 0);
    check_close(b.grad(), {kNaN}, 0);
}
