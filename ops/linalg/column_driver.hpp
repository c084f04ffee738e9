/// \file
/// Products with one column, and what they share with the others: the operands as they move along, and memory for
/// packed ones.
#pragma once

#include <utility>

#include "ops/linalg/gemm_driver.hpp"
#include "tensor/storage.hpp"

namespace reel {

/// Memory for panels, from the cache of freed blocks.
class Scratch {
public:
    Scratch() = default;
    explicit Scratch(std::int64_t bytes)
        : bytes_(static_cast<std::size_t>(bytes)),
          data_(bytes > 0 ? static_cast<std::byte*>(allocate(bytes_)) : nullptr) {}
    Scratch(const Scratch&) = delete;
    Scratch& operator=(Scratch&& other) noexcept {
        std::swap(bytes_, other.bytes_);
        std::swap(data_, other.data_);
        return *this;
    }
    ~Scratch() {
        if (data_) deallocate(data_, bytes_);
    }
    std::byte* data() const { return data_; }

private:
    std::size_t bytes_ = 0;
    std::byte* data_ = nullptr;
};

/// The operands of a product.
struct Operands {
    Matrix a, b;
    Rows c;
    Start start;

    /// Those of the part that begins at row i and column j of C and term l.
    Operands at(const Product& p, std::int64_t i, std::int64_t j, std::int64_t l) const {
        const std::int64_t size = itemsize(p.dtype);
        const std::int64_t sum = itemsize(compute_dtype(p.dtype));
        Operands part = *this;
        part.a.data += (i * a.row + l * a.column) * size;
        part.b.data += (l * b.row + j * b.column) * size;
        part.c.data += (i * c.row + j) * sum;
        if (start.data) part.start.data += (i * start.row + j) * sum;
        return part;
    }
    Operands of(const Product& p, const Batch& batch, std::int64_t i) const {
        Operands one = at(p, 0, 0, 0);
        if (batch.a) one.a.data += batch.a[i] * itemsize(p.dtype);
        if (batch.b) one.b.data += batch.b[i] * itemsize(p.dtype);
        one.c.data += i * p.m * c.row * itemsize(compute_dtype(p.dtype));
        if (start.data) one.start.data += i * p.m * start.row * itemsize(compute_dtype(p.dtype));
        return one;
    }
};

/// A product with one column.
void multiply_column(const Product& product, const Operands& o);

}  // namespace reel
