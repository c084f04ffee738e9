/// \file
/// Functions of every element: y[i] = f(x[i], …), with broadcasting; integers and bools become float32. In
/// float32 and float64 each is within 2 units in the last place over its whole range, subnormal results
/// included; the 16-bit types compute in float32 and round once. Differentiable to any order.
#pragma once

#include "arithmetic.hpp"
#include "conditional.hpp"

#pragma GCC visibility push(default)
namespace reel {

/// eˣ. x̄ = ȳ y.
Tensor exp(const Tensor& x);
/// eˣ − 1, exact to the last digits also near 0. x̄ = ȳ (y + 1).
Tensor expm1(const Tensor& x);
/// Natural logarithm: −∞ at 0, NaN below. x̄ = ȳ / x.
Tensor log(const Tensor& x);
/// log(1 + x), exact to the last digits also near 0. x̄ = ȳ / (1 + x).
Tensor log1p(const Tensor& x);
/// √x. x̄ = ȳ / (2 y).
Tensor sqrt(const Tensor& x);
/// 1 / √x. x̄ = −ȳ y³ / 2.
Tensor rsqrt(const Tensor& x);
/// xᵉ, in integers where both are: negative powers of them give 0 but for ±1, and throw where e is a number.
/// x̄ = ȳ e xᵉ⁻¹, 0 where e is 0; ē = ȳ y log x, 0 where x is 0 and e ≥ 0.
Tensor pow(const Tensor& x, const Tensor& exponent);
Tensor pow(const Tensor& x, Scalar exponent);
Tensor pow(Scalar x, const Tensor& exponent);
/// The sine of x radians. x̄ = ȳ cos x.
Tensor sin(const Tensor& x);
/// The cosine of x radians. x̄ = −ȳ sin x.
Tensor cos(const Tensor& x);
/// The tangent of x radians. x̄ = ȳ (1 + y²).
Tensor tan(const Tensor& x);
/// The angle of the point (x, y), in (−π, π]. With z the result, ȳ = z̄ x / (x² + y²), x̄ = −z̄ y / (x² + y²).
Tensor atan2(const Tensor& y, const Tensor& x);
/// 2 / √π ∫₀ˣ exp(−t²) dt. x̄ = ȳ 2 / √π exp(−x²).
Tensor erf(const Tensor& x);
/// log(eᵃ + eᵇ), without overflow. ā = ȳ σ(a − b), b̄ = ȳ σ(b − a), σ the sigmoid.
Tensor logaddexp(const Tensor& a, const Tensor& b);
/// x log y; 0 where x is 0, unless y is NaN. With z the result, x̄ = z̄ log y, 0 where x is 0 and y ≤ 0; ȳ = z̄
/// x / y.
Tensor xlogy(const Tensor& x, const Tensor& y);
Tensor xlogy(const Tensor& x, Scalar y);
Tensor xlogy(Scalar x, const Tensor& y);
/// a + weight (b − a), of one floating type. ā = ȳ (1 − weight), b̄ = ȳ weight, and the weight gets ȳ (b − a).
Tensor lerp(const Tensor& a, const Tensor& b, const Tensor& weight);
Tensor lerp(const Tensor& a, const Tensor& b, Scalar weight);

}  // namespace reel
#pragma GCC visibility pop
