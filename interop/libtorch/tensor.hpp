/// \file
/// The tensor of `interop/libtorch.hpp`: libtorch's, with the methods of reel's. Functions of tensors are in
/// `operations.hpp`.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <iostream>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

namespace reel {

using DType = torch::ScalarType;
inline constexpr DType kFloat32 = torch::kFloat32;
inline constexpr DType kFloat64 = torch::kFloat64;
inline constexpr DType kFloat16 = torch::kFloat16;
inline constexpr DType kBFloat16 = torch::kBFloat16;
inline constexpr DType kInt64 = torch::kInt64;
inline constexpr DType kBool = torch::kBool;

using Scalar = torch::Scalar;
using Error = c10::Error;
template <class Kind, class... Args>
[[noreturn]] void fail(const Args&... args) {
    throw Kind({__func__, __FILE__, static_cast<std::uint32_t>(__LINE__)}, c10::str(args...));
}
#define REEL_ON_LIBTORCH
using torch::manual_seed;

inline constexpr std::nullopt_t None = std::nullopt;
inline const auto Ellipsis = torch::indexing::Ellipsis;

/// `{2, 3}`, a vector, or one integer.
class Shape : public std::vector<std::int64_t> {
public:
    Shape() = default;
    Shape(std::initializer_list<std::int64_t> values) : vector(values) {}
    Shape(const std::vector<std::int64_t>& values) : vector(values) {}
    Shape(torch::IntArrayRef values) : vector(values.begin(), values.end()) {}
    template <class Integer>
    requires(std::is_integral_v<Integer> && !std::is_same_v<Integer, bool>) Shape(Integer value)
        : vector{static_cast<std::int64_t>(value)} {}
};

/// start : stop : step. libtorch takes no negative step.
struct Slice {
    Slice(std::optional<std::int64_t> start = None, std::optional<std::int64_t> stop = None,
          std::optional<std::int64_t> step = None)
        : libtorch(of(start), of(stop), of(step)) {}
    torch::indexing::Slice libtorch;

private:
    static c10::optional<std::int64_t> of(std::optional<std::int64_t> value) {
        return value ? c10::optional<std::int64_t>(*value) : c10::nullopt;
    }
};

class Tensor;

/// One entry of an index.
struct TensorIndex {
    template <class Integer>
    requires std::is_integral_v<Integer> TensorIndex(Integer value) : libtorch(value) {}
    TensorIndex(const Slice& slice) : libtorch(slice.libtorch) {}
    TensorIndex(std::nullopt_t) : libtorch(torch::indexing::None) {}
    TensorIndex(torch::indexing::EllipsisIndexType ellipsis) : libtorch(ellipsis) {}
    TensorIndex(const Tensor& tensor);
    torch::indexing::TensorIndex libtorch;
};
using TensorIndices = std::vector<TensorIndex>;

struct ValuesIndices;

class Tensor {
public:
    Tensor() = default;
    Tensor(torch::Tensor tensor) : t_(std::move(tensor)) {}
    const torch::Tensor& libtorch() const { return t_; }

    // ---- Ask

    bool defined() const { return t_.defined(); }
    std::int64_t dim() const { return t_.dim(); }
    Shape sizes() const { return t_.sizes(); }
    std::int64_t size(std::int64_t dim) const { return t_.size(dim); }
    Shape strides() const { return t_.strides(); }
    std::int64_t numel() const { return t_.numel(); }
    DType dtype() const { return t_.scalar_type(); }
    bool is_floating_point() const { return t_.is_floating_point(); }
    bool is_contiguous() const { return t_.is_contiguous(); }
    template <class T = double>
    T item() const {
        return t_.item().to<T>();
    }
    template <class T>
    T* data_ptr() const {
        return t_.data_ptr<T>();
    }
    template <class T>
    std::vector<T> to_vector() const {
        const torch::Tensor dense = t_.detach().to(torch::CppTypeToScalarType<T>::value).contiguous();
        return {dense.data_ptr<T>(), dense.data_ptr<T>() + dense.numel()};
    }

