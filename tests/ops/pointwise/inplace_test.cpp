// In-place operations: values under overlap, refusals, and what the tape makes of overwritten values.
// Expected gradients are PyTorch's (those of y.mul_(y) and y.mul_(y.t()), which it refuses, of y * y and y *
// y.t()).
#include <doctest/doctest.h>

#include "reel.hpp"

using namespace reel;

namespace {

using Values = std::vector<double>;

/// A leaf: first, first + 1, …
Tensor leaf(const Shape& sizes, double first = 1) {
    return (arange(numel(sizes), kFloat64) + first).view(sizes).set_requires_grad();
}

struct Gradients {
    std::vector<Values> first;   ///< of f's result, for each leaf
    std::vector<Values> second;  ///< of the sum of the squares of all these
};

/// `f` makes a number of the leaves.
template <class F>
Gradients gradients(const std::vector<Tensor>& leaves, const F& f) {
    Tape tape;
    const std::vector<Tensor> first = grad({f()}, leaves, {.create_graph = true});
    Tensor squares = zeros({}, kFloat64);
    for (const Tensor& g : first) squares = squares + (g * g).sum();
    const std::vector<Tensor> second = grad({squares}, leaves);
    Gradients values;
    for (const Tensor& g : first) values.first.push_back(g.to_vector<double>());
    for (const Tensor& g : second) values.second.push_back(g.to_vector<double>());
    return values;
}

void check_close(const std::vector<Values>& found, const std::vector<Values>& wanted) {
    REQUIRE(found.size() == wanted.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        CAPTURE(i);
        REQUIRE(found[i].size() == wanted[i].size());
        for (std::size_t k = 0; k < found[i].size(); ++k) {
            CHECK(found[i][k] == doctest::Approx(wanted[i][k]).epsilon(1e-14));
        }
    }
}

void check(const Gradients& found, const std::vector<Values>& first, const std::vector<Values>& second) {
    check_close(found.first, first);
    check_close(found.second, second);
}

}  // namespace

TEST_CASE("pointwise operations do nothing with a view of no elements whose rows are long") {
    const Tensor rows = ones({5, 3, 128}).narrow(2, 0, 64);
    const Tensor none = rows.narrow(1, 0, 0);
    none.add_(1);
    none.mul_(none);
    CHECK((none + none).sizes() == Shape{5, 0, 64});
    CHECK((none * zeros({64})).sizes() == Shape{5, 0, 64});
    CHECK(rows.sum().item() == 5 * 3 * 64);
}

TEST_CASE("in place: right where source and destination overlap") {
    const auto fresh = [] { return arange(9).view({3, 3}).contiguous(); };
    Tensor x = fresh();
    x.slice(0, 1).copy_(x.slice(0, 0, -1));
    CHECK(x.to_vector<int>() == std::vector<int>{0, 1, 2, 0, 1, 2, 3, 4, 5});
    x = fresh();
    x.slice(0, 0, -1).copy_(x.slice(0, 1));
    CHECK(x.to_vector<int>() == std::vector<int>{3, 4, 5, 6, 7, 8, 6, 7, 8});
    x = fresh();
    x.copy_(x.t());
    CHECK(x.to_vector<int>() == std::vector<int>{0, 3, 6, 1, 4, 7, 2, 5, 8});
    x = fresh();
    x.add_(x.t());
    CHECK(x.to_vector<int>() == std::vector<int>{0, 4, 8, 4, 8, 12, 8, 12, 16});
    const Tensor row = arange(100, kFloat32);  // longer than any vector, and dense on both sides
    row.slice(0, 1).add_(row.slice(0, 0, -1));
    CHECK(equal(row, clamp(arange(100, kFloat32) * 2 - 1, 0)));
    x = fresh();
    x.copy_(x.flip({0, 1}));
    CHECK(x.to_vector<int>() == std::vector<int>{8, 7, 6, 5, 4, 3, 2, 1, 0});
    x = fresh();
    x.sub_(x[0]);
    CHECK(x.to_vector<int>() == std::vector<int>{0, 0, 0, 3, 3, 3, 6, 6, 6});
    x = fresh();
    x.flip(0).mul_(x.select(1, 1));
    CHECK(x.to_vector<int>() == std::vector<int>{0, 4, 14, 3, 16, 35, 6, 28, 56});
    x = arange(1000000);
    x.slice(0, 1).copy_(x.slice(0, 0, -1));
    CHECK(x[999999].item<int>() == 999998);
    x.copy_(x);
    CHECK(x[1].item<int>() == 0);
}

TEST_CASE("in place: operators, numbers, types") {
    Tensor x = tensor({1.0, 2.0, 4.0});
    x += 1;
    x *= tensor(2);
    x -= tensor({1, 2, 3});
    x /= 2;
    CHECK(x.to_vector<double>() == Values{1.5, 2, 3.5});
    x.add_(tensor({1.0, 1.0, 1.0}, kFloat64), 2).sub_(1, 3);
    CHECK(x.to_vector<double>() == Values{0.5, 1, 2.5});
    CHECK(x.dtype() == kFloat32);
    const Tensor counts = tensor({1, 2, 3});
    counts.mul_(3).sub_(1).copy_(counts.to(kFloat32) + 0.5);
    CHECK(counts.to_vector<int>() == std::vector<int>{2, 5, 8});
    counts.select(0, 1).fill_(tensor(7.9));
    CHECK(counts.to_vector<int>() == std::vector<int>{2, 7, 8});
    CHECK(tensor(1.0).zero_().item<double>() == 0);
    CHECK(empty({0, 3}).fill_(1).add_(2).numel() == 0);
}

