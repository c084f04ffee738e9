/// \file
/// Factories, operations, layers and losses of `interop/libtorch.hpp`. What they compute is told in reel's
/// own headers, under the same names.
#pragma once

#include "interop/libtorch/tensor.hpp"

namespace reel {

namespace detail {

inline std::vector<torch::Tensor> list(const std::vector<Tensor>& tensors) {
    std::vector<torch::Tensor> result;
    for (const Tensor& tensor : tensors) result.push_back(tensor.libtorch());
    return result;
}
/// In libtorch a weight that is not given is no tensor at all.
inline c10::optional<torch::Tensor> given(const Tensor& x) {
    return x.defined() ? c10::optional<torch::Tensor>(x.libtorch()) : c10::nullopt;
}

}  // namespace detail

// ---- Make

template <class Data>
Tensor tensor(const Data& data, std::optional<DType> dtype = None) {
    const torch::Tensor made = torch::tensor(data);
    return dtype ? made.to(*dtype) : made;
}
inline Tensor tensor(torch::detail::TensorDataContainer data, std::optional<DType> dtype = None) {
    return dtype ? torch::tensor(data, *dtype) : torch::tensor(data);
}
inline Tensor empty(const Shape& sizes, DType dtype = kFloat32) { return torch::empty(sizes, dtype); }
inline Tensor zeros(const Shape& sizes, DType dtype = kFloat32) { return torch::zeros(sizes, dtype); }
inline Tensor ones(const Shape& sizes, DType dtype = kFloat32) { return torch::ones(sizes, dtype); }
inline Tensor full(const Shape& sizes, Scalar value) { return torch::full(sizes, value); }
inline Tensor full(const Shape& sizes, Scalar value, DType dtype) { return torch::full(sizes, value, dtype); }
inline Tensor arange(Scalar end) { return torch::arange(end); }
inline Tensor arange(Scalar end, DType dtype) { return torch::arange(end, dtype); }
inline Tensor arange(Scalar start, Scalar end, Scalar step = 1) { return torch::arange(start, end, step); }
inline Tensor linspace(Scalar start, Scalar end, std::int64_t steps, DType dtype = kFloat32) {
    return torch::linspace(start, end, steps, dtype);
}
inline Tensor eye(std::int64_t n, DType dtype = kFloat32) { return torch::eye(n, dtype); }
inline Tensor rand(const Shape& sizes, DType dtype = kFloat32) { return torch::rand(sizes, dtype); }
inline Tensor randn(const Shape& sizes, DType dtype = kFloat32) { return torch::randn(sizes, dtype); }
inline Tensor randint(std::int64_t high, const Shape& sizes) { return torch::randint(high, sizes, kInt64); }
inline Tensor randint(std::int64_t low, std::int64_t high, const Shape& sizes) {
    return torch::randint(low, high, sizes, kInt64);
}
inline Tensor randperm(std::int64_t n) { return torch::randperm(n, kInt64); }
inline Tensor zeros_like(const Tensor& x) { return torch::zeros_like(x.libtorch()); }
inline Tensor ones_like(const Tensor& x) { return torch::ones_like(x.libtorch()); }
inline Tensor one_hot(const Tensor& x, std::int64_t classes = -1) {
    return torch::one_hot(x.libtorch(), classes);
}

// ---- Pointwise

inline Tensor operator+(const Tensor& a, const Tensor& b) { return a.libtorch() + b.libtorch(); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return a.libtorch() - b.libtorch(); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return a.libtorch() * b.libtorch(); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return a.libtorch() / b.libtorch(); }
inline Tensor operator+(const Tensor& a, Scalar b) { return a.libtorch() + b; }
inline Tensor operator-(const Tensor& a, Scalar b) { return a.libtorch() - b; }
inline Tensor operator*(const Tensor& a, Scalar b) { return a.libtorch() * b; }
inline Tensor operator/(const Tensor& a, Scalar b) { return a.libtorch() / b; }
inline Tensor operator+(Scalar a, const Tensor& b) { return a + b.libtorch(); }
inline Tensor operator-(Scalar a, const Tensor& b) { return a - b.libtorch(); }
inline Tensor operator*(Scalar a, const Tensor& b) { return a * b.libtorch(); }
inline Tensor operator/(Scalar a, const Tensor& b) { return a / b.libtorch(); }
inline Tensor operator==(const Tensor& a, const Tensor& b) { return a.libtorch() == b.libtorch(); }
inline Tensor operator==(const Tensor& a, Scalar b) { return a.libtorch() == b; }
inline Tensor operator!=(const Tensor& a, const Tensor& b) { return a.libtorch() != b.libtorch(); }
inline Tensor operator!=(const Tensor& a, Scalar b) { return a.libtorch() != b; }
inline Tensor operator<(const Tensor& a, const Tensor& b) { return a.libtorch() < b.libtorch(); }
inline Tensor operator<(const Tensor& a, Scalar b) { return a.libtorch() < b; }
inline Tensor operator>(const Tensor& a, const Tensor& b) { return a.libtorch() > b.libtorch(); }
inline Tensor operator>(const Tensor& a, Scalar b) { return a.libtorch() > b; }

inline Tensor abs(const Tensor& x) { return x.abs(); }
inline Tensor exp(const Tensor& x) { return x.exp(); }
inline Tensor expm1(const Tensor& x) { return torch::expm1(x.libtorch()); }
inline Tensor log(const Tensor& x) { return x.log(); }
inline Tensor log1p(const Tensor& x) { return torch::log1p(x.libtorch()); }
inline Tensor sqrt(const Tensor& x) { return x.sqrt(); }
inline Tensor rsqrt(const Tensor& x) { return torch::rsqrt(x.libtorch()); }
inline Tensor square(const Tensor& x) { return x.square(); }
inline Tensor pow(const Tensor& x, Scalar exponent) { return x.pow(exponent); }
inline Tensor sin(const Tensor& x) { return x.sin(); }
inline Tensor cos(const Tensor& x) { return x.cos(); }
inline Tensor tanh(const Tensor& x) { return x.tanh(); }
inline Tensor erf(const Tensor& x) { return torch::erf(x.libtorch()); }
inline Tensor sigmoid(const Tensor& x) { return x.sigmoid(); }
inline Tensor relu(const Tensor& x) { return x.relu(); }
inline Tensor gelu(const Tensor& x, const std::string& approximate = "none") {
    return torch::gelu(x.libtorch(), approximate);
}
inline Tensor silu(const Tensor& x) { return torch::silu(x.libtorch()); }
inline Tensor softplus(const Tensor& x) { return torch::softplus(x.libtorch()); }
inline Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
    return torch::where(condition.libtorch(), a.libtorch(), b.libtorch());
}
inline Tensor maximum(const Tensor& a, const Tensor& b) { return torch::maximum(a.libtorch(), b.libtorch()); }
inline Tensor minimum(const Tensor& a, const Tensor& b) { return torch::minimum(a.libtorch(), b.libtorch()); }

