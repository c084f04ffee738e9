// conv2d against torch 1.13: whole numbers, so that every sum is exact.
#include <doctest/doctest.h>

#include <random>

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

/// The sum over all places (a, b) of the window, of what they show times their weights.
Tensor by_definition(const Tensor& x, const Tensor& w, const Conv2dOptions& options) {
    const auto& [stride, padding, dilation, groups] = options;
    const Tensor padded = pad(x, {padding.width, padding.width, padding.height, padding.height});
    const auto results = [](std::int64_t size, std::int64_t kernel, std::int64_t spread, std::int64_t step) {
        return (size - spread * (kernel - 1) - 1) / step + 1;
    };
    const std::int64_t height = results(padded.size(2), w.size(2), dilation.height, stride.height);
    const std::int64_t width = results(padded.size(3), w.size(3), dilation.width, stride.width);
    Tensor y = zeros({x.size(0), groups, w.size(0) / groups, height, width}, kFloat64);
    for (std::int64_t a = 0; a < w.size(2); ++a) {
        for (std::int64_t b = 0; b < w.size(3); ++b) {
            const std::int64_t top = a * dilation.height;
            const std::int64_t left = b * dilation.width;
            const Tensor shown = padded.slice(2, top, top + (height - 1) * stride.height + 1, stride.height)
                                     .slice(3, left, left + (width - 1) * stride.width + 1, stride.width);
            y = y + einsum("goc,ngchw->ngohw",
                           {w.select(3, b).select(2, a).reshape({groups, w.size(0) / groups, w.size(1)}),
                            shown.reshape({x.size(0), groups, w.size(1), height, width})});
        }
    }
    return y.reshape({x.size(0), w.size(0), height, width});
}

struct Case {
    Shape x, weight;
    bool bias;
    Conv2dOptions options;
    Shape result;
    double y, x_bar, w_bar;  ///< weighted sums, from torch
};

const std::vector<Case> kCases = {
    {{2, 3, 7, 6},
     {4, 3, 3, 3},
     true,
     {.stride = {1, 1}, .padding = {0, 0}, .dilation = {1, 1}, .groups = 1},
     {2, 4, 5, 4},
     217836,
     330698,
     358272},
    {{2, 3, 7, 6},
     {4, 3, 3, 3},
     true,
     {.stride = {1, 1}, .padding = {1, 1}, .dilation = {1, 1}, .groups = 1},
     {2, 4, 7, 6},
     667714,
     673181,
     636803},
    {{1, 4, 8, 9},
     {6, 2, 3, 2},
     true,
     {.stride = {2, 3}, .padding = {1, 2}, .dilation = {2, 1}, .groups = 2},
     {1, 6, 3, 4},
     38922,
     50610,
     67728},
    {{3, 4, 6, 6},
     {4, 1, 3, 3},
     false,
     {.stride = {2, 2}, .padding = {1, 1}, .dilation = {1, 1}, .groups = 4},
     {3, 4, 3, 3},
     61663,
     84047,
     21618},
    {{2, 2, 5, 5},
     {3, 2, 1, 1},
     true,
     {.stride = {1, 1}, .padding = {0, 0}, .dilation = {1, 1}, .groups = 1},
     {2, 3, 5, 5},
     15221,
     40129,
     1589},
    {{3, 9, 8},
     {2, 3, 4, 5},
     false,
     {.stride = {1, 2}, .padding = {2, 3}, .dilation = {2, 2}, .groups = 1},
     {2, 7, 3},
     55829,
     143047,
     122434},
    {{2, 1, 28, 28},
     {16, 1, 3, 3},
     true,
     {.stride = {1, 1}, .padding = {1, 1}, .dilation = {1, 1}, .groups = 1},
     {2, 16, 28, 28},
     17897965,
     19426900,
     16058589},
    {{0, 3, 5, 5},
     {4, 3, 3, 3},
     true,
     {.stride = {1, 1}, .padding = {1, 1}, .dilation = {1, 1}, .groups = 1},
     {0, 4, 5, 5},
     0,
     0,
     0},
    {{2, 2, 3, 3},
     {2, 2, 3, 3},
     false,
     {.stride = {3, 3}, .padding = {2, 2}, .dilation = {1, 1}, .groups = 1},
     {2, 2, 2, 2},
     4520,
     3642,
     2526},
    {{20, 2, 6, 5},
     {3, 2, 3, 3},
     true,
     {.stride = {1, 1}, .padding = {1, 1}, .dilation = {1, 1}, .groups = 1},
     {20, 3, 6, 5},
     2460109,
     2625312,
     1291338},
    {{37, 4, 5, 6},
     {6, 2, 3, 2},
     true,
     {.stride = {1, 1}, .padding = {2, 0}, .dilation = {1, 2}, .groups = 2},
     {37, 6, 7, 4},
     4955557,
     4623850,
     3865197},
    {{9, 2, 3, 4},
     {3, 2, 1, 1},
     false,
     {.stride = {1, 1}, .padding = {2, 1}, .dilation = {1, 1}, .groups = 1},
     {9, 3, 7, 6},
     78712,
     57682,
     2592},
    {{35, 3, 2, 3},
     {2, 3, 2, 2},
     true,
     {.stride = {1, 1}, .padding = {1, 3}, .dilation = {2, 1}, .groups = 1},
     {35, 2, 2, 8},
     170437,
     239859,
     55008},
};

}  // namespace

