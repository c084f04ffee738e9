/// \file
/// Order along a dimension. NaN counts as the greatest, -0 and 0 as equal; equals keep their order, whatever
/// the direction.
#pragma once

#include "../../tensor/tensor.hpp"

#pragma GCC visibility push(default)
namespace reel {

/// The elements in order along `dim`, and where they stood. x̄ = ȳ, where the elements stood.
ValuesIndices sort(const Tensor& x, std::int64_t dim = -1, bool descending = false);
/// Where the elements in order stood: `sort(x, dim, descending).indices`.
Tensor argsort(const Tensor& x, std::int64_t dim = -1, bool descending = false);
/// The first `k` elements of `sort` with `descending = largest`. They come in that order, also where it is
/// not asked for (`sorted`). x̄ = ȳ where the elements stood, else 0. Throws an `IndexError` unless 0 ≤ k ≤
/// size.
ValuesIndices topk(const Tensor& x, std::int64_t k, std::int64_t dim = -1, bool largest = true,
                   bool sorted = true);

}  // namespace reel
#pragma GCC visibility pop
