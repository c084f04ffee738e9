// Views: shapes, strides, elements and errors; PyTorch's where not said otherwise.
#include <doctest/doctest.h>

#include <limits>

#include "reel.hpp"

using namespace reel;

namespace {

using Values = std::vector<int>;

/// 0, 1, 2, … of shape {2, 3, 4}.
Tensor cube() { return arange(24).view({2, 3, 4}); }

void check(const Tensor& y, const Tensor& x, const Shape& sizes, const Shape& strides, const Values& values) {
    CHECK(y.shares_storage(x));
    CHECK(y.sizes() == sizes);
    CHECK(y.strides() == strides);
    CHECK(y.to_vector<int>() == values);
}

std::vector<Shape> sizes_of(const std::vector<Tensor>& parts) {
    std::vector<Shape> sizes;
    for (const Tensor& part : parts) sizes.push_back(part.sizes());
    return sizes;
}

}  // namespace

TEST_CASE("view: any shape that the strides allow, on the same storage") {
    const Tensor x = arange(6);
    check(x.view({2, 3}), x, {2, 3}, {3, 1}, {0, 1, 2, 3, 4, 5});
    check(x.view({3, -1}), x, {3, 2}, {2, 1}, {0, 1, 2, 3, 4, 5});
    check(x.slice(0, None, None, 2).view({3, 1}), x, {3, 1}, {2, 2}, {0, 2, 4});
    const Tensor c = cube();
    CHECK(c.transpose(0, 1).view({3, 2, 2, 2}).strides() == Shape{4, 12, 2, 1});
    CHECK(c.slice(2, None, None, 2).view({6, 2}).strides() == Shape{4, 2});
    CHECK(tensor(5).expand({4}).view({2, 2}).strides() == Shape{0, 0});
    CHECK(c.flip(0).view({2, 12}).strides() == Shape{-12, 1});
    CHECK(tensor(5).view({1, 1}).sizes() == Shape{1, 1});
    CHECK(ones({1, 1}).view({}).sizes() == Shape{});
    const Tensor none = zeros({2, 0, 3});
    CHECK(none.view({0, 7}).strides() == Shape{7, 1});
    CHECK(none.view(-1).sizes() == Shape{0});
    CHECK(c.view_as(zeros({4, 6})).sizes() == Shape{4, 6});
    CHECK_THROWS_WITH_AS(c.transpose(0, 1).view({6, 4}),
                         "view: a tensor of shape [3, 2, 4] and strides [4, 12, 1] cannot be seen as [6, 4] "
                         "without a copy; use reshape",
                         ShapeError);
    CHECK_THROWS_AS(c.view({5, -1}), ShapeError);
    CHECK_THROWS_AS(c.view({-1, -1}), ShapeError);
    CHECK_THROWS_AS(c.view({-2, 12}), ShapeError);
    CHECK_THROWS_AS(c.view({2, 3}), ShapeError);
    CHECK_THROWS_AS(none.view({-1, 0}), ShapeError);
}

TEST_CASE("reshape, flatten, unflatten") {
    const Tensor x = cube();
    CHECK(x.reshape({6, 4}).shares_storage(x));
    const Tensor copied = x.transpose(0, 1).reshape(-1);
    CHECK(!copied.shares_storage(x));
    CHECK(copied.slice(0, 0, 9).to_vector<int>() == Values{0, 1, 2, 3, 12, 13, 14, 15, 4});
    CHECK(x.reshape_as(zeros({24})).sizes() == Shape{24});
    CHECK(x.flatten(1, 2).sizes() == Shape{2, 12});
    CHECK(x.flatten(-2).shares_storage(x));
    CHECK(x.flatten(1, 1).sizes() == x.sizes());
    CHECK(tensor(5).flatten().sizes() == Shape{1});
    CHECK(zeros({2, 0, 3}).flatten(0, 1).sizes() == Shape{0, 3});
    CHECK(x.unflatten(2, {2, -1}).sizes() == Shape{2, 3, 2, 2});
    CHECK(x.slice(2, 0, 2).unflatten(2, {2, 1}).shares_storage(x));
    CHECK_THROWS_AS(x.flatten(2, 1), ShapeError);
    CHECK_THROWS_AS(x.flatten(0, 3), IndexError);
    CHECK_THROWS_AS(x.unflatten(2, {3, -1}), ShapeError);
    CHECK_THROWS_AS(x.unflatten(2, {}), ShapeError);
    CHECK_THROWS_AS(tensor(5).unflatten(0, {1, 1}), IndexError);
}

