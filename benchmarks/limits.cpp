// What this machine can do at best, on one thread: bytes a second by footprint, products, exponentials.
// Prints JSON. Built once for each instruction set.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>
#include <xsimd/xsimd.hpp>

namespace {

using Vec = xsimd::batch<float>;

/// Seconds of the fastest of several runs of f.
template <class F>
double best_seconds(const F& f) {
    double best = 1e9;
    for (int round = 0; round < 15; ++round) {
        const auto start = std::chrono::steady_clock::now();
        f();
        best =
            std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    return best;
}

/// Read and written bytes a second of y = x + x where both together take `bytes`.
double bandwidth(std::size_t bytes) {
    const std::size_t n = bytes / 2 / sizeof(float) / Vec::size * Vec::size;
    auto* x =
        static_cast<float*>(std::aligned_alloc(std::size_t{2} << 20, ((n * sizeof(float) >> 21) + 1) << 21));
    auto* y =
        static_cast<float*>(std::aligned_alloc(std::size_t{2} << 20, ((n * sizeof(float) >> 21) + 1) << 21));
    std::fill_n(x, n, 1.0f);
    std::fill_n(y, n, 1.0f);
    const std::size_t repeats = std::max<std::size_t>(1, (std::size_t{32} << 20) / bytes);
    const double seconds = best_seconds([&] {
        for (std::size_t r = 0; r < repeats; ++r) {
            for (std::size_t i = 0; i < n; i += Vec::size) {
                const Vec v = Vec::load_aligned(x + i);
                (v + v).store_aligned(y + i);
            }
            asm volatile("" ::: "memory");
        }
    });
    std::free(x);
    std::free(y);
    return static_cast<double>(2 * n * sizeof(float) * repeats) / seconds;
}

/// Multiplications and additions a second in registers.
double fma_peak() {
    constexpr std::size_t kChains = 12;
    constexpr int kSteps = 1 << 18;
    Vec acc[kChains];
    for (Vec& a : acc) a = Vec(1.0f);
    const Vec factor(1.000001f);
    const Vec term(1e-7f);
    const double seconds = best_seconds([&] {
        // Chains of our own: captured ones would go through memory.
        Vec chain[kChains];
        std::copy(acc, acc + kChains, chain);
        for (int i = 0; i < kSteps; ++i) {
            for (Vec& a : chain) a = xsimd::fma(a, factor, term);
        }
        float sink[Vec::size];
        for (const Vec& a : chain) {
            a.store_unaligned(sink);
            asm volatile("" : : "r"(sink) : "memory");
        }
    });
    return 2.0 * kChains * Vec::size * kSteps / seconds;
}

/// Exponentials a second of a bare loop in L1, to the accuracy of a polynomial of degree 5.
double exp_rate() {
    constexpr std::size_t n = 4096;
    static float x[n];
    static float y[n];
    for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<float>(i % 64) / 16.0f - 2.0f;
    const double seconds = best_seconds([&] {
        for (int r = 0; r < 512; ++r) {
            for (std::size_t i = 0; i < n; i += Vec::size) {
                const Vec v = Vec::load_unaligned(x + i);
                const Vec k = xsimd::nearbyint(v * Vec(1.44269504f));
                const Vec f = xsimd::fma(k, Vec(-0.693147181f), v);
                Vec p = Vec(0.00833333f);
                for (float c : {0.0416667f, 0.1666667f, 0.5f, 1.0f, 1.0f}) p = xsimd::fma(p, f, Vec(c));
                xsimd::ldexp(p, xsimd::to_int(k)).store_unaligned(y + i);
            }
            asm volatile("" ::: "memory");
        }
    });
    return 512.0 * n / seconds;
}

}  // namespace

int main() {
    std::printf("{\"bandwidth\": [");
    const char* comma = "";
    for (std::size_t kb : {16, 64, 256, 1024, 4096, 16384, 65536, 262144, 524288}) {
        std::printf("%s[%zu, %.4g]", comma, kb * 1024, bandwidth(kb * 1024));
        comma = ", ";
    }
    std::printf("], \"flops\": %.4g, \"exps\": %.4g}\n", fma_peak(), exp_rate());
    return 0;
}
