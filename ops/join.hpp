/// \file
/// Tensors put together and laid out anew: cat, stack.
#pragma once

#include <vector>

#include "tensor/tensor.hpp"

namespace reel {

/// The tensors one behind the other along `dim`, in their common type. The other sizes must agree; a tensor
/// of shape [0] is skipped, as in PyTorch.
Tensor cat(const std::vector<Tensor>& tensors, std::int64_t dim = 0);
/// Tensors of one shape one behind the other along a new dimension.
Tensor stack(const std::vector<Tensor>& tensors, std::int64_t dim = 0);

}  // namespace reel
