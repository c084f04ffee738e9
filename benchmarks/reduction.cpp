// Reductions along every kind of dimension.
#include "dialect.hpp"
#include "workload.hpp"

using namespace dialect;

namespace {

Workload reduction(const char* name, std::vector<int64_t> sizes, Cost cost, void (*f)(const Tensor&)) {
    return {name, "reduction", cost, [=] {
                const Tensor x = randn(sizes);
                return [=] { f(x); };
            }};
}

}  // namespace

std::vector<Workload> reduction_workloads() {
    constexpr double m = 1 << 20;
    return {
        reduction("sum_all_4m", {4 << 20}, {.bytes = 16 * m}, [](const Tensor& x) { x.sum(); }),
        reduction("sum_dim0_2048", {2048, 2048}, {.bytes = 16 * m}, [](const Tensor& x) { x.sum(0); }),
        reduction("sum_dim1_2048", {2048, 2048}, {.bytes = 16 * m}, [](const Tensor& x) { x.sum(1); }),
        reduction("mean_dim02_64x128x256", {64, 128, 256}, {.bytes = 8 * m},
                  [](const Tensor& x) {
                      x.mean(std::vector<int64_t>{0, 2});
                  }),
        reduction("amax_dim1_2048", {2048, 2048}, {.bytes = 16 * m}, [](const Tensor& x) { x.amax(1); }),
        reduction("argmax_dim1_2048", {2048, 2048}, {.bytes = 16 * m}, [](const Tensor& x) { x.argmax(1); }),
        reduction("var_dim1_2048", {2048, 2048}, {.bytes = 16 * m}, [](const Tensor& x) { x.var(1); }),
        reduction("cumsum_dim1_2048", {2048, 2048}, {.bytes = 32 * m}, [](const Tensor& x) { x.cumsum(1); }),
        reduction("sum_16", {16}, {}, [](const Tensor& x) { x.sum(); }),
    };
}
