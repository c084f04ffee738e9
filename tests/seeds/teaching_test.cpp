// The teaching functions of examples/teaching.hpp, each against the library's own.
#include <doctest/doctest.h>

#include "examples/teaching.hpp"
#include "reel.hpp"
#include "tests/seeds/close.hpp"

using namespace reel;
using seeds::gradient;

namespace {
Tensor logits() {
    manual_seed(12);
    return randn({5, 7}, kFloat64) * 3;
}
}  // namespace

TEST_CASE("teaching: softmax and softmax_stable are softmax on tame inputs") {
    CHECK(teaching::softmax(logits()).allclose(softmax(logits(), -1), 1e-14, 0));
    CHECK(teaching::softmax_stable(logits()).allclose(softmax(logits(), -1), 1e-14, 0));
}

TEST_CASE("teaching: softmax_stable is softmax on wild inputs too") {
    const Tensor wild = logits() * 1000;
    CHECK(teaching::softmax_stable(wild).allclose(softmax(wild, -1), 1e-12, 1e-300));
    CHECK(teaching::softmax(wild).isnan().any().item<bool>());
}

TEST_CASE("teaching: softmax_temperature is softmax of the divided logits") {
    for (const double t : {0.1, 0.5, 1.0, 2.0, 5.0})
        CHECK(teaching::softmax_temperature(logits(), t).allclose(softmax(logits() / t, -1), 1e-13, 0));
}

TEST_CASE("teaching: cross_entropy_loss of the probabilities is cross_entropy of the logits") {
    const Tensor row = logits()[2];
    for (std::int64_t target = 0; target < 7; ++target)
        CHECK(teaching::cross_entropy_loss(softmax(row, -1), target)
                  .allclose(cross_entropy(row, tensor(target)), 1e-12, 0));
}

TEST_CASE("teaching: both gradients are what the tape says") {
    const Tensor row = logits()[3];
    for (std::int64_t target = 0; target < 7; ++target) {
        const Tensor taped = gradient([&](const Tensor& z) { return cross_entropy(z, tensor(target)); }, row);
        CHECK(teaching::softmax_cross_entropy_grad(row, target).allclose(taped, 1e-13, 1e-15));
        CHECK(
            teaching::cross_entropy_softmax_gradient(softmax(row, -1), target).allclose(taped, 1e-13, 1e-15));
    }
}

TEST_CASE("teaching: batch_cross_entropy_loss is cross_entropy, and so is its gradient") {
    const Tensor targets = tensor({6, 0, 3, 3, 1});
    const auto by_hand = [&](const Tensor& z) { return teaching::batch_cross_entropy_loss(z, targets); };
    const auto fused = [&](const Tensor& z) { return cross_entropy(z, targets); };
    CHECK(by_hand(logits()).allclose(fused(logits()), 1e-14, 0));
    CHECK(gradient(by_hand, logits()).allclose(gradient(fused, logits()), 1e-12, 1e-15));
}
