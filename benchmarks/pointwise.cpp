// Pointwise operations: dense, broadcast, transposed, tiny.
#include "dialect.hpp"
#include "workload.hpp"

using namespace dialect;

namespace {

/// f(x) with x of `sizes`.
Workload unary(const char* name, std::vector<int64_t> sizes, Cost cost, Tensor (*f)(const Tensor&)) {
    return {name, "pointwise", cost, [=] {
                const Tensor x = randn(sizes);
                return [=] { f(x); };
            }};
}

Workload binary(const char* name, std::vector<int64_t> a, std::vector<int64_t> b, Cost cost,
                Tensor (*f)(const Tensor&, const Tensor&)) {
    return {name, "pointwise", cost, [=] {
                const Tensor x = randn(a);
                const Tensor y = randn(b);
                return [=] { f(x, y); };
            }};
}

Tensor add(const Tensor& a, const Tensor& b) { return a + b; }

}  // namespace

std::vector<Workload> pointwise_workloads() {
    constexpr double m = 1 << 20;
    return {
        binary("add_4m", {4 << 20}, {4 << 20}, {.bytes = 48 * m}, add),
        binary("add_row_1024", {1024, 1024}, {1024}, {.bytes = 8 * m}, add),
        binary("add_transposed_1024", {1024, 1024}, {1024, 1024}, {.bytes = 12 * m},
               [](const Tensor& a, const Tensor& b) { return a + b.t(); }),
        unary("mul_scalar_1m", {1 << 20}, {.bytes = 8 * m}, [](const Tensor& x) { return x * 1.5; }),
        unary("exp_1m", {1 << 20}, {.bytes = 8 * m, .exps = m}, [](const Tensor& x) { return x.exp(); }),
        unary("tanh_1m", {1 << 20}, {.bytes = 8 * m, .exps = m}, [](const Tensor& x) { return x.tanh(); }),
        unary("gelu_1m", {1 << 20}, {.bytes = 8 * m, .exps = m},
              [](const Tensor& x) { return dialect::gelu(x); }),
        {"where_1m",
         "pointwise",
         {.bytes = 13 * m},
         [] {
             const Tensor a = randn({1 << 20});
             const Tensor b = randn({1 << 20});
             const Tensor c = randn({1 << 20}) > 0;
             return [=] { dialect::where(c, a, b); };
         }},
        binary("less_1m", {1 << 20}, {1 << 20}, {.bytes = 9 * m},
               [](const Tensor& a, const Tensor& b) { return a < b; }),
        binary("add_16", {16}, {16}, {}, add),
        binary("add_256", {256}, {256}, {}, add),
        binary("add_4096", {4096}, {4096}, {.bytes = 12 * 4096}, add),
        unary("tanh_256", {256}, {}, [](const Tensor& x) { return x.tanh(); }),
    };
}
