/// \file
/// The handle: a shape on a storage. Cheap to copy; copies and views share storage. The methods that compute
/// are declared here and forward (`ops/methods.cpp`) to the free functions of the same name in `ops/`.
#pragma once

#include <functional>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "error.hpp"
#include "indexing.hpp"
#include "tensor_impl.hpp"

#pragma GCC visibility push(default)
namespace reel {

/// A bool, or a type that only converts to one: `var({1}, 2)` does not compile.
template <class T>
concept IsBool = std::is_same_v<T, bool>;
template <class T>
concept IsNoBool = !IsBool<T>;

/// Results of `max(dim)` and its kin: `auto [values, indices] = t.max(0);`
struct ValuesIndices;

class TensorIndex;
using TensorIndices = std::vector<TensorIndex>;

/// A strided n-dimensional array.
class Tensor {
public:
    /// Undefined: no storage, no shape.
    Tensor() = default;
    Tensor(const Tensor& other) noexcept : impl_(other.impl_) {
        if (detail::copy_observer) [[unlikely]]
            detail::copy_observer->copied(*this);
    }
    Tensor(Tensor&&) noexcept = default;
    /// Assignment to a name rebinds it.
    Tensor& operator=(const Tensor& other) & = default;
    Tensor& operator=(Tensor&&) & noexcept = default;
    /// Assignment to a temporary writes to the memory that it shows: `y[0] = x; y(1, Slice(2)) = 0;
    /// w.grad() = w.grad() * 0.5;`. Throws where nobody else could see the write: `y.index({mask})` is a copy.
    const Tensor& operator=(const Tensor& other) &&;
    const Tensor& operator=(Scalar value) &&;
    ~Tensor() = default;

    /// A tensor on `storage`, which must hold every element; checked by `as_strided`, not here.
    static Tensor make(IntrusivePtr<Storage> storage, DType dtype, const Shape& sizes, const Shape& strides,
                       std::int64_t offset);
    /// A view of `source` (which remembers it) with the given layout, unchecked and unrecorded.
    static Tensor make_view(const Tensor& source, const Shape& sizes, const Shape& strides,
                            std::int64_t offset);
    /// The handle of an existing tensor.
    static Tensor from_handle(IntrusivePtr<detail::TensorImpl> impl) { return Tensor(std::move(impl)); }
    /// A contiguous tensor with uninitialised elements.
    static Tensor empty(const Shape& sizes, DType dtype);

    // ---- Ask

    bool defined() const { return static_cast<bool>(impl_); }
    std::int64_t dim() const { return static_cast<std::int64_t>(impl().sizes.size()); }
    const Shape& sizes() const { return impl().sizes; }
    std::int64_t size(std::int64_t dim) const;
    const Shape& strides() const { return impl().strides; }
    std::int64_t stride(std::int64_t dim) const;
    std::int64_t numel() const { return impl().numel; }
    DType dtype() const { return impl().dtype; }
    std::int64_t itemsize() const { return reel::itemsize(dtype()); }
    std::int64_t storage_offset() const { return impl().offset; }
    bool is_contiguous() const { return impl().contiguous; }
    bool is_floating_point() const { return reel::is_floating_point(dtype()); }
    /// Whether both handles name the same tensor (not: equal elements).
    bool is_same(const Tensor& other) const { return impl_.get() == other.impl_.get(); }
    /// Whether both are on the same storage.
    bool shares_storage(const Tensor& other) const {
        return impl().storage.get() == other.impl().storage.get();
    }

    /// The only element, as a `T`. Throws a `ShapeError` when there is not exactly one, an `Error` where `T`
    /// does not hold it.
    template <class T = double>
    T item() const {
        return dispatch(dtype(), [this](auto zero) {
            using Stored = decltype(zero);
            return checked_element<T>("item", *reinterpret_cast<const Stored*>(the_element()));
        });
    }
    /// Where the first element is. `T` must store `dtype()`, else a `DTypeError`; undefined order for
    /// views.
    template <class T>
    T* data_ptr() const {
        check_dtype(dtype_of<T>());
        return reinterpret_cast<T*>(raw());
    }
    /// The elements in row-major order, each as `item` gives it.
    template <class T>
    std::vector<T> to_vector() const {
        const Tensor dense = dense_constant();
        std::vector<T> values(static_cast<std::size_t>(numel()));
        dispatch(dtype(), [&](auto zero) {
            using Stored = decltype(zero);
            const auto* from = reinterpret_cast<const Stored*>(dense.raw());
            for (std::size_t i = 0; i < values.size(); ++i)
                values[i] = checked_element<T>("to_vector", from[i]);
        });
        return values;
    }
    /// The first element's address, untyped.
    std::byte* raw() const { return impl().storage->data + impl().offset * itemsize(); }

