// Gradients have memory of their own: nobody else sees what is done to one.
#include <doctest/doctest.h>

#include "reel.hpp"

using namespace reel;

namespace {

using Values = std::vector<double>;

Tensor leaf(const TensorData& data) { return tensor(data, kFloat64).set_requires_grad(); }
Values values(const Tensor& t) { return t.defined() ? t.to_vector<double>() : Values{}; }

}  // namespace

TEST_CASE("two gradients share no memory with each other or with the cotangent") {
    for (const bool create_graph : {false, true}) {
        CAPTURE(create_graph);
        const Tensor c = leaf({1.0, 2.0});
        const Tensor d = leaf({1.0, 2.0});
        const Tensor v = ones({2}, kFloat64);
        Tape tape;
        (c + d).backward(v, false, create_graph);
        CHECK(clip_grad_norm_({c, d}, 1) == doctest::Approx(2));
        CHECK(values(c.grad())[0] == doctest::Approx(0.5));
        CHECK(values(d.grad())[1] == doctest::Approx(0.5));
        CHECK(values(v) == Values{1, 1});
    }
}

TEST_CASE("a gradient that is the cotangent itself is a copy of it") {
    using F = Tensor (*)(const Tensor&);
    for (const F f : {F([](const Tensor& x) { return x * 1; }), F([](const Tensor& x) { return x.clone(); }),
                      F([](const Tensor& x) { return x.view({2}); }), F([](const Tensor& x) { return x; })}) {
        for (const bool create_graph : {false, true}) {
            const Tensor x = leaf({1.0, 2.0});
            const Tensor v = ones({2}, kFloat64);
            Tape tape;
            const Tensor y = f(x);
            if (!y.is_leaf()) y.retain_grad();
            y.backward(v, true, create_graph);
            CHECK(!x.grad().shares_storage(v));
            CHECK(!y.grad().shares_storage(v));
            if (!y.is_leaf()) CHECK(!y.grad().shares_storage(x.grad()));
            const auto gradients =
                grad({y, y}, {x, x, y}, {.grad_outputs = {v, v}, .create_graph = create_graph});
            CHECK(!gradients[0].shares_storage(v));
            CHECK(!gradients[0].shares_storage(gradients[1]));
            CHECK(!gradients[2].shares_storage(v));
            CHECK(values(gradients[1]) == Values{2, 2});
        }
    }
}

TEST_CASE("a gradient that a pullback has taken from elsewhere is a copy of it") {
    const Tensor x = leaf({1.0, 2.0});
    const Tensor slope = tensor({3.0, 4.0}, kFloat64);
    Tape tape;
    record("mine", x.detach().clone(), {{x, [slope](const Tensor&) { return slope; }}}).sum().backward();
    x.grad().mul_(2.0);
    CHECK(values(slope) == Values{3, 4});
}
