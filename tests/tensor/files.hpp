/// \file
/// What the tests of this folder share: the fixtures, bytes in files, a directory that goes away.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reel.hpp"

namespace reel::testing {

/// The lines of `fixtures/<name>`.
std::vector<std::string> fixture_lines(const std::string& name);
/// The type with this name.
DType dtype_named(const std::string& text);
/// "2x3" as {2, 3}, "-" as {}.
Shape shape_named(const std::string& text);

/// A directory of its own under the system's temporary one, removed at the end.
class Directory {
public:
    Directory();
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    ~Directory();

    /// The path of a file in it.
    std::string operator/(std::string_view name) const;
    /// The names of the files in it, sorted.
    std::vector<std::string> names() const;

private:
    std::string path_;
};

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
