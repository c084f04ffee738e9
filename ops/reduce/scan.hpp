/// \file
/// Scans: every element of the result comes from those before it along a dimension.
#pragma once

#include "../../tensor/tensor.hpp"

#pragma GCC visibility push(default)
namespace reel {

/// yᵢ = x₀ + … + xᵢ along `dim`, summed in float64 (integers and bools in int64, which they give). x̄ᵢ = ȳᵢ +
/// … + ȳₙ₋₁.
Tensor cumsum(const Tensor& x, std::int64_t dim);
/// yᵢ = x₀ ⋯ xᵢ along `dim`; integers and bools give int64. x̄ᵢ = Σ ȳⱼ ∂yⱼ/∂xᵢ over j ≥ i, right through any
/// number of zeros.
Tensor cumprod(const Tensor& x, std::int64_t dim);

// ---- What the gradients of products are made of.

/// yᵢ = x₀ ⋯ xᵢ₋₁: the product of the elements before; y₀ = 1. Keeps the factors moved by one place.
Tensor exclusive_cumprod(const Tensor& x, std::int64_t dim);
/// sᵢ = xᵢ + aᵢ sᵢ₋₁ along `dim`; from the end, sᵢ = xᵢ + aᵢ₊₁ sᵢ₊₁. Floating tensors of one shape and type.
/// x̄ is the same recurrence of s̄ from the other end, and āᵢ = x̄ᵢ sᵢ₋₁.
Tensor linear_recurrence(const Tensor& x, const Tensor& a, std::int64_t dim, bool from_end = false);

}  // namespace reel
#pragma GCC visibility pop
