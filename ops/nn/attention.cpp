// Attention, put together from products and a softmax.
#include "ops/nn/attention.hpp"

#include <cmath>
#include <limits>

#include "autograd/tape.hpp"
#include "ops/linalg/matmul.hpp"
#include "ops/nn/layers.hpp"
#include "ops/pointwise/compare.hpp"
#include "ops/pointwise/transcendental.hpp"
#include "ops/shape/views.hpp"
#include "ops/softmax/softmax.hpp"
#include "tensor/factory.hpp"
#include "tensor/random.hpp"

namespace reel {

namespace {

void check(const Tensor& q, const Tensor& k, const Tensor& v,
           const ScaledDotProductAttentionOptions& options) {
    if (!q.is_floating_point() || q.dtype() != k.dtype() || q.dtype() != v.dtype()) {
        fail<DTypeError>("scaled_dot_product_attention: floating operands of one dtype are needed, not ",
                         q.dtype(), ", ", k.dtype(), " and ", v.dtype(), "; convert with to(…)");
    }
    if (q.dim() < 2 || k.dim() < 2 || v.dim() < 2 || q.size(-1) != k.size(-1) || k.size(-2) != v.size(-2)) {
        fail<ShapeError>("scaled_dot_product_attention: shapes ", q.sizes(), ", ", k.sizes(), " and ",
                         v.sizes(), " do not fit; (…, L, E), (…, S, E) and (…, S, V) are needed");
    }
    if (!options.attn_mask.defined()) return;
    if (options.is_causal) {
        fail<Error>(
            "scaled_dot_product_attention: a mask and is_causal are given; put the causal part into the "
            "mask");
    }
    if (options.attn_mask.dtype() != kBool && !options.attn_mask.is_floating_point()) {
        fail<DTypeError>("scaled_dot_product_attention: a mask must be bool or floating, not ",
                         options.attn_mask.dtype());
    }
}

/// Key j is seen by query i where j ≤ i.
Tensor causal_mask(std::int64_t queries, std::int64_t keys) {
    return le(arange(keys), arange(queries).unsqueeze(-1));
}

Tensor attention_weights(const Tensor& scores, const ScaledDotProductAttentionOptions& options) {
    const Tensor& mask = options.attn_mask;
    if (options.is_causal) return masked_softmax(scores, causal_mask(scores.size(-2), scores.size(-1)), -1);
    if (!mask.defined()) return softmax(scores, -1);
    if (mask.dtype() == kBool) {
        const Shape sizes = broadcast_shapes(scores.sizes(), mask.sizes(), "scaled_dot_product_attention");
        return masked_softmax(scores.expand(sizes), mask, -1);
    }
    return masked_softmax((scores + mask).to(scores.dtype()),
                          ne(mask, -std::numeric_limits<double>::infinity()), -1);
}

}  // namespace

Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                    const ScaledDotProductAttentionOptions& options) {
    check(q, k, v, options);
    const Composite whole;
    const double scale = options.scale.value_or(1 / std::sqrt(static_cast<double>(q.size(-1))));
    const Tensor scores = matmul(q * scale, k.transpose(-2, -1));
    const detail::UndoDraws undo;
    return matmul(dropout(attention_weights(scores, options), options.dropout_p), v);
}

}  // namespace reel
