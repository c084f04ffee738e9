/// \file
/// NumPy's file format for one array.
#pragma once

#include <string>

#include "../tensor.hpp"

#pragma GCC visibility push(default)
namespace reel {

/// Writes a file that `numpy.load` reads, in row-major order; whole or not at all. Throws a `DTypeError` for
/// bfloat16, which NumPy does not have, and an `IoError` when the file cannot be written.
void save_npy(const std::string& path, const Tensor& tensor);

/// Reads such a file: bools, integers up to 64 bits (as int64; not unsigned ones of 64 bits), float16,
/// float32, float64, of either byte order. An array in Fortran order keeps it, by its strides. Throws an
/// `IoError` for everything else, and for a file whose header and length do not belong together.
Tensor load_npy(const std::string& path);

}  // namespace reel
#pragma GCC visibility pop