TEST_CASE("conv2d agrees with torch, forward and backward") {
    for (const Case& c : kCases) {
        CAPTURE(c.x);
        CAPTURE(c.weight);
        const Tensor x = whole(c.x, 1).set_requires_grad();
        const Tensor weight = whole(c.weight, 2).set_requires_grad();
        const Tensor bias = c.bias ? whole({c.weight[0]}, 3).set_requires_grad() : Tensor();
        Tape tape;
        const Tensor y = conv2d(x, weight, bias, c.options);
        REQUIRE(y.sizes() == c.result);
        CHECK(weighted(y) == c.y);
        const Tensor y_bar = whole(c.result, 4);
        y.backward(y_bar);
        CHECK(weighted(x.grad()) == c.x_bar);
        CHECK(weighted(weight.grad()) == c.w_bar);
        if (c.bias) {
            CHECK(bias.grad().equal(c.result.size() == 4 ? y_bar.sum({0, 2, 3}) : y_bar.sum({1, 2})));
        }
    }
}

TEST_CASE("conv2d takes any layout and every floating type") {
    const Tensor x = whole({2, 4, 6, 5}, 1);
    const Tensor weight = whole({4, 4, 3, 2}, 2);
    const Tensor expected = conv2d(x, weight);
    CHECK(conv2d(x.transpose(1, 3).contiguous().transpose(1, 3), weight.flip({2}).contiguous().flip({2}))
              .equal(expected));
    CHECK(conv2d(x.to(kFloat32), weight.to(kFloat32)).equal(expected.to(kFloat32)));
    // In bfloat16 an even sum of this size is exact, an odd one is rounded.
    CHECK(conv2d(x.to(kBFloat16), weight.to(kBFloat16)).equal(expected.to(kBFloat16)));
}

