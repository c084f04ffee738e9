/// \file
/// Products of matrices and vectors. Operands have one dtype; integers multiply exactly (modulo 2⁶⁴), the
/// 16-bit types are summed in float32. All are differentiable to any order. The sums over letters are in
/// `einsum.hpp`.
#pragma once

#include "../../tensor/tensor.hpp"

#pragma GCC visibility push(default)
namespace reel {

/// a b, by the number of dimensions: (k)·(k) is a dot product; (m, k)(k) and (k)(k, n) are matrix times
/// vector; (m, k)(k, n) is the matrix product; with more dimensions the last two are matrices, and the ones
/// before them broadcast. A vector on the left is a row, on the right a column, and its dimension is not in
/// the result. Transposed views are read where they are. ā = ȳ bᵀ, b̄ = aᵀ ȳ. Throws a `ShapeError` where
/// the sizes do not fit, and for 0-d tensors; a `DTypeError` for two different dtypes, and for bools.
Tensor matmul(const Tensor& a, const Tensor& b);
/// The product of two matrices: (m, k)(k, n).
Tensor mm(const Tensor& a, const Tensor& b);
/// As many products as there are matrices: (B, m, k)(B, k, n).
Tensor bmm(const Tensor& a, const Tensor& b);
/// (m, k)(k).
Tensor mv(const Tensor& matrix, const Tensor& vector);
/// Σ aᵢ bᵢ of two vectors.
Tensor dot(const Tensor& a, const Tensor& b);
/// aᵢ bⱼ of two vectors.
Tensor outer(const Tensor& a, const Tensor& b);
/// β input + α mat1 mat2. `input` broadcasts to the product's shape; with β = 0 it is not read, with α = 0 the
/// matrices are not. With x the input, A and B the matrices, x̄ = β ȳ, Ā = α ȳ Bᵀ, B̄ = α Aᵀ ȳ.
Tensor addmm(const Tensor& input, const Tensor& mat1, const Tensor& mat2, Scalar beta = 1, Scalar alpha = 1);
/// x weightᵀ + bias: (…, in)(out, in)ᵀ + (out), as one operation. An undefined `bias` is none; one of a single
/// element goes to all outputs. With W the weight and b the bias, x̄ = ȳ W, W̄ = ȳᵀ x, b̄ = Σ ȳ over the rows.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

}  // namespace reel
#pragma GCC visibility pop
