/// \file
/// The safetensors file format: named tensors, nothing that runs. Checkpoints are such files.
#pragma once

#include <map>
#include <string>

#include "../tensor.hpp"

#pragma GCC visibility push(default)
namespace reel {

/// Writes the file that Python's `safetensors` would write of the same tensors; whole or not at all. Throws
/// an `IoError` when it cannot be written, an `Error` for a name that the format does not take.
void save_safetensors(const std::string& path, const std::map<std::string, Tensor>& tensors);

/// Reads such a file: BOOL, integers up to 64 bits (as int64; not U64), F16, BF16, F32, F64. Throws an
/// `IoError` for everything else, and for a file whose header and length do not belong together.
std::map<std::string, Tensor> load_safetensors(const std::string& path);

}  // namespace reel
#pragma GCC visibility pop
