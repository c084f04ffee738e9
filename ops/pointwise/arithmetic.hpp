/// \file
/// Arithmetic, rounding and the operators, with broadcasting and promotion. Differentiable to any order,
/// except where the result is integer or bool. In integers everything wraps. Choices between values are in
/// `conditional.hpp`, functions in `transcendental.hpp`.
#pragma once

#include "../../tensor/tensor.hpp"

#pragma GCC visibility push(default)
namespace reel {

/// a + α b; of bools: or. A floating α needs a floating result. ā = ȳ, b̄ = α ȳ.
Tensor add(const Tensor& a, const Tensor& b, Scalar alpha = 1);
Tensor add(const Tensor& a, Scalar b, Scalar alpha = 1);
/// a − α b. ā = ȳ, b̄ = −α ȳ. Throws a `DTypeError` for bools.
Tensor sub(const Tensor& a, const Tensor& b, Scalar alpha = 1);
Tensor sub(const Tensor& a, Scalar b, Scalar alpha = 1);
/// a b; of bools: and. ā = ȳ b, b̄ = ȳ a.
Tensor mul(const Tensor& a, const Tensor& b);
Tensor mul(const Tensor& a, Scalar b);
/// a / b, in floating point. ā = ȳ / b, b̄ = −ȳ y / b.
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

/// −x. x̄ = −ȳ. Throws a `DTypeError` for bools.
Tensor neg(const Tensor& x);
/// |x|. x̄ = ȳ sign(x): 0 at 0.
Tensor abs(const Tensor& x);
/// −1, 0 or 1; 0 for NaN. x̄ = 0.
Tensor sign(const Tensor& x);
/// x²; of bools as int64. x̄ = 2 x ȳ.
Tensor square(const Tensor& x);
/// 1 / x, in floating point. x̄ = −ȳ y².
Tensor reciprocal(const Tensor& x);

/// a − b trunc(a / b): the remainder with the sign of a, exact, of operands rounded to their common type. Integers divided by 0 throw. ā = ȳ, b̄ = −ȳ
/// trunc(a / b).
Tensor fmod(const Tensor& a, const Tensor& b);
Tensor fmod(const Tensor& a, Scalar b);
/// a − b ⌊a / b⌋: the remainder with the sign of b, of operands rounded to their common type. Integers divided by 0 throw. ā = ȳ, b̄ = −ȳ ⌊a / b⌋.
Tensor remainder(const Tensor& a, const Tensor& b);
Tensor remainder(const Tensor& a, Scalar b);
Tensor remainder(Scalar a, const Tensor& b);

/// ⌊x⌋, the next integer down; x̄ = 0.
Tensor floor(const Tensor& x);
/// ⌈x⌉, the next integer up; x̄ = 0.
Tensor ceil(const Tensor& x);
/// The nearest integer, halves to the even one; x̄ = 0.
Tensor round(const Tensor& x);
/// The next integer towards 0; x̄ = 0.
Tensor trunc(const Tensor& x);

}  // namespace reel
#pragma GCC visibility pop
