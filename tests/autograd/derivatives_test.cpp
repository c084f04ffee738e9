// Jacobians, hessians and their products with vectors, beside torch.autograd.functional (PyTorch 1.13).
#include <doctest/doctest.h>

#include "reel.hpp"

using namespace reel;

namespace {

using List = std::vector<Tensor>;

void check_close(const Tensor& actual, const Shape& sizes, const std::vector<double>& expected) {
    CHECK(actual.sizes() == sizes);
    const std::vector<double> values = actual.to_vector<double>();
    REQUIRE(values.size() == expected.size());
    for (std::size_t i = 0; i < values.size(); ++i)
        CHECK(values[i] == doctest::Approx(expected[i]).epsilon(1e-13));
}

const Tensor z = tensor({0.3, -1.2}, kFloat64);

Tensor scalar(const Tensor& x) { return exp(x).sum() * sigmoid(x).sum(); }
Tensor matrix(const Tensor& x) { return tanh(x.unsqueeze(0) * x.unsqueeze(1)); }

}  // namespace

TEST_CASE("jacobian has the shape of the output and the input") {
    check_close(jacobian(matrix, z), {2, 2, 2},
                {0.5951661240463695, 0, -1.0569927247630553, 0.2642481811907638, -1.0569927247630553,
                 0.2642481811907638, 0, -0.4831304937375183});
    CHECK(jacobian([](const Tensor& x) { return x.sum(); }, z).sizes() == Shape{2});
    CHECK(jacobian([](const Tensor& x) { return x * 2.0; }, tensor(1.0)).sizes() == Shape{});
    CHECK(jacobian([](const Tensor& x) { return x * 2.0; }, zeros({0, 3})).sizes() == Shape{0, 3, 0, 3});
    check_close(jacobian([](const Tensor&) { return ones({2}); }, z), {2, 2}, {0, 0, 0, 0});
}

TEST_CASE("hessian and hvp") {
    check_close(hessian(scalar, z), {2, 2},
                {1.6877515313178812, 0.3137618060609789, 0.3137618060609789, 0.5076378301039188});
    const auto [y, product] = hvp(scalar, z, tensor({1.0, -2.0}, kFloat64));
    check_close(y, {}, {1.33061290704492685});
    check_close(product, {2}, {1.06022791919592341, -0.70151385414685885});
    check_close(hessian([](const Tensor& x) { return x.sum(); }, z), {2, 2}, {0, 0, 0, 0});
}

TEST_CASE("vjp") {
    const auto [y, product] = vjp(matrix, z, tensor({{1.0, 2.0}, {3.0, -1.0}}, kFloat64));
    check_close(y, {2, 2},
                {0.0897577847471601, -0.34521403413552088, -0.34521403413552088, 0.89369772720387253});
    check_close(product, {2}, {-4.6897974997689067, 1.80437139969133731});
    const auto [s, gradient] = vjp([](const Tensor& x) { return (x * x).sum(); }, z);
    check_close(s, {}, {1.53});
    check_close(gradient, {2}, {0.6, -2.4});
}

TEST_CASE("derivatives by several inputs") {
    const auto f = [](const List& x) { return (x[0] * x[0] * x[1]).sum(); };
    const List at = {tensor({2.0, 3.0}, kFloat64), tensor(5.0, kFloat64)};
    const List slopes = jacobian(f, at);
    check_close(slopes[0], {2}, {20, 30});
    check_close(slopes[1], {}, {13});
    const std::vector<List> blocks = hessian(f, at);
    check_close(blocks[0][0], {2, 2}, {10, 0, 0, 10});
    check_close(blocks[0][1], {2}, {4, 6});
    check_close(blocks[1][0], {2}, {4, 6});
    check_close(blocks[1][1], {}, {0});
    const auto [y, products] = hvp(f, at, List{tensor({1.0, -1.0}, kFloat64), tensor(2.0, kFloat64)});
    check_close(products[0], {2}, {18, 2});
    check_close(products[1], {}, {-2});
    CHECK(vjp(f, at).second[1].item<double>() == 13);
}

TEST_CASE("derivatives disturb no tape, and are constants") {
    const auto w = tensor({1.0, 2.0}, kFloat64).set_requires_grad();
    Tape tape;
    const Tensor v = w * 2.0;
    const Tensor j = jacobian([&](const Tensor& x) { return x * v; }, w);
    check_close(j, {2, 2}, {2, 0, 0, 4});
    CHECK_FALSE(j.requires_grad());
    CHECK(tape.size() == 1);
    CHECK_FALSE(w.grad().defined());
    const NoGradGuard quiet;
    check_close(jacobian([](const Tensor& x) { return x * x; }, w), {2, 2}, {2, 0, 0, 4});
}

TEST_CASE("derivatives refuse what has none") {
    const auto twice = [](const Tensor& x) { return x * 2.0; };
    CHECK_THROWS_AS(hessian(twice, z), ShapeError);
    CHECK_THROWS_AS(hvp(twice, z, z), ShapeError);
    CHECK_THROWS_AS(hvp(scalar, z, tensor({1.0})), ShapeError);
    CHECK_THROWS_AS(vjp(twice, z), ShapeError);
    CHECK_THROWS_AS(vjp(twice, z, ones({3})), ShapeError);
    CHECK_THROWS_AS(jacobian(twice, tensor({1, 2})), DTypeError);
    CHECK_THROWS_AS(jacobian([](const Tensor& x) { return List{x, x}; }, z), Error);
}
