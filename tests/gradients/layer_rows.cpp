// Rows of ops/nn/layers.cpp, conv.cpp, pool.cpp and attention.cpp.
#include "tests/gradients/rows.hpp"

namespace reel::testing {

namespace {

using Inputs = std::vector<Tensor>;

Rows norm_rows() {
    const Tensor x = numbers({2, 3, 4}, -2, 2, 1);
    const Tensor weight = numbers({4}, -2, 2, 2);
    const Tensor bias = numbers({4}, -2, 2, 3);
    const Tensor y_bar = numbers({2, 3, 4}, -2, 2, 4);
    return {
        {"layer_norm",
         "",
         [](const Inputs& in) { return layer_norm(in[0], {4}, in[1], in[2]); },
         {x, weight, bias}},
        {"layer_norm",
         "two dims, no weight",
         [](const Inputs& in) {
             return layer_norm(in[0], {3, 4});
         },
         {x}},
        {"layer_norm_gradient",
         "",
         [](const Inputs& in) {
             return gradient([&](const Tensor& at) { return layer_norm(at, {4}, in[1]); }, in[0], in[2]);
         },
         {x, weight, y_bar}},
        {"layer_norm_weight_gradient",
         "",
         [weight](const Inputs& in) {
             return gradient([&](const Tensor& at) { return layer_norm(in[0], {4}, at); }, weight, in[1]);
         },
         {x, y_bar}},
        {"layer_norm_bias_gradient",
         "",
         [x, bias](const Inputs& in) {
             return gradient([&](const Tensor& at) { return layer_norm(x, {4}, {}, at); }, bias, in[0]);
         },
         {y_bar}},
        {"rms_norm", "", [](const Inputs& in) { return rms_norm(in[0], {4}, in[1]); }, {x, weight}},
        {"rms_norm_gradient",
         "",
         [](const Inputs& in) {
             return gradient([&](const Tensor& at) { return rms_norm(at, {4}, in[1]); }, in[0], in[2]);
         },
         {x, weight, y_bar}},
        {"rms_norm_weight_gradient",
         "",
         [weight](const Inputs& in) {
             return gradient([&](const Tensor& at) { return rms_norm(in[0], {4}, at); }, weight, in[1]);
         },
         {x, y_bar}},
    };
}

Rows conv_rows() {
    const Conv2dOptions options{.stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}, .groups = 2};
    const Tensor x = numbers({2, 4, 5, 4}, -2, 2, 1);
    const Tensor weight = numbers({4, 2, 3, 2}, -2, 2, 2);
    const Tensor bias = numbers({4}, -2, 2, 3);
    const Tensor y_bar = numbers({2, 4, 3, 6}, -2, 2, 4);
    return {
        {"conv2d",
         "strides, padding, dilation and groups",
         [options](const Inputs& in) { return conv2d(in[0], in[1], in[2], options); },
         {x, weight, bias}},
        {"conv2d",
         "one image, no bias",
         [](const Inputs& in) { return conv2d(in[0], in[1]); },
         {numbers({2, 4, 3}, -2, 2, 1), numbers({3, 2, 2, 2}, -2, 2, 2)}},
        {"conv2d_image_gradient",
         "",
         [x, options](const Inputs& in) {
             return gradient([&](const Tensor& at) { return conv2d(at, in[1], {}, options); }, x, in[0]);
         },
         {y_bar, weight}},
        {"conv2d_weight_gradient",
         "",
         [weight, options](const Inputs& in) {
             return gradient([&](const Tensor& at) { return conv2d(in[1], at, {}, options); }, weight, in[0]);
         },
         {y_bar, x}},
    };
}

Rows pool_rows() {
    const Tensor x = numbers({2, 2, 5, 4});
    const MaxPool2dOptions overlapping{.kernel_size = {3, 2}, .stride = 1, .padding = {1, 0}};
    const AvgPool2dOptions average{
        .kernel_size = {3, 2}, .stride = {2, 1}, .padding = 1, .ceil_mode = true, .count_include_pad = false};
    return {
        {"max_pool2d", "", [](const Inputs& in) { return max_pool2d(in[0], {.kernel_size = 2}); }, {x}},
        {"max_pool2d", "overlapping", [=](const Inputs& in) { return max_pool2d(in[0], overlapping); }, {x}},
        {"max_pool2d_backward",
         "",
         [=](const Inputs& in) {
             return gradient([&](const Tensor& at) { return max_pool2d(at, overlapping); }, x, in[0]);
         },
         {numbers({2, 2, 5, 3})}},
        {"avg_pool2d", "", [=](const Inputs& in) { return avg_pool2d(in[0], average); }, {x}},
        {"avg_pool2d_backward",
         "",
         [=](const Inputs& in) {
             return gradient([&](const Tensor& at) { return avg_pool2d(at, average); }, x, in[0]);
         },
         {numbers({2, 2, 3, 5})}},
    };
}

Rows attention_rows() {
    const Inputs x = {numbers({2, 3, 4}, -2, 2, 1), numbers({5, 4}, -2, 2, 2), numbers({2, 5, 2}, -2, 2, 3)};
    const auto attention = [](bool is_causal) {
        return [is_causal](const Inputs& in) {
            return scaled_dot_product_attention(in[0], in[1], in[2], {.is_causal = is_causal});
        };
    };
    return {{"scaled_dot_product_attention", "", attention(false), x},
            {"scaled_dot_product_attention", "causal", attention(true), x}};
}

}  // namespace

Rows layer_rows() {
    Rows rows = norm_rows();
    for (const Rows& more : {conv_rows(), pool_rows(), attention_rows()})
        rows.insert(rows.end(), more.begin(), more.end());
    return rows;
}

}  // namespace reel::testing
