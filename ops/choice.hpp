/// \file
/// Pointwise choices between values: where, maximum, clamp and their kin.
#pragma once

#include <optional>

#include "tensor/tensor.hpp"

namespace reel {

/// a where the condition holds, else b. The gradient goes to the one taken; the other one's is 0, whatever it
/// holds.
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);
Tensor where(const Tensor& condition, const Tensor& a, Scalar b);
Tensor where(const Tensor& condition, Scalar a, const Tensor& b);
Tensor where(const Tensor& condition, Scalar a, Scalar b);
/// `value` where the mask holds, else x, in x's type. The mask must broadcast to x, or x to it.
Tensor masked_fill(const Tensor& x, const Tensor& mask, Scalar value);
Tensor masked_fill(const Tensor& x, const Tensor& mask, const Tensor& value);

/// The larger element. A NaN on either side gives NaN. Ties share the gradient evenly; beside a NaN both
/// sides get all of it, as in PyTorch.
Tensor maximum(const Tensor& a, const Tensor& b);
/// The smaller element; the rest as for `maximum`.
Tensor minimum(const Tensor& a, const Tensor& b);
/// min(max(x, low), high): `high` where the bounds cross. NaN in x or in a bound gives NaN. The gradient goes
/// to x where low ≤ x ≤ high, else to the bound taken.
Tensor clamp(const Tensor& x, std::optional<Scalar> min = None, std::optional<Scalar> max = None);
Tensor clamp(const Tensor& x, const std::optional<Tensor>& min, const std::optional<Tensor>& max = None);
/// NaN, ∞ and −∞ replaced by these numbers; where not given by 0 and the largest and smallest of the type.
/// The gradient is 0 where replaced.
Tensor nan_to_num(const Tensor& x, std::optional<double> nan = None, std::optional<double> posinf = None,
                  std::optional<double> neginf = None);

}  // namespace reel
