// Reductions along every kind of dimension, of every kind of source.
#include "family.hpp"

using namespace dialect;

namespace {

const Cost kRead4M = {.bytes = kFloat * 4 * kM};

/// [2048, 2048] along the first and the last dimension; [128, 256, 128] along the middle one, and two of
/// three; all.
void matrices(Family& family) {
    const MakeOperands square = normal({{2048, 2048}});
    const MakeOperands cube = normal({{128, 256, 128}});
    const Sizes outer = {0, 2};
    family.forward("sum_all_4m", kRead4M, normal({{4 << 20}}), [](Operands x) { return x[0].sum(); });
    family.forward("sum_dim0_2048", kRead4M, square, [](Operands x) { return x[0].sum(0); });
    family.forward("sum_dim1_2048", kRead4M, square, [](Operands x) { return x[0].sum(1); });
    family.forward("sum_middle", kRead4M, cube, [](Operands x) { return x[0].sum(1); });
    family.forward("sum_first_two", kRead4M, cube, [](Operands x) { return x[0].sum(Sizes{0, 1}); });
    family.forward("sum_last_two", kRead4M, cube, [](Operands x) { return x[0].sum(Sizes{1, 2}); });
    family.forward("mean_dim02_64x128x256", {.bytes = kFloat * 2 * kM}, normal({{64, 128, 256}}),
                   [outer](Operands x) { return x[0].mean(outer); });
    family.forward("amax_all_4m", kRead4M, square, [](Operands x) { return x[0].max(); });
    family.forward("amax_dim0_2048", kRead4M, square, [](Operands x) { return x[0].amax(0); });
    family.forward("amax_dim1_2048", kRead4M, square, [](Operands x) { return x[0].amax(1); });
    family.forward("amax_middle", kRead4M, cube, [](Operands x) { return x[0].amax(1); });
    family.forward("amin_outer_two", kRead4M, cube, [outer](Operands x) { return x[0].amin(outer); });
    family.forward("argmax_all_4m", kRead4M, square, [](Operands x) { return x[0].argmax(); });
    family.forward("argmax_dim0_2048", kRead4M, square, [](Operands x) { return x[0].argmax(0); });
    family.forward("argmax_dim1_2048", kRead4M, square, [](Operands x) { return x[0].argmax(1); });
    family.forward("argmin_middle", kRead4M, cube, [](Operands x) { return x[0].argmin(1); });
    family.forward("max_dim1_2048", kRead4M, square, [](Operands x) { return values(x[0].max(1)); });
    family.forward("var_dim0_2048", kRead4M, square, [](Operands x) { return x[0].var(Sizes{0}, true); });
    family.forward("var_dim1_2048", kRead4M, square, [](Operands x) { return x[0].var(Sizes{1}, true); });
    family.forward("std_all_4m", kRead4M, square, [](Operands x) { return x[0].std(Sizes{0, 1}, true); });
    family.forward("norm_all_4m", kRead4M, square, [](Operands x) { return x[0].norm(); });
    family.forward("norm_dim1_2048", kRead4M, square, [](Operands x) { return x[0].norm(2, Sizes{1}); });
    family.forward("prod_dim1_2048", kRead4M, square, [](Operands x) { return x[0].prod(1); });
    family.forward("count_nonzero_4m", kRead4M, square, [](Operands x) { return x[0].count_nonzero(); });
}

void scans_and_orders(Family& family) {
    const MakeOperands square = normal({{2048, 2048}});
    const Cost copied = {.bytes = 2 * kFloat * 4 * kM};
    family.forward("cumsum_dim1_2048", copied, square, [](Operands x) { return x[0].cumsum(1); });
    family.forward("cumsum_dim0_2048", copied, square, [](Operands x) { return x[0].cumsum(0); });
    family.forward("cumprod_dim1_2048", copied, square, [](Operands x) { return x[0].cumprod(1); });
    family.forward("sort_dim1_1024", {.bytes = 16 * kM}, normal({{1024, 1024}}),
                   [](Operands x) { return values(x[0].sort(1)); });
    family.forward("sort_1m", {.bytes = 16 * kM}, normal({{1 << 20}}),
                   [](Operands x) { return values(x[0].sort(0)); });
    family.forward("topk_50_64x50257", {.bytes = kFloat * 64 * 50257}, normal({{64, 50257}}),
                   [](Operands x) { return values(x[0].topk(50)); });
    family.forward("topk_5_8192x64", {.bytes = kFloat * 8192 * 64}, normal({{8192, 64}}),
                   [](Operands x) { return values(x[0].topk(5)); });
}

/// Views, short rows, other types.
void sources(Family& family) {
    const MakeOperands square = normal({{2048, 2048}});
    const MakeOperands rows = normal({{65536, 10}});
    const Cost short_rows = {.bytes = kFloat * 655360};
    family.forward("sum_transposed_dim1", kRead4M, square, [](Operands x) { return x[0].t().sum(1); });
    family.forward("amax_transposed_dim1", kRead4M, square, [](Operands x) { return x[0].t().amax(1); });
    family.forward("sum_rows_step2", {.bytes = kFloat * 2 * kM}, square,
                   [](Operands x) { return x[0].index({Slice(None, None, 2)}).sum(); });
    family.forward("slice_cols_step2_sum", kRead4M, square, [](Operands x) {
        return x[0].index({Slice(), Slice(None, None, 2)}).sum();
    });
    family.forward("sum_dim1_cols_step2", kRead4M, square, [](Operands x) {
        return x[0].index({Slice(), Slice(None, None, 2)}).sum(1);
    });
    family.forward("sum_dim1_65536x10", short_rows, rows, [](Operands x) { return x[0].sum(1); });
    family.forward("amax_dim1_65536x10", short_rows, rows, [](Operands x) { return x[0].amax(1); });
    family.forward("argmax_dim1_65536x10", short_rows, rows, [](Operands x) { return x[0].argmax(1); });
    family.forward("var_dim1_65536x10", short_rows, rows,
                   [](Operands x) { return x[0].var(Sizes{1}, true); });
    family.forward("sum_16", {}, normal({{16}}), [](Operands x) { return x[0].sum(); });
    family.forward("sum_4096", {.bytes = kFloat * 4096}, normal({{4096}}),
                   [](Operands x) { return x[0].sum(); });
    family.forward("amax_dim1_64x64", {}, normal({{64, 64}}), [](Operands x) { return x[0].amax(1); });

    const auto cast = [](auto dtype) {
        return [dtype] { return std::vector<Tensor>{(randn({2048, 1024}) * 100).to(dtype)}; };
    };
    family.forward("sum_double_2m", {.bytes = 16 * kM}, cast(kFloat64),
                   [](Operands x) { return x[0].sum(); });
    family.forward("sum_int64_dim1", {.bytes = 16 * kM}, cast(kInt64),
                   [](Operands x) { return x[0].sum(1); });
    family.forward("amax_int64_dim1", {.bytes = 16 * kM}, cast(kInt64),
                   [](Operands x) { return x[0].amax(1); });
    family.forward("sum_bfloat16_dim1", {.bytes = 4 * kM}, cast(kBFloat16),
                   [](Operands x) { return x[0].sum(1); });
    family.forward("sum_float16_dim0", {.bytes = 4 * kM}, cast(kFloat16),
                   [](Operands x) { return x[0].sum(0); });
    family.forward("sum_bool_2m", {.bytes = 2 * kM}, cast(kBool), [](Operands x) { return x[0].sum(); });
    family.forward("all_bool_dim1", {.bytes = 2 * kM}, cast(kBool), [](Operands x) { return x[0].all(1); });
    family.forward("any_bool_dim0", {.bytes = 2 * kM}, cast(kBool), [](Operands x) { return x[0].any(0); });
}

void gradients(Family& family) {
    const MakeOperands mega = normal({{1024, 1024}});
    family.both("sum_dim1_fwdbwd", {.bytes = 8 * kM}, mega, [](Operands x) { return x[0].sum(1); });
    family.both("amax_dim1_fwdbwd", {.bytes = 12 * kM}, mega, [](Operands x) { return x[0].amax(1); });
    family.both("var_dim1_fwdbwd", {.bytes = 12 * kM}, mega,
                [](Operands x) { return x[0].var(Sizes{1}, true); });
    family.both("norm_fwdbwd", {.bytes = 12 * kM}, mega, [](Operands x) { return x[0].norm(); });
    family.both("cumsum_dim1_fwdbwd", {.bytes = 16 * kM}, mega, [](Operands x) { return x[0].cumsum(1); });
}

}  // namespace

std::vector<Workload> reduction_workloads() {
    Family family("reduction");
    matrices(family);
    scans_and_orders(family);
    sources(family);
    gradients(family);
    return family.rows();
}
