// The BLAS does not run the kernels of 2004 on a processor that has AVX2.
#include "ops/linalg/blas.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <xsimd/xsimd.hpp>

TEST_CASE("the BLAS runs kernels that suit the processor") {
    const bool has_avx2 = xsimd::available_architectures().best >= xsimd::fma3<xsimd::avx2>::version();
    if (!has_avx2 || std::getenv("OPENBLAS_CORETYPE")) return;
    CHECK(std::string(reel::blas_kernels()) != "Prescott");
}
