// layer_norm and rms_norm against their formulas in double, dropout against its definition.
#include <doctest/doctest.h>

#include <cmath>

#include "reel.hpp"

using namespace reel;

namespace {

using std::int64_t;

Tensor spread(const Shape& sizes, double scale = 1, double offset = 0) {
    Tensor x = empty(sizes, kFloat64);
    for (int64_t i = 0; i < x.numel(); ++i) {
        x.data_ptr<double>()[i] = offset + scale * std::sin(static_cast<double>(3 * i + 1) * 1.7);
    }
    return x;
}

/// (x − μ) / √(σ² + ε) of every row of n, as it is written; without a mean for rms_norm.
std::vector<double> normalized(const Tensor& x, std::size_t n, double eps, bool centred) {
    std::vector<double> y = x.to_vector<double>();
    for (std::size_t row = 0; row < y.size(); row += n) {
        long double mean = 0;
        for (std::size_t i = 0; i < n; ++i) mean += y[row + i];
        mean = centred ? mean / static_cast<long double>(n) : 0;
        long double variance = 0;
        for (std::size_t i = 0; i < n; ++i) variance += (y[row + i] - mean) * (y[row + i] - mean);
        const long double rstd = 1 / std::sqrt(variance / static_cast<long double>(n) + eps);
        for (std::size_t i = 0; i < n; ++i) y[row + i] = static_cast<double>((y[row + i] - mean) * rstd);
    }
    return y;
}

void check_close(const Tensor& y, const std::vector<double>& expected, double tolerance) {
    const auto values = y.to_vector<double>();
    REQUIRE(values.size() == expected.size());
    double worst = 0;
    for (std::size_t i = 0; i < values.size(); ++i)
        worst = std::max(worst, std::abs(values[i] - expected[i]));
    CHECK(worst <= tolerance);
}

}  // namespace

TEST_CASE("layer_norm and rms_norm follow their formulas for every length, type and layout") {
    for (int64_t n : {1, 2, 3, 7, 8, 15, 16, 17, 33, 64, 100, 1000, 4099}) {
        const Tensor x = spread({3, n});
        const auto count = static_cast<std::size_t>(n);
        check_close(layer_norm(x, {n}), normalized(x, count, 1e-5, true), 1e-13);
        check_close(rms_norm(x, {n}), normalized(x, count, 2.220446049250313e-16, false), 1e-13);
        check_close(layer_norm(x.to(kFloat32), {n}), normalized(x.to(kFloat32), count, 1e-5, true), 2e-6);
        check_close(rms_norm(x.to(kFloat32), {n}, {}, 1e-3), normalized(x.to(kFloat32), count, 1e-3, false),
                    1e-6);
        check_close(layer_norm(x.t().contiguous().t(), {n}), normalized(x, count, 1e-5, true), 1e-13);
    }
}

TEST_CASE("layer_norm scales and shifts, over several dims") {
    const Tensor x = spread({2, 3, 4});
    const Tensor weight = spread({3, 4}, 2, 1);
    const Tensor bias = spread({3, 4}, 1, -3);
    auto expected = normalized(x, 12, 1e-5, true);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        expected[i] = expected[i] * weight.to_vector<double>()[i % 12] + bias.to_vector<double>()[i % 12];
    }
    check_close(layer_norm(x, {3, 4}, weight, bias), expected, 1e-13);
}

TEST_CASE("layer_norm loses nothing to a large mean") {
    // The variance of 1e4 + noise by E[x²] − μ² would be noise in float32.
    const Tensor x = spread({2, 512}, 1, 1e4).to(kFloat32);
    check_close(layer_norm(x, {512}), normalized(x, 512, 1e-5, true), 2e-3);  // the mean's own last bit
    check_close(layer_norm(spread({2, 512}, 1, 1e8), {512}),
                normalized(spread({2, 512}, 1, 1e8), 512, 1e-5, true), 1e-7);
}

