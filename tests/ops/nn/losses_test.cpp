// Losses of two tensors against PyTorch 1.13 (float64) and, where PyTorch rounds to 0, mathematics.
#include <doctest/doctest.h>

#include <cmath>

#include "reel.hpp"

using namespace reel;

namespace {

Tensor logits() { return tensor({{-1.5, 0.25, 3.0}, {0.0, -40.0, 50.0}}, kFloat64); }
Tensor targets() { return tensor({{0.5, 1.0, 0.0}, {0.25, 0.0, 1.0}}, kFloat64); }
doctest::Approx about(double value) { return doctest::Approx(value).epsilon(1e-14); }

}  // namespace

TEST_CASE("losses: l1 and huber are PyTorch's") {
    CHECK(l1_loss(logits(), targets()).item<double>() == about(15.833333333333334));
    CHECK(l1_loss(logits(), targets(), kSum).item<double>() == about(95.0));
    CHECK(huber_loss(logits(), targets()).item<double>() == about(15.385416666666666));
    CHECK(huber_loss(logits(), targets(), kSum, 2.0).item<double>() == about(180.3125));
    CHECK(l1_loss(logits(), targets(), kNone).sizes() == Shape{2, 3});
    CHECK_THROWS_AS(huber_loss(logits(), targets(), kMean, 0), Error);
}

TEST_CASE("losses: binary cross-entropy with logits is PyTorch's, and stable at both ends") {
    CHECK(binary_cross_entropy_with_logits(logits(), targets()).item<double>() == about(0.878181204999214));
    const Tensor weight = tensor({{1.0, 2.0, 0.5}, {0.25, 1.0, 3.0}}, kFloat64);
    const Tensor positive = tensor({2.0, 0.5, 1.5}, kFloat64);
    CHECK(binary_cross_entropy_with_logits(logits(), targets(),
                                           {.weight = weight, .pos_weight = positive, .reduction = kSum})
              .item<double>() == about(4.118961506564826));
    const auto ends =
        binary_cross_entropy_with_logits(tensor({-800.0, 800.0, -50.0}, kFloat64),
                                         tensor({1.0, 0.0, 0.0}, kFloat64), {.reduction = kNone})
            .to_vector<double>();
    CHECK(ends[0] == 800);
    CHECK(ends[1] == 800);
    CHECK(ends[2] == about(std::exp(-50.0)));
    CHECK_THROWS_AS(binary_cross_entropy_with_logits(logits(), ones({3})), ShapeError);
    const Tape tape;  // weights are constants
    const Tensor one = ones({}, kFloat64).set_requires_grad();
    CHECK_THROWS_AS(binary_cross_entropy_with_logits(logits(), targets(), {.weight = one}), AutogradError);
    CHECK_THROWS_AS(binary_cross_entropy_with_logits(logits(), targets(), {.pos_weight = one}),
                    AutogradError);
}

TEST_CASE("losses: the Kullback-Leibler divergence is PyTorch's, with 0 log 0 = 0") {
    const Tensor x = log_softmax(logits(), 1);
    const Tensor q = tensor({{0.5, 0.3, 0.2}, {0.0, 1.0, 0.0}}, kFloat64);
    CHECK(kl_div(x, q, kSum).item<double>() == about(92.11770193320166));
    CHECK(kl_div(x, q).item<double>() == about(15.352950322200277));
    CHECK(kl_div(x, x.flip(0), kSum, true).item<double>() == about(5.658564344980326));
}
