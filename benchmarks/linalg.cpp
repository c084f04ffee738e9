// Matrix products: squares, thin ones, long ones, transposed, sliced, batched.
#include "family.hpp"

using namespace dialect;

namespace {

/// Which operands are views of a transposed matrix.
enum class Transposed { kNone, kFirst, kSecond, kBoth };

void product(Family& family, const std::string& name, int64_t m, int64_t k, int64_t n,
             Transposed t = Transposed::kNone) {
    const bool a = t == Transposed::kFirst || t == Transposed::kBoth;
    const bool b = t == Transposed::kSecond || t == Transposed::kBoth;
    family.forward(
        name, {.flops = 2.0 * static_cast<double>(m * k * n)},
        [=] {
            return std::vector<Tensor>{a ? randn({k, m}).t() : randn({m, k}),
                                       b ? randn({n, k}).t() : randn({k, n})};
        },
        [](Operands x) { return x[0].matmul(x[1]); });
}

void matrices(Family& family) {
    for (const int64_t n : {16, 64, 256, 512, 1024}) product(family, "matmul_" + std::to_string(n), n, n, n);
    product(family, "matmul_8", 8, 8, 8);
    product(family, "matmul_255", 255, 255, 255);
    product(family, "matmul_64x784x256", 64, 784, 256);
    product(family, "matmul_32x16x16", 32, 16, 16);
    product(family, "matmul_at_256", 256, 256, 256, Transposed::kFirst);
    product(family, "matmul_bt_256", 256, 256, 256, Transposed::kSecond);
    product(family, "matmul_atbt_256", 256, 256, 256, Transposed::kBoth);
    product(family, "matmul_long_k", 64, 65536, 64);
    product(family, "matmul_thin_k", 1024, 8, 1024);
    product(family, "matmul_row_1024", 1, 1024, 1024);
    product(family, "matmul_column_1024", 1024, 1024, 1);
    product(family, "matmul_vocabulary", 128, 64, 50257);
    family.forward("dot_1m", {.bytes = 8 * kM}, normal({{1 << 20}, {1 << 20}}),
                   [](Operands x) { return x[0].matmul(x[1]); });
    family.forward("matmul_cols_step2", {.flops = 2.0 * 256 * 256 * 256}, normal({{256, 512}, {256, 256}}),
                   [](Operands x) {
                       return x[0].index({Slice(), Slice(None, None, 2)}).matmul(x[1]);
                   });
    family.forward(
        "matmul_double_256", {.flops = 4.0 * 256 * 256 * 256},
        [] {
            return std::vector<Tensor>{randn({256, 256}).to(kFloat64), randn({256, 256}).to(kFloat64)};
        },
        [](Operands x) { return x[0].matmul(x[1]); });
}

void batches(Family& family) {
    const auto matmul = [](Operands x) { return x[0].matmul(x[1]); };
    family.forward("matmul_batched_32x64", {.flops = 32 * 2.0 * 64 * 64 * 64},
                   normal({{32, 64, 64}, {32, 64, 64}}), matmul);
    family.forward("matmul_batched_64x16", {.flops = 64 * 2.0 * 64 * 64 * 16},
                   normal({{16, 4, 64, 16}, {16, 4, 16, 64}}), matmul);
    family.forward("matmul_broadcast_batch", {.flops = 64 * 2.0 * 64 * 64 * 16},
                   normal({{16, 4, 64, 16}, {16, 64}}), matmul);
    family.forward("einsum_attention", {.flops = 32 * 2.0 * 64 * 64 * 32},
                   normal({{8, 64, 4, 32}, {8, 64, 4, 32}}),
                   [](Operands x) { return dialect::einsum("bihd,bjhd->bhij", x); });
}

void layers(Family& family) {
    const auto linear = [](Operands x) { return dialect::linear(x[0], x[1], x[2]); };
    family.both("linear_fwdbwd_64x784x256", {.flops = 3 * 2.0 * 64 * 784 * 256},
                normal({{64, 784}, {256, 784}, {256}}), linear);
    family.forward("linear_32x2x16", {}, normal({{32, 2}, {16, 2}, {16}}), linear);
    family.both("linear_fwdbwd_512x256x64", {.flops = 3 * 2.0 * 512 * 256 * 64},
                normal({{512, 256}, {64, 256}, {64}}), linear);
}

}  // namespace

std::vector<Workload> linalg_workloads() {
    Family family("linalg");
    matrices(family);
    batches(family);
    layers(family);
    return family.rows();
}
