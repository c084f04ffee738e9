// Softmax and cross-entropy as one writes them on the way to understanding them. Each is one formula in the
// library's terms; `tests/seeds/teaching_test.cpp` holds each against the library's own. For use, take
// reel's.
#pragma once

#include <reel.hpp>

namespace teaching {

using reel::Tensor;

/// exp(x) / Σ exp(x) over the last dimension, as the formula stands: overflows above 88.72 in float32.
inline Tensor softmax(const Tensor& x) {
    const Tensor e = exp(x);
    return e / e.sum(-1, true);
}

/// The same shifted by the maximum, which cancels: no exponent exceeds 0.
inline Tensor softmax_stable(const Tensor& x) { return softmax(x - x.amax(-1, true)); }

/// softmax(logits / T): peaked for small T, uniform for large T. T divides the logits, not the probabilities.
inline Tensor softmax_temperature(const Tensor& logits, double temperature) {
    return softmax_stable(logits / temperature);
}

/// -log p[target] for probabilities p (classes). Infinite where p has underflowed to 0.
inline Tensor cross_entropy_loss(const Tensor& probabilities, std::int64_t target) {
    return -log(probabilities[target]);
}

/// ∂ loss / ∂ logits = p - one_hot(target), for the probabilities p = softmax(logits) and one target.
inline Tensor cross_entropy_softmax_gradient(const Tensor& probabilities, std::int64_t target) {
    return probabilities - reel::one_hot(reel::tensor(target), probabilities.size(-1));
}

/// The same from the logits.
inline Tensor softmax_cross_entropy_grad(const Tensor& logits, std::int64_t target) {
    return cross_entropy_softmax_gradient(softmax_stable(logits), target);
}

/// The mean of -log softmax(logits)[target] over a batch: logits (n, classes), targets (n). Shifted by the
/// maximum, and without a logarithm of a probability.
inline Tensor batch_cross_entropy_loss(const Tensor& logits, const Tensor& targets) {
    const Tensor shifted = logits - logits.amax(-1, true);
    const Tensor log_probabilities = shifted - log(exp(shifted).sum(-1, true));
    return -log_probabilities.gather(1, targets.unsqueeze(1)).mean();
}

}  // namespace teaching
