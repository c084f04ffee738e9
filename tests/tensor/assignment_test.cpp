// Assignment: to a name it rebinds, to a temporary it writes to what that shows.
#include <doctest/doctest.h>

#include "reel.hpp"
#include "tests/messages.hpp"

using namespace reel;
using reel::testing::contains;
using reel::testing::message_of;

namespace {

using Values = std::vector<double>;

Values values(const Tensor& t) { return t.to_vector<double>(); }

}  // namespace

TEST_CASE("assignment to a view that has no name writes through it") {
    const Tensor y = zeros({2, 3});
    y[0] = ones({3});
    CHECK(values(y) == Values{1, 1, 1, 0, 0, 0});
    y.index({1, Slice(1)}) = 5.0;
    CHECK(values(y) == Values{1, 1, 1, 0, 5, 5});
    y(0, 1) = 7;
    CHECK(values(y) == Values{1, 7, 1, 0, 5, 5});
    y.select(1, 0) = tensor({8, 9});  // converted
    CHECK(values(y) == Values{8, 7, 1, 9, 5, 5});
    y.t()[2] = tensor(4.0f);  // broadcast
    CHECK(values(y) == Values{8, 7, 4, 9, 5, 4});
    y[0] = y[1];
    CHECK(values(y) == Values{9, 5, 4, 9, 5, 4});
    y.index({Ellipsis}) = 0;
    CHECK(values(y) == Values{0, 0, 0, 0, 0, 0});
    y.view(-1).narrow(0, 0, 2) = true;
    CHECK(values(y) == Values{1, 1, 0, 0, 0, 0});
    for (const Tensor& row : y.unbind()) row[0] = 1;
    CHECK(values(y) == Values{1, 1, 0, 1, 0, 0});
}

TEST_CASE("assignment to what somebody else holds writes to it") {
    const Tensor w = ones({2}).set_requires_grad();
    {
        Tape tape;
        (w * 3.0).sum().backward();
    }
    w.grad() = w.grad() * 0.5;
    CHECK(values(w.grad()) == Values{1.5, 1.5});
    w.detach() = zeros({2});
    CHECK(values(w) == Values{0, 0});
    float memory[2] = {1, 2};
    from_blob(memory, {2}, kFloat32) = 3.0;
    CHECK(memory[1] == 3);
    const Tensor y = zeros({2});
    y.contiguous() = 4.0;
    y.to(kFloat32)[0] = 5.0;
    CHECK(values(y) == Values{5, 4});
}

TEST_CASE("assignment that nobody could see throws") {
    const Tensor y = zeros({2, 3});
    const Tensor mask = y == 0;
    const auto lost = [](const auto& f) { return message_of<Error>(f); };
    CHECK(contains(lost([&] { y.index({mask}) = 0.0; }), "index_put_"));
    CHECK(contains(lost([&] { y[tensor({0, 1})] = 0.0; }), "index_put_"));
    CHECK(contains(lost([&] { y.to(kFloat64) = y; }), "lost"));
    CHECK(contains(lost([&] { y + 1 = y; }), "lost"));
    CHECK(contains(lost([&] { Tensor() = y; }), "undefined"));
    CHECK_THROWS_AS(y[0] = zeros({5}), ShapeError);
}

TEST_CASE("assignment to a name rebinds it") {
    const Tensor y = zeros({2});
    Tensor a = y;
    a = ones({2});
    CHECK(values(y) == Values{0, 0});
    std::vector<Tensor> list = {y};
    list[0] = a;
    CHECK(values(y) == Values{0, 0});
    static_assert(std::is_nothrow_move_assignable_v<Tensor>);
    static_assert(std::is_copy_assignable_v<Tensor>);
}

TEST_CASE("assignment through a view is recorded") {
    const Tensor x = ones({3}).set_requires_grad();
    const Tensor s = tensor(2.0f).set_requires_grad();
    Tape tape;
    const Tensor y = x * 3.0;
    y[0] = s * 5.0;
    y[1] = 4.0;
    (y * y).sum().backward();
    CHECK(values(x.grad()) == Values{0, 0, 18});
    CHECK(s.grad().item<double>() == 100);
    CHECK_THROWS_AS(x[0] = 1.0, AutogradError);
    const NoGradGuard guard;
    x[0] = 7.0;
    CHECK(values(x) == Values{7, 1, 1});
}
