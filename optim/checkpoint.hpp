/// \file
/// The state of training, in a file. (`checkpoint` in `autograd/checkpoint.hpp` is something else: it trades
/// memory for time.)
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "optimizer.hpp"
#include "parameters.hpp"

#pragma GCC visibility push(default)
namespace reel {

/// Writes a safetensors file of the parameters ("parameter.NAME"; a list of tensors has the names 0, 1, …),
/// the optimizer's state ("optimizer.…"), the state of this thread's generator ("generator") and the step
/// ("step"): whole or not at all, so that a run killed at any moment leaves the last checkpoint (and, where
/// it was writing, a file ".reel-….tmp" beside it, which the next one to write there removes). Throws an
/// `IoError` where it cannot be written.
void save_checkpoint(const std::string& path, const Parameters& params, const Optimizer& optimizer,
                     std::int64_t step);
void save_checkpoint(const std::string& path, const std::vector<Tensor>& params, const Optimizer& optimizer,
                     std::int64_t step);

/// Puts all that back in place and returns the step: training goes on from there bit for bit. Throws an
/// `IoError` where the file cannot be read, an `Error` that names what is missing, unknown or misshapen; then
/// nothing is changed.
std::int64_t load_checkpoint(const std::string& path, const Parameters& params, Optimizer& optimizer);
std::int64_t load_checkpoint(const std::string& path, const std::vector<Tensor>& params,
                             Optimizer& optimizer);

}  // namespace reel
#pragma GCC visibility pop
