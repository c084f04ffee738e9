/// \file
/// Factories, operations, layers and losses of `interop/libtorch.hpp`. What they compute is told in reel's
/// own headers, under the same names.
#pragma once

#include "tensor.hpp"

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
inline Tensor operator<=(const Tensor& a, const Tensor& b) { return a.libtorch() <= b.libtorch(); }
inline Tensor operator<=(const Tensor& a, Scalar b) { return a.libtorch() <= b; }
inline Tensor operator>=(const Tensor& a, const Tensor& b) { return a.libtorch() >= b.libtorch(); }
inline Tensor operator>=(const Tensor& a, Scalar b) { return a.libtorch() >= b; }

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
inline Tensor neg(const Tensor& x) { return -x; }
inline Tensor sign(const Tensor& x) { return torch::sign(x.libtorch()); }
inline Tensor reciprocal(const Tensor& x) { return torch::reciprocal(x.libtorch()); }
inline Tensor tan(const Tensor& x) { return torch::tan(x.libtorch()); }
inline Tensor floor(const Tensor& x) { return torch::floor(x.libtorch()); }
inline Tensor ceil(const Tensor& x) { return torch::ceil(x.libtorch()); }
inline Tensor round(const Tensor& x) { return torch::round(x.libtorch()); }
inline Tensor trunc(const Tensor& x) { return torch::trunc(x.libtorch()); }
inline Tensor logsigmoid(const Tensor& x) { return torch::log_sigmoid(x.libtorch()); }
inline Tensor leaky_relu(const Tensor& x, double slope = 0.01) {
    return torch::leaky_relu(x.libtorch(), slope);
}
inline Tensor elu(const Tensor& x, double alpha = 1) { return torch::elu(x.libtorch(), alpha); }
inline Tensor clamp(const Tensor& x, std::optional<Scalar> min = None, std::optional<Scalar> max = None) {
    return x.clamp(min, max);
}
inline Tensor lerp(const Tensor& a, const Tensor& b, Scalar weight) {
    return torch::lerp(a.libtorch(), b.libtorch(), weight);
}
inline Tensor logical_not(const Tensor& x) { return x.logical_not(); }
inline Tensor atan2(const Tensor& a, const Tensor& b) { return torch::atan2(a.libtorch(), b.libtorch()); }
inline Tensor logaddexp(const Tensor& a, const Tensor& b) {
    return torch::logaddexp(a.libtorch(), b.libtorch());
}
inline Tensor xlogy(const Tensor& a, const Tensor& b) { return torch::xlogy(a.libtorch(), b.libtorch()); }
inline Tensor fmod(const Tensor& a, const Tensor& b) { return torch::fmod(a.libtorch(), b.libtorch()); }
inline Tensor remainder(const Tensor& a, const Tensor& b) {
    return torch::remainder(a.libtorch(), b.libtorch());
}
inline Tensor logical_and(const Tensor& a, const Tensor& b) {
    return torch::logical_and(a.libtorch(), b.libtorch());
}
inline Tensor logical_or(const Tensor& a, const Tensor& b) {
    return torch::logical_or(a.libtorch(), b.libtorch());
}
inline Tensor logical_xor(const Tensor& a, const Tensor& b) {
    return torch::logical_xor(a.libtorch(), b.libtorch());
}
inline Tensor mm(const Tensor& a, const Tensor& b) { return torch::mm(a.libtorch(), b.libtorch()); }
inline Tensor bmm(const Tensor& a, const Tensor& b) { return torch::bmm(a.libtorch(), b.libtorch()); }
inline Tensor mv(const Tensor& a, const Tensor& b) { return torch::mv(a.libtorch(), b.libtorch()); }
inline Tensor dot(const Tensor& a, const Tensor& b) { return torch::dot(a.libtorch(), b.libtorch()); }
inline Tensor outer(const Tensor& a, const Tensor& b) { return torch::outer(a.libtorch(), b.libtorch()); }

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
inline Tensor pad(const Tensor& x, const Shape& pads, const std::string& mode = "constant",
                  double value = 0) {
    return torch::pad(x.libtorch(), pads, mode, value);
}
inline Tensor addmm(const Tensor& input, const Tensor& a, const Tensor& b, Scalar beta = 1,
                    Scalar alpha = 1) {
    return torch::addmm(input.libtorch(), a.libtorch(), b.libtorch(), beta, alpha);
}
inline Tensor matmul(const Tensor& a, const Tensor& b) { return a.matmul(b); }
inline Tensor einsum(const std::string& equation, const std::vector<Tensor>& x) {
    return torch::einsum(equation, detail::list(x));
}
inline Tensor softmax(const Tensor& x, std::int64_t dim) { return x.softmax(dim); }
inline Tensor log_softmax(const Tensor& x, std::int64_t dim) { return x.log_softmax(dim); }
/// 0 where the mask does not hold, and in rows where it holds nowhere.
inline Tensor masked_softmax(const Tensor& x, const Tensor& mask, std::int64_t dim) {
    const torch::Tensor hidden = mask.libtorch().logical_not();
    const torch::Tensor nowhere = hidden.all(dim, true);
    return torch::softmax(x.libtorch().masked_fill(hidden.logical_and(~nowhere), -INFINITY), dim)
        .masked_fill(hidden, 0);
}
inline Tensor logsumexp(const Tensor& x, const Shape& dims, bool keepdim = false) {
    return x.logsumexp(dims, keepdim);
}

}  // namespace reel
