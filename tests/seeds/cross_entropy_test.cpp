// Cross-entropy and its gradient as the worked examples have them, each line a test.
#include <doctest/doctest.h>

#include <limits>

#include "examples/teaching.hpp"
#include "reel.hpp"
#include "tests/seeds/close.hpp"

using namespace reel;
using seeds::close;
using seeds::gradient;

namespace {
constexpr double kSix = 5.1e-7;  // half a unit of the sixth decimal
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Tensor logits3() { return tensor({2.0, 1.0, .1}, kFloat64); }
Tensor batch() { return tensor({{2.0, 1.0, .1}, {.5, 2.5, .3}}, kFloat64); }
}  // namespace

TEST_CASE("seeds: cross-entropy of [2, 1, .1] for target 0, and its gradient") {
    const auto loss = [](const Tensor& z) { return cross_entropy(z, tensor(0)); };
    CHECK(close(loss(logits3()), {0.417030}, kSix));
    CHECK(close(gradient(loss, logits3()), {-0.340999, 0.242433, 0.098566}, kSix));
}

TEST_CASE("seeds: the batch's mean loss, and its gradient with the 1/N") {
    const Tensor targets = tensor({0, 1});
    const auto loss = [&](const Tensor& z) { return cross_entropy(z, targets); };
    CHECK(close(cross_entropy(batch(), targets, {.reduction = kNone}), {0.417030, 0.220050}, kSix));
    CHECK(close(loss(batch()), {0.318540}, kSix));
    const std::vector<double> mean = {-.170499, .121216, .049283, .054302, -.098760, .044459};
    CHECK(close(gradient(loss, batch()), mean, kSix));
    // The source's own check compares with prediction minus truth, without the 1/N, and prints False.
    const Tensor without = softmax(batch(), 1) - one_hot(targets, 3);
    CHECK_FALSE(close(without, mean, 1e-2));
    CHECK(close(without / 2, mean, kSix));
}

TEST_CASE("seeds: logits of shape (2, 2, 3)") {
    const Tensor logits =
        tensor({{{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}}, {{7.0, 8.0, 9.0}, {1.0, 1.0, 1.0}}}, kFloat64);
    const Tensor targets = tensor({{2, 1}, {0, 1}});
    const Tensor each = cross_entropy(logits, targets, {.reduction = kNone});
    CHECK(each.sizes() == Shape{2, 2});
    CHECK(close(each, {0.407606, 1.407606, 2.407606, 1.098612}, kSix));
    CHECK(close(cross_entropy(logits, targets), {1.330358}, kSix));
}

TEST_CASE("seeds: the gradient is prediction minus truth") {
    const Tensor targets = tensor({0, 1});
    const auto sum = [&](const Tensor& z) { return cross_entropy(z, targets, {.reduction = kSum}); };
    const Tensor g = gradient(sum, batch());
    CHECK(g.allclose(softmax(batch(), 1) - one_hot(targets, 3), 1e-14, 1e-15));
    const Tensor truth = one_hot(targets, 3).to(kBool);
    CHECK((g < 0).equal(truth));  // negative at the target, positive elsewhere
    // Its size follows the error: the worse prediction pulls harder.
    CHECK(g[0].abs().sum().item<double>() > g[1].abs().sum().item<double>());
}

TEST_CASE("seeds: fused cross-entropy equals log_softmax and index and mean") {
    manual_seed(1);
    const Tensor z = randn({6, 5}, kFloat64);
    const Tensor targets = randint(5, {6});
    const auto fused = [&](const Tensor& x) { return cross_entropy(x, targets); };
    const auto composed = [&](const Tensor& x) {
        return -log_softmax(x, 1).index({arange(6), targets}).mean();
    };
    CHECK(fused(z).allclose(composed(z), 1e-14, 0));
    CHECK(gradient(fused, z).allclose(gradient(composed, z), 1e-12, 1e-16));
}

TEST_CASE("seeds: from probabilities right on tame inputs, infinite when p underflows; from logits finite") {
    CHECK(teaching::cross_entropy_loss(softmax(logits3(), -1), 0)
              .allclose(cross_entropy(logits3(), tensor(0)), 1e-12, 0));
    const Tensor far = tensor({0.0, 200.0});
    CHECK(std::isinf(teaching::cross_entropy_loss(softmax(far, -1), 0).item<double>()));
    CHECK(cross_entropy(far, tensor(0)).item<double>() == 200);
}

TEST_CASE("seeds: naive softmax, then log, is NaN or has a zero gradient") {
    const auto naive = [](const Tensor& z) { return teaching::cross_entropy_loss(teaching::softmax(z), 0); };
    const auto fused = [](const Tensor& z) { return cross_entropy(z, tensor(0)); };
    const Tensor large = tensor({1000.0, 1001.0, 1002.0});
    CHECK(std::isnan(naive(large).item<double>()));
    CHECK(close(fused(large), {2.407606}, 5e-7));
    // A loss clamped at a small probability, the usual patch, is finite and has lost its gradient, silently.
    const auto patched = [](const Tensor& z) { return -log(softmax(z, -1)[0].clamp(1e-12)); };
    const Tensor confident = tensor({-100.0, 100.0});
    CHECK(close(gradient(patched, confident), {0, 0}, 0));
    CHECK(close(gradient(fused, confident), {-1, 1}, 1e-7));
}

