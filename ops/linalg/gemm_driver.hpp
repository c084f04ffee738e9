/// \file
/// The product of two matrices in memory: what stands between `matmul.cpp` and the BLAS. No tensor, no tape,
/// no checks.
///
/// Note [Products and threads]
/// The BLAS runs on one thread, always; its own threads would split a product by their number, and so change
/// its last bits. A large product is cut into panels whose size depends on its shape alone, and the panels
/// are shared out among reel's threads.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/dtype.hpp"

namespace reel {

/// A matrix in memory: element (i, j) stands `i · row + j · column` elements behind `data`.
struct Matrix {
    const std::byte* data;
    std::int64_t row;
    std::int64_t column;
};

/// C = A B, or C += A B: (m × k)(k × n), float32, float64 or int64.
struct Product {
    DType dtype;
    std::int64_t m, n, k;
    bool accumulate = false;
};

/// Where a product goes: dense rows, `row` elements apart.
struct Rows {
    std::byte* data;
    std::int64_t row;
};

/// Computes a product.
void gemm(const Product& product, const Matrix& a, const Matrix& b, const Rows& c);

/// The work of a product in elements of pointwise work: the measure of `parallel_for`.
inline std::int64_t product_cost(const Product& product) {
    constexpr std::int64_t kMultipliesPerElement = 8;
    return product.m * product.n * product.k / kMultipliesPerElement + 1;
}

}  // namespace reel
