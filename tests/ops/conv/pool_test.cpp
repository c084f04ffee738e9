// Pooling against torch 1.13.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "reel.hpp"

using namespace reel;

namespace {

Tensor whole(const Shape& sizes, std::int64_t salt) {
    Tensor x = empty(sizes, kFloat64);
    for (std::int64_t i = 0; i < x.numel(); ++i) {
        x.data_ptr<double>()[i] = static_cast<double>(((i + salt) * (i + 7 * salt + 3)) % 9 - 4);
    }
    return x;
}

/// Σ (i mod 97 + 1) x[i].
double weighted(const Tensor& x) {
    const auto values = x.to_vector<double>();
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i) sum += static_cast<double>(i % 97 + 1) * values[i];
    return sum;
}

template <class Options>
struct Case {
    Shape x;
    Options options;
    Shape result;
    double y, x_bar;  ///< weighted sums, from torch
};

const std::vector<Case<MaxPool2dOptions>> kMaxCases = {
    {{2, 3, 8, 6},
     {.kernel_size = {2, 2}, .padding = {0, 0}, .dilation = {1, 1}, .ceil_mode = false},
     {2, 3, 4, 3},
     5184,
     -4863},
    {{2, 3, 7, 9},
     {.kernel_size = {3, 3}, .stride = {2, 2}, .padding = {1, 1}, .dilation = {1, 1}, .ceil_mode = false},
     {2, 3, 4, 5},
     2976,
     -7976},
    {{2, 5, 7},
     {.kernel_size = {3, 2}, .stride = {1, 2}, .padding = {1, 1}, .dilation = {2, 1}, .ceil_mode = false},
     {2, 3, 4},
     549,
     -1097},
    {{1, 2, 7, 7},
     {.kernel_size = {2, 2}, .stride = {2, 2}, .padding = {0, 0}, .dilation = {1, 1}, .ceil_mode = true},
     {1, 2, 4, 4},
     348,
     -1818},
    {{1, 2, 9, 8},
     {.kernel_size = {3, 3}, .stride = {3, 2}, .padding = {1, 1}, .dilation = {1, 1}, .ceil_mode = true},
     {1, 2, 4, 5},
     924,
     -1979},
    {{1, 1, 6, 6},
     {.kernel_size = {3, 3}, .stride = {1, 1}, .padding = {0, 0}, .dilation = {2, 2}, .ceil_mode = false},
     {1, 1, 2, 2},
     30,
     -65},
};

const std::vector<Case<AvgPool2dOptions>> kAvgCases = {
    {{2, 3, 8, 6},
     {.kernel_size = {2, 2},
      .padding = {0, 0},
      .ceil_mode = false,
      .count_include_pad = true,
      .divisor_override = None},
     {2, 3, 4, 3},
     -3552,
     -4815.75},
    {{2, 3, 7, 9},
     {.kernel_size = {4, 2},
      .stride = {2, 2},
      .padding = {1, 1},
      .ceil_mode = false,
      .count_include_pad = true,
      .divisor_override = None},
     {2, 3, 3, 5},
     -4615.5,
     -5141.375},
    {{2, 7, 7},
     {.kernel_size = {2, 4},
      .stride = {2, 1},
      .padding = {1, 1},
      .ceil_mode = false,
      .count_include_pad = false,
      .divisor_override = None},
     {2, 4, 6},
     -1581.04166667,
     -2725.70833333},
    {{1, 2, 7, 7},
     {.kernel_size = {2, 2},
      .stride = {2, 2},
      .padding = {0, 0},
      .ceil_mode = true,
      .count_include_pad = true,
      .divisor_override = None},
     {1, 2, 4, 4},
     -680.75,
     -1838},
    {{1, 2, 9, 8},
     {.kernel_size = {4, 2},
      .stride = {3, 2},
      .padding = {2, 1},
      .ceil_mode = true,
      .count_include_pad = true,
      .divisor_override = None},
     {1, 2, 4, 5},
     -684.75,
     -1241.25},
    {{1, 2, 9, 8},
     {.kernel_size = {4, 2},
      .stride = {3, 2},
      .padding = {2, 1},
      .ceil_mode = true,
      .count_include_pad = false,
      .divisor_override = None},
     {1, 2, 4, 5},
     -1177.25,
     -2198.5},
    {{1, 1, 6, 6},
     {.kernel_size = {2, 3},
      .stride = {1, 1},
      .padding = {0, 0},
      .ceil_mode = false,
      .count_include_pad = true,
      .divisor_override = 4},
     {1, 1, 5, 4},
     -468,
     -499.5},
};

