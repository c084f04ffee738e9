/// \file
/// The same workload in two dialects. A workload is written once, in reel's words; with REEL_BENCH_LIBTORCH
/// they mean libtorch. What the two spell differently, and nothing else, is bridged here.
#pragma once

#if defined(REEL_BENCH_LIBTORCH)

#include <torch/torch.h>

namespace dialect {

using namespace torch::indexing;
using torch::kBFloat16;
using torch::kBool;
using torch::kFloat16;
using torch::kFloat32;
using torch::kFloat64;
using torch::kInt64;
using torch::Tensor;
namespace F = torch::nn::functional;

/// libtorch records always.
struct Tape {
    Tape() {}
};
using NoGradGuard = torch::NoGradGuard;

inline Tensor randn(std::vector<int64_t> sizes) { return torch::randn(sizes); }
inline Tensor zeros(std::vector<int64_t> sizes) { return torch::zeros(sizes); }
inline Tensor empty(std::vector<int64_t> sizes) { return torch::empty(sizes); }
inline Tensor rand(std::vector<int64_t> sizes) { return torch::rand(sizes); }
inline Tensor randint(int64_t low, int64_t high, std::vector<int64_t> sizes) {
    return torch::randint(low, high, sizes, torch::kInt64);
}
inline Tensor tensor(double value) { return torch::tensor(value); }
inline Tensor cross_entropy(const Tensor& x, const Tensor& t, double smoothing = 0,
                            const Tensor& weight = {}) {
    return F::cross_entropy(x, t, F::CrossEntropyFuncOptions().label_smoothing(smoothing).weight(weight));
}
inline Tensor mse_loss(const Tensor& x, const Tensor& t) { return F::mse_loss(x, t); }
inline Tensor huber_loss(const Tensor& x, const Tensor& t) { return F::huber_loss(x, t); }
inline Tensor bce(const Tensor& x, const Tensor& t) { return F::binary_cross_entropy_with_logits(x, t); }
inline Tensor gelu(const Tensor& x) { return torch::gelu(x); }
inline Tensor silu(const Tensor& x) { return torch::silu(x); }
inline Tensor softplus(const Tensor& x) { return torch::softplus(x); }
inline Tensor einsum(const char* equation, const std::vector<Tensor>& x) {
    return torch::einsum(equation, x);
}
/// The first of (values, indices).
inline Tensor values(const std::tuple<Tensor, Tensor>& both) { return std::get<0>(both); }
inline Tensor where(const Tensor& c, const Tensor& a, const Tensor& b) { return torch::where(c, a, b); }
inline Tensor cat(const std::vector<Tensor>& x, int64_t dim) { return torch::cat(x, dim); }
inline Tensor stack(const std::vector<Tensor>& x, int64_t dim) { return torch::stack(x, dim); }
inline Tensor embedding(const Tensor& indices, const Tensor& weight) { return F::embedding(indices, weight); }
inline Tensor linear(const Tensor& x, const Tensor& w, const Tensor& b) { return F::linear(x, w, b); }
/// libtorch has it fused for Python alone.
inline Tensor linear_cross_entropy(const Tensor& x, const Tensor& w, const Tensor& t) {
    return F::cross_entropy(F::linear(x, w), t);
}
inline Tensor layer_norm(const Tensor& x, int64_t size, const Tensor& w, const Tensor& b) {
    return F::layer_norm(x, F::LayerNormFuncOptions({size}).weight(w).bias(b));
}
inline Tensor conv2d(const Tensor& x, const Tensor& w, const Tensor& b, int64_t padding) {
    return F::conv2d(x, w, F::Conv2dFuncOptions().bias(b).padding(padding));
}
inline Tensor max_pool2d(const Tensor& x, int64_t size) {
    return F::max_pool2d(x, F::MaxPool2dFuncOptions(size));
}
inline Tensor avg_pool2d(const Tensor& x, int64_t size) {
    return F::avg_pool2d(x, F::AvgPool2dFuncOptions(size));
}
inline Tensor lower_triangle(int64_t n) { return torch::ones({n, n}, torch::kBool).tril(); }
#if TORCH_VERSION_MAJOR >= 2
inline Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask) {
    if (!mask.defined()) return at::scaled_dot_product_attention(q, k, v);
    return at::scaled_dot_product_attention(q, k, v, mask);
}
inline Tensor causal_attention(const Tensor& q, const Tensor& k, const Tensor& v) {
    return at::scaled_dot_product_attention(q, k, v, {}, 0.0, true);
}
#else
/// libtorch 1.13 has no public function for it in C++: as a user writes it.
inline Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask) {
    const double scale = 1 / std::sqrt(static_cast<double>(q.size(-1)));
    Tensor scores = q.matmul(k.transpose(-2, -1)) * scale;
    if (mask.defined()) scores = scores.masked_fill(mask.logical_not(), -INFINITY);
    return scores.softmax(-1).matmul(v);
}
inline Tensor causal_attention(const Tensor& q, const Tensor& k, const Tensor& v) {
    return attention(q, k, v, lower_triangle(q.size(-2)));
}
#endif

