/// \file
/// Tensors put together (`join.cpp`) and laid out anew (`arrange.cpp`). All results are copies.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "../../tensor/tensor.hpp"

#pragma GCC visibility push(default)
namespace reel {

/// The tensors one after the other along `dim`, in their common type. The other sizes must agree; a tensor
/// of shape [0] is skipped, as in PyTorch. x̄ᵢ = the part of ȳ that is xᵢ.
Tensor cat(const std::vector<Tensor>& tensors, std::int64_t dim = 0);
/// Tensors of one shape one after the other along a new dimension.
Tensor stack(const std::vector<Tensor>& tensors, std::int64_t dim = 0);

/// `x` again and again, `repeats[d]` times along dimension d; leading repeats make new dimensions.
Tensor repeat(const Tensor& x, const Shape& repeats);
/// Every element along `dim` `repeats` times, or slice i `repeats[i]` times (int64, 1-D or one number);
/// without `dim` of the flattened `x`.
Tensor repeat_interleave(const Tensor& x, std::int64_t repeats, std::optional<std::int64_t> dim = None);
Tensor repeat_interleave(const Tensor& x, const Tensor& repeats, std::optional<std::int64_t> dim = None);
/// Elements moved by `shifts[i]` places along `dims[i]`, those pushed out coming in at the other end; without
/// dims along the flattened `x`.
Tensor roll(const Tensor& x, const Shape& shifts, const Shape& dims = {});
/// `pads` gives the padding before and after the last dimension, then that of the one before it, and so on; negative ones
/// crop. Modes: "constant" (`value`), "reflect" (abc → cb·abc·ba), "replicate" (aa·abc·cc), "circular"
/// (bc·abc·ab). x̄ = ȳ without the padding, to which what was repeated is added back.
Tensor pad(const Tensor& x, const Shape& pads, std::string_view mode = "constant", Scalar value = 0);
/// The matrices in the last two dimensions with 0 where column − row > `diagonal`. x̄ = tril(ȳ).
Tensor tril(const Tensor& x, std::int64_t diagonal = 0);
/// The matrices in the last two dimensions with 0 where column − row < `diagonal`. x̄ = triu(ȳ).
Tensor triu(const Tensor& x, std::int64_t diagonal = 0);

}  // namespace reel
#pragma GCC visibility pop
