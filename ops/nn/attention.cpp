// Attention: by blocks of queries, and put together from products and a softmax where there is a mask or dropout, and
// for derivatives of the gradient.
#include "ops/nn/attention.hpp"

#include <cmath>
#include <limits>
#include <span>

#include "autograd/shared_pullback.hpp"
#include "autograd/tape.hpp"
#include "ops/linalg/matmul.hpp"
#include "ops/nn/attention_driver.hpp"
#include "ops/nn/layers.hpp"
#include "ops/pointwise/arithmetic.hpp"
#include "ops/pointwise/by_promotion.hpp"
#include "ops/pointwise/compare.hpp"
#include "ops/pointwise/dense_driver.hpp"
#include "ops/pointwise/transcendental.hpp"
#include "ops/reduce/reduce.hpp"
#include "ops/shape/views.hpp"
#include "ops/softmax/softmax.hpp"
#include "tensor/factory.hpp"
#include "tensor/random.hpp"

namespace reel {

namespace {

constexpr const char* kName = "scaled_dot_product_attention";

void check(const Tensor& q, const Tensor& k, const Tensor& v,
           const ScaledDotProductAttentionOptions& options) {
    if (!q.is_floating_point() || q.dtype() != k.dtype() || q.dtype() != v.dtype()) {
        fail<DTypeError>(kName, ": floating operands of one dtype are needed, not ", q.dtype(), ", ",
                         k.dtype(), " and ", v.dtype(), "; convert with to(…)");
    }
    if (q.dim() < 2 || k.dim() < 2 || v.dim() < 2 || q.size(-1) != k.size(-1) || k.size(-2) != v.size(-2)) {
        fail<ShapeError>(kName, ": shapes ", q.sizes(), ", ", k.sizes(), " and ", v.sizes(),
                         " do not fit; (…, L, E), (…, S, E) and (…, S, V) are needed");
    }
    if (!options.attn_mask.defined()) return;
    if (options.is_causal) {
        fail<Error>(kName, ": a mask and is_causal are given; put the causal part into the mask");
    }
    if (options.attn_mask.dtype() != kBool && !options.attn_mask.is_floating_point()) {
        fail<DTypeError>(kName, ": a mask must be bool or floating, not ", options.attn_mask.dtype());
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
        const Shape sizes = broadcast_shapes(scores.sizes(), mask.sizes(), kName);
        return masked_softmax(scores.expand(sizes), mask, -1);
    }
    return masked_softmax((scores + mask).to(scores.dtype()),
                          ne(mask, -std::numeric_limits<double>::infinity()), -1);
}

Tensor swapped(const Tensor& x) { return x.transpose(-2, -1); }

/// As the driver wants them. Not recorded.
AttentionHeads broadcast_heads(const AttentionHeads& x) {
    const NoGradGuard quiet;
    const auto leading = [](const Tensor& t) {
        return Shape(std::span(t.sizes()).first(t.sizes().size() - 2));
    };
    const Shape batch =
        broadcast_shapes(broadcast_shapes(leading(x.q), leading(x.k), kName), leading(x.v), kName);
    const auto expanded = [&](const Tensor& t) {
        Shape sizes = batch;
        sizes.push_back(t.size(-2));
        sizes.push_back(t.size(-1));
        return t.expand(sizes).to(compute_dtype(t.dtype()));
    };
    return {expanded(x.q), expanded(x.k), expanded(x.v), x.is_causal};
}

/// The gradients put together from operations that record themselves.
AttentionGradients recorded_gradients(const AttentionHeads& x, const Tensor& y_bar) {
    const Tensor p = attention_weights(matmul(x.q, swapped(x.k)), {.is_causal = x.is_causal});
    const Tensor p_bar = matmul(y_bar, swapped(x.v));
    const Tensor s_bar = p * (p_bar - (p_bar * p).sum(-1, true));
    return {matmul(s_bar, x.k), matmul(swapped(s_bar), x.q), matmul(swapped(p), y_bar)};
}

/// softmax(q kᵀ) v by blocks of queries: one node.
Tensor attention(const AttentionHeads& x) {
    const bool is_differentiated = is_recorded(x.q) || is_recorded(x.k) || is_recorded(x.v);
    const AttentionHeads heads = broadcast_heads(x);
    Tensor weights;
    if (is_differentiated) {
        Shape sizes = heads.q.sizes();
        sizes.back() = x.k.size(-2);
        weights = Tensor::empty(sizes, heads.q.dtype());
    }
    const auto all = [x, weights](const Tensor& y_bar) {
        return once_in_visit([&] {
            const bool again = is_recorded(y_bar) || is_recorded(x.q) || is_recorded(x.k) || is_recorded(x.v);
            return again ? recorded_gradients(x, y_bar)
                         : attention_backward(broadcast_heads(x), weights, dense(y_bar, weights.dtype()));
        });
    };
    return record(kName, dense(attention_forward(heads, weights), x.q.dtype()),
                  {{x.q, [all](const Tensor& y_bar) { return all(y_bar)->q; }},
                   {x.k, [all](const Tensor& y_bar) { return all(y_bar)->k; }},
                   {x.v, [all](const Tensor& y_bar) { return all(y_bar)->v; }}});
}

}  // namespace

Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                    const ScaledDotProductAttentionOptions& options) {
    check(q, k, v, options);
    const Composite whole;
    const double scale = options.scale.value_or(1 / std::sqrt(static_cast<double>(q.size(-1))));
    if (!options.attn_mask.defined() && options.dropout_p == 0)
        return attention({q * scale, k, v, options.is_causal});
    const Tensor scores = matmul(wide(q) * scale, swapped(wide(k)));
    const detail::UndoDraws undo;
    return matmul(dropout(attention_weights(scores, options), options.dropout_p), wide(v)).to(q.dtype());
}

}  // namespace reel