    // ---- View

    /// The elements in row-major order as another shape, of which one size may be -1. Never copies: throws a
    /// `ShapeError` where the strides do not allow a view. x̄ = ȳ in the shape of x.
    Tensor view(const Shape& shape) const;
    /// `view` in the shape of `other`. x̄ = ȳ in the shape of x.
    Tensor view_as(const Tensor& other) const;
    Tensor reshape(const Shape& shape) const;
    /// `reshape` to the shape of `other`. x̄ = ȳ in the shape of x.
    Tensor reshape_as(const Tensor& other) const;
    Tensor flatten(std::int64_t start_dim = 0, std::int64_t end_dim = -1) const;
    Tensor unflatten(std::int64_t dim, const Shape& sizes) const;
    Tensor squeeze() const;
    Tensor squeeze(std::int64_t dim) const;
    Tensor unsqueeze(std::int64_t dim) const;
    Tensor transpose(std::int64_t dim0, std::int64_t dim1) const;
    Tensor t() const;
    Tensor permute(const Shape& dims) const;
    Tensor movedim(const Shape& source, const Shape& destination) const;
    /// Dimensions of size 1 repeated, and new ones in front; -1 leaves a size as it is. x̄ = ȳ summed over
    /// what was repeated.
    Tensor expand(const Shape& sizes) const;
    /// `expand` to the shape of `other`. x̄ = ȳ summed over what was repeated.
    Tensor expand_as(const Tensor& other) const;
    Tensor broadcast_to(const Shape& sizes) const;
    Tensor select(std::int64_t dim, std::int64_t index) const;
    Tensor narrow(std::int64_t dim, std::int64_t start, std::int64_t length) const;
    Tensor slice(std::int64_t dim = 0, std::optional<std::int64_t> start = None,
                 std::optional<std::int64_t> end = None, std::int64_t step = 1) const;
    Tensor diagonal(std::int64_t offset = 0, std::int64_t dim1 = 0, std::int64_t dim2 = 1) const;
    std::vector<Tensor> unbind(std::int64_t dim = 0) const;
    /// The slices along the first dimension one after the other: `for (const Tensor& row : t)`.
    class Rows;
    Rows begin() const;
    Rows end() const;
    std::vector<Tensor> split(std::int64_t split_size, std::int64_t dim = 0) const;
    std::vector<Tensor> split(const std::vector<std::int64_t>& split_sizes, std::int64_t dim = 0) const;
    std::vector<Tensor> split(std::initializer_list<std::int64_t> split_sizes, std::int64_t dim = 0) const {
        return split(std::vector<std::int64_t>(split_sizes), dim);
    }
    std::vector<Tensor> chunk(std::int64_t chunks, std::int64_t dim = 0) const;
    /// Windows of `size` elements, `step` apart, along `dim`; the place in a window is a new last dimension.
    /// x̄ = Σ ȳ over the windows that hold the element.
    Tensor unfold(std::int64_t dim, std::int64_t size, std::int64_t step) const;
    Tensor as_strided(const Shape& sizes, const Shape& strides,
                      std::optional<std::int64_t> offset = None) const;
    Tensor flip(const Shape& dims) const;
    Tensor operator[](std::int64_t index) const { return select(0, index); }
    Tensor operator[](const Tensor& index_tensor) const;

    // ---- Index

