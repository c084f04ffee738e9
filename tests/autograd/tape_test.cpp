// The tape: recording, rewinding, nesting.
#include <doctest/doctest.h>

#include "reel.hpp"

using namespace reel;

TEST_CASE("a product's gradient is the other factor") {
    auto a = tensor({1.0, 2.0, 3.0}).set_requires_grad();
    auto b = tensor({4.0, 5.0, 6.0}).set_requires_grad();
    Tape tape;
    auto loss = (a * b).sum();
    CHECK(loss.item<float>() == 32.0f);
    loss.backward();
    CHECK(a.grad().to_vector<float>() == std::vector<float>{4, 5, 6});
    CHECK(b.grad().to_vector<float>() == std::vector<float>{1, 2, 3});
}

TEST_CASE("a broadcast input's gradient is summed down to its shape") {
    auto a = ones({2, 3}).set_requires_grad();
    auto b = ones({3}).set_requires_grad();
    Tape tape;
    ((a + b) * 2.0).sum().backward();
    CHECK(b.grad().to_vector<float>() == std::vector<float>{4, 4, 4});
}
