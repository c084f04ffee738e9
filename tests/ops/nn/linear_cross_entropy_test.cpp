// Cross-entropy of a linear layer beside the two operations that it stands for. Values and gradients of small
// cases are the battery's.
#include <doctest/doctest.h>

#include <limits>
#include <reel.hpp>

#include "tensor/storage.hpp"

using namespace reel;

namespace {

struct Operands {
    Tensor x, weight, targets;
};

/// Enough rows for several blocks of logits.
Operands several_blocks() {
    manual_seed(3);
    const Tensor targets = randint(0, 30000, {300}).masked_fill(arange(300) < 7, -100);
    return {randn({300, 16}).set_requires_grad(true), randn({30000, 16}).set_requires_grad(true), targets};
}

std::vector<Tensor> loss_and_gradients(const Operands& o, bool fused, const CrossEntropyOptions& options) {
    Tape tape;
    const Tensor loss = fused ? linear_cross_entropy(o.x, o.weight, o.targets, options)
                              : cross_entropy(linear(o.x, o.weight), o.targets, options);
    const Tensor y_bar = options.reduction == kNone ? arange(300).to(kFloat32) / 300 : tensor(2.0);
    std::vector<Tensor> results = grad({loss}, {o.x, o.weight}, {.grad_outputs = {y_bar}});
    results.push_back(loss.detach());
    return results;
}

}  // namespace

TEST_CASE("linear_cross_entropy: several blocks are one loss") {
    const Operands o = several_blocks();
    const Tensor weight = rand({30000}) + 0.5;
    for (const double smoothing : {0.0, 0.1}) {
        for (const Reduction reduction : {kNone, kMean, kSum}) {
            const CrossEntropyOptions options = {
                .weight = weight, .reduction = reduction, .label_smoothing = smoothing};
            const auto fused = loss_and_gradients(o, true, options);
            const auto composed = loss_and_gradients(o, false, options);
            for (std::size_t i = 0; i < fused.size(); ++i) {
                const double scale = composed[i].abs().max().item<double>();
                CHECK((fused[i] - composed[i]).abs().max().item<double>() <= 1e-5 * scale);
            }
        }
    }
}

TEST_CASE("linear_cross_entropy: logits without end in some parts of the classes") {
    constexpr double kInf = std::numeric_limits<double>::infinity();
    const Tensor x = ones({4, 1});
    const Tensor targets = tensor({0, 1500, 2500, -100});
    const std::vector<std::pair<std::int64_t, double>> cases = {{0, -kInf}, {1500, -kInf}, {2500, kInf}};
    for (const auto& [at, value] : cases) {
        const Tensor weight = arange(3000).to(kFloat32).reshape({3000, 1}) * 0.01;
        weight.slice(0, at, at + 400).fill_(value);
        Operands o = {x.clone().set_requires_grad(), weight.clone().set_requires_grad(), targets};
        const auto fused = loss_and_gradients(o, true, {.reduction = kSum});
        const auto composed = loss_and_gradients(o, false, {.reduction = kSum});
        CHECK(allclose(fused[1], composed[1], 1e-5, 1e-6, true));
        CHECK(allclose(fused[2], composed[2], 1e-5, 1e-6, true));
    }
}

TEST_CASE("linear_cross_entropy: the same bits at every thread count") {
    const Operands o = several_blocks();
    const int before = num_threads();
    set_num_threads(1);
    const auto alone = loss_and_gradients(o, true, {});
    for (const int threads : {2, 3}) {
        set_num_threads(threads);
        const auto shared = loss_and_gradients(o, true, {});
        for (std::size_t i = 0; i < alone.size(); ++i) CHECK(equal(alone[i], shared[i]));
    }
    set_num_threads(before);
}

TEST_CASE("linear_cross_entropy: a second rewind finds its gradients as they were") {
    const Operands o = several_blocks();
    Tape tape;
    const Tensor loss = linear_cross_entropy(o.x, o.weight, o.targets);
    loss.backward({}, true);
    const Tensor once = o.weight.grad().clone();
    loss.backward({}, true);
    CHECK(equal(o.weight.grad(), once * 2));
    loss.backward();
    CHECK(equal(o.x.grad(), grad({linear_cross_entropy(o.x, o.weight, o.targets)}, {o.x})[0] * 3));
}

TEST_CASE("linear_cross_entropy: what does not fit is named") {
    const Tensor x = ones({2, 3});
    const Tensor weight = ones({4, 3});
    CHECK_THROWS_WITH_AS(linear_cross_entropy(x, ones({4, 2}), tensor({0, 1})), doctest::Contains("[4, 2]"),
                         ShapeError);
    CHECK_THROWS_AS(linear_cross_entropy(x, weight.to(kFloat64), tensor({0, 1})), DTypeError);
    CHECK_THROWS_WITH_AS(linear_cross_entropy(x, weight, tensor({0, 4})), doctest::Contains("row 1"),
                         IndexError);
    CHECK_THROWS_AS(linear_cross_entropy(x, weight, tensor({0, 1}), {.dim = 0}), ShapeError);
}