void check(const auto& cases, const auto& pool) {
    for (const auto& c : cases) {
        CAPTURE(c.x);
        CAPTURE(c.result);
        const Tensor x = whole(c.x, 1).set_requires_grad();
        Tape tape;
        const Tensor y = pool(x, c.options);
        REQUIRE(y.sizes() == c.result);
        CHECK(weighted(y) == doctest::Approx(c.y).epsilon(1e-11));
        y.backward(whole(c.result, 4));
        CHECK(weighted(x.grad()) == doctest::Approx(c.x_bar).epsilon(1e-11));
        const Tensor narrow = x.detach().to(kFloat32).transpose(-1, -2).contiguous().transpose(-1, -2);
        CHECK(pool(narrow, c.options).allclose(y.detach().to(kFloat32)));
    }
}

/// The sum over all places (a, b) of the window, of what they show, where no window leaves the padded planes.
Tensor sums_by_definition(const Tensor& x, const AvgPool2dOptions& options) {
    const auto& [kernel, stride, padding, ceil_mode, count, divisor] = options;
    const Tensor padded = pad(x, {padding.width, padding.width, padding.height, padding.height});
    const std::int64_t height = (padded.size(-2) - kernel.height) / stride.height + 1;
    const std::int64_t width = (padded.size(-1) - kernel.width) / stride.width + 1;
    Tensor y = zeros({x.size(0), height, width}, x.dtype());
    for (std::int64_t a = 0; a < kernel.height; ++a) {
        for (std::int64_t b = 0; b < kernel.width; ++b) {
            y = y + padded.slice(1, a, a + (height - 1) * stride.height + 1, stride.height)
                        .slice(2, b, b + (width - 1) * stride.width + 1, stride.width);
        }
    }
    return y;
}

}  // namespace

TEST_CASE("max_pool2d agrees with torch, also where elements are equal") { check(kMaxCases, max_pool2d); }
TEST_CASE("avg_pool2d agrees with torch") { check(kAvgCases, avg_pool2d); }

TEST_CASE("avg_pool2d: any geometry is a sum over the window's places, and so is its gradient") {
    const auto check_one = [](const Shape& sizes, Pair kernel, Pair stride, Pair padding) {
        const AvgPool2dOptions options{
            .kernel_size = kernel, .stride = stride, .padding = padding, .divisor_override = 1};
        CAPTURE(sizes);
        CAPTURE(kernel.width);
        CAPTURE(stride.width);
        CAPTURE(padding.width);
        for (const DType dtype : {kFloat32, kFloat64}) {
            const Tensor x = whole(sizes, 1).to(dtype).set_requires_grad();
            const Tape tape;
            const Tensor y = avg_pool2d(x, options);
            const Tensor expected = sums_by_definition(x, options);
            REQUIRE(y.equal(expected));
            const Tensor y_bar = whole(y.sizes(), 2).to(dtype);
            const auto x_bar = grad({y}, {x}, {.grad_outputs = {y_bar}});
            CHECK(x_bar[0].equal(grad({expected}, {x}, {.grad_outputs = {y_bar}})[0]));
        }
    };
    for (std::int64_t kernel = 1; kernel <= 20; ++kernel) {  // from narrow windows to wide ones
        for (std::int64_t stride = 1; stride <= 6; ++stride) {
            check_one({2, kernel + 7, kernel + 2 * stride}, {kernel / 3 + 1, kernel}, {2, stride},
                      {0, kernel / 2});
        }
    }
    for (std::int64_t size : {1, 4, 7, 8, 14, 33}) check_one({5, size, size}, size, size, 0);
    check_one({300, 9, 70}, 3, 1, 1);  // more rows than are added at once
    check_one({1, 3, 6000}, {2, 5}, {1, 3}, {1, 2});
}

TEST_CASE("max_pool2d: NaN wins, and -inf is an element like others") {
    const double nan = std::nan("");
    const double inf = std::numeric_limits<double>::infinity();
    const Tensor x = tensor({{{1.0, nan, -inf, -inf}, {3.0, 2.0, -inf, -inf}}}, kFloat64).set_requires_grad();
    Tape tape;
    const Tensor y = max_pool2d(x, {.kernel_size = 2});
    CHECK(std::isnan(y.to_vector<double>()[0]));
    CHECK(y.to_vector<double>()[1] == -inf);
    y.backward(ones({1, 1, 2}, kFloat64));
    CHECK(x.grad().to_vector<double>() == std::vector<double>{0, 1, 1, 0, 0, 0, 0, 0});
}

