// Picks the instruction set when the program first needs a kernel.
#include <cstdlib>
#include <cstring>

#include "ops/kernels/table.hpp"
#include "tensor/error.hpp"

namespace reel::kernels {

// Each set's translation units fill a table of their own (see cmake/Kernels.cmake for REEL_KERNEL_SETS): one function
// for each source file.
// clang-format off
#define REEL_INSTALLERS(X)                                                                             \
    X(pointwise) X(transcendental) X(activations) X(convert) X(reduce) X(extremes) X(few_first) X(moments) X(scan)   \
    X(indexing) X(transpose) X(every) X(update) X(norm) X(window) X(average) X(correlate) X(gemm) X(gemm_unpacked) X(pack)  \
    X(matvec) X(softmax) X(softmax_statistics) X(softmax_backward) X(soft_targets) X(losses)
// clang-format on

#define REEL_DECLARE_ONE(name) void install_##name(Table& table);
#define REEL_DECLARE(set)             \
    namespace set {                   \
    REEL_INSTALLERS(REEL_DECLARE_ONE) \
    }
#if defined(REEL_HAS_SSE2)
REEL_DECLARE(sse2)
#endif
#if defined(REEL_HAS_AVX2)
REEL_DECLARE(avx2)
#endif
#if defined(REEL_HAS_AVX512)
REEL_DECLARE(avx512)
#endif
#if defined(REEL_HAS_NEON)
REEL_DECLARE(neon)
#endif
#undef REEL_DECLARE

namespace {

/// Fills the table with the kernels of one set.
#define REEL_INSTALL_ONE(name) install_##name(table);
#define REEL_INSTALL(set)                 \
    [](Table& table) {                    \
        using namespace set;              \
        table.instruction_set = #set;     \
        REEL_INSTALLERS(REEL_INSTALL_ONE) \
    }

struct Set {
    const char* name;
    bool available;
    void (*install)(Table&);
};

#if defined(__x86_64__)
/// Whether processor and system run code of a set: what cmake/Kernels.cmake compiles it with. Asked of the
/// compiler's runtime, which has the system's part (are the wide registers saved?) as well. Not of xsimd: its
/// answer is one object of the whole program, which another xsimd in the program lays out in another way.
[[maybe_unused]] bool has_avx2() {
    __builtin_cpu_init();  // for kernels that run before main does
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}
[[maybe_unused]] bool has_avx512() {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
}
#endif

Table choose() {
    const Set sets[] = {
#if defined(REEL_HAS_AVX512)
        {"avx512", has_avx512(), REEL_INSTALL(avx512)},
#endif
#if defined(REEL_HAS_AVX2)
        {"avx2", has_avx2(), REEL_INSTALL(avx2)},
#endif
#if defined(REEL_HAS_SSE2)
        {"sse2", true, REEL_INSTALL(sse2)},
#endif
#if defined(REEL_HAS_NEON)
        {"neon", true, REEL_INSTALL(neon)},
#endif
    };
    Table table;
    const char* wanted = std::getenv("REEL_ARCH");
    for (const Set& set : sets) {
        if (wanted && *wanted ? std::strcmp(wanted, set.name) != 0 : !set.available) continue;
        if (!set.available) fail<Error>("REEL_ARCH: this machine does not support ", wanted);
        set.install(table);
        return table;
    }
    fail<Error>("REEL_ARCH: this build has no kernels for '", wanted ? wanted : "", "'");
}

}  // namespace

constinit std::atomic<const Table*> chosen = nullptr;

const Table& choose_kernels() {
    static const Table table = choose();
    chosen.store(&table, std::memory_order_release);
    return table;
}

}  // namespace reel::kernels
