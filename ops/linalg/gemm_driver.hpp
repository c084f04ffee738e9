/// \file
/// The product of two matrices in memory. No tensor, no tape, no checks; what is called a product of tensors
/// is in `matmul.cpp`, and the innermost loops are in `kernels/gemm.cpp`.
///
/// Note [Products and bits]
/// An element of C is summed in an order that depends on k and the type alone: blocks along k, one after the
/// other; in a block the terms, one after the other, each multiplied and added with one rounding where the
/// instruction set can. So it has the same bits whatever the other rows and columns are, however the operands
/// lie in memory and however many threads share the work: these cut C, or compute blocks apart which are then
/// added in their order. Only a product with one column (n = 1) has an order of its own, which depends on k and
/// the type as well: lanes along k, and blocks, whose sums are added by halves (`kernels/matvec.cpp`), which
/// threads may share, too.
///
/// With u the unit roundoff and blocks of length q, |error| ≤ (q + k / q) u Σ |a b|, to first order.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/dtype.hpp"

namespace reel {

/// A matrix in memory: element (i, j) is `i · row + j · column` elements after `data`.
struct Matrix {
    const std::byte* data;
    std::int64_t row;
    std::int64_t column;
};

/// C = A B: (m × k)(k × n), by the operands' type, float32, float64, int64 or one of 16 bits. These are summed,
/// and C is, in float32.
struct Product {
    DType dtype;
    std::int64_t m, n, k;
};

/// Where a product goes: dense rows, `row` elements apart.
struct Rows {
    std::byte* data;
    std::int64_t row;
};

/// What it is added to: C = start + A B. Dense rows of C's type: C itself, a bias for every row (`row` is 0), or
/// nothing.
struct Start {
    const std::byte* data = nullptr;
    std::int64_t row = 0;
};

/// Several products: their operands begin so many elements after `data`, their rows of C (and of the start) are
/// one below the other.
struct Batch {
    std::int64_t count = 1;
    const std::int64_t* a = nullptr;  ///< null: at 0
    const std::int64_t* b = nullptr;
};

/// The operands of a product as it is cut into parts.
struct ProductOperands {
    Matrix a, b;
    Rows c;
    Start start;

    /// Those of the part that begins at row i and column j of C and term l.
    ProductOperands at(const Product& p, std::int64_t i, std::int64_t j, std::int64_t l) const {
        const std::int64_t size = itemsize(p.dtype);
        const std::int64_t sum = itemsize(compute_dtype(p.dtype));
        ProductOperands part = *this;
        part.a.data += (i * a.row + l * a.column) * size;
        part.b.data += (l * b.row + j * b.column) * size;
        part.c.data += (i * c.row + j) * sum;
        if (start.data) part.start.data += (i * start.row + j) * sum;
        return part;
    }
    ProductOperands of(const Product& p, const Batch& batch, std::int64_t i) const {
        ProductOperands one = at(p, 0, 0, 0);
        if (batch.a) one.a.data += batch.a[i] * itemsize(p.dtype);
        if (batch.b) one.b.data += batch.b[i] * itemsize(p.dtype);
        one.c.data += i * p.m * c.row * itemsize(compute_dtype(p.dtype));
        if (start.data) one.start.data += i * p.m * start.row * itemsize(compute_dtype(p.dtype));
        return one;
    }
};

/// Computes a product.
void gemm(const Product& product, const Matrix& a, const Matrix& b, const Rows& c, const Start& start = {},
          const Batch& batch = {});

/// With -DREEL_BLAS=ON: the same of one product by a BLAS, false where it is not for it (`blas.cpp`).
bool blas_gemm(const Product& product, const Matrix& a, const Matrix& b, const Rows& c, const Start& start);

/// C = start.
void copy_start(const Product& product, const Rows& c, const Start& start);

/// The work of a product in elements of pointwise work: the measure of `parallel_for`.
inline std::int64_t product_cost(const Product& product) {
    constexpr std::int64_t kMultipliesPerElement = 8;
    constexpr std::int64_t kReadPerElement =
        2;  // what is read or written; most of the time where a side is short
    const auto& [dtype, m, n, k] = product;
    return m * n * k / kMultipliesPerElement + (m * k + k * n + m * n) / kReadPerElement + 1;
}

}  // namespace reel
