/// \file
/// reel's contract spelled in libtorch: namespace `reel`, in which the same words mean libtorch's operations.
/// A model written for reel compiles against it unchanged when it outgrows one machine's processor:
///
///     target_include_directories(model BEFORE PRIVATE reel/interop/libtorch reel)
///     target_link_libraries(model PRIVATE torch_cpu c10)
///
/// Here are factories, operations, layers, losses, tapes, gradients and optimizers; what is not here does not
/// compile. What looks inside a tape (`record`, `gradcheck`, printing, `to_html`), what reads files, and
/// `flip` as a view are reel's alone. Differs where libtorch does: random numbers are libtorch's, and errors
/// are `c10::Error`.
///
/// `Tensor::libtorch()` is the way out: `model.to(torch::kCUDA)` and all the rest.
#pragma once

#include "libtorch/layers.hpp"
#include "libtorch/operations.hpp"
#include "libtorch/tensor.hpp"
#include "libtorch/training.hpp"

#include "../optim/parameters.hpp"  // after what it is made of
