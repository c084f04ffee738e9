// Sizes and strides: view strides against PyTorch and against the definition, broadcasting, -1, limits.
#include "tensor/shape.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <random>
#include <sstream>

#include "files.hpp"

using namespace reel;
using namespace reel::testing;

namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

/// Where the elements stand, in row-major order.
std::vector<std::int64_t> places(const Shape& sizes, const Shape& strides) {
    std::vector<std::int64_t> result(static_cast<std::size_t>(numel(sizes)));
    for (std::size_t i = 0; i < result.size(); ++i) {
        auto rest = static_cast<std::int64_t>(i);
        for (std::size_t d = sizes.size(); d-- > 0; rest /= sizes[d])
            result[i] += rest % sizes[d] * strides[d];
    }
    return result;
}

/// The strides under which `places` read as `shape`, by trying the only ones that can be.
std::optional<Shape> strides_by_definition(const std::vector<std::int64_t>& expected, const Shape& shape) {
    Shape strides = Shape::filled(shape.size(), 0);
    std::size_t step = 1;
    for (std::size_t d = shape.size(); d-- > 0;) {
        if (shape[d] > 1) strides[d] = expected.at(step) - expected[0];
        step *= static_cast<std::size_t>(shape[d]);
    }
    return places(shape, strides) == expected ? std::optional(strides) : std::nullopt;
}

/// Strides of dimensions of size 1 do not count.
bool same_strides(const Shape& shape, const Shape& a, const Shape& b) {
    for (std::size_t d = 0; d < shape.size(); ++d) {
        if (shape[d] != 1 && a[d] != b[d]) return false;
    }
    return true;
}

}  // namespace

TEST_CASE("shape: view strides are PyTorch's") {
    int cases = 0;
    for (const std::string& line : fixture_lines("basics.txt")) {
        std::istringstream words(line);
        std::string kind, sizes, strides, shape, expected;
        words >> kind >> sizes >> strides >> shape >> expected;
        if (kind != "view") continue;
        CAPTURE(line);
        const auto result = view_strides(shape_named(sizes), shape_named(strides), shape_named(shape));
        CHECK(result.has_value() == (expected != "none"));
        if (result && expected != "none")
            CHECK(same_strides(shape_named(shape), *result, shape_named(expected)));
        ++cases;
    }
    CHECK(cases == 700);
}

TEST_CASE("shape: view strides by their definition, with any signs") {
    std::mt19937 random(4);
    const auto below = [&](unsigned n) { return static_cast<std::int64_t>(random() % n); };
    int possible = 0;
    int impossible = 0;
    for (int i = 0; i < 4000; ++i) {
        // A dense tensor, cut, turned round, permuted, stretched.
        Shape sizes, strides;
        std::int64_t step = 1 + below(2);
        for (std::int64_t d = below(4); d >= 0; --d) {
            const std::int64_t size = 1 + below(4);
            sizes.insert(0, size);
            strides.insert(0, below(8) == 0 ? 0 : below(4) == 0 ? -step : step);
            step *= size + (below(5) == 0 ? 1 : 0);
        }
        if (below(3) == 0 && sizes.size() > 1) {
            std::swap(sizes[0], sizes[1]);
            std::swap(strides[0], strides[1]);
        }
        Shape shape = Shape::filled(1 + static_cast<std::size_t>(below(4)), 1);
        std::int64_t rest = numel(sizes);
        for (std::int64_t factor = 2; factor <= rest; ++factor) {
            for (; rest % factor == 0; rest /= factor)
                shape[static_cast<std::size_t>(random()) % shape.size()] *= factor;
        }
        CAPTURE(sizes);
        CAPTURE(strides);
        CAPTURE(shape);
        const auto expected = strides_by_definition(places(sizes, strides), shape);
        const auto result = view_strides(sizes, strides, shape);
        CHECK(result.has_value() == expected.has_value());
        if (result && expected) CHECK(same_strides(shape, *result, *expected));
        ++(expected ? possible : impossible);
    }
    CHECK(possible > 1000);
    CHECK(impossible > 500);
}

TEST_CASE("shape: sizes of nothing and of too much") {
    CHECK(numel({}) == 1);
    CHECK(numel({3, 0, 2}) == 0);
    CHECK(numel({kMost}) == kMost);
    CHECK_THROWS_AS(numel({2, -1}), ShapeError);
    CHECK_THROWS_AS(numel({kMost, 2}), ShapeError);
    CHECK_THROWS_AS(numel({kMost, kMost, 0}), ShapeError);
    CHECK_THROWS_AS(zeros({kMost / 8, 1}), Error);
    CHECK_THROWS_AS(zeros({std::int64_t{1} << 40, std::int64_t{1} << 40}), ShapeError);
    CHECK_THROWS_AS(zeros({0, kMost, 4}), ShapeError);
    CHECK_THROWS_AS(ones({2}).expand({kMost, 2, 2}), ShapeError);
    CHECK(view_strides({0, 3}, {3, 1}, {5, 0}).has_value());
    CHECK(contiguous_strides({2, 0, 3}) == Shape{3, 3, 1});
    CHECK(is_contiguous({2, 1, 3}, {3, 77, 1}));
    CHECK(is_contiguous({2, 0, 3}, {5, 7, 9}));
    CHECK_FALSE(is_contiguous({2, 3}, {1, 2}));
    CHECK_FALSE(is_contiguous({2}, {-1}));
    CHECK(is_contiguous({}, {}));
}

