/// \file
/// Trading time for memory: a function that is run again in the backward pass instead of being remembered.
#pragma once

#include <vector>

#include "function.hpp"

#pragma GCC visibility push(default)
namespace reel {

/// f(inputs) as one operation on the tape, which keeps the inputs and nothing of what happens inside. The
/// rewind runs `f` a second time, with the same random numbers, and rewinds that.
///
/// Gradients reach the inputs, and all other tensors that `f` reads and that want one. Differentiable to any
/// order; with `create_graph` the second run is recorded like any other code, and saves nothing. `f` must
/// give the same result each time; what it reads must not be overwritten in between (an `AutogradError` in
/// backward). It returns one tensor.
Tensor checkpoint(const TensorFunction& f, const std::vector<Tensor>& inputs);
Tensor checkpoint(const TensorFunction& f, const Tensor& input);

}  // namespace reel
#pragma GCC visibility pop