inline void set_num_threads(int n) { torch::set_num_threads(n); }
inline void zero_grad(const std::vector<Tensor>& parameters) {
    for (const Tensor& p : parameters) p.mutable_grad() = Tensor();
}

struct Sgd : torch::optim::SGD {
    Sgd(const std::vector<Tensor>& p, double lr) : torch::optim::SGD(p, torch::optim::SGDOptions(lr)) {}
};
struct Adam : torch::optim::Adam {
    Adam(const std::vector<Tensor>& p, double lr) : torch::optim::Adam(p, torch::optim::AdamOptions(lr)) {}
};
struct AdamW : torch::optim::AdamW {
    AdamW(const std::vector<Tensor>& p, double lr) : torch::optim::AdamW(p, torch::optim::AdamWOptions(lr)) {}
};

}  // namespace dialect

#else

#include <reel.hpp>

namespace dialect {

using namespace reel;

inline Tensor cross_entropy(const Tensor& x, const Tensor& t, double smoothing = 0,
                            const Tensor& weight = {}) {
    return reel::cross_entropy(x, t, {.weight = weight, .label_smoothing = smoothing});
}
inline Tensor bce(const Tensor& x, const Tensor& t) { return binary_cross_entropy_with_logits(x, t); }
inline Tensor values(const ValuesIndices& both) { return both.values; }
inline Tensor layer_norm(const Tensor& x, int64_t size, const Tensor& w, const Tensor& b) {
    return reel::layer_norm(x, Shape{size}, w, b);
}
inline Tensor conv2d(const Tensor& x, const Tensor& w, const Tensor& b, int64_t padding) {
    return reel::conv2d(x, w, b, {.padding = padding});
}
inline Tensor max_pool2d(const Tensor& x, int64_t size) { return reel::max_pool2d(x, {.kernel_size = size}); }
inline Tensor avg_pool2d(const Tensor& x, int64_t size) { return reel::avg_pool2d(x, {.kernel_size = size}); }
inline Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask) {
    return scaled_dot_product_attention(q, k, v, {.attn_mask = mask});
}
inline Tensor causal_attention(const Tensor& q, const Tensor& k, const Tensor& v) {
    return scaled_dot_product_attention(q, k, v, {.is_causal = true});
}
inline Tensor lower_triangle(int64_t n) { return ones({n, n}, kBool).tril(); }

inline void zero_grad(const std::vector<Tensor>& parameters) {
    for (const Tensor& p : parameters) p.zero_grad();
}

struct Sgd : SGD {
    Sgd(const std::vector<Tensor>& p, double lr) : SGD(p, {.lr = lr}) {}
};
struct Adam : reel::Adam {
    Adam(const std::vector<Tensor>& p, double lr) : reel::Adam(p, {.lr = lr}) {}
};
struct AdamW : reel::AdamW {
    AdamW(const std::vector<Tensor>& p, double lr) : reel::AdamW(p, {.lr = lr}) {}
};

}  // namespace dialect

#endif
