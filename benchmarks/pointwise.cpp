// Pointwise operations: dense, broadcast, strided, in place, of every type, tiny.
#include "family.hpp"

using namespace dialect;

namespace {

const Cost kRead1M = {.bytes = 2 * kFloat * kM};  // one operand, one result
const Cost kExp1M = {.bytes = 2 * kFloat * kM, .exps = kM};
const Cost kTwo1M = {.bytes = 3 * kFloat * kM};

Tensor plus(Operands x) { return x[0] + x[1]; }

void functions(Family& family) {
    const MakeOperands mega = normal({{1 << 20}});
    const MakeOperands positive = [] { return std::vector<Tensor>{rand({1 << 20}) + 0.1}; };
    family.forward("mul_scalar_1m", kRead1M, mega, [](Operands x) { return x[0] * 1.5; });
    family.forward("exp_1m", kExp1M, mega, [](Operands x) { return x[0].exp(); });
    family.forward("tanh_1m", kExp1M, mega, [](Operands x) { return x[0].tanh(); });
    family.forward("gelu_1m", kExp1M, mega, [](Operands x) { return dialect::gelu(x[0]); });
    family.forward("sigmoid_1m", kExp1M, mega, [](Operands x) { return x[0].sigmoid(); });
    family.forward("silu_1m", kExp1M, mega, [](Operands x) { return dialect::silu(x[0]); });
    family.forward("softplus_1m", kExp1M, mega, [](Operands x) { return dialect::softplus(x[0]); });
    family.forward("erf_1m", kExp1M, mega, [](Operands x) { return x[0].erf(); });
    family.forward("sin_1m", kExp1M, mega, [](Operands x) { return x[0].sin(); });
    family.forward("log_1m", kExp1M, positive, [](Operands x) { return x[0].log(); });
    family.forward("sqrt_1m", kRead1M, positive, [](Operands x) { return x[0].sqrt(); });
    family.forward("rsqrt_1m", kRead1M, positive, [](Operands x) { return x[0].rsqrt(); });
    family.forward("pow_1m", kExp1M, positive, [](Operands x) { return x[0].pow(1.7); });
    family.forward("pow_2_1m", kRead1M, mega, [](Operands x) { return x[0].pow(2); });
    family.forward("relu_1m", kRead1M, mega, [](Operands x) { return x[0].relu(); });
    family.forward("clamp_1m", kRead1M, mega, [](Operands x) { return x[0].clamp(-1, 1); });
    family.forward("chain_1m", {.bytes = 8 * kFloat * kM, .exps = 2 * kM}, mega,
                   [](Operands x) { return (x[0].tanh() * 2 + 1).sigmoid(); });
    family.both("tanh_fwdbwd", {.bytes = 5 * kFloat * kM, .exps = kM}, mega,
                [](Operands x) { return x[0].tanh(); });
    family.both("sigmoid_fwdbwd", {.bytes = 5 * kFloat * kM, .exps = kM}, mega,
                [](Operands x) { return x[0].sigmoid(); });
    family.both("relu_fwdbwd", {.bytes = 5 * kFloat * kM}, mega, [](Operands x) { return x[0].relu(); });
}

void broadcasts(Family& family) {
    const Sizes square = {1024, 1024};
    family.forward("add_4m", {.bytes = 48 * kM}, normal({{4 << 20}, {4 << 20}}), plus);
    family.forward("add_row_1024", kRead1M, normal({square, {1024}}), plus);
    family.forward("add_column_1024", kRead1M, normal({square, {1024, 1}}), plus);
    family.forward("mul_column_1024", kRead1M, normal({square, {1024, 1}}),
                   [](Operands x) { return x[0] * x[1]; });
    family.forward("add_outer_1024", {.bytes = kFloat * kM}, normal({{1024, 1}, {1024}}), plus);
    family.forward("add_channels", {.bytes = 16 * kM}, normal({{32, 64, 32, 32}, {64, 1, 1}}), plus);
    family.forward(
        "add_0d_1m", kRead1M,
        [] {
            return std::vector<Tensor>{randn({1 << 20}), tensor(1.5)};
        },
        plus);
    family.forward("div_column_64x50257", {.bytes = 8.0 * 64 * 50257}, normal({{64, 50257}, {64, 1}}),
                   [](Operands x) { return x[0] / x[1]; });
    family.both("add_row_fwdbwd", {.bytes = 20 * kM}, normal({square, {1024}}), plus);
    family.both("mul_column_fwdbwd", {.bytes = 24 * kM}, normal({square, {1024, 1}}),
                [](Operands x) { return x[0] * x[1]; });
}

void strided(Family& family) {
    const Sizes square = {1024, 1024};
    const auto columns = [](const Tensor& x) { return x.index({Slice(), Slice(None, None, 2)}); };
    family.forward("add_transposed_1024", kTwo1M, normal({square, square}),
                   [](Operands x) { return x[0] + x[1].t(); });
    family.forward("exp_transposed_1024", kExp1M, normal({square}),
                   [](Operands x) { return x[0].t().exp(); });
    family.forward("add_cols_step2", {.bytes = 20 * kM}, normal({{1024, 2048}, {1024, 2048}}),
                   [=](Operands x) { return columns(x[0]) + columns(x[1]); });
    family.forward("mul_rows_step2", kRead1M, normal({{2048, 1024}}),
                   [](Operands x) { return x[0].index({Slice(None, None, 2)}) * 1.5; });
    family.forward("add_narrow", kTwo1M, normal({{1024, 2048}, square}),
                   [](Operands x) { return x[0].narrow(1, 512, 1024) + x[1]; });
}

void in_place(Family& family) {
    const Sizes square = {1024, 1024};
    family.forward("add_inplace_4m", {.bytes = 48 * kM}, normal({{4 << 20}, {4 << 20}}),
                   [](Operands x) { return Tensor(x[0]).add_(x[1]); });
    family.forward("add_inplace_1m", kTwo1M, normal({square, square}),
                   [](Operands x) { return Tensor(x[0]).add_(x[1]); });
    family.forward("mul_inplace_scalar_1m", kRead1M, normal({square}),
                   [](Operands x) { return Tensor(x[0]).mul_(1.0); });
    family.forward("add_inplace_row_1024", kRead1M, normal({square, {1024}}),
                   [](Operands x) { return Tensor(x[0]).add_(x[1]); });
    family.forward("copy_inplace_4m", {.bytes = 32 * kM}, normal({{4 << 20}, {4 << 20}}),
                   [](Operands x) { return Tensor(x[0]).copy_(x[1]); });
    family.forward("fill_inplace_4m", {.bytes = 16 * kM}, normal({{4 << 20}}),
                   [](Operands x) { return Tensor(x[0]).fill_(1.0); });
}

void types(Family& family) {
    const auto cast = [](auto dtype) {
        return [dtype] {
            return std::vector<Tensor>{(randn({1 << 20}) * 100).to(dtype),
                                       (randn({1 << 20}) * 100).to(dtype)};
        };
    };
    family.forward("add_double_1m", {.bytes = 24 * kM}, cast(kFloat64), plus);
    family.forward("exp_double_1m", {.bytes = 16 * kM, .exps = 2 * kM}, cast(kFloat64),
                   [](Operands x) { return x[0].exp(); });
    family.forward("add_int64_1m", {.bytes = 24 * kM}, cast(kInt64), plus);
    family.forward("less_int64_1m", {.bytes = 17 * kM}, cast(kInt64), [](Operands x) { return x[0] < x[1]; });
    family.forward("add_bfloat16_1m", {.bytes = 6 * kM}, cast(kBFloat16), plus);
    family.forward("mul_float16_1m", {.bytes = 6 * kM}, cast(kFloat16),
                   [](Operands x) { return x[0] * x[1]; });
    family.forward("tanh_bfloat16_1m", {.bytes = 4 * kM, .exps = kM}, cast(kBFloat16),
                   [](Operands x) { return x[0].tanh(); });
    family.forward("logical_and_1m", {.bytes = 3 * kM}, cast(kBool),
                   [](Operands x) { return x[0].logical_and(x[1]); });
    family.forward("int64_to_float32", {.bytes = 12 * kM}, cast(kInt64),
                   [](Operands x) { return x[0].to(kFloat32); });
    family.forward("float32_to_bfloat16", {.bytes = 6 * kM}, cast(kFloat32),
                   [](Operands x) { return x[0].to(kBFloat16); });
    family.forward("bool_to_float32", {.bytes = 5 * kM}, cast(kBool),
                   [](Operands x) { return x[0].to(kFloat32); });
    family.forward("less_1m", {.bytes = 9 * kM}, cast(kFloat32), [](Operands x) { return x[0] < x[1]; });
    family.forward(
        "where_1m", {.bytes = 13 * kM},
        [] {
            return std::vector<Tensor>{randn({1 << 20}) > 0, randn({1 << 20}), randn({1 << 20})};
        },
        [](Operands x) { return dialect::where(x[0], x[1], x[2]); });
    family.forward(
        "masked_fill_1m", {.bytes = 9 * kM},
        [] {
            return std::vector<Tensor>{randn({1 << 20}), randn({1 << 20}) > 0};
        },
        [](Operands x) { return x[0].masked_fill(x[1], -1.0); });
}

void tiny(Family& family) {
    family.forward("add_16", {}, normal({{16}, {16}}), plus);
    family.forward("add_256", {}, normal({{256}, {256}}), plus);
    family.forward("add_4096", {.bytes = 12 * 4096}, normal({{4096}, {4096}}), plus);
    family.forward("add_row_32x32", {}, normal({{32, 32}, {32}}), plus);
    family.forward("add_column_64x64", {}, normal({{64, 64}, {64, 1}}), plus);
    family.forward("tanh_256", {}, normal({{256}}), [](Operands x) { return x[0].tanh(); });
    family.forward("gelu_4096", {}, normal({{4096}}), [](Operands x) { return dialect::gelu(x[0]); });
}

}  // namespace

std::vector<Workload> pointwise_workloads() {
    Family family("pointwise");
    functions(family);
    broadcasts(family);
    strided(family);
    in_place(family);
    types(family);
    tiny(family);
    return family.rows();
}