TEST_CASE("in place: misuse throws and changes nothing") {
    const Tensor x = ones({2, 3});
    const Tensor n = ones({3}, kInt64);
    const Tensor b = ones({3}, kBool);
    CHECK_THROWS_AS(x.expand({4, 2, 3}).add_(1), ShapeError);
    CHECK_THROWS_AS(ones({1}).expand({2}).fill_(1), ShapeError);
    CHECK_THROWS_AS(x.copy_(ones({4, 2, 3})), ShapeError);
    CHECK_THROWS_AS(x.mul_(ones({2})), ShapeError);
    CHECK_THROWS_AS(ones({1, 3}).add_(x), ShapeError);
    CHECK_THROWS_AS(x.fill_(ones({1})), ShapeError);
    CHECK_THROWS_AS(n.add_(0.5), DTypeError);
    CHECK_THROWS_AS(n.mul_(ones({3})), DTypeError);
    CHECK_THROWS_AS(n.div_(2), DTypeError);
    CHECK_THROWS_AS(n.div_(n), DTypeError);
    CHECK_THROWS_AS(b.add_(n), DTypeError);
    CHECK_THROWS_WITH_AS(b.sub_(b), "sub_: bool operands are not supported; use logical_xor", DTypeError);
    CHECK_THROWS_AS(b.sub_(1), DTypeError);
    CHECK(equal(x, ones({2, 3})));
    CHECK(equal(n, ones({3}, kInt64)));
}

TEST_CASE("in place: on a recorded value, to second order") {
    Tensor a = leaf({3});
    Tensor b = leaf({3}, 0.5);
    check(gradients({a, b},
                    [&] {
                        const Tensor y = a * a;
                        y.mul_(b);
                        return (y * y).sum();
                    }),
          {{1, 72, 675}, {1, 48, 405}}, {{14, 24768, 1348650}, {12, 16896, 860220}});
    check(gradients({a, b},
                    [&] {
                        const Tensor y = a * a;
                        y.div_(b);
                        return (y * y).sum();
                    }),
          {{16, 14.222222222222221, 17.28}, {-16, -9.481481481481481, -10.368}},
          {{3584, 966.4087791495199, 883.8512640000001}, {-5120, -898.9849108367625, -735.7464576}});
    check(gradients({a, b},
                    [&] {
                        const Tensor y = a * a;
                        y.add_(b, 2);
                        y.sub_(a, 3);
                        return (y * y).sum();
                    }),
          {{2, 2, 30}, {-4, 4, 20}}, {{24, 56, 2760}, {-80, 80, 1040}});
    check(gradients({a},
                    [&] {
                        const Tensor y = a * a;
                        y.mul_(y);
                        return y.sum();
                    }),
          {{4, 32, 108}}, {{96, 3072, 23328}});
    a = leaf({2, 2});
    check(gradients({a},
                    [&] {
                        const Tensor y = a * a;
                        y.mul_(y.t());
                        return y.sum();
                    }),
          {{4, 72, 48, 256}}, {{96, 9792, 8448, 98304}});
}

TEST_CASE("in place: on a view of a recorded value") {
    const Tensor a = leaf({2, 3});
    Tensor h = leaf({2}, 0.5);
    check(gradients({a, h},
                    [&] {
                        const Tensor y = a * a;
                        y.select(1, 1).copy_(h * h);
                        return (y * y).sum();
                    }),
          {{4, 0, 108, 256, 0, 864}, {0.5, 13.5}}, {{96, 0, 23328, 98304, 0, 746496}, {3, 729}});
    check(gradients({a},
                    [&] {
                        const Tensor y = a * a;
                        y[0] *= 2;
                        return (y * y).sum();
                    }),
          {{16, 128, 432, 256, 500, 864}}, {{1536, 49152, 373248, 98304, 300000, 746496}});
    h = leaf({3}, 0.5);
    check(gradients({a, h},
                    [&] {
                        const Tensor y = a * a;
                        y[0].mul_(h);
                        y.t()[1].add_(h.slice(0, 0, 2));
                        return (y * y * y).sum();
                    }),
          {{0.75, 760.5, 22781.25, 6144, 21067.5, 46656}, {127.5, 2613.75, 13668.75}},
          {{1153.125, 10316796.75, 2477290078.125, 94371840, 855794047.5, 3627970560},
           {1182120.75, 73322365.5, 1544500406.25}});
}