    // ---- View

    Tensor view(const Shape& shape) const { return t_.view(shape); }
    Tensor reshape(const Shape& shape) const { return t_.reshape(shape); }
    Tensor flatten(std::int64_t first = 0, std::int64_t last = -1) const { return t_.flatten(first, last); }
    Tensor squeeze() const { return t_.squeeze(); }
    Tensor squeeze(std::int64_t dim) const { return t_.squeeze(dim); }
    Tensor unsqueeze(std::int64_t dim) const { return t_.unsqueeze(dim); }
    Tensor transpose(std::int64_t a, std::int64_t b) const { return t_.transpose(a, b); }
    Tensor t() const { return t_.t(); }
    Tensor permute(const Shape& dims) const { return t_.permute(dims); }
    Tensor movedim(const Shape& from, const Shape& to) const { return t_.movedim(from, to); }
    Tensor flip(const Shape& dims) const { return t_.flip(dims); }  // a copy in libtorch
    Tensor diagonal(std::int64_t offset = 0, std::int64_t dim1 = 0, std::int64_t dim2 = 1) const {
        return t_.diagonal(offset, dim1, dim2);
    }
    Tensor unfold(std::int64_t dim, std::int64_t size, std::int64_t step) const {
        return t_.unfold(dim, size, step);
    }
    std::vector<Tensor> unbind(std::int64_t dim = 0) const { return list(t_.unbind(dim)); }
    std::vector<Tensor> split(std::int64_t size, std::int64_t dim = 0) const {
        return list(t_.split(size, dim));
    }
    std::vector<Tensor> chunk(std::int64_t chunks, std::int64_t dim = 0) const {
        return list(t_.chunk(chunks, dim));
    }
    Tensor expand(const Shape& sizes) const { return t_.expand(sizes); }
    Tensor expand_as(const Tensor& x) const { return t_.expand_as(x.t_); }
    Tensor select(std::int64_t dim, std::int64_t index) const { return t_.select(dim, index); }
    Tensor narrow(std::int64_t dim, std::int64_t start, std::int64_t length) const {
        return t_.narrow(dim, start, length);
    }
    Tensor operator[](std::int64_t index) const { return t_[index]; }

    // ---- Index

    Tensor index(const TensorIndices& indices) const { return t_.index(words(indices)); }
    template <class... Index>
    Tensor operator()(const Index&... indices) const {
        return index({TensorIndex(indices)...});
    }
    const Tensor& index_put_(const TensorIndices& indices, const Tensor& value) const {
        torch::Tensor(t_).index_put_(words(indices), value.t_);
        return *this;
    }
    Tensor index_select(std::int64_t dim, const Tensor& i) const { return t_.index_select(dim, i.t_); }
    Tensor gather(std::int64_t dim, const Tensor& i) const { return t_.gather(dim, i.t_); }
    Tensor masked_fill(const Tensor& mask, Scalar value) const { return t_.masked_fill(mask.t_, value); }
    Tensor masked_select(const Tensor& mask) const { return t_.masked_select(mask.t_); }
    Tensor nonzero() const { return t_.nonzero(); }
    Tensor scatter(std::int64_t dim, const Tensor& i, const Tensor& src) const {
        return t_.scatter(dim, i.t_, src.t_);
    }
    Tensor scatter_add(std::int64_t dim, const Tensor& i, const Tensor& src) const {
        return t_.scatter_add(dim, i.t_, src.t_);
    }

    // ---- Change