TEST_CASE("conv2d: the same bits at every thread count") {
    const int threads = num_threads();
    const auto run = [&](int count, std::int64_t stride, std::int64_t images, std::int64_t outputs) {
        const Tensor x = (whole({images, 24, 20, 20}, 1) / 7.0).to(kFloat32).set_requires_grad();
        const Tensor weight = (whole({outputs, 24, 3, 3}, 2) / 11.0).to(kFloat32).set_requires_grad();
        set_num_threads(count);
        Tape tape;
        const Tensor y = conv2d(x, weight, {}, {.stride = stride, .padding = 1});
        const auto gradients = grad({y}, {x, weight}, {.grad_outputs = {y.detach()}});
        return std::vector<Tensor>{y.detach(), gradients[0], gradients[1]};
    };
    for (const std::int64_t stride : {1, 2}) {
        for (const auto& [images, outputs] : {std::pair{9, 6}, {9, 16}, {5, 64}, {1, 200}}) {
            const auto alone = run(1, stride, images, outputs);
            for (int count : {2, 3}) {
                const auto together = run(count, stride, images, outputs);
                for (std::size_t i = 0; i < alone.size(); ++i) CHECK(together[i].equal(alone[i]));
            }
        }
    }
    set_num_threads(threads);
}

TEST_CASE("conv2d refuses what does not fit") {
    const Tensor x = ones({1, 4, 5, 5});
    CHECK_THROWS_AS(conv2d(x, ones({2, 3, 3, 3})), ShapeError);
    CHECK_THROWS_AS(conv2d(x, ones({3, 2, 3, 3}), {}, {.groups = 2}), ShapeError);
    CHECK_THROWS_AS(conv2d(x, ones({2, 4, 6, 3})), ShapeError);
    CHECK_THROWS_AS(conv2d(x, ones({2, 4, 3, 3}), ones({3})), ShapeError);
    CHECK_THROWS_AS(conv2d(x, ones({2, 4, 3, 3}), {}, {.stride = 0}), ShapeError);
    CHECK_THROWS_AS(conv2d(x, ones({2, 4, 3, 3}), {}, {.padding = -1}), ShapeError);
    CHECK_THROWS_AS(conv2d(x, ones({2, 4, 3, 3}), {}, {.groups = 0}), ShapeError);
    // 4 · 2⁶² is 0 in 64 bits.
    CHECK_THROWS_AS(conv2d(ones({1, 0, 4, 4}), ones({0, 4, 1, 1}), {}, {.groups = std::int64_t{1} << 62}),
                    ShapeError);
    CHECK_THROWS_AS(conv2d(x[0][0], ones({2, 4, 3, 3})), ShapeError);
    CHECK_THROWS_AS(conv2d(x, ones({2, 4, 3, 3}, kFloat64)), DTypeError);
    CHECK_THROWS_AS(conv2d(x.to(kInt64), ones({2, 4, 3, 3}, kInt64)), DTypeError);
}

TEST_CASE("conv2d: a plane of several strips is the sum of its shifted products") {
    const Tensor x = whole({1, 2, 70, 90}, 1);
    const Tensor w = whole({6, 2, 3, 3}, 2);
    CHECK(conv2d(x, w, {}, {.padding = 1}).equal(by_definition(x, w, {.padding = 1})));
    CHECK(conv2d(x, w, {}, {.stride = {1, 2}}).equal(by_definition(x, w, {.stride = {1, 2}})));
    // And more terms and outputs than are summed at once.
    const Tensor deep = whole({2, 45, 20, 23}, 3);
    const Tensor many = whole({13, 45, 3, 3}, 4);
    CHECK(conv2d(deep, many, {}, {.padding = 1}).equal(by_definition(deep, many, {.padding = 1})));
    // Or one output.
    const Tensor one = many.slice(0, 4, 5);
    CHECK(conv2d(deep, one, {}, {.padding = 1}).equal(by_definition(deep, one, {.padding = 1})));
}

