// cross_entropy and nll_loss: the worked examples, every option, what is kept, what is refused. Accuracy over
// a battery of inputs is in accuracy_test.cpp.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "reel.hpp"

using namespace reel;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

void check_close(const Tensor& x, const std::vector<double>& expected, double tolerance) {
    const auto values = x.to_vector<double>();
    REQUIRE(values.size() == expected.size());
    for (std::size_t i = 0; i < values.size(); ++i) CHECK(std::abs(values[i] - expected[i]) <= tolerance);
}

struct LossAndGradient {
    Tensor loss;
    Tensor gradient;
};

LossAndGradient both(const Tensor& logits, const Tensor& targets, const CrossEntropyOptions& options = {}) {
    const Tensor z = logits.clone().set_requires_grad();
    const Tape tape;
    const Tensor loss = cross_entropy(z, targets, options);
    loss.backward(ones_like(loss));
    return {loss.detach(), z.grad()};
}

const CrossEntropyOptions kEach = {.reduction = kNone};

}  // namespace

TEST_CASE("cross_entropy: one row") {
    const auto [loss, gradient] = both(tensor({2.0, 1.0, 0.1}), tensor(0));
    check_close(loss, {0.417030}, 5e-7);
    check_close(gradient, {-0.340999, 0.242433, 0.098566}, 5e-7);
}

TEST_CASE("cross_entropy: the gradient of a mean is divided by the rows") {
    const Tensor z = tensor({{2.0, 1.0, 0.1}, {0.5, 2.5, 0.3}});
    check_close(both(z, tensor({0, 1}), kEach).loss, {0.417030, 0.220050}, 5e-7);
    const auto [loss, gradient] = both(z, tensor({0, 1}));
    check_close(loss, {0.318540}, 5e-7);
    check_close(gradient, {-.170499, .121216, .049283, .054302, -.098760, .044459}, 1e-6);
}

TEST_CASE("cross_entropy: a batch of any shape") {
    const Tensor z = tensor({{{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}}, {{7.0, 8.0, 9.0}, {1.0, 1.0, 1.0}}});
    const Tensor t = tensor({{2, 1}, {0, 1}});
    check_close(both(z, t, kEach).loss, {0.407606, 1.407606, 2.407606, 1.098612}, 5e-7);
    check_close(both(z, t).loss, {1.330358}, 5e-7);
    const Tensor moved = z.permute({0, 2, 1}).contiguous();
    check_close(both(moved, t, {.dim = 1}).loss, {1.330358}, 5e-7);
    CHECK(both(moved, t, {.dim = 1}).gradient.equal(both(z, t).gradient.permute({0, 2, 1})));
}

TEST_CASE("cross_entropy: fused equals composed, value and gradient") {
    for (std::int64_t classes : {2, 10, 200}) {
        const Tensor x = randn({17, classes}, kFloat64).set_requires_grad();
        const Tensor t = randint(classes, {17});
        const Tape tape;
        const Tensor fused = cross_entropy(x, t);
        const Tensor composed = nll_loss(log_softmax(x, 1), t);
        CHECK(fused.item<double>() == doctest::Approx(composed.item<double>()).epsilon(1e-14));
        const Tensor a = grad({fused}, {x}, {.retain_graph = true})[0];
        CHECK(allclose(a, grad({composed}, {x})[0], 1e-12, 1e-16));
        const Tensor is_target = eq(t.unsqueeze(1), arange(classes));
        CHECK(equal(a < 0, is_target));  // prediction minus truth: negative at the target alone
    }
}

TEST_CASE("cross_entropy: from logits it stays finite where probabilities underflow") {
    const Tensor z = tensor({0.0, 200.0});
    CHECK(isinf(-log(softmax(z, 0)[0])).item<bool>());
    CHECK(both(z, tensor(0)).loss.item<float>() == 200);
}

TEST_CASE("cross_entropy: confident rows") {
    const auto [loss, gradient] = both(tensor({0.0, 40.0}), tensor(1));
    CHECK(loss.item<float>() == doctest::Approx(4.248354255291589e-18).epsilon(2e-7));
    CHECK(gradient[1].item<float>() == doctest::Approx(-4.248354255291589e-18).epsilon(2e-7));
    CHECK(gradient[0].item<float>() == doctest::Approx(4.248354255291589e-18).epsilon(2e-7));
}

