// A derivative that vanishes is zero: not an error, and not nothing.
#include <doctest/doctest.h>

#include <functional>

#include "reel.hpp"

using namespace reel;

namespace {

using List = std::vector<Tensor>;
using Values = std::vector<double>;

Tensor leaf(const TensorData& data, DType dtype = kFloat64) {
    return tensor(data, dtype).set_requires_grad();
}
Values values(const Tensor& t) { return t.defined() ? t.to_vector<double>() : Values{}; }

/// An operation whose derivative for x of shape [3] is zero everywhere.
struct Flat {
    const char* name;
    std::function<Tensor(const Tensor&)> f;
};

const std::vector<Flat> kFlat = {
    {"round", [](const Tensor& x) { return x.round(); }},
    {"sign", [](const Tensor& x) { return x.sign(); }},
    {"floor", [](const Tensor& x) { return x.floor(); }},
    {"ceil", [](const Tensor& x) { return x.ceil(); }},
    {"trunc", [](const Tensor& x) { return x.trunc(); }},
    {"bernoulli", [](const Tensor& x) { return x.bernoulli(); }},
    {"norm, p = 0", [](const Tensor& x) { return x.norm(0); }},
    {"fill_", [](const Tensor& x) { return x.clone().fill_(2); }},
    {"fill_ with a tensor", [](const Tensor& x) { return x.clone().fill_(tensor(2.0)); }},
    {"zero_", [](const Tensor& x) { return x.clone().zero_(); }},
    {"copy_", [](const Tensor& x) { return x.clone().copy_(zeros({3})); }},
    {"index_put_ over all", [](const Tensor& x) { return x.clone().index_put_({Slice()}, 1); }},
    {"index_put_ over all, by index",
     [](const Tensor& x) {
         return x.clone().index_put_({tensor({0, 1, 2})}, 1);
     }},
    {"masked_fill over all", [](const Tensor& x) { return x.masked_fill(ones({3}, kBool), 1); }},
    {"masked_fill_ over all", [](const Tensor& x) { return x.clone().masked_fill_(ones({3}, kBool), 1); }},
    {"addmm with beta = 0",
     [](const Tensor& x) {
         return addmm(x, ones({2, 2}, x.dtype()), ones({2, 3}, x.dtype()), 0);
     }},
    {"clamp outside", [](const Tensor& x) { return x.clamp(5, 6); }},
    {"pow(x, 0)", [](const Tensor& x) { return x.pow(0); }},
    {"relu below", [](const Tensor& x) { return (x - 10).relu(); }},
    {"a view that is filled",
     [](const Tensor& x) {
         const Tensor y = x.clone();
         y.view({3, 1}).fill_(2);
         return y;
     }},
};

}  // namespace

TEST_CASE("where the derivative vanishes the gradient is zero, not missing") {
    for (const DType dtype : {kFloat64, kFloat32, kFloat16, kBFloat16}) {
        for (const Flat& flat : kFlat) {
            CAPTURE(flat.name);
            CAPTURE(dtype);
            const Tensor x = leaf({0.25, 0.5, 0.75}, dtype);
            {
                Tape tape;
                flat.f(x).sum().backward();
                CHECK(values(x.grad()) == Values{0, 0, 0});
            }
            Tape tape;
            const Tensor y = flat.f(x * 2.0 / 2.0);
            const Tensor g = grad({y.sum()}, {x}, {.create_graph = true})[0];
            CHECK(values(g) == Values{0, 0, 0});
            CHECK(values(grad({g.sum()}, {x})[0]) == Values{0, 0, 0});
        }
    }
}

TEST_CASE("an empty tensor that cat skips has a gradient") {
    const Tensor skipped = zeros({0}).set_requires_grad();
    const Tensor x = ones({2, 2}).set_requires_grad();
    Tape tape;
    cat({skipped, x}, 0).sum().backward();
    REQUIRE(skipped.grad().defined());
    CHECK(skipped.grad().sizes() == Shape{0});
    CHECK(values(x.grad()) == Values{1, 1, 1, 1});
    skipped.zero_grad();
    cat({skipped, skipped}).sum().backward();
    CHECK(skipped.grad().defined());
}