TEST_CASE("layer_norm: torch's gradients") {
    // torch 1.13: x = [[1, 2, 4], [0, -1, 3]], weight [1, -2, 0.5], bias 0, cotangent [[1, 0, 2], [-1, 1,
    // 1]].
    const Tensor x = tensor({{1.0, 2.0, 4.0}, {0.0, -1.0, 3.0}}, kFloat64).set_requires_grad();
    const Tensor weight = tensor({1.0, -2.0, 0.5}, kFloat64).set_requires_grad();
    const Tensor bias = zeros({3}, kFloat64).set_requires_grad();
    Tape tape;
    layer_norm(x, {3}, weight, bias).backward(tensor({{1.0, 0.0, 2.0}, {-1.0, 1.0, 1.0}}, kFloat64));
    check_close(x.grad(),
                {0.34362000136861953, -0.5154308610986374, 0.17181085973001814, 0.13577166454117906,
                 -0.1018313789884614, -0.033940285552717664},
                1e-12);
    check_close(weight.grad(), {-0.6768099400357122, -0.9805789785364645, 4.045414398576794}, 1e-12);
    CHECK(bias.grad().to_vector<double>() == std::vector<double>{0, 1, 3});
}

TEST_CASE("layer_norm keeps three numbers for a row, and the same bits at every thread count") {
    const Tensor x = spread({300, 257}).to(kFloat32).set_requires_grad();
    const Tensor weight = spread({257}).to(kFloat32).set_requires_grad();
    const int threads = num_threads();
    const auto run = [&](int count) {
        set_num_threads(count);
        Tape tape;
        const Tensor y = layer_norm(x, {257}, weight);
        CHECK(tape.size() == 1);
        CHECK(tape.bytes_kept() <= (300 * 257 + 257 + 3 * 300) * 4);
        const auto gradients = grad({y}, {x, weight}, {.grad_outputs = {y.detach()}});
        return std::vector<Tensor>{y.detach(), gradients[0], gradients[1]};
    };
    const auto alone = run(1);
    const auto together = run(3);
    for (std::size_t i = 0; i < alone.size(); ++i) CHECK(together[i].equal(alone[i]));
    set_num_threads(threads);
}

TEST_CASE("layer_norm: beside a large mean nothing is lost, forward or backward") {
    const Tensor noise = spread({40, 300}).to(kFloat32);
    const Tensor x = noise + 1e4;
    const auto run = [](const Tensor& at) {
        Tape tape;
        const Tensor leaf = at.detach().set_requires_grad();
        const Tensor weight = ones({300}, at.dtype()).set_requires_grad();
        const Tensor y = layer_norm(leaf, {300}, weight);
        const auto gradients = grad({y}, {leaf, weight}, {.grad_outputs = {sin(y.detach() * 3)}});
        return std::vector<Tensor>{y.detach(), gradients[0], gradients[1]};
    };
    const auto found = run(x);
    const auto wanted = run(x.to(kFloat64));
    for (std::size_t i = 0; i < found.size(); ++i) {
        const double most = wanted[i].abs().amax().item();
        CHECK((found[i].to(kFloat64) - wanted[i]).abs().amax().item() <=
              16 * 0x1p-24 * most * (i == 2 ? 40 : 1));
    }
}