TEST_CASE("squeeze, unsqueeze") {
    const Tensor x = cube();
    CHECK(zeros({1, 2, 1}).squeeze().sizes() == Shape{2});
    CHECK(zeros({1, 2, 1}).squeeze(-1).sizes() == Shape{1, 2});
    CHECK(x.squeeze(1).sizes() == x.sizes());
    CHECK(tensor(5).squeeze(0).sizes() == Shape{});
    check(x.select(0, 1).unsqueeze(-1), x, {3, 4, 1}, {4, 1, 1},
          {12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23});
    CHECK(x.unsqueeze(-4).strides() == Shape{24, 12, 4, 1});
    CHECK(tensor(5).unsqueeze(0).sizes() == Shape{1});
    CHECK_THROWS_AS(x.unsqueeze(4), IndexError);
    CHECK_THROWS_AS(x.squeeze(3), IndexError);
}

TEST_CASE("transpose, t, permute, movedim") {
    const Tensor x = cube();
    CHECK(x.transpose(0, -1).strides() == Shape{1, 4, 12});
    CHECK(tensor(5).transpose(0, -1).sizes() == Shape{});
    CHECK(arange(3).t().sizes() == Shape{3});
    check(x[0].t(), x, {4, 3}, {1, 4}, {0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11});
    CHECK(x.permute({-1, 0, 1}).strides() == Shape{1, 12, 4});
    CHECK(tensor(5).permute({}).sizes() == Shape{});
    CHECK(x.movedim({0, 1}, {-1, 0}).strides() == Shape{4, 1, 12});
    CHECK(x.movedim(0, 2).sizes() == Shape{3, 4, 2});
    CHECK(tensor(5).movedim(0, 0).sizes() == Shape{});
    CHECK_THROWS_AS(x.t(), ShapeError);
    CHECK_THROWS_AS(x.transpose(0, 3), IndexError);
    CHECK_THROWS_AS(x.permute({0, 0, 1}), ShapeError);
    CHECK_THROWS_AS(x.permute({0, 1}), ShapeError);
    CHECK_THROWS_AS(x.movedim({0, 0}, {1, 2}), ShapeError);
    CHECK_THROWS_AS(x.movedim({0}, {1, 2}), ShapeError);
}

TEST_CASE("expand and expand_as and broadcast_to") {
    const Tensor x = cube();
    const Tensor column = x.slice(1, 0, 1);
    CHECK(column.expand({-1, 5, -1}).strides() == Shape{12, 0, 1});
    const Tensor number = tensor(5);
    check(number.expand({2, 2}), number, {2, 2}, {0, 0}, {5, 5, 5, 5});
    CHECK(zeros({1, 3}).expand({0, 3}).strides() == Shape{0, 1});
    CHECK(arange(3).broadcast_to({2, 3}).to_vector<int>() == Values{0, 1, 2, 0, 1, 2});
    CHECK(arange(3).expand_as(zeros({2, 3})).sizes() == Shape{2, 3});
    CHECK_THROWS_AS(x.expand({-1, 2, 3, 4}), ShapeError);
    CHECK_THROWS_AS(x.expand({2, 3}), ShapeError);
    CHECK_THROWS_AS(x.expand({2, 6, 4}), ShapeError);
}

TEST_CASE("select, narrow, slice") {
    const Tensor x = cube();
    check(x.select(1, -1), x, {2, 4}, {12, 1}, {8, 9, 10, 11, 20, 21, 22, 23});
    check(x[1][2], x, {4}, {1}, {20, 21, 22, 23});
    check(x.narrow(1, -1, 1), x, {2, 1, 4}, {12, 4, 1}, {8, 9, 10, 11, 20, 21, 22, 23});
    CHECK(x.narrow(1, 3, 0).sizes() == Shape{2, 0, 4});
    check(x[0].slice(1, -2, 99), x, {3, 2}, {4, 1}, {2, 3, 6, 7, 10, 11});
    CHECK(x.slice(1, 2, 1).sizes() == Shape{2, 0, 4});
    // Steps backwards are views, too.
    check(x[0][0].slice(0, None, None, -2), x, {2}, {-2}, {3, 1});
    check(x[0][0].slice(0, 2, None, -1), x, {3}, {-1}, {2, 1, 0});
    CHECK(x[0][0].slice(0, 99, -99, -3).to_vector<int>() == Values{3, 0});
    const std::int64_t far = std::numeric_limits<std::int64_t>::max();
    CHECK(x[0][0].slice(0, 1, None, far).to_vector<int>() == Values{1});
    CHECK(x[0][0].slice(0, None, None, std::numeric_limits<std::int64_t>::min()).to_vector<int>() ==
          Values{3});
    CHECK_THROWS_AS(x.select(1, 3), IndexError);
    CHECK_THROWS_AS(x.select(3, 0), IndexError);
    CHECK_THROWS_AS(tensor(5).select(0, 0), IndexError);
    CHECK_THROWS_AS(x.narrow(1, -4, 1), IndexError);
    CHECK_THROWS_AS(x.narrow(1, 2, 2), IndexError);
    CHECK_THROWS_AS(x.narrow(1, 0, -1), IndexError);
    CHECK_THROWS_AS(tensor(5).narrow(0, 0, 1), IndexError);
    CHECK_THROWS_AS(x.slice(1, 0, 2, 0), IndexError);
    CHECK_THROWS_AS(tensor(5).slice(), IndexError);
}

