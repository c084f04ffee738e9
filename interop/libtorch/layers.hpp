/// \file
/// Layers and losses of `interop/libtorch.hpp`. What they compute is told in reel's own headers, under the
/// same names.
#pragma once

#include <cmath>

#include "operations.hpp"

namespace reel {

inline Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {}) {
    return torch::linear(x.libtorch(), weight.libtorch(), detail::given(bias));
}
inline Tensor embedding(const Tensor& indices, const Tensor& weight) {
    return torch::embedding(weight.libtorch(), indices.libtorch());
}
inline Tensor layer_norm(const Tensor& x, const Shape& shape, const Tensor& weight = {},
                         const Tensor& bias = {}, double eps = 1e-5) {
    return torch::layer_norm(x.libtorch(), shape, detail::given(weight), detail::given(bias), eps);
}
inline Tensor dropout(const Tensor& x, double p = 0.5, bool training = true) {
    return torch::dropout(x.libtorch(), p, training);
}

inline Tensor rms_norm(const Tensor& x, const Shape& shape, const Tensor& weight = {}, double eps = 1e-5) {
    Shape last;
    for (std::size_t i = shape.size(); i > 0; --i) last.push_back(-static_cast<std::int64_t>(i));
    const Tensor y = x * rsqrt(x.square().mean(last, true) + eps);
    return weight.defined() ? y * weight : y;
}

struct Conv2dOptions {
    Shape stride = 1;
    Shape padding = 0;
    Shape dilation = 1;
    std::int64_t groups = 1;
};
inline Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                     const Conv2dOptions& o = {}) {
    return torch::conv2d(x.libtorch(), weight.libtorch(), detail::given(bias), o.stride, o.padding,
                         o.dilation, o.groups);
}

struct MaxPool2dOptions {
    Shape kernel_size;
    Shape stride = kernel_size;
    Shape padding = 0;
};
inline Tensor max_pool2d(const Tensor& x, const MaxPool2dOptions& o) {
    return torch::max_pool2d(x.libtorch(), o.kernel_size, o.stride, o.padding);
}

struct AvgPool2dOptions {
    Shape kernel_size;
    Shape stride = kernel_size;
    Shape padding = 0;
};
inline Tensor avg_pool2d(const Tensor& x, const AvgPool2dOptions& o) {
    return torch::avg_pool2d(x.libtorch(), o.kernel_size, o.stride, o.padding);
}

struct ScaledDotProductAttentionOptions {
    Tensor attn_mask = {};
    bool is_causal = false;
    std::optional<double> scale = None;
};
inline Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                           const ScaledDotProductAttentionOptions& o = {}) {
    const double scale = o.scale.value_or(1 / std::sqrt(static_cast<double>(q.size(-1))));
    const Tensor scores = q.matmul(k.transpose(-2, -1)) * scale;
    Tensor mask = o.attn_mask;
    if (o.is_causal) mask = ones({q.size(-2), k.size(-2)}, kBool).tril();
    if (!mask.defined()) return softmax(scores, -1).matmul(v);
    if (mask.is_floating_point()) return softmax(scores + mask, -1).matmul(v);
    return masked_softmax(scores, mask, -1).matmul(v);
}

enum class Reduction : std::uint8_t { kNone, kMean, kSum };
inline constexpr Reduction kNone = Reduction::kNone;
inline constexpr Reduction kMean = Reduction::kMean;
inline constexpr Reduction kSum = Reduction::kSum;

namespace detail {
inline std::int64_t word(Reduction reduction) {  // PyTorch counts them alike
    return static_cast<std::int64_t>(reduction);
}
}  // namespace detail

struct CrossEntropyOptions {
    Tensor weight = {};
    std::int64_t ignore_index = -100;
    Reduction reduction = Reduction::kMean;
    double label_smoothing = 0;
    std::int64_t dim = -1;
};
/// The classes are in the last dimension, for libtorch in the second.
inline Tensor cross_entropy(const Tensor& logits, const Tensor& targets, const CrossEntropyOptions& o = {}) {
    torch::Tensor x = logits.libtorch();
    torch::Tensor t = targets.libtorch();
    if (x.dim() > 1) {
        x = x.movedim(o.dim, 1);
        if (t.is_floating_point()) t = t.movedim(o.dim, 1);
    }
    return torch::cross_entropy_loss(x, t, detail::given(o.weight), detail::word(o.reduction), o.ignore_index,
                                     o.label_smoothing);
}

inline Tensor mse_loss(const Tensor& x, const Tensor& target, Reduction reduction = Reduction::kMean) {
    return torch::mse_loss(x.libtorch(), target.libtorch(), detail::word(reduction));
}
inline Tensor l1_loss(const Tensor& x, const Tensor& target, Reduction reduction = Reduction::kMean) {
    return torch::l1_loss(x.libtorch(), target.libtorch(), detail::word(reduction));
}

struct NllLossOptions {
    Tensor weight = {};
    std::int64_t ignore_index = -100;
    Reduction reduction = Reduction::kMean;
    std::int64_t dim = -1;
};
inline Tensor nll_loss(const Tensor& log_probabilities, const Tensor& targets, const NllLossOptions& o = {}) {
    torch::Tensor x = log_probabilities.libtorch();
    if (x.dim() > 1) x = x.movedim(o.dim, 1);
    return torch::nll_loss_nd(x, targets.libtorch(), detail::given(o.weight), detail::word(o.reduction),
                              o.ignore_index);
}

inline Tensor huber_loss(const Tensor& x, const Tensor& target, Reduction reduction = Reduction::kMean,
                         double delta = 1) {
    return torch::huber_loss(x.libtorch(), target.libtorch(), detail::word(reduction), delta);
}
inline Tensor kl_div(const Tensor& x, const Tensor& target, Reduction reduction = Reduction::kMean,
                     bool log_target = false) {
    return torch::kl_div(x.libtorch(), target.libtorch(), detail::word(reduction), log_target);
}

struct BceWithLogitsOptions {
    Tensor weight = {};
    Tensor pos_weight = {};
    Reduction reduction = Reduction::kMean;
};
inline Tensor binary_cross_entropy_with_logits(const Tensor& x, const Tensor& target,
                                               const BceWithLogitsOptions& o = {}) {
    return torch::binary_cross_entropy_with_logits(x.libtorch(), target.libtorch(), detail::given(o.weight),
                                                   detail::given(o.pos_weight), detail::word(o.reduction));
}

}  // namespace reel