    Tensor index(const TensorIndices& indices) const;
    template <class... Index>
    Tensor operator()(const Index&... indices) const {
        return index({TensorIndex(indices)...});
    }
    /// `index_put` in place. x̄ = ȳ, with `accumulate` everywhere, else 0 at the places of the index; the
    /// value gets ȳ there.
    const Tensor& index_put_(const TensorIndices& indices, const Tensor& value,
                             bool accumulate = false) const;
    const Tensor& index_put_(const TensorIndices& indices, Scalar value, bool accumulate = false) const;
    Tensor index_put(const TensorIndices& indices, const Tensor& value, bool accumulate = false) const;
    Tensor index_select(std::int64_t dim, const Tensor& index) const;
    Tensor gather(std::int64_t dim, const Tensor& index) const;
    Tensor scatter(std::int64_t dim, const Tensor& index, const Tensor& src) const;
    Tensor scatter(std::int64_t dim, const Tensor& index, Scalar value) const;
    Tensor scatter_add(std::int64_t dim, const Tensor& index, const Tensor& src) const;
    Tensor take_along_dim(const Tensor& indices, std::optional<std::int64_t> dim = None) const;
    Tensor masked_select(const Tensor& mask) const;
    Tensor masked_fill(const Tensor& mask, Scalar value) const;
    Tensor masked_fill(const Tensor& mask, const Tensor& value) const;
    Tensor nonzero() const;

    // ---- Change

    /// The elements as another type, rounded to nearest even; floating ones to integers towards 0. x̄ = ȳ,
    /// converted back.
    Tensor to(DType dtype) const;
    /// A contiguous copy. x̄ = ȳ.
    Tensor clone() const;
    /// The tensor itself where it is contiguous, else a copy that is. x̄ = ȳ.
    Tensor contiguous() const;
    /// The same elements as a constant, without a history.
    Tensor detach() const;
    /// Overwrites with `src`, broadcast and converted. With x the source, x̄ = ȳ; the old value gets 0.
    const Tensor& copy_(const Tensor& src) const;
    /// Overwrites with one number. The old value gets x̄ = 0, and a tensor the sum of ȳ.
    const Tensor& fill_(Scalar value) const;
    const Tensor& fill_(const Tensor& value) const;
    /// 0 everywhere, in place. x̄ = 0.
    const Tensor& zero_() const;
    /// x + α other, in place. x̄ = ȳ, and `other` gets α ȳ.
    const Tensor& add_(const Tensor& other, Scalar alpha = 1) const;
    const Tensor& add_(Scalar other, Scalar alpha = 1) const;
    /// x − α other, in place. x̄ = ȳ, and `other` gets −α ȳ.
    const Tensor& sub_(const Tensor& other, Scalar alpha = 1) const;
    const Tensor& sub_(Scalar other, Scalar alpha = 1) const;
    /// x other, in place. x̄ = ȳ other, and `other` gets ȳ x. Keeps the old x.
    const Tensor& mul_(const Tensor& other) const;
    const Tensor& mul_(Scalar other) const;
    /// x / other, in place. x̄ = ȳ / other, and `other` gets −ȳ x / other². Keeps the old x.
    const Tensor& div_(const Tensor& other) const;
    const Tensor& div_(Scalar other) const;
    /// `clamp` in place. x̄ = ȳ where x was within the bounds, else 0. Keeps the old x.
    const Tensor& clamp_(std::optional<Scalar> min = None, std::optional<Scalar> max = None) const;
    /// `masked_fill` in place. x̄ = ȳ where the mask does not hold, else 0; a tensor gets the rest of ȳ.
    const Tensor& masked_fill_(const Tensor& mask, Scalar value) const;
    const Tensor& masked_fill_(const Tensor& mask, const Tensor& value) const;
    const Tensor& operator+=(const Tensor& other) const { return add_(other); }
    const Tensor& operator-=(const Tensor& other) const { return sub_(other); }
    const Tensor& operator*=(const Tensor& other) const { return mul_(other); }
    const Tensor& operator/=(const Tensor& other) const { return div_(other); }
    const Tensor& operator+=(Scalar other) const { return add_(other); }
    const Tensor& operator-=(Scalar other) const { return sub_(other); }
    const Tensor& operator*=(Scalar other) const { return mul_(other); }
    const Tensor& operator/=(Scalar other) const { return div_(other); }