    Tensor to(DType dtype) const { return t_.to(dtype); }
    Tensor clone() const { return t_.clone(); }
    Tensor contiguous() const { return t_.contiguous(); }
    Tensor detach() const { return t_.detach(); }
    const Tensor& copy_(const Tensor& x) const { return t_.copy_(x.t_), *this; }
    const Tensor& fill_(Scalar x) const { return t_.fill_(x), *this; }
    const Tensor& zero_() const { return t_.zero_(), *this; }
    const Tensor& add_(const Tensor& x, Scalar alpha = 1) const { return t_.add_(x.t_, alpha), *this; }
    const Tensor& sub_(const Tensor& x, Scalar alpha = 1) const { return t_.sub_(x.t_, alpha), *this; }
    const Tensor& mul_(const Tensor& x) const { return t_.mul_(x.t_), *this; }
    const Tensor& div_(const Tensor& x) const { return t_.div_(x.t_), *this; }
    const Tensor& mul_(Scalar x) const { return t_.mul_(x), *this; }
    const Tensor& div_(Scalar x) const { return t_.div_(x), *this; }
    const Tensor& operator+=(const Tensor& x) const { return add_(x); }
    const Tensor& operator-=(const Tensor& x) const { return sub_(x); }
    const Tensor& operator*=(const Tensor& x) const { return mul_(x); }
    const Tensor& operator/=(const Tensor& x) const { return div_(x); }
    const Tensor& operator*=(Scalar x) const { return mul_(x); }
    const Tensor& operator/=(Scalar x) const { return div_(x); }

    // ---- Compute

    Tensor operator-() const { return -t_; }
    Tensor neg() const { return t_.neg(); }
    Tensor abs() const { return t_.abs(); }
    Tensor exp() const { return t_.exp(); }
    Tensor log() const { return t_.log(); }
    Tensor sqrt() const { return t_.sqrt(); }
    Tensor square() const { return t_.square(); }
    Tensor pow(Scalar exponent) const { return t_.pow(exponent); }
    Tensor sin() const { return t_.sin(); }
    Tensor cos() const { return t_.cos(); }
    Tensor tanh() const { return t_.tanh(); }
    Tensor sigmoid() const { return t_.sigmoid(); }
    Tensor relu() const { return t_.relu(); }
    Tensor logical_not() const { return t_.logical_not(); }
    Tensor clamp(std::optional<Scalar> min = None, std::optional<Scalar> max = None) const {
        return t_.clamp(min ? c10::optional<Scalar>(*min) : c10::nullopt,
                        max ? c10::optional<Scalar>(*max) : c10::nullopt);
    }
    Tensor isnan() const { return t_.isnan(); }
    Tensor isinf() const { return t_.isinf(); }
    Tensor isfinite() const { return t_.isfinite(); }
    bool allclose(const Tensor& x, double rtol = 1e-5, double atol = 1e-8) const {
        return t_.allclose(x.t_, rtol, atol);
    }
    bool equal(const Tensor& x) const { return t_.equal(x.t_); }
    Tensor prod() const { return t_.prod(); }
    Tensor prod(std::int64_t dim, bool keepdim = false) const { return t_.prod(dim, keepdim); }
    Tensor norm(Scalar p = 2) const { return t_.norm(p); }
    Tensor norm(Scalar p, const Shape& dims, bool keepdim = false) const { return t_.norm(p, dims, keepdim); }
    Tensor any() const { return t_.any(); }
    Tensor all() const { return t_.all(); }
    Tensor sum(const Shape& dims = {}, bool keepdim = false) const { return t_.sum(over(dims), keepdim); }
    Tensor mean(const Shape& dims = {}, bool keepdim = false) const { return t_.mean(over(dims), keepdim); }
    Tensor var(const Shape& dims = {}, bool unbiased = true, bool keepdim = false) const {
        return t_.var(over(dims), unbiased, keepdim);
    }
    Tensor std(const Shape& dims = {}, bool unbiased = true, bool keepdim = false) const {
        return t_.std(over(dims), unbiased, keepdim);
    }
    Tensor amax(const Shape& dims = {}, bool keepdim = false) const { return t_.amax(over(dims), keepdim); }
    Tensor amin(const Shape& dims = {}, bool keepdim = false) const { return t_.amin(over(dims), keepdim); }
    Tensor logsumexp(const Shape& dims, bool keepdim = false) const {
        return t_.logsumexp(over(dims), keepdim);
    }
    Tensor max() const { return t_.max(); }
    Tensor min() const { return t_.min(); }
    ValuesIndices max(std::int64_t dim, bool keepdim = false) const;
    ValuesIndices min(std::int64_t dim, bool keepdim = false) const;
    Tensor argmax() const { return t_.argmax(); }
    Tensor argmax(std::int64_t dim, bool keepdim = false) const { return t_.argmax(dim, keepdim); }
    Tensor argmin() const { return t_.argmin(); }
    Tensor argmin(std::int64_t dim, bool keepdim = false) const { return t_.argmin(dim, keepdim); }
    ValuesIndices sort(std::int64_t dim = -1, bool descending = false) const;
    ValuesIndices topk(std::int64_t k, std::int64_t dim = -1, bool largest = true) const;
    Tensor cumsum(std::int64_t dim) const { return t_.cumsum(dim); }
    Tensor cumprod(std::int64_t dim) const { return t_.cumprod(dim); }
    Tensor repeat(const Shape& repeats) const { return t_.repeat(repeats); }
    Tensor roll(const Shape& shifts, const Shape& dims = {}) const { return t_.roll(shifts, dims); }
    Tensor tril(std::int64_t diagonal = 0) const { return t_.tril(diagonal); }
    Tensor triu(std::int64_t diagonal = 0) const { return t_.triu(diagonal); }
    Tensor matmul(const Tensor& x) const { return t_.matmul(x.t_); }
    Tensor mm(const Tensor& x) const { return t_.mm(x.t_); }
    Tensor bmm(const Tensor& x) const { return t_.bmm(x.t_); }
    Tensor softmax(std::int64_t dim) const { return t_.softmax(dim); }
    Tensor log_softmax(std::int64_t dim) const { return t_.log_softmax(dim); }
    Tensor multinomial(std::int64_t n, bool replacement = false) const {
        return t_.multinomial(n, replacement);
    }