TEST_CASE("diagonal") {
    const Tensor x = cube();
    check(x.diagonal(1, -1, 0), x, {3, 1}, {4, 13}, {12, 16, 20});
    check(x.diagonal(-1, 1, 2), x, {2, 2}, {12, 5}, {4, 9, 16, 21});
    CHECK(x.diagonal(9).sizes() == Shape{4, 0});
    CHECK_THROWS_AS(x.diagonal(0, 1, 1), ShapeError);
    CHECK_THROWS_AS(arange(3).diagonal(), IndexError);
}

TEST_CASE("unbind, split, chunk") {
    const Tensor x = cube();
    const Tensor none = zeros({2, 0, 3});
    CHECK(sizes_of(x.unbind(1)) == std::vector<Shape>(3, Shape{2, 4}));
    CHECK(none.unbind(1).empty());
    CHECK(sizes_of(x.split(3, 2)) == std::vector<Shape>{{2, 3, 3}, {2, 3, 1}});
    CHECK(sizes_of(x.split({1, 2}, 1)) == std::vector<Shape>{{2, 1, 4}, {2, 2, 4}});
    CHECK(sizes_of(none.split(0, 1)) == std::vector<Shape>{{2, 0, 3}});
    CHECK(sizes_of(none.split(2, 1)) == std::vector<Shape>{{2, 0, 3}});
    CHECK(sizes_of(x.chunk(3, 2)) == std::vector<Shape>{{2, 3, 2}, {2, 3, 2}});
    CHECK(sizes_of(arange(5).chunk(4)) == std::vector<Shape>{{2}, {2}, {1}});
    CHECK(sizes_of(none.chunk(3, 1)) == std::vector<Shape>(3, Shape{2, 0, 3}));
    CHECK(x.chunk(2, 2)[1].shares_storage(x));
    CHECK_THROWS_AS(x.split(0, 1), ShapeError);
    CHECK_THROWS_AS(x.split({1, 1}, 1), ShapeError);
    CHECK_THROWS_AS(x.split({-1, 4}, 1), ShapeError);
    CHECK_THROWS_AS(x.chunk(0), ShapeError);
    CHECK_THROWS_AS(tensor(5).unbind(), IndexError);
    CHECK_THROWS_AS(tensor(5).split(1), IndexError);
    CHECK_THROWS_AS(tensor(5).chunk(1), IndexError);
}

TEST_CASE("views: numbers at the ends of int64 are computed as they are") {
    using Limits = std::numeric_limits<std::int64_t>;
    const Tensor x = arange(6).view({2, 3});
    CHECK(x.diagonal(Limits::min()).sizes() == Shape{0});
    CHECK(x.diagonal(Limits::max()).sizes() == Shape{0});
    CHECK(x.chunk(Limits::max()).size() == 2);
    CHECK(x.split(Limits::max()).size() == 1);
    CHECK(x.slice(1, 0, 3, Limits::max()).sizes() == Shape{2, 1});
    CHECK(x.slice(1, None, None, Limits::min())[0].item<int>() == 2);
    CHECK(x.slice(1, Limits::min(), Limits::max()).equal(x));
    CHECK(x.unfold(1, 2, Limits::max()).sizes() == Shape{2, 1, 2});
    CHECK(x.roll(Limits::min(), 1).equal(x.roll(Limits::min() % 3, 1)));
    const Tensor far = tensor(1).expand({Limits::max()});
    CHECK(far.narrow(0, Limits::max() - 2, 2).equal(tensor({1, 1})));
    CHECK(far.slice(0, None, None, Limits::max()).sizes() == Shape{1});
    CHECK(far[-1].item<int>() == 1);
    CHECK(far.flip({0})[0].item<int>() == 1);
}

