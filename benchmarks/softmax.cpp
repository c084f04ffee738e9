// The softmax family and the fused cross-entropy, forward and backward.
#include "dialect.hpp"
#include "workload.hpp"

using namespace dialect;

namespace {

constexpr double kFloat = 4;

Workload rows(const char* name, int64_t n, int64_t c, double bytes_per_element, Tensor (*f)(const Tensor&)) {
    const double count = static_cast<double>(n * c);
    return {name, "softmax", {.bytes = bytes_per_element * count, .exps = count}, [=] {
                const Tensor x = randn({n, c});
                return [=] { f(x); };
            }};
}

Workload ce_forward(const char* name, int64_t n, int64_t c) {
    const double count = static_cast<double>(n * c);
    return {name, "softmax", {.bytes = kFloat * count, .exps = count}, [=] {
                const Tensor x = randn({n, c});
                const Tensor t = randint(0, c, {n});
                return [=] { dialect::cross_entropy(x, t); };
            }};
}

Workload ce_both(const char* name, int64_t n, int64_t c, double smoothing = 0) {
    const double count = static_cast<double>(n * c);
    return {name, "softmax", {.bytes = 3 * kFloat * count, .exps = 2 * count}, [=] {
                const Tensor x = randn({n, c}).set_requires_grad(true);
                const Tensor t = randint(0, c, {n});
                return [=] {
                    Tape tape;
                    zero_grad({x});
                    dialect::cross_entropy(x, t, smoothing).backward();
                };
            }};
}

}  // namespace

std::vector<Workload> softmax_workloads() {
    const auto softmax = [](const Tensor& x) { return x.softmax(1); };
    return {
        rows("softmax_4096x1024", 4096, 1024, 2 * kFloat, softmax),
        rows("softmax_64x50257", 64, 50257, 2 * kFloat, softmax),
        rows("softmax_65536x10", 65536, 10, 2 * kFloat, softmax),
        rows("log_softmax_4096x1024", 4096, 1024, 2 * kFloat,
             [](const Tensor& x) { return x.log_softmax(1); }),
        rows("logsumexp_4096x1024", 4096, 1024, kFloat, [](const Tensor& x) { return x.logsumexp(1); }),
        rows("softmax_dim0_1024", 1024, 1024, 2 * kFloat, [](const Tensor& x) { return x.softmax(0); }),
        ce_forward("ce_fwd_8192x64", 8192, 64),
        ce_forward("ce_fwd_512x50257", 512, 50257),
        ce_both("ce_fwdbwd_8192x64", 8192, 64),
        ce_both("ce_fwdbwd_512x50257", 512, 50257),
        ce_both("ce_fwdbwd_65536x10", 65536, 10),
        ce_both("ce_smooth_fwdbwd_512x50257", 512, 50257, 0.1),
        ce_both("ce_fwdbwd_32x10", 32, 10),
    };
}
