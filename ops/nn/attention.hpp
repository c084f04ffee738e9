/// \file
/// Attention: softmax(q kᵀ · scale) v.
#pragma once

#include <optional>

#include "../../tensor/tensor.hpp"

#pragma GCC visibility push(default)
namespace reel {

struct ScaledDotProductAttentionOptions {
    Tensor attn_mask = {};               ///< bool: true takes part; floating: added to the scores
    double dropout_p = 0;                ///< of the weights
    bool is_causal = false;              ///< query i sees the keys up to i; not together with a mask
    std::optional<double> scale = None;  ///< 1 / √E where not given
};

/// softmax(q kᵀ · scale + mask) v: q (…, L, E), k (…, S, E), v (…, S, V) give (…, L, V); the leading
/// dimensions, and those of a mask (…, L, S), broadcast. A query that may see no key at all gives zeros, with
/// zero gradient. With the weights P, v̄ = Pᵀ ȳ, q̄ = S̄ k · scale, k̄ = S̄ᵀ q · scale for S̄ = P (P̄ − Σ P̄ P), P̄ = ȳ vᵀ.
/// Keeps the scaled q, the weights, (…, L, S), and a mask. Throws a `ShapeError` or `DTypeError` where operands do not fit, an
/// `Error` for a mask together with `is_causal`. Source: Vaswani et al., arXiv:1706.03762.
Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                    const ScaledDotProductAttentionOptions& options = {});

}  // namespace reel
#pragma GCC visibility pop
