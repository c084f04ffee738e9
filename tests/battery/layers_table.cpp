// How the battery calls layers.
#include "tests/battery/battery.hpp"

namespace reel::testing {

namespace {

/// One number for both dimensions, or one for each.
Pair pair(const Arguments& a, const char* name, Pair missing) {
    if (!a.contains(name)) return missing;
    if (a[name].is_number()) return a[name].get<std::int64_t>();
    return {a[name][0].get<std::int64_t>(), a[name][1].get<std::int64_t>()};
}

Outputs layer_norm_case(const Inputs& x, const Arguments& a) {
    return layer_norm(x[0], shape(a, "shape"), optional_input(x, 1), optional_input(x, 2),
                      a.value("eps", 1e-5));
}

Outputs rms_norm_case(const Inputs& x, const Arguments& a) {
    return rms_norm(x[0], shape(a, "shape"), optional_input(x, 1), optional_number(a, "eps"));
}

Outputs conv2d_case(const Inputs& x, const Arguments& a) {
    return conv2d(x[0], x[1], optional_input(x, 2),
                  {.stride = pair(a, "stride", 1),
                   .padding = pair(a, "padding", 0),
                   .dilation = pair(a, "dilation", 1),
                   .groups = integer(a, "groups").value_or(1)});
}

Outputs max_pool2d_case(const Inputs& x, const Arguments& a) {
    const Pair kernel = pair(a, "kernel_size", 1);
    return max_pool2d(x[0], {.kernel_size = kernel,
                             .stride = pair(a, "stride", kernel),
                             .padding = pair(a, "padding", 0),
                             .dilation = pair(a, "dilation", 1),
                             .ceil_mode = a.value("ceil_mode", false)});
}

Outputs avg_pool2d_case(const Inputs& x, const Arguments& a) {
    const Pair kernel = pair(a, "kernel_size", 1);
    return avg_pool2d(x[0], {.kernel_size = kernel,
                             .stride = pair(a, "stride", kernel),
                             .padding = pair(a, "padding", 0),
                             .ceil_mode = a.value("ceil_mode", false),
                             .count_include_pad = a.value("count_include_pad", true),
                             .divisor_override = integer(a, "divisor_override")});
}

Outputs attention_case(const Inputs& x, const Arguments& a) {
    return scaled_dot_product_attention(x[0], x[1], x[2],
                                        {.attn_mask = optional_input(x, 3),
                                         .is_causal = a.value("is_causal", false),
                                         .scale = optional_number(a, "scale")});
}

}  // namespace

Table layers_table() {
    return {
        {"layer_norm", layer_norm_case},
        {"rms_norm", rms_norm_case},
        {"dropout",
         [](const Inputs& x, const Arguments& a) {
             return dropout(x[0], a["p"].get<double>(), a.value("training", true));
         }},
        {"conv2d", conv2d_case},
        {"max_pool2d", max_pool2d_case},
        {"avg_pool2d", avg_pool2d_case},
        {"scaled_dot_product_attention", attention_case},
    };
}

}  // namespace reel::testing
