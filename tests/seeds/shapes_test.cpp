// Shapes, views, reductions and indexing as the worked examples have them, each line a test.
#include <doctest/doctest.h>

#include "reel.hpp"
#include "tests/messages.hpp"
#include "tests/seeds/close.hpp"

using namespace reel;
using reel::testing::contains;
using reel::testing::message_of;
using seeds::close;

namespace {
Tensor rows() { return tensor({{1, 2, 3}, {4, 5, 6}}); }
}  // namespace

TEST_CASE("seeds: sums of an integer matrix along each dimension") {
    CHECK(rows().dtype() == kInt64);
    CHECK(rows().sum(0).equal(tensor({5, 7, 9})));
    CHECK(rows().sum(1).equal(tensor({6, 15})));
    CHECK(rows().sum(1).sizes() == Shape{2});
    CHECK(rows().sum(1, true).equal(tensor({{6}, {15}})));
    CHECK(rows().sum(1, true).sizes() == Shape{2, 1});
    CHECK(rows().sum(-1).equal(rows().sum(1)));
}

TEST_CASE("seeds: subtracting the mean centres the rows with keepdim and throws without") {
    const Tensor x = rows().to(kFloat32);
    CHECK((x - x.mean(1, true)).equal(tensor({{-1.0, 0.0, 1.0}, {-1.0, 0.0, 1.0}})));
    const std::string message = message_of<ShapeError>([&] { return x - x.mean(1); });
    CHECK(contains(message, "[2, 3]"));
    CHECK(contains(message, "[2]"));
}

TEST_CASE("seeds: max(0) of the 2x2x2 tensor 1...8 gives values and indices") {
    const Tensor x = arange(1, 9).view({2, 2, 2});
    const auto [values, indices] = x.max(0);
    CHECK(values.equal(tensor({{5, 6}, {7, 8}})));
    CHECK(indices.equal(tensor({{1, 1}, {1, 1}})));
    CHECK(values.sizes() == Shape{2, 2});
    CHECK(x.max(0, true).values.sizes() == Shape{1, 2, 2});
}

TEST_CASE("seeds: view shows 6 elements as (2, 3), (3, 2), (1, 6) on the same storage; (2, 2) throws") {
    const Tensor x = arange(6);
    for (const Shape& shape : {Shape{2, 3}, Shape{3, 2}, Shape{1, 6}}) {
        CHECK(x.view(shape).sizes() == shape);
        CHECK(x.view(shape).shares_storage(x));
    }
    CHECK_THROWS_AS(x.view({2, 2}), ShapeError);
    x.view({2, 3})[1].fill_(9);
    CHECK(x.equal(tensor({0, 1, 2, 9, 9, 9})));
}

TEST_CASE("seeds: -1 in a view is worked out; two -1 throw") {
    const Tensor x = arange(12);
    CHECK(x.view({3, -1}).sizes() == Shape{3, 4});
    CHECK(x.view({-1, 6}).sizes() == Shape{2, 6});
    CHECK(x.view({-1, 1}).sizes() == Shape{12, 1});
    CHECK(x.view({-1}).sizes() == Shape{12});
    CHECK_THROWS_AS(x.view({-1, -1}), ShapeError);
    const Tensor y = arange(24).view({2, 3, 4});
    CHECK(y.view({-1}).sizes() == Shape{24});
    CHECK(y.view({-1, 4}).sizes() == Shape{6, 4});
    CHECK(zeros({32, 28, 28, 3}).view({32, -1}).sizes() == Shape{32, 2352});
}

TEST_CASE("seeds: view of a transposed tensor throws and names reshape; reshape copies there") {
    const Tensor x = rows().t();
    CHECK(contains(message_of<ShapeError>([&] { return x.view({6}); }), "reshape"));
    CHECK(x.reshape({6}).equal(tensor({1, 4, 2, 5, 3, 6})));
    CHECK_FALSE(x.reshape({6}).shares_storage(x));
    const Tensor dense = rows();
    CHECK(dense.reshape({6}).shares_storage(dense));
}

TEST_CASE("seeds: view needs strides that fit and no contiguous memory") {
    const Tensor labels = arange(12).view({3, 4});
    CHECK_THROWS_AS(labels(Slice(), Slice(1)).view({-1}), ShapeError);
    const Tensor column = labels(Slice(), Slice(0, 1));  // strides [4, 1], not contiguous
    CHECK_FALSE(column.is_contiguous());
    CHECK(column.view({-1}).equal(tensor({0, 4, 8})));
    const Tensor swapped = arange(24).view({2, 3, 4}).transpose(0, 1);
    CHECK_FALSE(swapped.is_contiguous());
    CHECK(swapped.view({3, 2, 2, 2}).shares_storage(swapped));
}

TEST_CASE("seeds: pairs of index tensors pick one element each; a slice beside one picks a block") {
    const Tensor log_p =
        tensor({{-2.4, -1.4, -.4}, {-2.4, -1.4, -.4}, {-2.4, -1.4, -.4}, {-1.1, -1.1, -1.1}});
    const Tensor targets = tensor({2, 1, 0, 1});
    CHECK(close(log_p.index({arange(4), targets}), {-.4, -1.4, -2.4, -1.1}, 1e-6));
    CHECK(log_p(Slice(), targets).sizes() == Shape{4, 4});
}