TEST_CASE("a zero is not multiplied on its way: no NaN comes of 0 * inf") {
    const Tensor x = leaf({0.0, 2.0});
    Tape tape;
    x.log().round().sum().backward();
    CHECK(values(x.grad()) == Values{0, 0});
}

TEST_CASE("hooks and retained gradients see the zero, and a hook may replace it") {
    const Tensor x = leaf({1.0, 2.0});
    Tape tape;
    const Tensor y = x * 3.0;
    y.retain_grad();
    y.register_hook([](const Tensor& g) { return g + 1; });
    y.round().sum().backward();
    CHECK(values(y.grad()) == Values{1, 1});
    CHECK(values(x.grad()) == Values{3, 3});
}

TEST_CASE("a gradient that does not depend on an input has derivative zero for it") {
    const Tensor x = leaf({1.0, -2.0, 3.0});
    SUBCASE("piecewise linear") {
        const std::vector<std::function<Tensor(const Tensor&)>> functions = {
            [](const Tensor& t) { return t.relu(); },
            [](const Tensor& t) { return t * 3.0; },
            [](const Tensor& t) { return t.abs(); },
            [](const Tensor& t) { return t.clone(); },
            [](const Tensor& t) { return t.flip({0}).cumsum(0); },
            [](const Tensor& t) { return t.amax(); },
            [](const Tensor& t) { return t.sort().values; },
            [](const Tensor& t) { return t; },
        };
        for (const auto& f : functions) {
            x.zero_grad();
            Tape tape;
            const Tensor g = grad({f(x).sum()}, {x}, {.create_graph = true})[0];
            CHECK(g.requires_grad());
            g.square().sum().backward();
            CHECK(values(x.grad()) == Values{0, 0, 0});
        }
    }
    SUBCASE("after backward with create_graph") {
        Tape tape;
        x.relu().sum().backward({}, false, true);
        const Tensor g = x.grad();
        x.zero_grad();
        g.square().sum().backward();
        CHECK(values(x.grad()) == Values{0, 0, 0});
    }
    SUBCASE("of a net: zero for the input, as ever for the weights") {
        const Tensor w = leaf({{1.0, -1.0}, {0.5, 2.0}, {1.5, 0.25}});
        const Tensor b = leaf({0.5, 0.5});
        Tape tape;
        const Tensor y = (x.unsqueeze(0).matmul(w) + b).relu().sum();
        const Tensor g = grad({y}, {x}, {.create_graph = true})[0];
        const List second = grad({g.square().sum()}, {x, w, b});
        CHECK(values(second[0]) == Values{0, 0, 0});
        CHECK(values(second[2]) == Values{0, 0});
        CHECK(values(second[1]) != Values{0, 0, 0, 0, 0, 0});
    }
    SUBCASE("of another leaf, of a value, at the third order, on an outer tape") {
        const Tensor w = leaf({2.0, 2.0, 2.0});
        Tape outer;
        const Tensor y = x * 2.0;
        Tape tape;
        const Tensor z = (y * w).sum();
        const Tensor g = grad({z}, {w}, {.create_graph = true})[0];  // it is y
        CHECK(values(grad({g.sum()}, {w}, {.retain_graph = true})[0]) == Values{0, 0, 0});
        CHECK(values(grad({g.sum()}, {y}, {.retain_graph = true})[0]) == Values{1, 1, 1});
        const Tensor h = grad({g.sum()}, {y}, {.create_graph = true})[0];
        CHECK(values(grad({h.sum()}, {x})[0]) == Values{0, 0, 0});
    }
    SUBCASE("an input that no output reaches is still an error") {
        const Tensor other = leaf(1.0);
        Tape tape;
        const Tensor y = x.relu().sum();
        CHECK_THROWS_AS(grad({y}, {other}, {.create_graph = true}), AutogradError);
        const Tensor g = grad({y}, {x}, {.create_graph = true})[0];
        CHECK_THROWS_AS(grad({g.sum()}, {other}), AutogradError);
        CHECK(!grad({g.sum()}, {other}, {.allow_unused = true})[0].defined());
    }
}
