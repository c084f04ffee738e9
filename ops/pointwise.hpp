/// \file
/// Functions of every element: y[i] = f(x[i], …), with broadcasting; integers and bools become float32. In
/// float32 and float64 each is within 2 units in the last place over its whole range, subnormal results
/// included; the 16-bit types compute in float32 and round once. Differentiable to any order.
#pragma once

#include "ops/arithmetic.hpp"
#include "ops/choice.hpp"

namespace reel {

/// eˣ.
Tensor exp(const Tensor& x);
/// eˣ − 1, exact to the last digits also near 0.
Tensor expm1(const Tensor& x);
/// Natural logarithm: −∞ at 0, NaN below.
Tensor log(const Tensor& x);
/// log(1 + x), exact to the last digits also near 0.
Tensor log1p(const Tensor& x);
/// √x.
Tensor sqrt(const Tensor& x);
/// 1 / √x.
Tensor rsqrt(const Tensor& x);
/// xᵉ, in integers where both are: negative powers of them give 0 but for ±1, and throw where e is a number.
/// The gradient for x is 0 where e is 0; the one for e is 0 where x is 0 and e ≥ 0.
Tensor pow(const Tensor& x, const Tensor& exponent);
Tensor pow(const Tensor& x, Scalar exponent);
Tensor pow(Scalar x, const Tensor& exponent);
Tensor sin(const Tensor& x);
Tensor cos(const Tensor& x);
Tensor tan(const Tensor& x);
/// The angle of the point (x, y), in (−π, π].
Tensor atan2(const Tensor& y, const Tensor& x);
/// 2 / √π ∫₀ˣ exp(−t²) dt.
Tensor erf(const Tensor& x);
/// log(eᵃ + eᵇ), without overflow.
Tensor logaddexp(const Tensor& a, const Tensor& b);
/// x log y; 0 where x is 0, unless y is NaN. The gradient for x is 0 where x is 0 and y ≤ 0.
Tensor xlogy(const Tensor& x, const Tensor& y);
Tensor xlogy(const Tensor& x, Scalar y);
Tensor xlogy(Scalar x, const Tensor& y);
/// a + weight (b − a), of one floating type.
Tensor lerp(const Tensor& a, const Tensor& b, const Tensor& weight);
Tensor lerp(const Tensor& a, const Tensor& b, Scalar weight);

}  // namespace reel
