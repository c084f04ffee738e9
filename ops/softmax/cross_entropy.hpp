/// \file
/// The losses of classes: `cross_entropy` of logits, `nll_loss` of log-probabilities. Each gives one tape node, and a
/// gradient to any order.
#pragma once

#include "../../tensor/tensor.hpp"
#include "reduction.hpp"

#pragma GCC visibility push(default)
namespace reel {

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
/// in the same way.
///
/// The mean is over the weights of the targets that count (over the rows, where targets are probabilities):
/// NaN where none counts, with zero gradient. 0 · ∞ is 0. For class labels without weights z̄ = ȳ (softmax(z) −
/// one_hot(t)) / n. In general, with Q = Σ w q, z̄ = ȳ (Q softmax(z) − w q) / total.
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

}  // namespace reel
#pragma GCC visibility pop
