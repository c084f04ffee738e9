// Tapes within tapes, and on several threads.
#include <doctest/doctest.h>

#include <memory>
#include <thread>

#include "reel.hpp"

using namespace reel;

namespace {

Tensor leaf(const TensorData& data) { return tensor(data, kFloat64).set_requires_grad(); }

}  // namespace

TEST_CASE("the innermost tape records, its end restores the outer one") {
    const Tensor x = leaf(2.0);
    Tape outer;
    const Tensor a = x * 2.0;
    {
        Tape inner;
        const Tensor b = x * 3.0;
        CHECK(inner.size() == 1);
        CHECK(outer.size() == 1);
        CHECK(b.requires_grad());
    }
    const Tensor c = x * 4.0;
    CHECK(outer.size() == 2);
    (a + c).backward();
    CHECK(x.grad().item<double>() == 6);
}

TEST_CASE("values of an outer tape are leaves of the inner one, and gradients go on through them") {
    const Tensor x = leaf(3.0);
    Tape outer;
    const Tensor a = x * x;
    a.retain_grad();
    {
        Tape middle;
        const Tensor b = a * 2.0;
        Tape inner;
        const Tensor c = b * a * x;  // 2a²x = 2x⁵
        c.backward();
        CHECK(x.grad().item<double>() == 10 * 81);
        CHECK(a.grad().item<double>() == 4 * 27);
    }
}

TEST_CASE("grad across tapes counts every way once") {
    const Tensor x = leaf(3.0);
    Tape outer;
    const Tensor a = x * x;
    Tape inner;
    const Tensor c = a * a * x;  // x⁵
    const GradOptions keep{.retain_graph = true};
    CHECK(grad({c}, {a}, keep)[0].item<double>() == 2 * 27);
    CHECK(grad({c}, {x}, keep)[0].item<double>() == 5 * 81);
    const auto both = grad({c}, {x, a}, keep);
    CHECK(both[0].item<double>() == 5 * 81);
    CHECK(both[1].item<double>() == 2 * 27);
    CHECK(grad({a}, {x}, keep)[0].item<double>() == 6);
    CHECK_FALSE(x.grad().defined());
}

TEST_CASE("grad on an inner tape leaves outer tapes alone that it does not need") {
    const Tensor x = leaf(3.0);
    Tape outermost;
    const Tensor a = x * x;
    Tape outer;
    const Tensor b = a * a;
    Tape inner;
    const Tensor w = leaf(2.0);
    CHECK(grad({b * w}, {w})[0].item<double>() == 81);
    CHECK_FALSE(outer[0].freed);
    CHECK_FALSE(outermost[0].freed);
    b.backward();
    CHECK(x.grad().item<double>() == 4 * 27);
}

TEST_CASE("create_graph reaches across tapes") {
    const Tensor x = leaf(3.0);
    Tape outer;
    const Tensor a = x * x;
    Tape inner;
    const Tensor slope = grad({a * a}, {x}, {.create_graph = true})[0];  // 4x³
    CHECK(slope.item<double>() == 4 * 27);
    CHECK(grad({slope}, {x})[0].item<double>() == 12 * 9);
}

TEST_CASE("values of an outer tape are not overwritten while an inner one records") {
    const Tensor x = leaf(3.0);
    Tape outer;
    const Tensor a = x * x;
    Tape inner;
    CHECK_THROWS_AS(a.add_(1.0), AutogradError);
    CHECK(a.item<double>() == 9);
}

TEST_CASE("tapes may end in any order") {
    const Tensor x = leaf(3.0);
    auto first = std::make_unique<Tape>();
    auto second = std::make_unique<Tape>();
    first.reset();
    const Tensor y = x * x;
    CHECK(second->size() == 1);
    y.backward();
    CHECK(x.grad().item<double>() == 6);
    second.reset();
    CHECK_FALSE((x * x).requires_grad());
}

TEST_CASE("each thread has its own tape; leaves are shared") {
    const Tensor w = full({64}, 0.5, kFloat64).set_requires_grad();
    constexpr int kThreads = 4;
    constexpr int kSteps = 50;
    Tape mine;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&w, t] {
            for (int step = 0; step < kSteps; ++step) {
                Tape tape;
                (w * static_cast<double>(t + 1)).sum().backward();
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(mine.size() == 0);
    CHECK(w.grad().to_vector<double>() == std::vector<double>(64, kSteps * (1 + 2 + 3 + 4)));
}

TEST_CASE("a value of another thread's tape is a constant") {
    const Tensor x = leaf(3.0);
    Tape tape;
    const Tensor y = x * x;
    std::thread([&y] {
        CHECK_FALSE(y.requires_grad());
        Tape other;
        CHECK_THROWS_AS((y * 2.0).backward(), AutogradError);
    }).join();
    y.backward();
    CHECK(x.grad().item<double>() == 6);
}

TEST_CASE("nesting: a leaf among the outputs is no obstacle where the inner tape leads to no input") {
    const Tensor x = leaf({1.0, 2.0});
    const Tensor w = leaf(3.0);
    const Tape outer;
    const Tensor y = (x * x).sum();
    const Tape inner;
    const Tensor square = w * w;
    CHECK(equal(grad({w, y}, {x})[0], tensor({2.0, 4.0}, kFloat64)));
}
