/// \file
/// Layers as functions. Others are where their mathematics is: `linear` in `matmul.hpp`, `conv2d` in
/// `conv.hpp`, pools in `pool.hpp`, attention in `attention.hpp`.
#pragma once

#include <optional>

#include "../../tensor/tensor.hpp"

#pragma GCC visibility push(default)
namespace reel {

/// y = (x − μ) / √(σ² + ε) · weight + bias over the last dimensions, which are `shape`; μ and σ² are their
/// mean and variance (divided by n, in two passes). `weight` and `bias` have the shape `shape`; undefined:
/// left out. Keeps a mean and a 1 / √(σ² + ε) for each row. With x̂ = (x − μ) ρ, ρ = 1 / √(σ² + ε) and u = ȳ
/// weight, x̄ = ρ (u − mean(u) − x̂ mean(u x̂)); the weight gets Σ ȳ x̂ over the rows, the bias Σ ȳ. Source: Ba,
/// Kiros, Hinton, arXiv:1607.06450. Throws a `ShapeError` unless x ends in `shape`, a `DTypeError` for
/// integers or for a weight of another dtype.
Tensor layer_norm(const Tensor& x, const Shape& shape, const Tensor& weight = {}, const Tensor& bias = {},
                  double eps = 1e-5);

/// y = x / √(mean(x²) + ε) · weight over the last dimensions. Without `eps`: the machine epsilon of the
/// type it is computed in, float32 for 16-bit types. With x̂ = x ρ, ρ = 1 / √(mean(x²) + ε) and u = ȳ weight, x̄ = ρ (u − x̂ mean(u x̂)); the weight gets Σ
/// ȳ x̂ over the rows. Keeps a ρ for each row. Source: Zhang, Sennrich, arXiv:1910.07467.
Tensor rms_norm(const Tensor& x, const Shape& shape, const Tensor& weight = {},
                std::optional<double> eps = None);

/// Each element is 0 with probability p, else x / (1 − p), by this thread's generator (`manual_seed`);
/// without `training`, x. Keeps the factors, 0 or 1 / (1 − p). Throws an `Error` unless 0 ≤ p ≤ 1.
Tensor dropout(const Tensor& x, double p = 0.5, bool training = true);

/// 1 with probability `probs`, else 0, in the type of `probs`. x̄ = 0. Throws an `Error` unless all are of [0, 1].
Tensor bernoulli(const Tensor& probs);

}  // namespace reel
#pragma GCC visibility pop
