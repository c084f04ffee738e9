// The pitfalls of the worked examples, each as a test: what goes wrong by hand, and that reel does not.
#include <doctest/doctest.h>

#include <limits>

#include "examples/teaching.hpp"
#include "reel.hpp"
#include "tests/seeds/close.hpp"

using namespace reel;
using seeds::close;
using seeds::gradient;

namespace {
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
}  // namespace

TEST_CASE("pitfall: no maximum shift") {
    const Tensor x = tensor({89.0, 0.0});
    CHECK(close(teaching::softmax(x), {kNan, 0}, 0));
    CHECK(close(teaching::softmax_stable(x), {1, 0}, 1e-7));
    CHECK(close(softmax(x, -1), {1, 0}, 1e-7));
}

TEST_CASE("pitfall: softmax then log") {
    const Tensor x = tensor({0.0, -200.0});
    CHECK(close(log(softmax(x, -1)), {0, -kInf}, 0));
    CHECK(close(log_softmax(x, -1), {0, -200}, 0));
}

TEST_CASE("pitfall: loss from probabilities with zeros") {
    CHECK(teaching::cross_entropy_loss(tensor({1.0, 0.0}), 1).item<double>() == kInf);
    CHECK(cross_entropy(tensor({500.0, 0.0}), tensor(1)).item<double>() == 500);
}

TEST_CASE("pitfall: ignored and padded targets") {
    // Read as a class, -100 would be out of range; padded with class 0, the rows would count.
    const Tensor z = tensor({{2.0, 1.0, .1}, {0.0, 3.0, 0.0}});
    const double alone = cross_entropy(z.slice(0, 0, 1), tensor({0})).item<double>();
    CHECK(cross_entropy(z, tensor({0, -100})).item<double>() == alone);
    CHECK(cross_entropy(z, tensor({0, 0})).item<double>() > 1.5);
    CHECK(cross_entropy(z, tensor({0, 2}), {.ignore_index = 2}).item<double>() == alone);
    CHECK_THROWS_AS(cross_entropy(z, tensor({0, -1})), IndexError);
    CHECK_THROWS_AS(cross_entropy(z, tensor({0, 3})), IndexError);
}

TEST_CASE("pitfall: temperature after the softmax") {
    const Tensor logits = tensor({2.0, 1.0, .5, .1}, kFloat64);
    CHECK((softmax(logits, -1) / 2).sum().item<double>() == doctest::Approx(.5));  // no distribution
    CHECK(teaching::softmax_temperature(logits, 2).sum().item<double>() == doctest::Approx(1));
    CHECK(teaching::softmax_temperature(logits, 2).allclose(softmax(logits / 2, -1), 1e-14, 0));
}

TEST_CASE("pitfall: a target with gradient") {
    const Tensor z = tensor({2.0, 1.0, .1}, kFloat64);
    // The model's own prediction as its target: without detach, the gradient is that of the entropy too.
    const Tensor through = gradient([](const Tensor& x) { return cross_entropy(x, softmax(x, -1)); }, z);
    const Tensor detached =
        gradient([](const Tensor& x) { return cross_entropy(x, softmax(x, -1).detach()); }, z);
    CHECK(close(detached, {0, 0, 0}, 1e-15));
    const Tensor p = softmax(z, -1);
    const Tensor log_p = log_softmax(z, -1);
    CHECK(through.allclose(-p * (log_p - (p * log_p).sum()), 1e-12, 1e-15));  // d/dz of the entropy of p
}

TEST_CASE("pitfall: a sum where a mean is meant") {
    manual_seed(5);
    const Tensor z = randn({8, 3}, kFloat64);
    const Tensor targets = randint(3, {8});
    const Tensor mean = gradient([&](const Tensor& x) { return cross_entropy(x, targets); }, z);
    const Tensor sum =
        gradient([&](const Tensor& x) { return cross_entropy(x, targets, {.reduction = kSum}); }, z);
    CHECK(sum.allclose(mean * 8, 1e-14, 0));  // the step grows with the batch
}

TEST_CASE("pitfall: a loss in 16 bits") {
    // 4,096 equal classes: the loss is log(4096). In float16 a shifted sum of ones sticks at 2,048.
    const Tensor z = zeros({4096}, kFloat16);
    Tensor sum = zeros({}, kFloat16);
    for (int i = 0; i < 4096; ++i) sum = sum + exp(z[i]);
    CHECK(sum.item<double>() == 2048);
    CHECK(cross_entropy(z, tensor(0)).item<double>() == doctest::Approx(std::log(4096)).epsilon(1e-7));
}

TEST_CASE("pitfall: mutating the caller's logits") {
    const Tensor z = tensor({{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}});
    const Tensor before = z.clone();
    softmax(z, 1);
    log_softmax(z, 0);
    logsumexp(z, 1);
    cross_entropy(z, tensor({0, 2}), {.label_smoothing = .1});
    CHECK(z.equal(before));
    // Done by hand to logits that are recorded, `logits -= max` is refused.
    const Tensor leaf = z.clone().set_requires_grad(true);
    const Tape tape;
    CHECK_THROWS_AS(leaf -= leaf.amax(1, true), AutogradError);
    CHECK(leaf.equal(before));
}

TEST_CASE("pitfall: a row that is all -inf") {
    const Tensor row = tensor({-kInf, -kInf, -kInf}, kFloat64);
    CHECK(close(softmax(row, -1), {kNan, kNan, kNan}, 0));

    const Tensor none = tensor({false, false, false});
    CHECK(close(masked_softmax(zeros({3}), none, -1), {0, 0, 0}, 0));
    const Tensor weights = tensor({1.0, 2.0, 3.0});
    CHECK(close(
        gradient([&](const Tensor& x) { return (masked_softmax(x, none, -1) * weights).sum(); }, zeros({3})),
        {0, 0, 0}, 0));

    CHECK(logsumexp(row, -1).item<double>() == -kInf);
    CHECK(close(gradient([](const Tensor& x) { return logsumexp(x, -1); }, row), {0, 0, 0}, 0));
}

TEST_CASE("pitfall: NaN in one row leaves the others alone") {
    const Tensor clean = tensor({{1.0, 2.0, 3.0}, {0.0, 0.0, 0.0}, {3.0, 1.0, 2.0}});
    const Tensor dirty = clean.clone();
    dirty[1][2].fill_(kNan);
    const Tensor targets = tensor({0, 1, 2});
    const auto each = [&](const Tensor& z) { return cross_entropy(z, targets, {.reduction = kNone}); };
    const auto total = [&](const Tensor& z) { return each(z).sum(); };
    for (const std::int64_t r : {0, 2}) {
        CHECK(softmax(dirty, 1)[r].equal(softmax(clean, 1)[r]));
        CHECK(log_softmax(dirty, 1)[r].equal(log_softmax(clean, 1)[r]));
        CHECK(each(dirty)[r].equal(each(clean)[r]));
        CHECK(gradient(total, dirty)[r].equal(gradient(total, clean)[r]));
    }
    CHECK(softmax(dirty, 1)[1].isnan().all().item<bool>());
}
