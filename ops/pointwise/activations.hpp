/// \file
/// Activation functions of neural networks. Accuracy and types as in `transcendental.hpp`. Those whose backward
/// pass is fused record it as an operation of its own, so that it has derivatives too.
#pragma once

#include <string_view>

#include "../../tensor/tensor.hpp"

#pragma GCC visibility push(default)
namespace reel {

/// Hyperbolic tangent. x̄ = ȳ (1 − y²).
Tensor tanh(const Tensor& x);
/// max(x, 0). NaN stays NaN. x̄ = ȳ where x > 0 or NaN, else 0.
Tensor relu(const Tensor& x);
/// x where x > 0, else `negative_slope` x. x̄ = ȳ where x > 0, else `negative_slope` ȳ.
Tensor leaky_relu(const Tensor& x, double negative_slope = 0.01);
/// x where x > 0, else α (eˣ − 1). x̄ = ȳ where x > 0, else ȳ α eˣ.
Tensor elu(const Tensor& x, double alpha = 1);
/// 1 / (1 + e⁻ˣ). x̄ = ȳ y (1 − y).
Tensor sigmoid(const Tensor& x);
/// log(1 / (1 + e⁻ˣ)). x̄ = ȳ σ(−x), σ the sigmoid.
Tensor logsigmoid(const Tensor& x);
/// log(1 + exp(βx)) / β; x itself where βx is above the threshold. x̄ = ȳ σ(βx), σ the sigmoid; above the
/// threshold ȳ.
Tensor softplus(const Tensor& x, double beta = 1, double threshold = 20);
/// x / (1 + e⁻ˣ). x̄ = ȳ σ (1 + x (1 − σ)) with σ = sigmoid(x).
Tensor silu(const Tensor& x);
/// x Φ(x), Φ the normal distribution function; `approximate` "tanh" takes ½x (1 + tanh(√(2/π) (x +
/// 0.044715x³))). x̄ = ȳ (Φ(x) + x φ(x)), φ the density; with "tanh", ȳ (σ + x σ (1 − σ) v′) where y = x
/// σ(v(x)).
Tensor gelu(const Tensor& x, std::string_view approximate = "none");

}  // namespace reel
#pragma GCC visibility pop