TEST_CASE("conv2d: any geometry is the sum of its shifted products, and so are its gradients") {
    std::mt19937 random(5);
    const auto draw = [&](std::int64_t least, std::int64_t most) {
        return least + static_cast<std::int64_t>(random()) % (most - least + 1);
    };
    for (int i = 0; i < 300; ++i) {
        const Conv2dOptions options{.stride = {draw(1, 3), draw(1, 3)},
                                    .padding = {draw(0, 3), draw(0, 3)},
                                    .dilation = {draw(1, 3), draw(1, 3)},
                                    .groups = draw(1, 2)};
        const std::int64_t in = draw(1, 3);
        const Shape kernel = {draw(1, 4), draw(1, 4)};
        // At least one window fits, with the padding; outputs from few to more than a block of the weight's gradient holds.
        const auto draw_length = [&](std::int64_t size, std::int64_t dilation, std::int64_t padding) {
            return draw(0, 12) + std::max<std::int64_t>(dilation * (size - 1) + 1 - 2 * padding, 1);
        };
        const std::int64_t height = draw_length(kernel[0], options.dilation.height, options.padding.height);
        const std::int64_t width = draw_length(kernel[1], options.dilation.width, options.padding.width);
        const Tensor x = whole({draw(1, 3), options.groups * in, height, width}, i).set_requires_grad();
        const Tensor w =
            whole({options.groups * draw(1, 20), in, kernel[0], kernel[1]}, i + 1).set_requires_grad();
        CAPTURE(x.sizes());
        CAPTURE(w.sizes());
        CAPTURE(options.stride.height);
        CAPTURE(options.stride.width);
        CAPTURE(options.padding.height);
        CAPTURE(options.padding.width);
        CAPTURE(options.dilation.height);
        CAPTURE(options.dilation.width);
        const Tape tape;
        const Tensor y = conv2d(x, w, {}, options);
        const Tensor expected = by_definition(x, w, options);
        REQUIRE(y.equal(expected));
        const Tensor y_bar = whole(y.sizes(), i + 2);
        const auto gradients = grad({y}, {x, w}, {.grad_outputs = {y_bar}});
        const auto wanted = grad({expected}, {x, w}, {.grad_outputs = {y_bar}});
        CHECK(gradients[0].equal(wanted[0]));
        CHECK(gradients[1].equal(wanted[1]));
        CHECK(conv2d(x.detach().to(kFloat32), w.detach().to(kFloat32), {}, options)
                  .equal(expected.to(kFloat32)));
    }
}

TEST_CASE("conv2d: pieces of images and panels of outputs make the sum of the shifted products") {
    struct Sizes {
        Shape x, w;
        Conv2dOptions options;
    };
    const Sizes cases[] = {
        {{5, 40, 7, 7}, {70, 40, 3, 3}, {.padding = 1}},  // a stack of images, several parts of terms
        {{2, 9, 40, 30}, {32, 9, 3, 3}, {.padding = 1, .dilation = 3}},  // strips of lines
        {{3, 20, 9, 17}, {64, 10, 5, 4}, {.stride = {2, 3}, .padding = {2, 1}, .groups = 2}},
        {{40, 16, 5, 5}, {120, 16, 5, 5}, {}},                        // a window as large as the plane
        {{2, 3, 32, 48}, {48, 3, 8, 8}, {.stride = 8}},               // windows side by side
        {{3, 8, 33, 41}, {8, 1, 3, 5}, {.padding = 2, .groups = 8}},  // channels each by itself
        {{1, 300, 6, 6}, {300, 300, 3, 3}, {.padding = 1}},           // a weight of which there is one sum
        {{16, 8, 2, 2}, {22, 8, 2, 2}, {}},                           // one result of each image
        {{2, 1, 1, 1},
         {1, 1, 2, 2},
         {.stride = 2, .padding = 1}},  // one, where an even window leaves some out
        {{3, 2, 9, 1}, {2, 2, 3, 2}, {.stride = {1, 2}, .padding = 1}},
    };
    for (const auto& [x_sizes, w_sizes, options] : cases) {
        CAPTURE(x_sizes);
        const Tensor x = whole(x_sizes, 1).set_requires_grad();
        const Tensor w = whole(w_sizes, 2).set_requires_grad();
        const Tensor bias = whole({w_sizes[0]}, 3);
        const Tape tape;
        const Tensor y = conv2d(x, w, bias, options);
        const Tensor expected = by_definition(x, w, options) + bias.view({-1, 1, 1});
        REQUIRE(y.equal(expected));
        const Tensor y_bar = whole(y.sizes(), 4);
        const auto gradients = grad({y}, {x, w}, {.grad_outputs = {y_bar}});
        const auto wanted = grad({expected}, {x, w}, {.grad_outputs = {y_bar}});
        CHECK(gradients[0].equal(wanted[0]));
        CHECK(gradients[1].equal(wanted[1]));
    }
}

