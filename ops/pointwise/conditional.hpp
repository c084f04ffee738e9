/// \file
/// Pointwise choices between values: where, maximum, clamp and their kin.
#pragma once

#include <optional>

#include "../../tensor/tensor.hpp"

#pragma GCC visibility push(default)
namespace reel {

/// a where the condition holds, else b. ā = ȳ where the condition holds, else 0; b̄ = ȳ where it does not,
/// else 0, whatever the other one holds.
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);
Tensor where(const Tensor& condition, const Tensor& a, Scalar b);
Tensor where(const Tensor& condition, Scalar a, const Tensor& b);
Tensor where(const Tensor& condition, Scalar a, Scalar b);
/// `value` where the mask holds, else x, in x's type. The mask must broadcast to x, or x to it. x̄ = ȳ where
/// the mask does not hold, else 0; the value gets the sum of the rest.
Tensor masked_fill(const Tensor& x, const Tensor& mask, Scalar value);
Tensor masked_fill(const Tensor& x, const Tensor& mask, const Tensor& value);

/// The larger element. A NaN on either side gives NaN. ā = ȳ where a > b, ȳ / 2 where a = b, else 0, and b̄ =
/// ȳ − ā; beside a NaN both are ȳ, as in PyTorch.
Tensor maximum(const Tensor& a, const Tensor& b);
/// The smaller element; the rest as for `maximum`. ā = ȳ where a < b, ȳ / 2 where a = b, else 0, and b̄ = ȳ −
/// ā.
Tensor minimum(const Tensor& a, const Tensor& b);
/// min(max(x, low), high): `high` where the bounds cross. NaN in x or in a bound gives NaN. x̄ = ȳ where low ≤
/// x ≤ high, else 0; the bound taken there gets it.
Tensor clamp(const Tensor& x, std::optional<Scalar> min = None, std::optional<Scalar> max = None);
Tensor clamp(const Tensor& x, const std::optional<Tensor>& min, const std::optional<Tensor>& max = None);
/// NaN, ∞ and −∞ replaced by these numbers; where not given by 0 and the largest and smallest of the type. x̄
/// = ȳ, 0 where replaced.
Tensor nan_to_num(const Tensor& x, std::optional<double> nan = None, std::optional<double> posinf = None,
                  std::optional<double> neginf = None);

}  // namespace reel
#pragma GCC visibility pop
