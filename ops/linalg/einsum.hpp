/// \file
/// Sums of products, written with letters. Products of two matrices are in `matmul.hpp`.
#pragma once

#include <string_view>
#include <vector>

#include "../../tensor/tensor.hpp"

#pragma GCC visibility push(default)
namespace reel {

/// `einsum("bij,bjk->bik", {a, b})`: every dimension of every operand has a letter; operands are multiplied
/// where letters agree, and letters that are not in the result are summed over. A letter repeated in one
/// operand takes its diagonal. `...` stands for any number of leading, trailing or middle dimensions, which
/// broadcast. Without `->` the result has the ellipsis and then every letter that occurs once, in
/// alphabetical order (capitals first). Sizes of 1 broadcast.
/// Operands are contracted from left to right, each pair by one `matmul`; differentiable to any order.
/// Throws a `ShapeError` for a bad equation, with the position at fault, and where the sizes of a letter
/// differ.
Tensor einsum(std::string_view equation, const std::vector<Tensor>& operands);

}  // namespace reel
#pragma GCC visibility pop