TEST_CASE("in place: on a view of a value that is not row-major") {
    const Tensor a = leaf({2, 3});
    const Tensor h = leaf({2}, 0.5);
    check(gradients({a},
                    [&] {
                        const Tensor y = (a * a).t() * 1;
                        REQUIRE(!y.is_contiguous());
                        y[0].mul_(5);
                        return (y * y).sum();
                    }),
          {{100, 32, 108, 6400, 500, 864}}, {{60000, 3072, 23328, 61440000, 300000, 746496}});
    check(gradients({a, h},
                    [&] {
                        const Tensor y = a.t() * 2;
                        y[1].copy_(h);
                        y[2].mul_(h);
                        return (y * y * y).sum();
                    }),
          {{24, 0, 27, 384, 0, 2916}, {162.75, 11670.75}},
          {{2304, 0, 53703, 147456, 0, 141796332}, {220648.5, 397229305.5}});
}

TEST_CASE("in place: recorded values written into constants") {
    const Tensor h = leaf({3}, 0.5);
    check(gradients({h},
                    [&] {
                        const Tensor out = zeros({3, 2}, kFloat64);
                        out.select(1, 0).copy_(h);
                        out.select(1, 1).copy_(h * h);
                        return (out * out).sum();
                    }),
          {{1.5, 16.5, 67.5}}, {{15, 957, 10395}});
}

TEST_CASE("in place: views taken before a write see its history after it") {
    const Tensor a = leaf({2, 3});
    const Tensor h = leaf({3}, 0.5);
    check(gradients({a},
                    [&] {
                        const Tensor y = a * a;
                        const Tensor v = y[1];
                        const Tensor w = y.t();
                        y.mul_(3);
                        return (v * v).sum() + (w * w * w).sum();
                    }),
          {{162, 5184, 39366, 168192, 510750, 1267488}},
          {{262440, 134369280, 5165606520, 70333857792, 519892425000, 2670972392448}});
    check(gradients({a, h},
                    [&] {
                        const Tensor y = a * a;
                        const Tensor v = y[1];
                        const Tensor w = v.slice(0, 1);
                        const Tensor u = y.view(6);
                        v.copy_(h * h);
                        return (w * w).sum() + (u * u * u).sum();
                    }),
          {{6, 192, 1458, 0, 0, 0}, {0.1875, 59.0625, 648.4375}},
          {{360, 184320, 7085880, 0, 0, 0}, {0.703125, 21129.609375, 1617041.015625}});
}

TEST_CASE("in place: zero_ and fill_ cut the gradient where they write") {
    const Tensor a = leaf({4});
    check(gradients({a},
                    [&] {
                        const Tensor y = a * a;
                        y.slice(0, 1, 3).zero_();
                        return (y * y).sum();
                    }),
          {{4, 0, 0, 256}}, {{96, 0, 0, 98304}});
    Tape tape;
    const Tensor y = a * a;
    y.fill_(2);
    y.sum().backward();
    CHECK(a.grad().to_vector<double>() == std::vector<double>(4, 0.0));
}

TEST_CASE("in place: a saved value that is overwritten is an error at backward") {
    const Tensor a = leaf({2, 2});
    const char* message =
        "backward: a value that exp (node 0) saved has since been overwritten by mul_; write "
        "to a clone(), or use the out-of-place operation";
    {
        Tape tape;
        const Tensor y = a.exp();
        y[0].mul_(2);
        CHECK_THROWS_WITH_AS(y.sum().backward(), message, AutogradError);
        CHECK(!a.grad().defined());
    }
    {
        Tape tape;
        const Tensor y = a.exp();
        y.detach().mul_(2);
        CHECK_THROWS_WITH_AS(y.sum().backward(), message, AutogradError);
    }
    {
        Tape tape;
        const Tensor y = a * 2;  // keeps nothing of y
        y.mul_(2);
        y.sum().backward();
        CHECK(a.grad().to_vector<double>() == Values{4, 4, 4, 4});
    }
}

TEST_CASE("in place: a leaf that requires grad is not overwritten while a tape records") {
    const Tensor a = leaf({2, 2});
    a.mul_(2);
    {
        Tape tape;
        CHECK_THROWS_AS(a.add_(1), AutogradError);
        CHECK_THROWS_AS(a[0].zero_(), AutogradError);
        CHECK_THROWS_AS(a.t().copy_(ones({2, 2})), AutogradError);
        CHECK(tape.size() == 2);
        const NoGradGuard quiet;
        a.sub_(1);
        a[1].fill_(0);
    }
    CHECK(a.to_vector<double>() == Values{1, 3, 0, 0});
    CHECK(a.requires_grad());
}

TEST_CASE("in place: the retained gradient is that of the newest value") {
    const Tensor a = leaf({3});
    Tape tape;
    const Tensor y = a * 2;
    y.retain_grad();
    y.mul_(3);
    (y * y).sum().backward();
    CHECK(y.grad().to_vector<double>() == Values{12, 24, 36});
}

TEST_CASE("in place: a result that is its input writes through to it") {
    const Tensor a = leaf({3});
    Tape tape;
    const Tensor y = a * 2;
    const Tensor same = record("same", y, {{y, [](const Tensor& g) { return g; }}});
    same.mul_(3);
    y.sum().backward();
    CHECK(a.grad().to_vector<double>() == Values{6, 6, 6});
}