TEST_CASE("shape: broadcasting aligns at the last dimension") {
    CHECK(broadcast_shapes({2, 1, 3}, {4, 1}, "f") == Shape{2, 4, 3});
    CHECK(broadcast_shapes({}, {2, 3}, "f") == Shape{2, 3});
    CHECK(broadcast_shapes({0, 3}, {1, 3}, "f") == Shape{0, 3});
    CHECK(broadcast_shapes({1}, {0}, "f") == Shape{0});
    CHECK_THROWS_WITH_AS(broadcast_shapes({2, 3}, {2}, "f"),
                         doctest::Contains("f: shapes [2, 3] and [2] do not broadcast: sizes 3 and 2"),
                         ShapeError);
    CHECK_THROWS_AS(broadcast_shapes({0}, {2}, "f"), ShapeError);
    CHECK(broadcast_strides({3, 1}, {1, 9}, {2, 3, 4}) == Shape{0, 1, 0});
    CHECK(broadcast_strides({1, 1}, {5, 5}, {1, 1}) == Shape{5, 5});
}

TEST_CASE("shape: -1 stands for what is left") {
    CHECK(infer_sizes({3, -1}, 12, "view") == Shape{3, 4});
    CHECK(infer_sizes({-1}, 0, "view") == Shape{0});
    CHECK(infer_sizes({-1, 3}, 0, "view") == Shape{0, 3});
    CHECK(infer_sizes({}, 1, "view") == Shape{});
    CHECK_THROWS_AS(infer_sizes({-1, -1}, 4, "view"), ShapeError);
    CHECK_THROWS_AS(infer_sizes({5, -1}, 12, "view"), ShapeError);
    CHECK_THROWS_AS(infer_sizes({-2, 3}, 6, "view"), ShapeError);
    CHECK_THROWS_AS(infer_sizes({-1, 0}, 0, "view"), ShapeError);
    CHECK_THROWS_AS(infer_sizes({2, 2}, 6, "view"), ShapeError);
    CHECK_THROWS_AS(infer_sizes({}, 2, "view"), ShapeError);
}

TEST_CASE("shape: dimensions count from either end, each once") {
    CHECK(wrap_dim(-1, 3, "f") == 2);
    CHECK(wrap_dim(0, 0, "f") == 0);
    CHECK(wrap_dim(-1, 0, "f") == 0);
    CHECK_THROWS_AS(wrap_dim(3, 3, "f"), IndexError);
    CHECK_THROWS_AS(wrap_dim(-4, 3, "f"), IndexError);
    CHECK_THROWS_AS(wrap_dim(1, 0, "f"), IndexError);
    CHECK(wrap_dims({}, 2, "f") == Shape{0, 1});
    CHECK(wrap_dims({-1, 0}, 3, "f") == Shape{2, 0});
    CHECK_THROWS_AS(wrap_dims({0, -3}, 3, "f"), ShapeError);
    CHECK(wrap_dims({-1}, 0, "f") == Shape{});
    CHECK(reduced_sizes({2, 3, 4}, {0, 2}, true) == Shape{1, 3, 1});
    CHECK(reduced_sizes({2, 3, 4}, {0, 2}, false) == Shape{3});
}

TEST_CASE("shape: a list of integers like any other") {
    Shape shape;
    std::vector<std::int64_t> model;
    std::mt19937 random(5);
    for (int i = 0; i < 2000; ++i) {
        const bool grows = random() % 5 < (i / 100 % 2 == 0 ? 3 : 2);  // past its own room, and back
        if (model.empty() || grows) {
            const std::size_t position = random() % (model.size() + 1);
            shape.insert(position, i);
            model.insert(model.begin() + static_cast<std::ptrdiff_t>(position), i);
        } else {
            const std::size_t position = random() % model.size();
            shape.erase(position);
            model.erase(model.begin() + static_cast<std::ptrdiff_t>(position));
        }
        if (random() % 8 == 0) {
            const Shape copy = shape;
            Shape moved = std::move(shape);
            CHECK(shape.empty());
            CHECK(moved == copy);
            shape = copy;
            moved = Shape{1, 2, 3, 4, 5};
            shape = *&shape;
        }
        REQUIRE(shape.vec() == model);
    }
    CHECK(Shape(7) == Shape{7});
    CHECK(Shape(std::vector<std::int64_t>{1, 2}) == Shape{1, 2});
    std::ostringstream out;
    out << Shape{2, 3} << Shape{};
    CHECK(out.str() == "[2, 3][]");
}