TEST_CASE("cross_entropy: the gradient of a target that is all the leader's, whatever its lead") {
    constexpr std::int64_t kRows = 80;
    for (const DType dtype : {kFloat32, kFloat64}) {
        for (const std::int64_t classes : {3, 5, 70}) {
            const Tensor leaders = remainder(arange(kRows) * 3, classes);
            const Tensor target = one_hot(leaders, classes).to(kFloat64);
            const Tensor lead = 1 + arange(kRows).to(kFloat64).unsqueeze(-1) * 0.5;  // up to e^40
            const Tensor others = remainder(arange(kRows * classes).view({kRows, classes}), 7) * 0.125;
            const Tensor z = (others + target * lead).to(dtype);
            const auto found = both(z, target.to(dtype), kEach).gradient.to_vector<double>();
            const auto leader = leaders.to_vector<std::int64_t>();
            const auto below = (z - z.amax({-1}, true)).to_vector<double>();  // exact
            long double worst = 0;
            for (std::size_t i = 0; i < below.size(); i += static_cast<std::size_t>(classes)) {
                const auto n = static_cast<std::size_t>(classes);
                const auto top = static_cast<std::size_t>(leader[i / n]);
                long double rest = 0;
                for (std::size_t c = 0; c < n; ++c)
                    rest += c == top ? 0 : std::exp(static_cast<long double>(below[i + c]));
                for (std::size_t c = 0; c < n; ++c) {
                    const long double e = c == top ? -rest : std::exp(static_cast<long double>(below[i + c]));
                    worst = std::max(worst,
                                     std::abs(static_cast<long double>(found[i + c]) / e * (1 + rest) - 1));
                }
            }
            CHECK(worst <= (dtype == kFloat32 ? 0x1p-22L : 0x1p-51L));
        }
    }
}

TEST_CASE("cross_entropy: an ignored row is an absent row, under every option") {
    const Tensor z = randn({6, 5}, kFloat64);
    z[1].fill_(kNan);
    z[4].fill_(kInf);
    const Tensor t = tensor({0, -100, 3, 4, -100, 1});
    const Tensor rows = tensor({0, 2, 3, 5});
    Tensor z_left = empty({4, 5}, kFloat64);
    for (std::int64_t i = 0; i < 4; ++i) z_left[i].copy_(z[rows[i].item<std::int64_t>()]);
    const Tensor t_left = tensor({0, 3, 4, 1});
    const Tensor w = tensor({0.5, 1.0, 2.0, 0.25, 3.0});
    for (Reduction reduction : {kMean, kSum}) {
        for (double smoothing : {0.0, 0.1}) {
            for (const Tensor& weight : {Tensor(), w}) {
                const CrossEntropyOptions options = {
                    .weight = weight, .reduction = reduction, .label_smoothing = smoothing};
                const auto all = both(z, t, options);
                const auto left = both(z_left, t_left, options);
                CHECK(all.loss.item<double>() == doctest::Approx(left.loss.item<double>()).epsilon(1e-14));
                for (std::int64_t i = 0; i < 4; ++i)
                    CHECK(allclose(all.gradient[rows[i].item<std::int64_t>()], left.gradient[i], 1e-14, 0));
                CHECK(all.gradient[1].equal(zeros({5}, kFloat64)));
                CHECK(all.gradient[4].equal(zeros({5}, kFloat64)));
            }
        }
    }
    const auto each = both(z, t, kEach);
    CHECK(each.loss[1].item<double>() == 0);
    CHECK(each.gradient[1].equal(zeros({5}, kFloat64)));
}

TEST_CASE("cross_entropy: none counting is a NaN mean and no gradient") {
    const Tensor z = randn({3, 4});
    const Tensor t = full({3}, -100);
    const auto mean = both(z, t);
    CHECK(std::isnan(mean.loss.item<float>()));
    CHECK(mean.gradient.equal(zeros({3, 4})));
    CHECK(both(z, t, {.reduction = kSum}).loss.item<float>() == 0);
    const auto smooth = both(z, t, {.label_smoothing = 0.1});
    CHECK(std::isnan(smooth.loss.item<float>()));
    CHECK(smooth.gradient.equal(zeros({3, 4})));
    CHECK(std::isnan(both(zeros({0, 4}), zeros({0}, kInt64)).loss.item<float>()));
    CHECK(both(z, tensor({7, 7, 7}), {.ignore_index = 7}).gradient.equal(zeros({3, 4})));
}

