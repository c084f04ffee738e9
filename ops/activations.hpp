/// \file
/// Activation functions of neural networks. Accuracy and types as in `pointwise.hpp`. Those whose backward
/// pass is fused record it as an operation of its own, so that it has derivatives too.
#pragma once

#include <string_view>

#include "tensor/tensor.hpp"

namespace reel {

/// Hyperbolic tangent.
Tensor tanh(const Tensor& x);
/// max(x, 0); the gradient at 0 is 0, at NaN 1. NaN stays NaN.
Tensor relu(const Tensor& x);
/// x where x > 0, else `negative_slope` x; the gradient at 0 is the slope.
Tensor leaky_relu(const Tensor& x, double negative_slope = 0.01);
/// x where x > 0, else α (eˣ − 1); the gradient at 0 is α.
Tensor elu(const Tensor& x, double alpha = 1);
/// 1 / (1 + e⁻ˣ).
Tensor sigmoid(const Tensor& x);
/// log(1 / (1 + e⁻ˣ)).
Tensor logsigmoid(const Tensor& x);
/// log(1 + exp(βx)) / β; x itself where βx is above the threshold.
Tensor softplus(const Tensor& x, double beta = 1, double threshold = 20);
/// x / (1 + e⁻ˣ).
Tensor silu(const Tensor& x);
/// x Φ(x), Φ the normal distribution function; `approximate` "tanh" takes
/// ½x (1 + tanh(√(2/π) (x + 0.044715x³))).
Tensor gelu(const Tensor& x, std::string_view approximate = "none");

}  // namespace reel
