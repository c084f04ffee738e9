// Layers, forward and backward.
#include "dialect.hpp"
#include "workload.hpp"

using namespace dialect;

namespace {

/// f(leaves), then the rewind with a fixed cotangent.
Workload both(const char* name, Cost cost, std::vector<std::vector<int64_t>> shapes,
              Tensor (*f)(const std::vector<Tensor>&), bool first_is_data = false) {
    return {name, "layer", cost, [=] {
                std::vector<Tensor> leaves;
                for (const auto& sizes : shapes) leaves.push_back(randn(sizes).set_requires_grad(true));
                if (first_is_data) leaves[0] = leaves[0].detach();
                const Tensor g = [&] {
                    Tape tape;
                    return randn(std::vector<int64_t>(f(leaves).sizes().vec()));
                }();
                return [=] {
                    Tape tape;
                    zero_grad(leaves);
                    f(leaves).backward(g);
                };
            }};
}

}  // namespace

std::vector<Workload> layer_workloads() {
    constexpr double m = 1 << 20;
    return {
        both("layer_norm_fwdbwd", {.bytes = 5 * 4 * 1024.0 * 1024}, {{1024, 1024}, {1024}, {1024}},
             [](const std::vector<Tensor>& x) { return dialect::layer_norm(x[0], 1024, x[1], x[2]); }),
        both("gelu_fwdbwd", {.bytes = 5 * 4 * m, .exps = 4 * m}, {{1024, 1024}},
             [](const std::vector<Tensor>& x) { return dialect::gelu(x[0]); }),
        both(
            "conv2d_1_16_fwdbwd", {.flops = 2 * 2.0 * 25088 * 16 * 9}, {{32, 1, 28, 28}, {16, 1, 3, 3}, {16}},
            [](const std::vector<Tensor>& x) { return dialect::conv2d(x[0], x[1], x[2], 1); }, true),
        both("conv2d_16_32_fwdbwd", {.flops = 3 * 2.0 * 25088 * 32 * 16 * 9},
             {{32, 16, 28, 28}, {32, 16, 3, 3}, {32}},
             [](const std::vector<Tensor>& x) { return dialect::conv2d(x[0], x[1], x[2], 1); }),
        both("max_pool2d_fwdbwd", {.bytes = 2.5 * 4 * 32 * 16 * 784}, {{32, 16, 28, 28}},
             [](const std::vector<Tensor>& x) { return dialect::max_pool2d(x[0], 2); }),
        both("attention_fwdbwd", {.flops = 6 * 2.0 * 8 * 4 * 64 * 64 * 32},
             {{8, 4, 64, 32}, {8, 4, 64, 32}, {8, 4, 64, 32}},
             [](const std::vector<Tensor>& x) { return dialect::attention(x[0], x[1], x[2], Tensor()); }),
    };
}
