/// \file
/// Attention by blocks of queries. The operation is in `attention.cpp`.
///
/// Note [Attention by blocks]
/// The scores of all queries and keys, (L, S) for each head, would go to memory and come back between product, softmax
/// and product, and again between those of the gradient. A block of queries whose scores stay in L2 takes all three
/// steps before the next one comes (Dao et al., arXiv:2205.14135, cut the keys, too, and keep no weights). Under
/// `is_causal` a block stops at the last key that it sees, which spares nearly half of the work; masks are
/// read as its scores are made (4 × 4 heads of 256 × 64 in 0.8 of the time; AMD EPYC, Zen 4).
#pragma once

#include "tensor/tensor.hpp"

namespace reel {

/// A head is a matrix of each; the dimensions before it are the same in all, and the floating dtype is.
struct AttentionHeads {
    Tensor q;  ///< (…, L, E), scaled
    Tensor k;  ///< (…, S, E)
    Tensor v;  ///< (…, S, V)
    bool is_causal;
    Tensor seen;   ///< (…, L, S) of bools, whose rows are dense: the keys that a query sees; undefined: all
    Tensor added;  ///< the same of what is added to the scores
};

/// softmax(q kᵀ) v, dense. The softmax is kept in `weights`, dense (…, L, S), where that is defined, as far as it is
/// seen.
Tensor attention_forward(const AttentionHeads& heads, const Tensor& weights);

/// With P the weights: P̄ = ȳ vᵀ, S̄ = P (P̄ − Σ P̄ P), q̄ = S̄ k, k̄ = S̄ᵀ q, v̄ = Pᵀ ȳ.
struct AttentionGradients {
    Tensor q, k, v;
};
AttentionGradients attention_backward(const AttentionHeads& heads, const Tensor& weights,
                                      const Tensor& y_bar);

}  // namespace reel
