/// \file
/// Reductions over all, one or several dims. `dims` empty means all of them; `keepdim` leaves 1 in their
/// place.
#pragma once

#include "tensor/tensor.hpp"

namespace reel {

/// Σ x. Integers and bools give int64.
Tensor sum(const Tensor& x, const Shape& dims = {}, bool keepdim = false);
/// Σ x / n. Throws a `DTypeError` for integers and bools.
Tensor mean(const Tensor& x, const Shape& dims = {}, bool keepdim = false);
/// The largest element; NaN wins; ties share the gradient evenly.
Tensor amax(const Tensor& x, const Shape& dims = {}, bool keepdim = false);
/// The smallest element; NaN wins; ties share the gradient evenly.
Tensor amin(const Tensor& x, const Shape& dims = {}, bool keepdim = false);
/// Whether any element is not 0: bool.
Tensor any(const Tensor& x, const Shape& dims = {}, bool keepdim = false);
/// Whether no element is 0: bool.
Tensor all(const Tensor& x, const Shape& dims = {}, bool keepdim = false);

}  // namespace reel