TEST_CASE("cross_entropy: the mean is over the weights of the targets that count") {
    const Tensor z = randn({4, 3}, kFloat64);
    const Tensor t = tensor({0, 2, -100, 1});
    const Tensor w = tensor({0.5, 2.0, 4.0});
    const Tensor each = both(z, t, {.weight = w, .reduction = kNone}).loss;
    const double expected = each.sum().item<double>() / (0.5 + 4 + 2);
    CHECK(both(z, t, {.weight = w}).loss.item<double>() == doctest::Approx(expected).epsilon(1e-14));
}

TEST_CASE("cross_entropy: label smoothing") {
    const auto [loss, gradient] = both(tensor({2.0, 1.0, 0.1}), tensor(0), {.label_smoothing = 0.1});
    check_close(loss, {0.513697}, 5e-7);
    check_close(gradient, {-.274332, .209100, .065233}, 1e-6);
}

TEST_CASE("cross_entropy: probabilities as targets") {
    const Tensor z = randn({4, 6}, kFloat64);
    const Tensor t = tensor({5, 0, 3, 3});
    const Tensor hot = eq(t.unsqueeze(1), arange(6)).to(kFloat64);
    for (double smoothing : {0.0, 0.3}) {
        for (Reduction reduction : {kMean, kSum, kNone}) {
            const CrossEntropyOptions options = {.reduction = reduction, .label_smoothing = smoothing};
            CHECK(allclose(both(z, hot, options).loss, both(z, t, options).loss, 1e-14, 0));
            CHECK(allclose(both(z, hot, options).gradient, both(z, t, options).gradient, 1e-13, 1e-17));
        }
    }
    // 0 · ∞ = 0
    const auto masked = both(tensor({0.0, -kInf, 0.0}), tensor({0.5, 0.0, 0.5}));
    check_close(masked.loss, {std::log(2.0)}, 1e-7);
    check_close(masked.gradient, {0, 0, 0}, 0);
}

TEST_CASE("cross_entropy: probabilities that carry gradient get their own") {
    const Tensor z = randn({2, 3}, kFloat64);
    const Tensor q = tensor({{0.2, 0.3, 0.5}, {0.1, 0.1, 0.8}}, kFloat64).set_requires_grad();
    const Tape tape;
    cross_entropy(z, q).backward();
    CHECK(allclose(q.grad(), log_softmax(z, 1) * -0.5, 1e-14, 0));
}

TEST_CASE("cross_entropy: the caller's logits stay as they are") {
    const Tensor z = randn({3, 4});
    const Tensor before = z.clone();
    both(z, tensor({0, 1, 2}));
    CHECK(z.equal(before));
}

TEST_CASE("cross_entropy: NaN in one row leaves the others alone") {
    const Tensor z = randn({5, 10});
    const Tensor t = tensor({1, 2, 3, 4, 5});
    const auto clean = both(z, t, {.reduction = kSum});
    const Tensor broken = z.clone();
    broken[2][9].fill_(kNan);
    const auto [loss, gradient] = both(broken, t, kEach);
    CHECK(std::isnan(loss[2].item<float>()));
    CHECK(isnan(loss).sum().item<int>() == 1);
    CHECK(isnan(gradient[2]).all().item<bool>());
    CHECK(gradient.slice(0, 3).equal(clean.gradient.slice(0, 3)));
}

TEST_CASE("cross_entropy: 16-bit logits give a float32 loss and a 16-bit gradient") {
    for (DType dtype : {kFloat16, kBFloat16}) {
        const Tensor z = (randn({6, 300}) * 3).to(dtype);
        const Tensor t = randint(300, {6});
        const auto [loss, gradient] = both(z, t);
        const auto wide = both(z.to(kFloat32), t);
        CHECK(loss.dtype() == kFloat32);
        CHECK(loss.equal(wide.loss));
        CHECK(gradient.dtype() == dtype);
        CHECK(gradient.equal(wide.gradient.to(dtype)));
    }
}

TEST_CASE("cross_entropy: any layout") {
    const Tensor z = randn({6, 4, 150});
    const Tensor t = randint(150, {6, 4});
    const auto dense = both(z, t);
    for (const Tensor& other : {z.transpose(0, 1).contiguous().transpose(0, 1),
                                z.permute({2, 0, 1}).contiguous().permute({1, 2, 0})}) {
        const Tensor leaf = other.detach().set_requires_grad();
        const Tape tape;
        const Tensor loss = cross_entropy(leaf, t);
        CHECK(loss.item<float>() == doctest::Approx(dense.loss.item<float>()).epsilon(3e-7));
        loss.backward();
        CHECK(allclose(leaf.grad(), dense.gradient, 1e-6, 1e-12));
    }
    const Tensor strided_targets = t.t().contiguous().t();
    CHECK(cross_entropy(z, strided_targets).equal(dense.loss));
}

