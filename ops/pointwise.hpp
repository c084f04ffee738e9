/// \file
/// Pointwise operations: y[i] = f(x[i], …), with broadcasting and promotion. All are differentiable to any
/// order, except where the result is integer or bool. Comparisons are in `compare.hpp`.
#pragma once

#include <optional>
#include <string_view>

#include "tensor/tensor.hpp"

namespace reel {

/// a + α b.
Tensor add(const Tensor& a, const Tensor& b, Scalar alpha = 1);
Tensor add(const Tensor& a, Scalar b, Scalar alpha = 1);
/// a − α b. Throws a `DTypeError` for bools.
Tensor sub(const Tensor& a, const Tensor& b, Scalar alpha = 1);
Tensor sub(const Tensor& a, Scalar b, Scalar alpha = 1);
/// a b.
Tensor mul(const Tensor& a, const Tensor& b);
Tensor mul(const Tensor& a, Scalar b);
/// a / b, in floating point.
Tensor div(const Tensor& a, const Tensor& b);
Tensor div(const Tensor& a, Scalar b);
Tensor div(Scalar a, const Tensor& b);

inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor operator+(const Tensor& a, Scalar b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, Scalar b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, Scalar b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, Scalar b) { return div(a, b); }
inline Tensor operator+(Scalar a, const Tensor& b) { return add(b, a); }
Tensor operator-(Scalar a, const Tensor& b);
inline Tensor operator*(Scalar a, const Tensor& b) { return mul(b, a); }
inline Tensor operator/(Scalar a, const Tensor& b) { return div(a, b); }

/// −x.
Tensor neg(const Tensor& x);
/// |x|; the gradient at 0 is 0.
Tensor abs(const Tensor& x);
/// −1, 0 or 1; no gradient.
Tensor sign(const Tensor& x);
/// eˣ.
Tensor exp(const Tensor& x);
/// Natural logarithm.
Tensor log(const Tensor& x);
/// √x.
Tensor sqrt(const Tensor& x);
/// x².
Tensor square(const Tensor& x);
/// 1 / x.
Tensor reciprocal(const Tensor& x);
/// xᵉ. The gradient for x is 0 where e is 0; for e it is 0 where x is 0 and e ≥ 0.
Tensor pow(const Tensor& x, const Tensor& exponent);
Tensor pow(const Tensor& x, Scalar exponent);
Tensor pow(Scalar x, const Tensor& exponent);
/// Hyperbolic tangent.
Tensor tanh(const Tensor& x);
/// 1 / (1 + e⁻ˣ).
Tensor sigmoid(const Tensor& x);
/// max(x, 0); the gradient at 0 is 0.
Tensor relu(const Tensor& x);
/// x Φ(x), Φ the normal distribution function; `approximate` "tanh" takes ½x(1 + tanh(√(2/π)(x +
/// 0.044715x³))).
Tensor gelu(const Tensor& x, std::string_view approximate = "none");
/// min(max(x, low), high); the gradient passes where low ≤ x ≤ high.
Tensor clamp(const Tensor& x, std::optional<Scalar> min = None, std::optional<Scalar> max = None);
Tensor clamp(const Tensor& x, const std::optional<Tensor>& min, const std::optional<Tensor>& max = None);
/// The larger element; ties share the gradient evenly. NaN on either side gives NaN.
Tensor maximum(const Tensor& a, const Tensor& b);
/// The smaller element; ties share the gradient evenly.
Tensor minimum(const Tensor& a, const Tensor& b);
/// a where the condition holds, else b.
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);
Tensor where(const Tensor& condition, const Tensor& a, Scalar b);
Tensor where(const Tensor& condition, Scalar a, const Tensor& b);
Tensor where(const Tensor& condition, Scalar a, Scalar b);

}  // namespace reel