TEST_CASE("layer_norm: each gradient is the same alone as beside the others, for each of two cotangents") {
    const std::vector<Tensor> inputs = {spread({70, 9}), spread({9}, 2), spread({9}, 3)};
    const auto expected = [&](const Tensor& y_bar) {
        Tape tape;
        std::vector<Tensor> leaves;
        for (const Tensor& x : inputs) leaves.push_back(x.clone().set_requires_grad());
        const Tensor x_hat =
            (leaves[0] - leaves[0].mean(1, true)) / sqrt(leaves[0].var(1, false, true) + 1e-5);
        return grad({x_hat * leaves[1] + leaves[2]}, leaves, {.grad_outputs = {y_bar}});
    };
    const std::vector<Tensor> cotangents = {spread({70, 9}, 4), spread({70, 9}, 5)};
    for (unsigned wanted = 1; wanted < 8; ++wanted) {
        CAPTURE(wanted);
        std::vector<Tensor> in;
        for (std::size_t i = 0; i < 3; ++i)
            in.push_back(inputs[i].clone().set_requires_grad(wanted >> i & 1));
        Tape tape;
        const Tensor y = layer_norm(in[0], {9}, in[1], in[2]);
        for (const Tensor& y_bar : cotangents) {
            const auto all = expected(y_bar);
            for (std::size_t i = 0; i < 3; ++i) {
                if (!in[i].requires_grad()) continue;
                in[i].zero_grad();
                const GradOptions again{.grad_outputs = {y_bar}, .retain_graph = true};
                CHECK(grad({y}, {in[i]}, again)[0].allclose(all[i], 1e-10, 1e-12));
            }
            y.backward(y_bar, true);
            for (std::size_t i = 0; i < 3; ++i) {
                if (in[i].requires_grad()) CHECK(in[i].grad().allclose(all[i], 1e-10, 1e-12));
            }
        }
    }
}

TEST_CASE("layer_norm keeps for its bias nothing but the numbers of the rows") {
    Tape tape;
    const Tensor y = layer_norm(spread({30, 9}), {9}, spread({9}), zeros({9}, kFloat64).set_requires_grad());
    CHECK(tape.bytes_kept() == 3 * 30 * 8);
}

TEST_CASE("layer_norm: empty tensors, 16-bit types, misuse") {
    CHECK(layer_norm(ones({0, 3}), {3}).sizes() == Shape{0, 3});
    CHECK(layer_norm(ones({3, 0}), {0}).sizes() == Shape{3, 0});
    const Tensor x = spread({4, 64}).to(kBFloat16);
    CHECK(layer_norm(x, {64}).equal(layer_norm(x.to(kFloat32), {64}).to(kBFloat16)));
    CHECK(rms_norm(x, {64}, ones({64})).dtype() == kBFloat16);
    CHECK_THROWS_AS(layer_norm(ones({2, 3}), {2}), ShapeError);
    CHECK_THROWS_AS(layer_norm(ones({2, 3}), Shape{}), ShapeError);
    CHECK_THROWS_AS(layer_norm(ones({3}), {2, 3}), ShapeError);
    CHECK_THROWS_AS(layer_norm(ones({2, 3}), {3}, ones({2})), ShapeError);
    CHECK_THROWS_AS(layer_norm(ones({2, 3}), {3}, ones({3}, kFloat64)), DTypeError);
    CHECK_THROWS_AS(rms_norm(ones({2, 3}, kInt64), {3}), DTypeError);
}

TEST_CASE("dropout keeps an element with probability 1 - p, scaled by 1 / (1 - p)") {
    manual_seed(7);
    const Tensor x = full({100000}, 3.0).set_requires_grad();
    Tape tape;
    const Tensor y = dropout(x, 0.25);
    const double kept = ne(y, 0).sum().item<double>();
    CHECK(std::abs(kept - 75000) < 5 * std::sqrt(100000 * 0.25 * 0.75));
    CHECK(y.sum().item<double>() == doctest::Approx(kept * 4).epsilon(1e-6));
    y.sum().backward();
    CHECK(x.grad().mul(3.0).equal(y.detach()));
    manual_seed(7);
    CHECK(dropout(x, 0.25).equal(y));
}

TEST_CASE("dropout at its ends") {
    const Tensor x = ones({4});
    CHECK(dropout(x, 0).equal(x));
    CHECK(dropout(x, 0.5, false).equal(x));
    CHECK(dropout(x, 1).equal(zeros({4})));
    CHECK_THROWS_AS(dropout(x, -0.1), Error);
    CHECK_THROWS_AS(dropout(x, 1.5, false), Error);
    CHECK_THROWS_AS(dropout(ones({2}, kInt64)), DTypeError);
}
