/// \file
/// Reductions over all, one or several dims. `dims` empty means all of them; `keepdim` leaves 1 in their
/// place. `logsumexp` is in `softmax.hpp`.
#pragma once

#include <optional>

#include "tensor/tensor.hpp"

namespace reel {

/// Σ x, in pairs of blocks. Integers and bools give int64.
Tensor sum(const Tensor& x, const Shape& dims = {}, bool keepdim = false);
/// Σ x / n. Throws a `DTypeError` for integers and bools.
Tensor mean(const Tensor& x, const Shape& dims = {}, bool keepdim = false);
/// Π x. Integers and bools give int64. The gradient is right through any number of zeros.
Tensor prod(const Tensor& x, const Shape& dims = {}, bool keepdim = false);
/// Σ (x − mean)² / (n − 1), or / n where not `unbiased`. One element has no unbiased variance: NaN.
Tensor var(const Tensor& x, const Shape& dims = {}, bool unbiased = true, bool keepdim = false);
template <class Bool>  // only a bool: var(x, 0) means dimension 0
requires std::is_same_v<Bool, bool> Tensor var(const Tensor& x, Bool unbiased) {
    return var(x, Shape{}, unbiased);
}
/// √var; the gradient is 0 where the result is.
Tensor std(const Tensor& x, const Shape& dims = {}, bool unbiased = true, bool keepdim = false);
template <class Bool>
requires std::is_same_v<Bool, bool> Tensor std(const Tensor& x, Bool unbiased) {
    return std(x, Shape{}, unbiased);
}
/// (Σ |x|ᵖ)^(1/p); the largest |x| for p = ∞, the smallest for −∞, the number of elements that are not 0 for
/// p = 0. The gradient is 0 where the norm is; ties of |x| share it evenly for p = ±∞. Throws a `DTypeError`
/// for integers and bools.
Tensor norm(const Tensor& x, Scalar p = 2);
Tensor norm(const Tensor& x, Scalar p, const Shape& dims, bool keepdim = false);
/// Whether any element is not 0: bool.
Tensor any(const Tensor& x, const Shape& dims = {}, bool keepdim = false);
/// Whether no element is 0: bool.
Tensor all(const Tensor& x, const Shape& dims = {}, bool keepdim = false);
/// How many elements are not 0: int64.
Tensor count_nonzero(const Tensor& x, const Shape& dims = {}, bool keepdim = false);

// ---- Extremes. NaN wins; choosing from no elements is a `ShapeError`.

/// The largest element; ties share the gradient evenly.
Tensor amax(const Tensor& x, const Shape& dims = {}, bool keepdim = false);
/// The smallest element; ties share the gradient evenly.
Tensor amin(const Tensor& x, const Shape& dims = {}, bool keepdim = false);
/// The largest of all elements; ties share the gradient evenly.
Tensor max(const Tensor& x);
/// The smallest of all elements; ties share the gradient evenly.
Tensor min(const Tensor& x);
/// The largest element along a dimension and its index: the first of equals, which alone gets the gradient.
ValuesIndices max(const Tensor& x, std::int64_t dim, bool keepdim = false);
/// The smallest element along a dimension and its index: the first of equals, which alone gets the gradient.
ValuesIndices min(const Tensor& x, std::int64_t dim, bool keepdim = false);
/// As `maximum`.
Tensor max(const Tensor& a, const Tensor& b);
/// As `minimum`.
Tensor min(const Tensor& a, const Tensor& b);
/// The index of the largest element, the first of equals; without a dimension, in row-major order of all.
Tensor argmax(const Tensor& x, std::optional<std::int64_t> dim = None, bool keepdim = false);
/// The index of the smallest element, the first of equals; without a dimension, in row-major order of all.
Tensor argmin(const Tensor& x, std::optional<std::int64_t> dim = None, bool keepdim = false);

}  // namespace reel