    // ---- Pointwise (ops/pointwise/)

    Tensor operator-() const { return neg(); }
    Tensor add(const Tensor& other, Scalar alpha = 1) const;
    Tensor add(Scalar other, Scalar alpha = 1) const;
    Tensor sub(const Tensor& other, Scalar alpha = 1) const;
    Tensor sub(Scalar other, Scalar alpha = 1) const;
    Tensor mul(const Tensor& other) const;
    Tensor mul(Scalar other) const;
    Tensor div(const Tensor& other) const;
    Tensor div(Scalar other) const;
    Tensor neg() const;
    Tensor abs() const;
    Tensor sign() const;
    Tensor exp() const;
    Tensor expm1() const;
    Tensor log() const;
    Tensor log1p() const;
    Tensor sqrt() const;
    Tensor rsqrt() const;
    Tensor square() const;
    Tensor reciprocal() const;
    Tensor pow(const Tensor& exponent) const;
    Tensor pow(Scalar exponent) const;
    Tensor sin() const;
    Tensor cos() const;
    Tensor tan() const;
    Tensor tanh() const;
    Tensor erf() const;
    Tensor sigmoid() const;
    Tensor relu() const;
    Tensor clamp(std::optional<Scalar> min = None, std::optional<Scalar> max = None) const;
    Tensor clamp(const std::optional<Tensor>& min, const std::optional<Tensor>& max = None) const;
    Tensor maximum(const Tensor& other) const;
    Tensor minimum(const Tensor& other) const;
    Tensor where(const Tensor& condition, const Tensor& other) const;
    Tensor lerp(const Tensor& end, const Tensor& weight) const;
    Tensor lerp(const Tensor& end, Scalar weight) const;
    Tensor fmod(const Tensor& other) const;
    Tensor fmod(Scalar other) const;
    Tensor remainder(const Tensor& other) const;
    Tensor remainder(Scalar other) const;
    Tensor floor() const;
    Tensor ceil() const;
    Tensor round() const;
    Tensor trunc() const;
    Tensor atan2(const Tensor& other) const;
    Tensor logaddexp(const Tensor& other) const;
    Tensor xlogy(const Tensor& other) const;
    Tensor xlogy(Scalar other) const;
    Tensor isnan() const;
    Tensor isinf() const;
    Tensor isfinite() const;
    Tensor nan_to_num(std::optional<double> nan = None, std::optional<double> posinf = None,
                      std::optional<double> neginf = None) const;
    Tensor eq(const Tensor& other) const;
    Tensor eq(Scalar other) const;
    Tensor ne(const Tensor& other) const;
    Tensor ne(Scalar other) const;
    Tensor lt(const Tensor& other) const;
    Tensor lt(Scalar other) const;
    Tensor le(const Tensor& other) const;
    Tensor le(Scalar other) const;
    Tensor gt(const Tensor& other) const;
    Tensor gt(Scalar other) const;
    Tensor ge(const Tensor& other) const;
    Tensor ge(Scalar other) const;
    Tensor logical_and(const Tensor& other) const;
    Tensor logical_or(const Tensor& other) const;
    Tensor logical_xor(const Tensor& other) const;
    Tensor logical_not() const;
    Tensor isclose(const Tensor& other, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false) const;
    bool allclose(const Tensor& other, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false) const;
    bool equal(const Tensor& other) const;

    // ---- Reduce, scan, order (ops/reduce/)

