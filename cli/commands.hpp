/// \file
/// The commands of `reel`, the program. Each writes what it has to say to `out` and returns the exit status.
/// Not a public header; `main.cpp` reads the command line.
#pragma once

#include <iosfwd>
#include <string>

#include "tests/gradients/rows.hpp"

namespace reel::cli {

/// Checks the gradients of the rows whose operation contains `filter`, to first and second order, and prints
/// a table of their operations, and after it the report of every check that failed. 1 if one did, or if
/// there is no such row.
int gradcheck(const testing::Rows& rows, const std::string& filter, std::ostream& out);

/// What this build of the library is, and what it found on this machine.
int info(std::ostream& out);

/// Names, dtypes, shapes and statistics of the tensors in a safetensors or NPY file. Throws an `IoError` for
/// a file that is neither.
int show(const std::string& path, std::ostream& out);

}  // namespace reel::cli
