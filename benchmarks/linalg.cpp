// Matrix products.
#include "dialect.hpp"
#include "workload.hpp"

using namespace dialect;

namespace {

Workload product(const char* name, int64_t m, int64_t k, int64_t n, bool transposed = false) {
    return {name, "linalg", {.flops = 2.0 * static_cast<double>(m * k * n)}, [=] {
                const Tensor a = randn({m, k});
                const Tensor b = transposed ? randn({n, k}).t() : randn({k, n});
                return [=] { a.matmul(b); };
            }};
}

}  // namespace

std::vector<Workload> linalg_workloads() {
    return {
        product("matmul_16", 16, 16, 16),
        product("matmul_64", 64, 64, 64),
        product("matmul_256", 256, 256, 256),
        product("matmul_1024", 1024, 1024, 1024),
        product("matmul_64x784x256", 64, 784, 256),
        product("matmul_bt_256", 256, 256, 256, true),
        {"matmul_batched_32x64",
         "linalg",
         {.flops = 32 * 2.0 * 64 * 64 * 64},
         [] {
             const Tensor a = randn({32, 64, 64});
             const Tensor b = randn({32, 64, 64});
             return [=] { a.matmul(b); };
         }},
        {"linear_fwdbwd_64x784x256",
         "linalg",
         {.flops = 3 * 2.0 * 64 * 784 * 256},
         [] {
             const Tensor x = randn({64, 784}).set_requires_grad(true);
             const Tensor w = randn({256, 784}).set_requires_grad(true);
             const Tensor b = randn({256}).set_requires_grad(true);
             const Tensor g = randn({64, 256});
             return [=] {
                 Tape tape;
                 zero_grad({x, w, b});
                 dialect::linear(x, w, b).backward(g);
             };
         }},
    };
}