TEST_CASE("conv2d: an image has the same bits wherever it is in a batch") {
    const Tensor w = (whole({64, 24, 3, 3}, 2) / 11.0).to(kFloat32);
    for (const std::int64_t size : {5, 7, 30}) {
        const Tensor x = (whole({11, 24, size, size}, 1) / 7.0).to(kFloat32);
        const Tensor y = conv2d(x, w, {}, {.padding = 1});
        for (const std::int64_t n : {0, 1, 6, 10}) {
            CHECK(conv2d(x.slice(0, n, n + 1), w, {}, {.padding = 1}).equal(y.slice(0, n, n + 1)));
        }
    }
}

TEST_CASE("conv2d: an infinity reaches the weights that see it, and no others") {
    const Tensor x = ones({1, 1, 4, 4}, kFloat64);
    x.index_put_({0, 0, 3, 3}, std::numeric_limits<double>::infinity());
    const Tensor w = zeros({1, 1, 3, 3}, kFloat64).set_requires_grad();
    const Tape tape;
    conv2d(x, w, {}, {.padding = 1}).sum().backward();
    const double inf = std::numeric_limits<double>::infinity();
    // The window's first row and column never come to the last element of x.
    CHECK(w.grad().equal(tensor({{{{9.0, 12.0, 9.0}, {12.0, inf, inf}, {9.0, inf, inf}}}})));
}

TEST_CASE("conv2d: extreme options are computed as they are, or refused by name") {
    constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
    constexpr std::int64_t kLarge = std::int64_t{1} << 40;
    const Tensor x = whole({1, 1, 4, 4}, 1);
    const Tensor w = whole({1, 1, 2, 2}, 2);
    CHECK(conv2d(x, w, {}, {.stride = {1, kMax}, .padding = 2})
              .equal(conv2d(x, w, {}, {.stride = {1, 100}, .padding = 2})));
    CHECK(conv2d(x, w.slice(2, 0, 1).slice(3, 0, 1), {}, {.dilation = kMax}).sizes() == x.sizes());
    for (const Conv2dOptions& options : {Conv2dOptions{.dilation = kMax}, Conv2dOptions{.padding = kMax},
                                         Conv2dOptions{.dilation = kLarge}}) {
        CHECK_THROWS_AS(conv2d(x, w, {}, options), ShapeError);
    }
    CHECK_THROWS_AS(conv2d(x, w, {}, {.padding = kLarge}), Error);
    CHECK(conv2d(x, zeros({0, 1, 2, 2}, kFloat64), {}, {.padding = std::int64_t{1} << 30}).size(1) == 0);
    CHECK_THROWS_AS(conv2d(x, zeros({0, 1, 2, 2}, kFloat64), {}, {.padding = kLarge}), ShapeError);
    // Of a window of three rows far apart the middle one alone sees the plane.
    const Tensor tall = whole({1, 1, 3, 1}, 3);
    CHECK(conv2d(x, tall, {}, {.padding = {kLarge, 0}, .dilation = {kLarge, 1}})
              .equal(conv2d(x, tall.slice(2, 1, 2))));
}

TEST_CASE("conv2d: no output channels, no output") {
    CHECK(conv2d(ones({2, 3, 5, 5}), ones({0, 3, 3, 3})).sizes() == Shape{2, 0, 3, 3});
}
