/// \file
/// Reductions over all, one or several dims. `dims` empty means all of them; `keepdim` leaves 1 in their
/// place. `logsumexp` is in `softmax.hpp`.
#pragma once

#include <optional>

#include "../../tensor/tensor.hpp"

#pragma GCC visibility push(default)
namespace reel {

/// Σ x, in pairs of blocks. Integers and bools give int64. x̄ = ȳ, expanded.
Tensor sum(const Tensor& x, const Shape& dims = {}, bool keepdim = false);
/// Σ x / n. x̄ = ȳ / n, expanded. Throws a `DTypeError` for integers and bools.
Tensor mean(const Tensor& x, const Shape& dims = {}, bool keepdim = false);
/// Π x. Integers and bools give int64. x̄ᵢ = ȳ Π xⱼ over j ≠ i, right through any number of zeros.
Tensor prod(const Tensor& x, const Shape& dims = {}, bool keepdim = false);
/// Σ (x − mean)² / (n − 1), or / n where not `unbiased`. One element has no unbiased variance: NaN. x̄ = 2 ȳ
/// (x − mean) / (n − 1), or / n.
Tensor var(const Tensor& x, const Shape& dims = {}, bool unbiased = true, bool keepdim = false);
template <IsBool Bool>  // var(x, 0) means dimension 0
Tensor var(const Tensor& x, Bool unbiased) {
    return var(x, Shape{}, unbiased);
}
template <IsNoBool Other>
Tensor var(const Tensor& x, const Shape& dims, Other unbiased, bool keepdim = false) = delete;
/// √var. x̄ = ȳ (x − mean) / ((n − 1) y), or / (n y); 0 where y is.
Tensor std(const Tensor& x, const Shape& dims = {}, bool unbiased = true, bool keepdim = false);
template <IsBool Bool>
Tensor std(const Tensor& x, Bool unbiased) {
    return std(x, Shape{}, unbiased);
}
template <IsNoBool Other>
Tensor std(const Tensor& x, const Shape& dims, Other unbiased, bool keepdim = false) = delete;
/// (Σ |x|ᵖ)^(1/p); the largest |x| for p = ∞, the smallest for −∞, the number of elements that are not 0 for
/// p = 0. x̄ = ȳ sign(x) (|x| / y)ᵖ⁻¹, 0 where y is (so that a square of it has no curvature at 0, as
/// in PyTorch: the subgradient has lost it), and for p = 0; ties of |x| share it evenly for p = ±∞. Throws a
/// `DTypeError` for integers and bools.
Tensor norm(const Tensor& x, Scalar p = 2);
Tensor norm(const Tensor& x, Scalar p, const Shape& dims, bool keepdim = false);
/// Whether any element is not 0: bool.
Tensor any(const Tensor& x, const Shape& dims = {}, bool keepdim = false);
/// Whether no element is 0: bool.
Tensor all(const Tensor& x, const Shape& dims = {}, bool keepdim = false);
/// How many elements are not 0: int64.
Tensor count_nonzero(const Tensor& x, const Shape& dims = {}, bool keepdim = false);

// ---- Extremes. NaN wins; choosing from no elements is a `ShapeError`.

/// The largest element. x̄ = ȳ at the largest, divided evenly among ties, else 0; NaN where y is.
Tensor amax(const Tensor& x, const Shape& dims = {}, bool keepdim = false);
/// The smallest element. x̄ = ȳ at the smallest, divided evenly among ties, else 0; NaN where y is.
Tensor amin(const Tensor& x, const Shape& dims = {}, bool keepdim = false);
/// As `amax` of all elements. x̄ = ȳ at the largest, divided evenly among ties, else 0. Where y is NaN, NaNs are ties.
Tensor max(const Tensor& x);
/// As `amin` of all elements. x̄ = ȳ at the smallest, divided evenly among ties, else 0. Where y is NaN, NaNs are ties.
Tensor min(const Tensor& x);
/// The largest element along a dimension and its index: the first of equals. With a dimension, x̄ = ȳ at the
/// index, else 0.
ValuesIndices max(const Tensor& x, std::int64_t dim, bool keepdim = false);
/// The smallest element along a dimension and its index: the first of equals. With a dimension, x̄ = ȳ at the
/// index, else 0.
ValuesIndices min(const Tensor& x, std::int64_t dim, bool keepdim = false);
/// As `maximum`.
Tensor max(const Tensor& a, const Tensor& b);
/// As `minimum`.
Tensor min(const Tensor& a, const Tensor& b);
/// The index of the largest element, the first of equals; without a dimension, in row-major order of all.
/// Throws a `DTypeError` for bools.
Tensor argmax(const Tensor& x, std::optional<std::int64_t> dim = None, bool keepdim = false);
/// The index of the smallest element, the first of equals; without a dimension, in row-major order of all.
/// Throws a `DTypeError` for bools.
Tensor argmin(const Tensor& x, std::optional<std::int64_t> dim = None, bool keepdim = false);

}  // namespace reel
#pragma GCC visibility pop
