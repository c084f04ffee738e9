// Moving elements: transposition, joining, gathering, scattering.
#include "dialect.hpp"
#include "workload.hpp"

using namespace dialect;

namespace {

constexpr double kM = 1 << 20;

Workload copy(const char* name, std::vector<int64_t> sizes, double bytes, Tensor (*f)(const Tensor&)) {
    return {name, "layout", {.bytes = bytes}, [=] {
                const Tensor x = randn(sizes);
                return [=] { f(x); };
            }};
}

}  // namespace

std::vector<Workload> layout_workloads() {
    return {
        copy("transpose_contiguous_2048", {2048, 2048}, 32 * kM,
             [](const Tensor& x) { return x.t().contiguous(); }),
        copy("permute4d_contiguous", {32, 64, 32, 32}, 16 * kM,
             [](const Tensor& x) {
                 return x.permute({0, 2, 3, 1}).contiguous();
             }),
        {"cat_dim0",
         "layout",
         {.bytes = 16 * kM},
         [] {
             const Tensor a = randn({1024, 1024});
             const Tensor b = randn({1024, 1024});
             return [=] { dialect::cat({a, b}); };
         }},
        {"embedding_fwdbwd",
         "layout",
         {.bytes = 50257.0 * 256 * 4 + 3 * 4096.0 * 256 * 4},
         [] {
             const Tensor w = randn({50257, 256}).set_requires_grad(true);
             const Tensor i = randint(0, 50257, {4096});
             const Tensor g = randn({4096, 256});
             return [=] {
                 Tape tape;
                 zero_grad({w});
                 dialect::embedding(i, w).backward(g);
             };
         }},
        {"index_rows",
         "layout",
         {.bytes = 8 * kM},
         [] {
             const Tensor x = randn({8192, 256});
             const Tensor i = randint(0, 8192, {4096});
             return [=] { x.index({i}); };
         }},
        {"mask_select_1m",
         "layout",
         {.bytes = 7 * kM},
         [] {
             const Tensor x = randn({1 << 20});
             const Tensor mask = randn({1 << 20}) > 0;
             return [=] { x.masked_select(mask); };
         }},
        {"gather_dim1",
         "layout",
         {.bytes = 4096.0 * 256 * (8 + 4) + 16 * kM},
         [] {
             const Tensor x = randn({4096, 1024});
             const Tensor i = randint(0, 1024, {4096, 256});
             return [=] { x.gather(1, i); };
         }},
        {"index_put_accumulate",
         "layout",
         {.bytes = 12 * kM},
         [] {
             const Tensor x = zeros({1024, 256});
             const Tensor i = randint(0, 1024, {4096});
             const Tensor v = randn({4096, 256});
             return [=]() mutable { x.index_put_({i}, v, true); };
         }},
        copy("slice_cols_step2_sum", {2048, 2048}, 16 * kM,
             [](const Tensor& x) {
                 return x.index({Slice(), Slice(None, None, 2)}).sum();
             }),
    };
}
