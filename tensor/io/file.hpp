/// \file
/// Tensors in files: what NPY and safetensors have in common. What a file
/// claims is measured against its size before memory is taken; a file is written whole or not at all. Not a
/// public header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tensor/tensor.hpp"

namespace reel::detail {

/// How a file stores one element.
struct Encoding {
    enum class Kind : std::uint8_t { kBool, kSigned, kUnsigned, kFloat, kBrainFloat } kind;
    std::int64_t bytes;
    bool big_endian = false;
};

/// A file descriptor that closes itself.
struct Descriptor {
    explicit Descriptor(int opened) : number(opened) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { reset(-1); }
    /// Closes what is open, and holds `opened`.
    void reset(int opened);
    int number;
};

/// A file open for reading.
class File {
public:
    /// Throws an `IoError` unless `path` is a file that can be read.
    explicit File(std::string path);

    const std::string& path() const { return path_; }
    std::int64_t size() const { return size_; }
    /// Reads `count` bytes from `offset` on. Throws an `IoError` where the file has fewer.
    void read(std::int64_t offset, std::int64_t count, void* to) const;
    std::string read_text(std::int64_t offset, std::int64_t count) const;

private:
    std::string path_;
    std::int64_t size_ = 0;
    Descriptor descriptor_{-1};
};

/// Whether some element type holds all values of the encoding: integers up to 64 bits are read as int64, but
/// for unsigned ones of 64 bits.
bool is_readable(Encoding encoding);
/// The bytes of a tensor of these sizes, if they are sizes and an int64 can count them.
std::optional<std::int64_t> encoded_bytes(Encoding encoding, const Shape& sizes);
/// The elements that are at `offset` of the file, in row-major order.
Tensor read_elements(const File& file, std::int64_t offset, Encoding encoding, const Shape& sizes);

/// Makes `path` a file of these bytes, one part after the other: at every moment, and after a crash or a full
/// disk, it is the old file or the new one. Throws an `IoError`.
void write_file(const std::string& path, const std::vector<std::span<const std::byte>>& parts);
/// The tensor's elements as a file has them: dense, bools as 0 and 1.
Tensor storable(const Tensor& tensor);
/// The bytes of a dense tensor, as a part of a file.
std::span<const std::byte> bytes_of(const Tensor& dense);

}  // namespace reel::detail
