// Hooks and retained gradients.
#include <doctest/doctest.h>

#include "reel.hpp"

using namespace reel;

namespace {

Tensor leaf(const TensorData& data) { return tensor(data, kFloat64).set_requires_grad(); }

}  // namespace

TEST_CASE("a hook sees the complete gradient, once") {
    const Tensor x = leaf(3.0);
    std::vector<double> seen;
    const auto note = [&seen](const Tensor& g) { seen.push_back(g.item<double>()); };
    SUBCASE("of a value") {
        Tape tape;
        const Tensor y = x * 2.0;
        y.register_hook(note);
        (y * y + y).backward();
        CHECK(seen == std::vector<double>{13});
    }
    SUBCASE("of a leaf") {
        x.register_hook(note);
        Tape tape;
        (x * x + x).backward();
        CHECK(seen == std::vector<double>{7});
        grad({x * 2.0}, {x});
        CHECK(seen == std::vector<double>{7, 2});
    }
    SUBCASE("of a leaf that two tapes read") {
        x.register_hook(note);
        Tape outer;
        const Tensor y = x * 2.0;
        Tape inner;
        (y * x).backward();
        CHECK(seen == std::vector<double>{12});
        CHECK(x.grad().item<double>() == 12);
    }
}

TEST_CASE("a hook may replace the gradient") {
    const Tensor x = leaf({1.0, 2.0});
    Tape tape;
    const Tensor y = x * 1.0;
    y.register_hook([](const Tensor& g) { return g * 10.0; });
    const std::int64_t second = y.register_hook([](const Tensor& g) { return g + 1.0; });
    CHECK(grad({y.sum()}, {y}, {.retain_graph = true})[0].to_vector<double>() == std::vector<double>{11, 11});
    y.sum().backward({}, true);
    CHECK(x.grad().to_vector<double>() == std::vector<double>{11, 11});
    y.remove_hook(second);
    x.zero_grad();
    x.register_hook([](const Tensor& g) { return g.to(kFloat32) * 2.0; });
    y.sum().backward({}, true);
    CHECK(x.grad().dtype() == kFloat64);
    CHECK(x.grad().to_vector<double>() == std::vector<double>{20, 20});
    y.register_hook([](const Tensor&) { return ones({3}); });
    CHECK_THROWS_AS(y.sum().backward(), AutogradError);
    CHECK(x.grad().to_vector<double>() == std::vector<double>{20, 20});
}

TEST_CASE("a hook may register and remove hooks") {
    const Tensor x = leaf(1.0);
    Tape tape;
    const Tensor y = x * 1.0;
    int calls = 0;
    std::int64_t number = 0;
    number = y.register_hook([&](const Tensor&) {
        y.remove_hook(number);
        for (int i = 0; i < 100; ++i) y.register_hook([&calls](const Tensor&) { ++calls; });
    });
    y.backward({}, true);
    CHECK(calls == 0);
    y.backward();
    CHECK(calls == 100);
}

TEST_CASE("a hook is part of the graph that create_graph records") {
    const Tensor x = leaf(3.0);
    Tape tape;
    const Tensor y = x * x;
    const std::int64_t hook = y.register_hook([](const Tensor& g) { return g * g; });
    const Tensor slope = grad({y * y}, {x}, {.create_graph = true})[0];  // (2y)² 2x = 8x⁵
    CHECK(slope.item<double>() == 8 * 243);
    y.remove_hook(hook);  // or the second gradient would pass through it, too
    CHECK(grad({slope}, {x})[0].item<double>() == 40 * 81);
}

TEST_CASE("retain_grad keeps the gradient of a value") {
    const Tensor x = leaf({1.0, 2.0});
    Tape tape;
    const Tensor y = x * 3.0;
    CHECK_THROWS_AS(y.grad(), AutogradError);
    y.retain_grad();
    y.retain_grad();
    CHECK_FALSE(y.grad().defined());
    (y * y).sum().backward({}, true);
    CHECK(y.grad().to_vector<double>() == std::vector<double>{6, 12});
    CHECK(x.grad().to_vector<double>() == std::vector<double>{18, 36});
    y.sum().backward();
    CHECK(y.grad().to_vector<double>() == std::vector<double>{7, 13});
    CHECK(y.grad().is_contiguous());
    x.retain_grad();  // a leaf has it anyway
    CHECK_THROWS_AS(tensor({1.0}).retain_grad(), AutogradError);
    CHECK_THROWS_AS(tensor({1.0}).register_hook([](const Tensor&) {}), AutogradError);
}