TEST_CASE("seeds: ignore_index rows count neither in the sum nor in the mean") {
    const Tensor z = cat({batch(), tensor({{9.0, -9.0, 0.0}}, kFloat64)}, 0);
    const Tensor targets = tensor({0, 1, -100});
    CHECK(close(cross_entropy(z, targets), {0.318540}, kSix));
    CHECK(close(cross_entropy(z, targets, {.reduction = kSum}), {0.637080}, 2 * kSix));
    const Tensor g = gradient([&](const Tensor& x) { return cross_entropy(x, targets); }, z);
    CHECK(close(g[2], {0, 0, 0}, 0));

    const Tensor all = tensor({-100, -100, -100});
    CHECK(close(cross_entropy(z, all), {kNan}, 0));
    CHECK(close(gradient([&](const Tensor& x) { return cross_entropy(x, all); }, z), std::vector<double>(9),
                0));
}

TEST_CASE("seeds: padded positions are masked, and the mean is by token count") {
    // Two sequences of 3 and 1 tokens, padded to 3.
    manual_seed(2);
    const Tensor z = randn({2, 3, 4}, kFloat64);
    const Tensor targets = tensor({{1, 0, 3}, {2, -100, -100}});
    const Tensor each = cross_entropy(z, targets, {.reduction = kNone});
    CHECK(close(each[1].slice(0, 1), {0, 0}, 0));
    const double by_token = each.sum().item<double>() / 4;
    const double by_sequence = (each[0].sum().item<double>() / 3 + each[1].sum().item<double>()) / 2;
    const double loss = cross_entropy(z, targets).item<double>();
    CHECK(loss == doctest::Approx(by_token).epsilon(1e-14));
    CHECK(loss != doctest::Approx(by_sequence).epsilon(1e-3));
    CHECK(loss != doctest::Approx(each.sum().item<double>()).epsilon(1e-3));
}

TEST_CASE("seeds: label smoothing of .1 on [2, 1, .1] for target 0") {
    const auto loss = [](const Tensor& z) { return cross_entropy(z, tensor(0), {.label_smoothing = .1}); };
    CHECK(close(loss(logits3()), {0.513697}, kSix));
    CHECK(close(gradient(loss, logits3()), {-.274332, .209100, .065233}, kSix));
    const Tensor smoothed = one_hot(tensor(0), 3) * .9 + .1 / 3;  // (1-α)·onehot + α/V
    CHECK(cross_entropy(logits3(), smoothed.to(kFloat64)).allclose(loss(logits3()), 1e-7, 0));
}

TEST_CASE("seeds: a soft target that carries gradient gets its own, or is detached") {
    const Tensor z = logits3().set_requires_grad(true);
    const Tensor target = tensor({.7, .2, .1}, kFloat64).set_requires_grad(true);
    const Tape tape;
    cross_entropy(z, target).backward();
    CHECK(z.grad().allclose(softmax(z, -1) - target, 1e-14, 1e-15));
    CHECK(target.grad().allclose(-log_softmax(z, -1), 1e-14, 0));

    z.zero_grad();
    target.zero_grad();
    cross_entropy(z, target.detach()).backward();
    CHECK(z.grad().allclose(softmax(z, -1) - target, 1e-14, 1e-15));
    CHECK_FALSE(target.grad().defined());
}

TEST_CASE("seeds: 0 log 0 is 0 in a soft target") {
    const double inf = std::numeric_limits<double>::infinity();
    const Tensor z = tensor({0.0, 0.0, -inf}, kFloat64);
    CHECK(close(cross_entropy(z, tensor({.5, .5, 0.0}, kFloat64)), {std::log(2)}, 1e-15));
}

TEST_CASE("seeds: of 16-bit logits the loss is computed in float32") {
    manual_seed(3);
    for (const DType dtype : {kFloat16, kBFloat16}) {
        const Tensor z = (randn({4, 1000}) * 3).to(dtype);
        const Tensor targets = randint(1000, {4});
        const auto loss = [&](const Tensor& x) { return cross_entropy(x, targets); };
        CHECK(loss(z).dtype() == kFloat32);
        CHECK(loss(z).allclose(loss(z.to(kFloat32)), 1e-6, 0));
        const Tensor g = gradient(loss, z);
        CHECK(g.dtype() == dtype);
        CHECK(g.equal(gradient(loss, z.to(kFloat32)).to(dtype)));
    }
    // The product that makes the logits may stay in 16 bits.
    const Tensor z = randn({4, 8}).to(kBFloat16).matmul(randn({8, 5}).to(kBFloat16));
    CHECK(z.dtype() == kBFloat16);
    CHECK(cross_entropy(z, tensor({0, 1, 2, 3})).dtype() == kFloat32);
}
