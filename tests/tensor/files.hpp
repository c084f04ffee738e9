/// \file
/// What the tests of this folder share: the fixtures, and bytes in files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reel.hpp"
#include "tests/directory.hpp"

namespace reel::testing {

/// The lines of `fixtures/<name>`.
std::vector<std::string> fixture_lines(const std::string& name);
/// The type with this name.
DType dtype_named(const std::string& text);
/// "2x3" as {2, 3}, "-" as {}.
Shape shape_named(const std::string& text);

std::string read_bytes(const std::string& path);
void write_bytes(const std::string& path, std::string_view bytes);

/// A tensor with its name in the file, or that of the case.
struct NamedTensor {
    std::string name;
    Tensor tensor;
};

/// One file of the fixture: its bytes, and the tensors in it.
struct FileCase {
    std::string format;
    std::string name;
    std::vector<NamedTensor> tensors;
    std::string bytes;
};
std::vector<FileCase> file_cases(std::string_view format);

/// Whether two tensors agree in type, shape and bits (but for the payload of NaN).
bool identical(const Tensor& a, const Tensor& b);

/// Runs f while no file may grow beyond `bytes`, as on a full disk.
void with_file_limit(std::size_t bytes, const std::function<void()>& f);

}  // namespace reel::testing