// ---- Reductions, joining, products

inline Tensor sum(const Tensor& x, const Shape& dims = {}, bool keepdim = false) {
    return x.sum(dims, keepdim);
}
inline Tensor mean(const Tensor& x, const Shape& dims = {}, bool keepdim = false) {
    return x.mean(dims, keepdim);
}
inline Tensor cat(const std::vector<Tensor>& x, std::int64_t dim = 0) {
    return torch::cat(detail::list(x), dim);
}
inline Tensor stack(const std::vector<Tensor>& x, std::int64_t dim = 0) {
    return torch::stack(detail::list(x), dim);
}
inline Tensor tril(const Tensor& x, std::int64_t diagonal = 0) { return x.tril(diagonal); }
inline Tensor triu(const Tensor& x, std::int64_t diagonal = 0) { return x.triu(diagonal); }
inline Tensor matmul(const Tensor& a, const Tensor& b) { return a.matmul(b); }
inline Tensor einsum(const std::string& equation, const std::vector<Tensor>& x) {
    return torch::einsum(equation, detail::list(x));
}
inline Tensor softmax(const Tensor& x, std::int64_t dim) { return x.softmax(dim); }
inline Tensor log_softmax(const Tensor& x, std::int64_t dim) { return x.log_softmax(dim); }
inline Tensor logsumexp(const Tensor& x, const Shape& dims, bool keepdim = false) {
    return x.logsumexp(dims, keepdim);
}

// ---- Layers and losses

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

}  // namespace reel
