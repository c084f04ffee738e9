// Note [A processor that the BLAS does not know]
// OpenBLAS picks its kernels by the processor's model number, and gives a model that is younger than itself
// those of 2004 (Prescott, SSE3): a quarter of the speed, or less. It can be told better by the environment
// variable OPENBLAS_CORETYPE, but reads that when it is loaded, before any of our code runs. So where it has
// fallen back on Prescott on a processor that has AVX2 we set the variable and let it choose again. That
// happens while the program is being loaded, too, when no other thread can be inside the BLAS. An
// OPENBLAS_CORETYPE of the user's stands; a BLAS without these two functions is left alone.
#include "ops/linalg/blas.hpp"

#include <cblas.h>

#include <cstdlib>
#include <cstring>
#include <xsimd/xsimd.hpp>

extern "C" {
[[gnu::weak]] void gotoblas_dynamic_init();
[[gnu::weak]] void gotoblas_dynamic_quit();
}

namespace reel {

namespace {

/// The newest of OpenBLAS's kernels that the processor runs; nullptr: nothing better than Prescott's.
const char* best_kernels() {
    const auto best = xsimd::available_architectures().best;
    if (best >= xsimd::avx512bw::version()) return "SkylakeX";
    return best >= xsimd::fma3<xsimd::avx2>::version() ? "Haswell" : nullptr;
}

bool choose_kernels() {
    constexpr const char* kVariable = "OPENBLAS_CORETYPE";
    const char* best = best_kernels();
    if (!best || !gotoblas_dynamic_init || !gotoblas_dynamic_quit || std::getenv(kVariable) ||
        std::strcmp(openblas_get_corename(), "Prescott") != 0) {
        return false;
    }
    setenv(kVariable, best, 0);
    gotoblas_dynamic_quit();
    gotoblas_dynamic_init();
    unsetenv(kVariable);
    return true;
}

[[maybe_unused]] const bool chosen = choose_kernels();

}  // namespace

void ready_blas() {
    static const bool alone = (openblas_set_num_threads(1), true);
    static_cast<void>(alone);
}

const char* blas_kernels() { return openblas_get_corename(); }

}  // namespace reel