TEST_CASE("views: the free functions t, unflatten and slice") {
    const Tensor x = arange(6).view({2, 3});
    CHECK(t(x).equal(x.t()));
    CHECK(unflatten(x, 1, {3, 1}).equal(x.unflatten(1, {3, 1})));
    CHECK(slice(x, 1, 1).equal(x.slice(1, 1)));
    CHECK(slice(x, 0, None, None, -1).equal(x.flip({0})));
}

TEST_CASE("unfold") {
    const Tensor x = cube();
    CHECK(x.unfold(1, 2, 1).strides() == Shape{12, 4, 1, 4});
    check(x[0].unfold(-1, 3, 2), x, {3, 1, 3}, {4, 2, 1}, {0, 1, 2, 4, 5, 6, 8, 9, 10});
    CHECK(x.unfold(1, 0, 2).sizes() == Shape{2, 2, 4, 0});
    CHECK(tensor(5).unfold(0, 1, 1).sizes() == Shape{1});
    CHECK(tensor(5).unfold(0, 0, 1).sizes() == Shape{0});
    CHECK_THROWS_AS(x.unfold(1, 4, 1), ShapeError);
    CHECK_THROWS_AS(x.unfold(1, 2, 0), ShapeError);
    CHECK_THROWS_AS(tensor(5).unfold(1, 1, 1), IndexError);
}

TEST_CASE("flip is a view with negative strides") {
    const Tensor x = cube();
    check(x[0].flip({0, -1}), x, {3, 4}, {-4, -1}, {11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0});
    CHECK(x.flip(0).flip(0).storage_offset() == 0);
    CHECK(x.flip(Shape{}).strides() == x.strides());
    CHECK(tensor(5).flip(0).item<int>() == 5);
    CHECK(zeros({2, 0}).flip({0, 1}).sizes() == Shape{2, 0});
    CHECK_THROWS_AS(x.flip({0, 0}), ShapeError);
    CHECK_THROWS_AS(x.flip(3), IndexError);
}

TEST_CASE("as_strided is bounds-checked") {
    const Tensor x = cube();
    check(x.as_strided({2, 2}, {1, 2}, 3), x, {2, 2}, {1, 2}, {3, 5, 4, 6});
    check(x[1].as_strided({3}, {-5}), x, {3}, {-5}, {12, 7, 2});
    CHECK(x.as_strided({0, 5}, {100, 1}, 23).numel() == 0);
    CHECK_THROWS_AS(x.as_strided({2, 2}, {1, 30}), ShapeError);
    CHECK_THROWS_AS(x.as_strided({2}, {-1}), ShapeError);
    CHECK_THROWS_AS(x.as_strided({2}, {1}, 23), ShapeError);
    CHECK_THROWS_AS(x.as_strided({2}, {1, 1}), ShapeError);
    CHECK_THROWS_AS(x.as_strided({2}, {1}, -1), ShapeError);
    CHECK_THROWS_AS(x.as_strided({3, 2}, {std::numeric_limits<std::int64_t>::max(), 1}), ShapeError);
    CHECK_THROWS_AS(x.as_strided({2}, {1}, std::numeric_limits<std::int64_t>::max()), ShapeError);
}

TEST_CASE("a write through a view is seen in its source") {
    const Tensor x = zeros({2, 3}, kInt64);
    x.t()[1].fill_(1);
    x.flip(1).select(1, 0).add_(2);
    x.view(6).slice(0, None, None, 3).sub_(1);
    CHECK(x.to_vector<int>() == Values{-1, 1, 2, -1, 1, 2});
}

TEST_CASE("a loop over a tensor sees its rows as views and differentiates through them") {
    const Tensor x = arange(6, kFloat32).view({3, 2}).set_requires_grad();
    Tape tape;
    Tensor sum = zeros({2});
    std::int64_t rows = 0;
    for (const Tensor& row : x) {
        CHECK(row.sizes() == Shape{2});
        CHECK(row.shares_storage(x));
        sum = sum + row * ++rows;
    }
    CHECK(rows == 3);
    CHECK(sum.to_vector<double>() == std::vector<double>{0 + 2 * 2 + 3 * 4, 1 + 2 * 3 + 3 * 5});
    sum.sum().backward();
    CHECK(x.grad().to_vector<double>() == std::vector<double>{1, 1, 2, 2, 3, 3});
    for (const Tensor& row : zeros({0, 2})) FAIL("an empty tensor has the row " << row);
    CHECK_THROWS_AS(tensor(1.0).end(), IndexError);
}
