// Moving elements: transposition, joining, gathering, scattering.
#include "family.hpp"

using namespace dialect;

namespace {

MakeOperands rows_and_indices(int64_t rows, int64_t width, int64_t picked) {
    return [=] { return std::vector<Tensor>{randn({rows, width}), randint(0, rows, {picked})}; };
}

void copies(Family& family) {
    const MakeOperands square = normal({{2048, 2048}});
    const MakeOperands images = normal({{32, 64, 32, 32}});
    const MakeOperands pair = normal({{1024, 1024}, {1024, 1024}});
    const Cost copied4m = {.bytes = 32 * kM};
    const Cost copied2m = {.bytes = 16 * kM};
    family.forward("transpose_contiguous_2048", copied4m, square,
                   [](Operands x) { return x[0].t().contiguous(); });
    family.forward("permute4d_contiguous", copied2m, images, [](Operands x) {
        return x[0].permute({0, 2, 3, 1}).contiguous();
    });
    family.forward("permute4d_back_contiguous", copied2m, normal({{32, 32, 32, 64}}), [](Operands x) {
        return x[0].permute({0, 3, 1, 2}).contiguous();
    });
    family.forward("permute_heads_contiguous", copied2m, normal({{32, 128, 8, 64}}),
                   [](Operands x) { return x[0].transpose(1, 2).contiguous(); });
    family.forward("permute_reversed_contiguous", copied2m, normal({{16, 32, 64, 64}}), [](Operands x) {
        return x[0].permute({3, 2, 1, 0}).contiguous();
    });
    family.forward(
        "transpose_int64_contiguous", copied2m,
        [] {
            return std::vector<Tensor>{randint(0, 9, {1024, 1024})};
        },
        [](Operands x) { return x[0].t().contiguous(); });
    family.forward("clone_4m", copied4m, square, [](Operands x) { return x[0].clone(); });
    family.forward("narrow_contiguous", copied2m, square,
                   [](Operands x) { return x[0].narrow(1, 512, 1024).contiguous(); });
    family.forward("expand_contiguous", {.bytes = 16 * kM}, normal({{2048, 1}}), [](Operands x) {
        return x[0].expand({2048, 2048}).contiguous();
    });
    family.forward("cat_dim0", copied2m, pair, [](Operands x) { return dialect::cat(x, 0); });
    family.forward("cat_dim1", copied2m, pair, [](Operands x) { return dialect::cat(x, 1); });
    family.forward("stack_dim0", copied2m, pair, [](Operands x) { return dialect::stack(x, 0); });
    family.forward("stack_last", copied2m, pair, [](Operands x) { return dialect::stack(x, -1); });
    family.forward("repeat_4x", {.bytes = 20 * kM}, normal({{1024, 1024}}), [](Operands x) {
        return x[0].repeat({2, 2});
    });
    family.forward("roll_dim1", {.bytes = 8 * kM}, normal({{1024, 1024}}),
                   [](Operands x) { return x[0].roll(5, 1); });
    family.forward("tril_1024", {.bytes = 8 * kM}, normal({{1024, 1024}}),
                   [](Operands x) { return x[0].tril(); });
}

void gathers(Family& family) {
    const double picked = 4096.0 * 256;
    family.both(
        "embedding_fwdbwd", {.bytes = 50257.0 * 256 * 4 + 3 * picked * 4}, rows_and_indices(50257, 256, 4096),
        [](Operands x) { return dialect::embedding(x[1], x[0]); }, 1);
    family.forward("index_rows", {.bytes = 8 * kM}, rows_and_indices(8192, 256, 4096),
                   [](Operands x) { return x[0].index({x[1]}); });
    family.both(
        "index_rows_fwdbwd", {.bytes = 24 * kM}, rows_and_indices(8192, 256, 4096),
        [](Operands x) { return x[0].index({x[1]}); }, 1);
    family.forward(
        "index_select_dim1", {.bytes = 8 * kM},
        [] {
            return std::vector<Tensor>{randn({1024, 2048}), randint(0, 2048, {1024})};
        },
        [](Operands x) { return x[0].index_select(1, x[1]); });
    const MakeOperands along = [] {
        return std::vector<Tensor>{randn({4096, 1024}), randint(0, 1024, {4096, 256})};
    };
    const MakeOperands down = [] {
        return std::vector<Tensor>{randn({4096, 256}), randint(0, 4096, {4096, 256})};
    };
    family.forward("gather_dim1", {.bytes = picked * (8 + 4) + 16 * kM}, along,
                   [](Operands x) { return x[0].gather(1, x[1]); });
    family.forward("gather_dim0", {.bytes = picked * (8 + 4 + 4)}, down,
                   [](Operands x) { return x[0].gather(0, x[1]); });
    family.forward(
        "gather_one_per_row", {.bytes = 8192 * 80.0},
        [] {
            return std::vector<Tensor>{randn({8192, 64}), randint(0, 64, {8192, 1})};
        },
        [](Operands x) { return x[0].gather(1, x[1]); });
    family.forward(
        "scatter_add_dim0", {.bytes = picked * (8 + 4 + 8)},
        [] {
            return std::vector<Tensor>{zeros({1024, 256}), randint(0, 1024, {4096, 256}), randn({4096, 256})};
        },
        [](Operands x) { return x[0].scatter_add(0, x[1], x[2]); });
    family.forward(
        "mask_select_1m", {.bytes = 7 * kM},
        [] {
            return std::vector<Tensor>{randn({1 << 20}), randn({1 << 20}) > 0};
        },
        [](Operands x) { return x[0].masked_select(x[1]); });
    family.forward(
        "nonzero_1m", {.bytes = 9 * kM},
        [] {
            return std::vector<Tensor>{randn({1024, 1024}) > 0.5};
        },
        [](Operands x) { return x[0].nonzero(); });
    family.forward(
        "index_put_accumulate", {.bytes = 12 * kM},
        [] {
            return std::vector<Tensor>{zeros({1024, 256}), randint(0, 1024, {4096}), randn({4096, 256})};
        },
        [](Operands x) { return Tensor(x[0]).index_put_({x[1]}, x[2], true); });
    family.forward(
        "index_put_rows", {.bytes = 8 * kM},
        [] {
            return std::vector<Tensor>{zeros({8192, 256}), randint(0, 8192, {4096}), randn({4096, 256})};
        },
        [](Operands x) { return Tensor(x[0]).index_put_({x[1]}, x[2]); });
}

}  // namespace

std::vector<Workload> layout_workloads() {
    Family family("layout");
    copies(family);
    gathers(family);
    return family.rows();
}
