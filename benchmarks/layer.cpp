// Layers and losses, forward and backward.
#include "family.hpp"

using namespace dialect;

namespace {

void norms_and_activations(Family& family) {
    const MakeOperands normed = normal({{1024, 1024}, {1024}, {1024}});
    const auto layer_norm = [](Operands x) { return dialect::layer_norm(x[0], x[0].size(-1), x[1], x[2]); };
    family.forward("layer_norm_fwd", {.bytes = 8 * kM}, normed, layer_norm);
    family.both("layer_norm_fwdbwd", {.bytes = 20 * kM}, normed, layer_norm);
    family.both("layer_norm_fwdbwd_8192x64", {.bytes = 10 * kM}, normal({{8192, 64}, {64}, {64}}),
                layer_norm);
    family.both("gelu_fwdbwd", {.bytes = 5 * 4 * kM, .exps = 4 * kM}, normal({{1024, 1024}}),
                [](Operands x) { return dialect::gelu(x[0]); });
    family.both("silu_fwdbwd", {.bytes = 5 * 4 * kM, .exps = 2 * kM}, normal({{1024, 1024}}),
                [](Operands x) { return dialect::silu(x[0]); });
}

void losses(Family& family) {
    const MakeOperands pair = normal({{1024, 1024}, {1024, 1024}});
    family.both(
        "mse_fwdbwd", {.bytes = 20 * kM}, pair, [](Operands x) { return dialect::mse_loss(x[0], x[1]); }, 1);
    family.both(
        "huber_fwdbwd", {.bytes = 20 * kM}, pair, [](Operands x) { return dialect::huber_loss(x[0], x[1]); },
        1);
    family.both(
        "bce_fwdbwd", {.bytes = 20 * kM, .exps = 2 * kM},
        [] {
            return std::vector<Tensor>{randn({1024, 1024}), rand({1024, 1024})};
        },
        [](Operands x) { return dialect::bce(x[0], x[1]); }, 1);
}

/// A language model's last layer and its loss: [rows, features] against a vocabulary.
void vocabulary(Family& family, const std::string& name, int64_t rows, int64_t features, int64_t classes) {
    const double flops = 3 * 2.0 * static_cast<double>(rows * features * classes);
    family.both(
        name, {.flops = flops, .exps = 2.0 * static_cast<double>(rows * classes)},
        [=] {
            return std::vector<Tensor>{randn({rows, features}), randn({classes, features}) * 0.1,
                                       randint(0, classes, {rows})};
        },
        [](Operands x) { return dialect::linear_cross_entropy(x[0], x[1], x[2]); }, 2);
}

void images(Family& family) {
    const auto conv = [](Operands x) { return dialect::conv2d(x[0], x[1], x[2], 1); };
    const auto pool = [](Operands x) { return dialect::max_pool2d(x[0], 2); };
    const MakeOperands wide = normal({{32, 16, 28, 28}, {32, 16, 3, 3}, {32}});
    const double flops = 2.0 * 25088 * 32 * 16 * 9;
    // The images of the first layer want no gradient.
    family.add("conv2d_1_16_fwdbwd", {.flops = 2 * 2.0 * 25088 * 16 * 9}, [] {
        const Tensor x = randn({32, 1, 28, 28});
        const Tensor w = randn({16, 1, 3, 3}).set_requires_grad(true);
        const Tensor b = randn({16}).set_requires_grad(true);
        const Tensor y_bar = randn({32, 16, 28, 28});
        return [=] {
            Tape tape;
            zero_grad({w, b});
            dialect::conv2d(x, w, b, 1).backward(y_bar);
        };
    });
    family.forward("conv2d_16_32_fwd", {.flops = flops}, wide, conv);
    family.both("conv2d_16_32_fwdbwd", {.flops = 3 * flops}, wide, conv);
    family.forward("conv2d_64_64_fwd", {.flops = 2.0 * 8 * 784 * 64 * 64 * 9},
                   normal({{8, 64, 28, 28}, {64, 64, 3, 3}, {64}}), conv);
    family.forward("max_pool2d_fwd", {.bytes = 1.25 * 4 * 32 * 16 * 784}, normal({{32, 16, 28, 28}}), pool);
    family.both("max_pool2d_fwdbwd", {.bytes = 2.5 * 4 * 32 * 16 * 784}, normal({{32, 16, 28, 28}}), pool);
    family.both("avg_pool2d_fwdbwd", {.bytes = 2.5 * 4 * 32 * 16 * 784}, normal({{32, 16, 28, 28}}),
                [](Operands x) { return dialect::avg_pool2d(x[0], 2); });
}

void attentions(Family& family) {
    const MakeOperands heads = normal({{8, 4, 64, 32}, {8, 4, 64, 32}, {8, 4, 64, 32}});
    const MakeOperands long_heads = normal({{2, 4, 512, 64}, {2, 4, 512, 64}, {2, 4, 512, 64}});
    const double flops = 2 * 2.0 * 8 * 4 * 64 * 64 * 32;
    const double long_flops = 2 * 2.0 * 2 * 4 * 512 * 512 * 64;
    const auto plain = [](Operands x) { return dialect::attention(x[0], x[1], x[2], Tensor()); };
    const auto causal = [](Operands x) { return dialect::causal_attention(x[0], x[1], x[2]); };
    family.forward("attention_fwd", {.flops = flops}, heads, plain);
    family.both("attention_fwdbwd", {.flops = 3 * flops}, heads, plain);
    family.forward("attention_causal_fwd", {.flops = flops}, heads, causal);
    family.both("attention_causal_fwdbwd", {.flops = 3 * flops}, heads, causal);
    family.forward("attention_512_fwd", {.flops = long_flops}, long_heads, plain);
    family.both("attention_512_fwdbwd", {.flops = 3 * long_flops}, long_heads, plain);
    family.both("attention_causal_512_fwdbwd", {.flops = 3 * long_flops}, long_heads, causal);
}

}  // namespace

std::vector<Workload> layer_workloads() {
    Family family("layer");
    norms_and_activations(family);
    losses(family);
    vocabulary(family, "linear_ce_256x64x50257", 256, 64, 50257);
    vocabulary(family, "linear_ce_512x64x65", 512, 64, 65);
    images(family);
    attentions(family);
    return family.rows();
}