    // ---- Autograd

    Tensor set_requires_grad(bool requires_grad = true) const {
        return t_.set_requires_grad(requires_grad), *this;
    }
    bool requires_grad() const { return t_.requires_grad(); }
    bool is_leaf() const { return t_.is_leaf(); }
    Tensor grad() const { return t_.grad(); }
    void zero_grad() const { torch::Tensor(t_).mutable_grad() = torch::Tensor(); }
    void retain_grad() const { t_.retain_grad(); }
    void backward(const Tensor& gradient = {}, bool retain_graph = false, bool create_graph = false) const {
        t_.backward(gradient.t_, retain_graph, create_graph);
    }

private:
    Shape over(const Shape& dims) const {
        if (!dims.empty()) return dims;
        Shape every;
        for (std::int64_t d = 0; d < dim(); ++d) every.push_back(d);
        return every;
    }
    static std::vector<Tensor> list(const std::vector<torch::Tensor>& tensors) {
        return {tensors.begin(), tensors.end()};
    }
    static std::vector<torch::indexing::TensorIndex> words(const TensorIndices& indices) {
        std::vector<torch::indexing::TensorIndex> result;
        for (const TensorIndex& index : indices) result.push_back(index.libtorch);
        return result;
    }

    torch::Tensor t_;
};

inline TensorIndex::TensorIndex(const Tensor& tensor) : libtorch(tensor.libtorch()) {}

struct ValuesIndices {
    Tensor values;
    Tensor indices;
    ValuesIndices(std::tuple<torch::Tensor, torch::Tensor> both)
        : values(std::get<0>(both)), indices(std::get<1>(both)) {}
};
inline ValuesIndices Tensor::max(std::int64_t dim, bool keepdim) const { return t_.max(dim, keepdim); }
inline ValuesIndices Tensor::min(std::int64_t dim, bool keepdim) const { return t_.min(dim, keepdim); }
inline ValuesIndices Tensor::sort(std::int64_t dim, bool descending) const {
    return t_.sort(true, dim, descending);
}
inline ValuesIndices Tensor::topk(std::int64_t k, std::int64_t dim, bool largest) const {
    return t_.topk(k, dim, largest, true);
}

inline std::ostream& operator<<(std::ostream& out, const Tensor& x) { return out << x.libtorch(); }

}  // namespace reel
