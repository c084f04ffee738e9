// Calls of ops/linalg/matmul.hpp, einsum.hpp, conv.hpp, pool.hpp and attention.hpp. The numbers are finite:
// how often a product of zero and infinity is made depends on the instruction set.
#include "tests/property/calls.hpp"

namespace reel::property {

namespace {

/// Sums of up to 1000 products up to 16 in another order.
constexpr double kUlps = 16;
constexpr double kSize = 100;

using F2 = Tensor (*)(const Tensor&, const Tensor&);

Tensor finite(Draw& draw, const Shape& sizes, DType dtype) {
    return dtype == kInt64 ? draw.wholes(sizes, dtype, -9, 9) : draw.reals(sizes, dtype, -4, 4);
}

/// A product of tensors of the shapes that `shapes` draws.
Operation product(const char* name, F2 f, const std::function<std::pair<Shape, Shape>(Draw&)>& shapes) {
    return {name, [=](Draw& draw) {
                const auto [a, b] = shapes(draw);
                const DType type = draw.number();
                return Call{{finite(draw, a, type), finite(draw, b, type)},
                            [f](const Inputs& x) -> Inputs { return {f(x[0], x[1])}; },
                            kUlps,
                            kSize};
            }};
}

std::pair<Shape, Shape> matmul_shapes(Draw& draw) {
    const std::int64_t k = draw.extent();
    Shape batch;
    for (std::int64_t i = draw.whole(0, 2); i > 0; --i) batch.push_back(draw.whole(1, 3));
    Shape a = draw.narrower(batch);
    Shape b = draw.narrower(batch);
    if (draw.chance(0.15)) {
        a = {k};
    } else {
        a.push_back(draw.extent());
        a.push_back(k);
    }
    b.push_back(k);
    if (draw.chance(0.15)) {
        b = {k};
    } else {
        b.push_back(draw.extent());
    }
    return {a, b};
}

Operations matrix_calls() {
    return {
        product("matmul", matmul, matmul_shapes),
        product("mm", mm,
                [](Draw& draw) {
                    const std::int64_t k = draw.extent();
                    return std::pair<Shape, Shape>({draw.extent(), k}, {k, draw.extent()});
                }),
        product("bmm", bmm,
                [](Draw& draw) {
                    const std::int64_t batch = draw.whole(0, 3);
                    const std::int64_t k = draw.extent();
                    return std::pair<Shape, Shape>({batch, draw.extent(), k}, {batch, k, draw.extent()});
                }),
        product("mv", mv,
                [](Draw& draw) {
                    const std::int64_t k = draw.extent();
                    return std::pair<Shape, Shape>({draw.extent(), k}, {k});
                }),
        product("dot", dot,
                [](Draw& draw) {
                    const std::int64_t k = draw.whole(0, 300);
                    return std::pair<Shape, Shape>({k}, {k});
                }),
        product("outer", outer,
                [](Draw& draw) { return std::pair<Shape, Shape>({draw.whole(0, 9)}, {draw.extent()}); }),
        product(
            "linear", [](const Tensor& x, const Tensor& weight) { return linear(x, weight); },
            [](Draw& draw) {
                Shape x = draw.shape(0, 2);
                x.push_back(draw.extent());
                return std::pair<Shape, Shape>(x, {draw.extent(), x.back()});
            }),
    };
}

Operations sum_calls() {
    return {
        {"addmm",
         [](Draw& draw) {
             const std::int64_t k = draw.extent();
             const Shape y = {draw.extent(), draw.extent()};
             const DType type = draw.floating();
             return Call{{finite(draw, draw.narrower(y), type), finite(draw, {y[0], k}, type),
                          finite(draw, {k, y[1]}, type)},
                         [](const Inputs& x) -> Inputs { return {addmm(x[0], x[1], x[2], 0.5, 2)}; },
                         kUlps,
                         kSize};
         }},
        {"einsum",
         [](Draw& draw) {
             const std::int64_t k = draw.extent();
             const DType type = draw.number();
             const char* equation = draw.pick({"bij,bjk->bik", "bij,bjk->kb", "bij,bjk->", "bij,bjk->ijk"});
             const std::int64_t batch = draw.whole(1, 3);
             return Call{
                 {finite(draw, {batch, draw.whole(1, 5), k}, type), finite(draw, {batch, k, 3}, type)},
                 [=](const Inputs& x) -> Inputs { return {einsum(equation, x)}; },
                 kUlps,
                 10 * kSize};
         }},
        {"conv2d",
         [](Draw& draw) {
             const std::int64_t groups = draw.whole(1, 2);
             const DType type = draw.floating();
             const Conv2dOptions options{.stride = {draw.whole(1, 2), draw.whole(1, 2)},
                                         .padding = {draw.whole(0, 2), draw.whole(0, 2)},
                                         .dilation = draw.whole(1, 2),
                                         .groups = groups};
             const Shape weight = {2 * groups, draw.whole(1, 3), draw.whole(1, 3), draw.whole(1, 3)};
             const Shape x = {draw.whole(1, 3), weight[1] * groups, 4 + draw.extent(), 4 + draw.extent()};
             return Call{{finite(draw, x, type), finite(draw, weight, type), finite(draw, {weight[0]}, type)},
                         [=](const Inputs& in) -> Inputs { return {conv2d(in[0], in[1], in[2], options)}; },
                         kUlps,
                         kSize};
         }},
    };
}

/// Planes of images, of any numbers.
Tensor image(Draw& draw) {
    Shape sizes = {draw.whole(1, 3), 2 + draw.extent(), 2 + draw.extent()};
    if (draw.chance(0.5)) sizes.insert(0, draw.whole(1, 2));
    return draw.tensor(sizes, draw.floating());
}

Operations window_calls() {
    return {
        {"max_pool2d",
         [](Draw& draw) {
             const MaxPool2dOptions options{.kernel_size = {draw.whole(1, 3), draw.whole(2, 3)},
                                            .stride = draw.whole(1, 2),
                                            .padding = {0, draw.whole(0, 1)},
                                            .ceil_mode = draw.chance(0.5)};
             return Call{{image(draw)},
                         [=](const Inputs& x) -> Inputs { return {max_pool2d(x[0], options)}; }};
         }},
        {"avg_pool2d",
         [](Draw& draw) {
             const AvgPool2dOptions options{.kernel_size = {draw.whole(1, 3), draw.whole(2, 3)},
                                            .stride = draw.whole(1, 2),
                                            .padding = {0, draw.whole(0, 1)},
                                            .count_include_pad = draw.chance(0.5)};
             return Call{{image(draw)},
                         [=](const Inputs& x) -> Inputs { return {avg_pool2d(x[0], options)}; },
                         kUlps};
         }},
        {"scaled_dot_product_attention",
         [](Draw& draw) {
             const DType type = draw.floating();
             const std::int64_t e = draw.extent();
             const std::int64_t s = draw.extent();
             const Shape batch = draw.shape(0, 1);
             Shape q = batch;
             Shape k = batch;
             Shape v = batch;
             for (const std::int64_t size : {draw.extent(), e}) q.push_back(size);
             for (const std::int64_t size : {s, e}) k.push_back(size);
             for (const std::int64_t size : {s, draw.extent()}) v.push_back(size);
             const bool causal = draw.chance(0.5);
             return Call{{finite(draw, q, type), finite(draw, k, type), finite(draw, v, type)},
                         [=](const Inputs& x) -> Inputs {
                             return {scaled_dot_product_attention(x[0], x[1], x[2], {.is_causal = causal})};
                         },
                         kUlps * 4,
                         4};
         }},
    };
}

}  // namespace

Operations product_calls() {
    Operations calls;
    for (const Operations& part : {matrix_calls(), sum_calls(), window_calls()}) {
        calls.insert(calls.end(), part.begin(), part.end());
    }
    return calls;
}

}  // namespace reel::property
