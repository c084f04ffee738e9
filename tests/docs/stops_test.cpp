// What TOUR.md runs at stops whose idea no other test shows alone.
#include <doctest/doctest.h>

#include "reel.hpp"

using namespace reel;

TEST_CASE("stop 5a: a clone of the output captured passes gradcheck and fails gradgradcheck") {
    const auto cloned = [](const Tensor& x) {
        const Tensor y = exp(x.detach());
        const Tensor kept = y.clone();
        return record("cloned", y, {{x, [kept](const Tensor& g) { return g * kept; }}});
    };
    const Tensor x = tensor({-0.5, 0.3, 1.1}, kFloat64);
    CHECK(gradcheck(cloned, x));
    CHECK_FALSE(gradgradcheck(cloned, x));
}

TEST_CASE("stop 6a: a value that is used twice gets both gradients") {
    const Tensor a = tensor(3.0).set_requires_grad();
    Tape tape;
    const Tensor b = a + a;
    const Tensor c = b + b;
    c.backward();
    CHECK(a.grad().item<double>() == 4);
}

TEST_CASE("stop 7: a million float32 tenths make 100000") {
    CHECK(full({1000000}, 0.1).sum().item<double>() == 100000);
}

namespace {

/// a · b whose gradient of a forgets to transpose b.
Tensor matmul_untransposed(const Tensor& a, const Tensor& b) {
    return record("matmul_untransposed", matmul(a.detach(), b.detach()),
                  {{a, [b](const Tensor& g) { return matmul(g, b); }}});
}

/// cos, whose gradient has lost its sign.
Tensor sign_lost(const Tensor& x) {
    return record("sign_lost", cos(x.detach()), {{x, [x](const Tensor& g) { return g * sin(x); }}});
}

}  // namespace

TEST_CASE("stop 8a: a lost sign passes gradgradcheck and a lost transpose passes on a symmetric matrix") {
    const Tensor x = tensor({-0.5, 0.3, 1.1}, kFloat64);
    CHECK_FALSE(gradcheck(sign_lost, x));
    CHECK(gradgradcheck(sign_lost, x));

    const Tensor a = tensor({{0.4, -1.1, 0.7}, {1.3, 0.2, -0.6}}, kFloat64);
    const Tensor symmetric = 2 * eye(3, 3, kFloat64);
    CHECK(gradcheck([&](const Tensor& t) { return matmul_untransposed(t, symmetric); }, a));
    const Tensor other = tensor({{1.0, 2.0, 0.5}, {0.0, 1.5, -1.0}, {0.3, 0.1, 2.0}}, kFloat64);
    CHECK_FALSE(gradcheck([&](const Tensor& t) { return matmul_untransposed(t, other); }, a));
}
