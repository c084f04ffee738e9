/// \file
/// Losses. Each gives one tape entry, and a gradient to any order.
#pragma once

#include "../../tensor/tensor.hpp"

namespace reel {

/// What becomes of a loss's elements: they stay as they are, or are averaged, or added up.
enum class Reduction : std::uint8_t { kNone, kMean, kSum };

inline constexpr Reduction kNone = Reduction::kNone;
inline constexpr Reduction kMean = Reduction::kMean;
inline constexpr Reduction kSum = Reduction::kSum;

struct CrossEntropyOptions {
    Tensor weight = {};                ///< of each class, [C]; a constant
    std::int64_t ignore_index = -100;  ///< rows with this target do not exist
    Reduction reduction = Reduction::kMean;
    double label_smoothing = 0;  ///< the share of each target that all classes divide evenly
    std::int64_t dim = -1;       ///< the dimension of the classes
};

/// −Σ_c w_c q_c log softmax(z)_c for each row z of C logits along `dim`. `targets` are int64 classes, of the
/// logits' shape without `dim`, or floating class probabilities q, of the logits' shape. A class t stands for
/// q_c = [c = t], with smoothing α for (1 − α) [c = t] w_t / w_c + α / C; of probabilities α takes its share
/// likewise.
///
/// The mean is over the weights of the targets that count (over the rows, where targets are probabilities):
/// NaN where none counts, with zero gradient. 0 · ∞ is 0. With Q = Σ w q, z̄ = ȳ (Q softmax(z) − w q) / total.
/// It is written straight from the logits. Keeps two numbers of each row, its maximum and the sum of the
/// other exponentials. Probabilities that require grad get theirs. 16-bit logits are computed in float32, and
/// so is their loss.
///
/// Within 4 ulp of the result, also where one logit leads so far that its probability rounds to 1.
/// Throws an `IndexError` for a class outside [0, C) that is not `ignore_index`, a `ShapeError` or
/// `DTypeError` for what does not fit.
Tensor cross_entropy(const Tensor& logits, const Tensor& targets, const CrossEntropyOptions& options = {});

struct NllLossOptions {
    Tensor weight = {};                ///< of each class, [C]; a constant
    std::int64_t ignore_index = -100;  ///< rows with this target do not exist
    Reduction reduction = Reduction::kMean;
    std::int64_t dim = -1;  ///< the dimension of the classes
};

/// −w_t x_t for each row x of log-probabilities along `dim`, t its class in `targets` (int64). The mean is
/// over the weights, as in `cross_entropy`, and so are the errors. x̄ = −ȳ w_t / total at the class t, else 0.
Tensor nll_loss(const Tensor& log_probabilities, const Tensor& targets, const NllLossOptions& options = {});

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
