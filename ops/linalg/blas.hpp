/// \file
/// The BLAS, made ready for use. The products themselves are called in `gemm.cpp`.
#pragma once

namespace reel {

/// Sees that the BLAS runs on one thread (Note [Products and threads]). To be called before each use: cheap.
void ready_blas();

/// The name of the kernels that the BLAS runs, such as "SkylakeX".
const char* blas_kernels();

}  // namespace reel