    Tensor sum(const Shape& dims = {}, bool keepdim = false) const;
    Tensor mean(const Shape& dims = {}, bool keepdim = false) const;
    Tensor prod(const Shape& dims = {}, bool keepdim = false) const;
    Tensor var(const Shape& dims = {}, bool unbiased = true, bool keepdim = false) const;
    template <IsBool Bool>  // var(0) means dimension 0
    Tensor var(Bool unbiased) const {
        return var(Shape{}, unbiased);
    }
    template <IsNoBool Other>
    Tensor var(const Shape& dims, Other unbiased, bool keepdim = false) const = delete;
    Tensor std(const Shape& dims = {}, bool unbiased = true, bool keepdim = false) const;
    template <IsBool Bool>
    Tensor std(Bool unbiased) const {
        return std(Shape{}, unbiased);
    }
    template <IsNoBool Other>
    Tensor std(const Shape& dims, Other unbiased, bool keepdim = false) const = delete;
    Tensor amax(const Shape& dims = {}, bool keepdim = false) const;
    Tensor amin(const Shape& dims = {}, bool keepdim = false) const;
    Tensor logsumexp(const Shape& dims, bool keepdim = false) const;
    Tensor any(const Shape& dims = {}, bool keepdim = false) const;
    Tensor all(const Shape& dims = {}, bool keepdim = false) const;
    Tensor norm(Scalar p = 2) const;
    Tensor norm(Scalar p, const Shape& dims, bool keepdim = false) const;
    Tensor count_nonzero(const Shape& dims = {}, bool keepdim = false) const;
    Tensor max() const;
    Tensor min() const;
    ValuesIndices max(std::int64_t dim, bool keepdim = false) const;
    ValuesIndices min(std::int64_t dim, bool keepdim = false) const;
    Tensor max(const Tensor& other) const;
    Tensor min(const Tensor& other) const;
    Tensor argmax(std::optional<std::int64_t> dim = None, bool keepdim = false) const;
    Tensor argmin(std::optional<std::int64_t> dim = None, bool keepdim = false) const;
    Tensor cumsum(std::int64_t dim) const;
    Tensor cumprod(std::int64_t dim) const;
    ValuesIndices sort(std::int64_t dim = -1, bool descending = false) const;
    Tensor argsort(std::int64_t dim = -1, bool descending = false) const;
    ValuesIndices topk(std::int64_t k, std::int64_t dim = -1, bool largest = true, bool sorted = true) const;

    // ---- Join and shape (ops/shape/)

    Tensor repeat(const Shape& repeats) const;
    Tensor repeat_interleave(std::int64_t repeats, std::optional<std::int64_t> dim = None) const;
    Tensor repeat_interleave(const Tensor& repeats, std::optional<std::int64_t> dim = None) const;
    Tensor roll(const Shape& shifts, const Shape& dims = {}) const;
    Tensor tril(std::int64_t diagonal = 0) const;
    Tensor triu(std::int64_t diagonal = 0) const;

    // ---- Linear algebra and softmax (ops/linalg/, ops/softmax/)

    Tensor matmul(const Tensor& other) const;
    Tensor mm(const Tensor& other) const;
    Tensor bmm(const Tensor& other) const;
    Tensor mv(const Tensor& vector) const;
    Tensor dot(const Tensor& other) const;
    Tensor outer(const Tensor& other) const;
    Tensor addmm(const Tensor& mat1, const Tensor& mat2, Scalar beta = 1, Scalar alpha = 1) const;
    Tensor softmax(std::int64_t dim) const;
    Tensor log_softmax(std::int64_t dim) const;
    Tensor multinomial(std::int64_t num_samples, bool replacement = false) const;
    Tensor bernoulli() const;

    // ---- Autograd (autograd/variable.cpp)

    /// Marks a leaf as wanting a gradient. Throws for integer and bool tensors and for recorded ones.
    Tensor set_requires_grad(bool requires_grad = true) const;
    Tensor requires_grad_(bool requires_grad = true) const { return set_requires_grad(requires_grad); }
    /// Whether gradients flow to it: a leaf that wants one, or a value on a living tape of this thread.
    bool requires_grad() const;
    /// Whether no operation on a living tape of this thread made it.
    bool is_leaf() const;
    /// The name of the operation on a living tape of this thread that made it; null for a leaf.
    const char* grad_fn() const;
    /// What `backward()` has accumulated; undefined before the first. Throws for a non-leaf without
    /// `retain_grad()`. Threads may share a leaf: each can rewind its own tape, read and set the gradient, and
    /// add and remove hooks while others do. To write elements that others read is the user's to avoid.
    Tensor grad() const;
    /// Puts `gradient` (undefined: none) in the place of what was accumulated.
    void set_grad(const Tensor& gradient) const;
    /// Forgets what was accumulated.
    void zero_grad() const { set_grad(Tensor()); }
    /// Keeps the gradient of a non-leaf in its `.grad()`.
    void retain_grad() const;
    /// Rewinds the tape from here, accumulating into the leaves' `.grad()`. `gradient` is the cotangent of
    /// this tensor, needed unless it has one element. Throws an `AutogradError` when there is nothing to
    /// rewind.
    void backward(const Tensor& gradient = {}, bool retain_graph = false, bool create_graph = false) const;
    /// `hook` sees the gradient of this tensor when it is complete, and replaces it if it returns one.
    /// Returns a number for `remove_hook`, which finds the hook whatever was written to the tensor since.
    template <class Hook>
    std::int64_t register_hook(Hook hook) const {
        if constexpr (std::is_void_v<decltype(hook(*this))>) {
            return add_hook([hook = std::move(hook)](const Tensor& gradient) mutable {
                hook(gradient);
                return Tensor();
            });
        } else {
            return add_hook(std::move(hook));
        }
    }
    void remove_hook(std::int64_t number) const;