TEST_CASE("max_pool2d: a window of padding alone shows -inf, and has no gradient to any order") {
    const double inf = std::numeric_limits<double>::infinity();
    const Tensor x = tensor({{{0.0, 1.0, 5.0, 3.0}}}, kFloat64).set_requires_grad();
    Tape tape;
    // The window sees rows -1 and 1 of a plane that has row 0 alone.
    const MaxPool2dOptions options{.kernel_size = {2, 2}, .stride = 1, .padding = {1, 0}, .dilation = {2, 1}};
    const Tensor y = max_pool2d(x, options);
    CHECK(y.to_vector<double>() == std::vector<double>{-inf, -inf, -inf});
    const Tensor v = tensor({{{1.0, 2.0, 3.0}}}, kFloat64).set_requires_grad();
    const Tensor x_bar = grad({y}, {x}, {.grad_outputs = {v}, .create_graph = true})[0];
    CHECK(x_bar.equal(zeros({1, 1, 4}, kFloat64)));
    CHECK(grad({x_bar}, {v}, {.grad_outputs = {ones({1, 1, 4}, kFloat64)}})[0].equal(
        zeros({1, 1, 3}, kFloat64)));
    const Tensor square = arange(4).view({1, 2, 2}).to(kFloat32);
    CHECK(max_pool2d(square, {.kernel_size = 2, .stride = 1, .padding = 1, .dilation = 3}).item() == -inf);
}

TEST_CASE("pools: extreme options are computed as they are, or refused by name") {
    constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
    constexpr std::int64_t kLarge = std::int64_t{1} << 40;
    const Tensor x = arange(16).view({1, 4, 4}).to(kFloat32);
    CHECK(max_pool2d(x, {.kernel_size = 2, .stride = {1, kMax}}).to_vector<double>() ==
          std::vector<double>{5, 9, 13});
    CHECK(avg_pool2d(x, {.kernel_size = 4, .stride = kMax}).item() == 7.5);
    CHECK(max_pool2d(x, {.kernel_size = 1, .stride = 1, .dilation = kMax}).equal(x));
    CHECK(max_pool2d(x, {.kernel_size = kLarge, .stride = 1, .padding = kLarge / 2})
              .equal(full({1, 5, 5}, 15.0)));
    const Tensor mean = avg_pool2d(
        x, {.kernel_size = kLarge, .stride = 1, .padding = kLarge / 2, .count_include_pad = false});
    CHECK(mean.equal(full({1, 5, 5}, 7.5)));
    const Tensor leaf = x.clone().set_requires_grad();
    {
        const Tape tape;
        (max_pool2d(leaf, {.kernel_size = kLarge, .stride = 1, .padding = kLarge / 2}).sum() +
         avg_pool2d(leaf, {.kernel_size = kLarge, .padding = kLarge / 2, .divisor_override = 1}).sum())
            .backward();
    }
    CHECK(leaf.grad().sum().item() == 16 + 25);
    for (std::int64_t far : {kMax, kMax - 3, kLarge}) {
        CHECK_THROWS_AS(max_pool2d(x, {.kernel_size = far}), ShapeError);
        CHECK_THROWS_AS(max_pool2d(x, {.kernel_size = 2, .dilation = far}), ShapeError);
        CHECK_THROWS_AS(avg_pool2d(x, {.kernel_size = 2, .padding = far}), ShapeError);
        CHECK_THROWS_AS(max_pool2d(x, {.kernel_size = 2, .padding = -far}), ShapeError);
        CHECK(
            max_pool2d(x, {.kernel_size = 2, .stride = kMax, .dilation = kLarge, .ceil_mode = true}).item() ==
            0);
    }
    CHECK_THROWS_AS(max_pool2d(x, {.kernel_size = 2, .dilation = kMax - 3, .ceil_mode = true}), ShapeError);
    CHECK_THROWS_AS(
        avg_pool2d(x, {.kernel_size = kMax, .stride = kMax, .padding = kMax / 2, .ceil_mode = true}),
        ShapeError);
}

TEST_CASE("pools refuse what does not fit") {
    const Tensor x = ones({1, 2, 5, 5});
    CHECK_THROWS_AS(max_pool2d(x, {.kernel_size = 2, .padding = 2}), ShapeError);
    CHECK_THROWS_AS(max_pool2d(x, {.kernel_size = 6}), ShapeError);
    CHECK_THROWS_AS(max_pool2d(x, {.kernel_size = 0}), ShapeError);
    CHECK_THROWS_AS(max_pool2d(x, {.kernel_size = 2, .stride = 0}), ShapeError);
    CHECK_THROWS_AS(max_pool2d(ones({5, 5}), {.kernel_size = 2}), ShapeError);
    CHECK_THROWS_AS(max_pool2d(ones({1, 0, 5, 5}), {.kernel_size = 2}), ShapeError);
    CHECK(max_pool2d(ones({0, 2, 5, 5}), {.kernel_size = 2}).sizes() == Shape{0, 2, 2, 2});
    CHECK_THROWS_AS(max_pool2d(x.to(kInt64), {.kernel_size = 2}), DTypeError);
    CHECK_THROWS_AS(avg_pool2d(x, {.kernel_size = 2, .divisor_override = 0}), Error);
}