TEST_CASE("cross_entropy: one node, which keeps two numbers of a row") {
    constexpr std::int64_t kRows = 512;
    constexpr std::int64_t kLossBytes = 64;  // the least that a storage takes
    const Tensor z = randn({kRows, 100}).set_requires_grad();
    const Tensor t = randint(100, {kRows});
    constexpr std::int64_t bytes = kRows * 2 * 4;
    for (const double smoothing : {0.0, 0.1}) {
        const Tape tape;
        const std::int64_t before = memory_stats().live_bytes;
        const Tensor loss = cross_entropy(z, t, {.label_smoothing = smoothing});
        REQUIRE(tape.size() == 1);
        CHECK(tape[0].operation == "cross_entropy");
        CHECK(tape[0].bytes_kept == z.numel() * 4 + t.numel() * 8 + bytes);
        CHECK(memory_stats().live_bytes - before <= bytes + kLossBytes);
        z.zero_grad();
        const std::int64_t kept = memory_stats().live_bytes;
        reset_peak_memory();
        loss.backward();
        CHECK(tape.size() == 1);
        const std::int64_t gradient = z.numel() * 4;
        CHECK(memory_stats().peak_bytes - kept <= gradient + gradient / 10);
    }
}

TEST_CASE("cross_entropy: a target that is no class is refused by row, value and C") {
    const Tensor z = zeros({3, 4}).set_requires_grad();
    const auto message = [&](const Tensor& targets) -> std::string {
        const Tape tape;
        try {
            cross_entropy(z, targets);
        } catch (const IndexError& error) {
            CHECK(tape.size() == 0);
            return error.what();
        }
        return "nothing thrown";
    };
    CHECK(message(tensor({0, 17, 2})).find("target of row 1 is 17, which is none of the 4 classes") !=
          std::string::npos);
    CHECK(message(tensor({0, 1, -3})).find("target of row 2 is -3") != std::string::npos);
    CHECK_THROWS_AS(nll_loss(z, tensor({0, 4, 0})), IndexError);
}

TEST_CASE("cross_entropy: misuse") {
    const Tensor z = zeros({2, 3});
    CHECK_THROWS_AS(cross_entropy(zeros({2, 3}, kInt64), tensor({0, 1})), DTypeError);
    CHECK_THROWS_AS(cross_entropy(z, tensor({true, false})), DTypeError);
    CHECK_THROWS_AS(cross_entropy(z, tensor({0, 1, 2})), ShapeError);
    CHECK_THROWS_AS(cross_entropy(z, tensor({0.0, 1.0})), ShapeError);
    CHECK_THROWS_AS(cross_entropy(tensor(1.0), tensor(0)), ShapeError);
    CHECK_THROWS_AS(cross_entropy(z, tensor({0, 1}), {.dim = 2}), IndexError);
    CHECK_THROWS_AS(cross_entropy(z, tensor({0, 1}), {.label_smoothing = 1.5}), Error);
    CHECK_THROWS_AS(cross_entropy(z, tensor({0, 1}), {.weight = ones({2})}), ShapeError);
    CHECK_THROWS_AS(cross_entropy(z, tensor({0, 1}), {.weight = tensor({1, 2, 3})}), DTypeError);
    const Tape tape;
    const Tensor w = ones({3}).set_requires_grad();
    CHECK_THROWS_AS(cross_entropy(z, tensor({0, 1}), {.weight = w}), AutogradError);
}

TEST_CASE("nll_loss: the picked elements, weighted") {
    const Tensor x = tensor({{-0.4, -1.4}, {-2.4, -1.1}, {-3.0, -0.1}}).set_requires_grad();
    const Tensor t = tensor({1, 0, -100});
    check_close(nll_loss(x.detach(), t, {.reduction = kNone}), {1.4, 2.4, 0}, 1e-7);
    const Tape tape;
    const Tensor loss = nll_loss(x, t, {.weight = tensor({3.0, 1.0})});
    check_close(loss, {(1.4 + 3 * 2.4) / 4}, 1e-6);
    loss.backward();
    // PyTorch 1.13: F.nll_loss(x, t, weight=w)
    check_close(x.grad(), {0, -0.25, -0.75, 0, 0, 0}, 1e-7);
}