    /// The inside, for the library's own use.
    detail::TensorImpl& impl() const {
        if (!impl_) [[unlikely]]
            undefined();
        return *impl_;
    }
    const IntrusivePtr<detail::TensorImpl>& handle() const { return impl_; }

private:
    explicit Tensor(IntrusivePtr<detail::TensorImpl> impl) : impl_(std::move(impl)) {}
    [[noreturn]] static void undefined();
    const std::byte* the_element() const;
    void check_dtype(DType wanted) const;
    Tensor dense_constant() const;
    std::int64_t add_hook(std::function<Tensor(const Tensor&)> hook) const;

    IntrusivePtr<detail::TensorImpl> impl_;
};

/// One entry of an index.
class TensorIndex {
public:
    enum class Kind : std::uint8_t { kInteger, kSlice, kNone, kEllipsis, kBoolean, kTensor };

    template <class Integer>
    requires(std::is_integral_v<Integer> && !std::is_same_v<Integer, bool>) TensorIndex(Integer value)
        : kind_(Kind::kInteger), integer_(static_cast<std::int64_t>(value)) {}
    template <class Boolean>
    requires std::is_same_v<Boolean, bool> TensorIndex(Boolean value)
        : kind_(Kind::kBoolean), integer_(value ? 1 : 0) {}
    TensorIndex(Slice slice) : kind_(Kind::kSlice), slice_(slice) {}
    TensorIndex(std::nullopt_t) : kind_(Kind::kNone) {}
    TensorIndex(EllipsisType) : kind_(Kind::kEllipsis) {}
    /// "..." is `Ellipsis`; every other text is an `IndexError`.
    TensorIndex(const char* text);
    TensorIndex(const Tensor& tensor) : kind_(Kind::kTensor), tensor_(tensor) {}

    Kind kind() const { return kind_; }
    std::int64_t integer() const { return integer_; }
    const Slice& slice() const { return slice_; }
    const Tensor& tensor() const { return tensor_; }

private:
    Kind kind_;
    std::int64_t integer_ = 0;
    Slice slice_;
    Tensor tensor_;
};
inline Tensor Tensor::operator[](const Tensor& index_tensor) const { return index({index_tensor}); }

/// The position of a loop over the first dimension.
class Tensor::Rows {
public:
    using value_type = Tensor;
    using difference_type = std::ptrdiff_t;
    Rows(const Tensor& tensor, std::int64_t row) : tensor_(tensor), row_(row) {}
    Tensor operator*() const { return tensor_.select(0, row_); }
    Rows& operator++() {
        ++row_;
        return *this;
    }
    bool operator==(const Rows& other) const { return row_ == other.row_; }

private:
    Tensor tensor_;
    std::int64_t row_;
};
inline Tensor::Rows Tensor::begin() const { return {*this, 0}; }
inline Tensor::Rows Tensor::end() const { return {*this, size(0)}; }

struct ValuesIndices {
    Tensor values;
    Tensor indices;
};

/// Prints as PyTorch's Python repr does (`print.hpp`).
std::ostream& operator<<(std::ostream& out, const Tensor& tensor);

}  // namespace reel
#pragma GCC visibility pop
