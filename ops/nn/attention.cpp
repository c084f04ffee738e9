// Attention: by blocks of queries, and put together from products and a softmax where there is dropout, or a mask that
// wants a gradient, and for derivatives of the gradient.
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

/// The softmax of q kᵀ, masked.
Tensor attention_weights(const AttentionHeads& x, const Tensor& scores) {
    if (x.is_causal) return masked_softmax(scores, causal_mask(scores.size(-2), scores.size(-1)), -1);
    if (!x.seen.defined()) return softmax(scores, -1);
    const Tensor sum = x.added.defined() ? (scores + x.added).to(scores.dtype()) : scores;
    return masked_softmax(sum.expand(broadcast_shapes(sum.sizes(), x.seen.sizes(), kName)), x.seen, -1);
}

/// Whether a mask can be read by blocks of queries: as a constant, which neither stretches nor widens the scores.
bool is_plain(const Tensor& mask, std::int64_t queries, std::int64_t keys, DType dtype) {
    if (!mask.defined()) return true;
    const auto fits = [&](std::int64_t size, std::int64_t d) {
        return mask.dim() < d || mask.size(-d) == 1 || mask.size(-d) == size;
    };
    return fits(keys, 1) && fits(queries, 2) && !is_recorded(mask) && promote(mask.dtype(), dtype) == dtype;
}

Tensor swapped(const Tensor& x) { return x.transpose(-2, -1); }

/// As the driver wants them. Not recorded.
AttentionHeads broadcast_heads(const AttentionHeads& x) {
    const NoGradGuard quiet;
    Shape batch;
    for (const Tensor& t : {x.q, x.k, x.v, x.seen}) {
        if (t.defined() && t.dim() > 2)
            batch = broadcast_shapes(batch, Shape(std::span(t.sizes()).first(t.sizes().size() - 2)), kName);
    }
    const auto expanded = [&](const Tensor& t, std::int64_t rows, std::int64_t columns) {
        if (!t.defined()) return t;
        Shape sizes = batch;
        sizes.push_back(rows);
        sizes.push_back(columns);
        return t.expand(sizes);
    };
    const std::int64_t queries = x.q.size(-2), keys = x.k.size(-2), width = x.q.size(-1);
    const auto mask = [&](const Tensor& t, DType dtype) {
        if (!t.defined() || t.dim() == 0) return expanded(t, queries, keys);
        Shape sizes = t.sizes();
        sizes.back() = keys;
        return expanded(dense(t.expand(sizes), dtype), queries, keys);
    };
    return {expanded(x.q, queries, width),
            expanded(x.k, keys, width),
            expanded(x.v, keys, x.v.size(-1)),
            x.is_causal,
            mask(x.seen, kBool),
            mask(x.added, x.q.dtype())};
}

/// The gradients put together from operations that record themselves.
AttentionGradients recorded_gradients(const AttentionHeads& x, const Tensor& y_bar) {
    const Tensor p = attention_weights(x, matmul(x.q, swapped(x.k)));
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
        weights = Tensor::empty(sizes, x.q.dtype());
    }
    const auto all = [x, weights](const Tensor& y_bar) {
        return once_in_visit([&] {
            const bool again = is_recorded(y_bar) || is_recorded(x.q) || is_recorded(x.k) || is_recorded(x.v);
            return again ? recorded_gradients(x, y_bar)
                         : attention_backward(broadcast_heads(x), weights, dense(y_bar));
        });
    };
    return record(kName, attention_forward(heads, weights),
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
    const Tensor& mask = options.attn_mask;
    AttentionHeads x{wide(q) * scale, wide(k), wide(v), options.is_causal, {}, {}};
    if (mask.defined() && mask.dtype() != kBool) x.added = mask;
    if (mask.defined())
        x.seen = x.added.defined() ? ne(mask, -std::numeric_limits<double>::infinity()) : mask;
    if (options.dropout_p == 0 && is_plain(mask, q.size(-2), k.size(-2), x.q.dtype()))
        return attention(x).to(q.dtype());
    const Tensor scores = matmul(x.q, swapped(x.k));
    const detail::UndoDraws undo;
    return matmul(dropout(attention_weights(x, scores), options.dropout_p), x.v).to(q.dtype());
}

}  // namespace reel
