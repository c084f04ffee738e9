/// \file
/// The losses of single elements. Each gives one tape node, and a gradient to any order.
#pragma once

#include "../../tensor/tensor.hpp"
#include "../softmax/cross_entropy.hpp"

#pragma GCC visibility push(default)
namespace reel {

/// The `cross_entropy` of z = x weightᵀ, x (…, features) and weight (classes, features), without ever holding
/// all of z: blocks of rows are multiplied, used and overwritten. x̄ = z̄ weight, the weight gets z̄ᵀ x, z̄ that of
/// `cross_entropy`. Keeps the gradients of a mean or a sum for ȳ = 1, which are computed on the way forward, in
/// the same blocks. For `kNone` the blocks are computed again. A derivative of the gradient holds all of z, and
/// so does the gradient of target probabilities. 16-bit operands are computed in float32, and so is the loss.
/// Errors are those of `cross_entropy`, and a `ShapeError` where x and weight do not fit or `dim` is not the last.
Tensor linear_cross_entropy(const Tensor& x, const Tensor& weight, const Tensor& targets,
                            const CrossEntropyOptions& options = {});

/// (x − target)². x̄ = 2 ȳ (x − target), the target gets −x̄; divided by n for kMean. Throws a
/// `DTypeError` for integers.
Tensor mse_loss(const Tensor& x, const Tensor& target, Reduction reduction = Reduction::kMean);

/// |x − target|. x̄ = ȳ sign(x − target): 0 where they meet; the target gets −x̄; divided by n for kMean.
Tensor l1_loss(const Tensor& x, const Tensor& target, Reduction reduction = Reduction::kMean);

/// d² / 2 where d = |x − target| < δ, else δ (d − δ / 2). Huber, "Robust Estimation of a Location Parameter",
/// Ann. Math. Statist. 35, 1964. x̄ = ȳ clamp(x − target, −δ, δ), the target gets −x̄; divided by n for kMean.
/// Throws an `Error` unless δ > 0, a `DTypeError` for integers.
Tensor huber_loss(const Tensor& x, const Tensor& target, Reduction reduction = Reduction::kMean,
                  double delta = 1);

struct BceWithLogitsOptions {
    Tensor weight = {};      ///< of each element, or broadcast; a constant
    Tensor pos_weight = {};  ///< of the positive targets, of each class along the last dimension; a constant
    Reduction reduction = Reduction::kMean;
};

/// −w (p t log σ(x) + (1 − t) log(1 − σ(x))), stable for every x. x̄ = ȳ w ((1 − t) σ(x) − p t σ(−x)), t̄ = −ȳ
/// w (x + (p − 1) log σ(x)); divided by n for kMean. Keeps the weights, 1 where not given. Throws a
/// `ShapeError` unless the shapes are equal.
Tensor binary_cross_entropy_with_logits(const Tensor& x, const Tensor& target,
                                        const BceWithLogitsOptions& options = {});

/// t (log t − x), where x holds log-probabilities and t probabilities (with `log_target` their logarithms); 0
/// log 0 = 0. kMean is over all elements, as in PyTorch. x̄ = −ȳ t, t̄ = ȳ (log t + 1 − x), with `log_target` x̄
/// = −ȳ eᵗ, t̄ = ȳ eᵗ (t + 1 − x); divided by n for kMean. Throws a `DTypeError` for integers.
Tensor kl_div(const Tensor& x, const Tensor& target, Reduction reduction = Reduction::kMean,
              bool log_target = false);

}  // namespace reel
#pragma GCC visibility pop
