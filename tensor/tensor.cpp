// The handle: making, asking, taking apart. What it computes is in `ops/`.
#include "tensor/tensor.hpp"

#include <limits>
#include <string_view>

#include "tensor/iterate.hpp"

namespace reel {

namespace {

/// What `Tensor::make` makes of a layout, with what it found out about it.
Tensor make_handle(IntrusivePtr<Storage> storage, DType dtype, const Shape& sizes, const Shape& strides,
                   std::int64_t offset, std::int64_t numel, bool contiguous) {
    return Tensor::from_handle(IntrusivePtr(
        new detail::TensorImpl(std::move(storage), dtype, sizes, strides, offset, numel, contiguous)));
}

}  // namespace

Tensor Tensor::make(IntrusivePtr<Storage> storage, DType dtype, const Shape& sizes, const Shape& strides,
                    std::int64_t offset) {
    const std::int64_t count = reel::numel(sizes);
    const bool contiguous = reel::is_contiguous(sizes, strides);
    return make_handle(std::move(storage), dtype, sizes, strides, offset, count, contiguous);
}

Tensor Tensor::make_view(const Tensor& source, const Shape& sizes, const Shape& strides,
                         std::int64_t offset) {
    detail::TensorImpl& from = source.impl();
    Tensor view = make(from.storage, from.dtype, sizes, strides, offset);
    view.impl_->base = from.base ? from.base : source.impl_;
    view.impl_->base_rewritten = view.impl_->base->rewritten;
    return view;
}

Tensor Tensor::empty(const Shape& sizes, DType dtype) {
    const std::int64_t count = reel::numel(sizes);
    if (count > std::numeric_limits<std::int64_t>::max() / 16) {
        fail<ShapeError>("empty: a tensor of shape ", sizes, " and dtype ", dtype, " does not fit in memory");
    }
    return make_handle(Storage::make(static_cast<std::size_t>(count * reel::itemsize(dtype))), dtype, sizes,
                       contiguous_strides(sizes), 0, count, true);
}

namespace {

/// Throws unless a write to the temporary `target` can be seen by somebody.
void check_assignable(const Tensor& target) {
    const detail::TensorImpl& impl = target.impl();
    const bool seen =
        impl.base || !target.handle().unique() || !impl.storage.unique() || !impl.storage->owned;
    if (seen) return;
    fail<Error>("assignment to a temporary of shape ", impl.sizes,
                " is lost: it is a copy that nobody else holds; write to a view, or with index_put_");
}

}  // namespace

const Tensor& Tensor::operator=(const Tensor& other) && {
    check_assignable(*this);
    return copy_(other);
}

const Tensor& Tensor::operator=(Scalar value) && {
    check_assignable(*this);
    return fill_(value);
}

std::int64_t Tensor::size(std::int64_t dim) const {
    if (sizes().empty()) fail<IndexError>("size: dimension ", dim, " of a 0-d tensor");
    return sizes()[static_cast<std::size_t>(wrap_dim(dim, this->dim(), "size"))];
}

std::int64_t Tensor::stride(std::int64_t dim) const {
    if (sizes().empty()) fail<IndexError>("stride: dimension ", dim, " of a 0-d tensor");
    return strides()[static_cast<std::size_t>(wrap_dim(dim, this->dim(), "stride"))];
}

void Tensor::undefined() {
    fail<Error>(
        "an undefined tensor is used: a default-constructed one, or the grad() of a tensor that no rewind "
        "has "
        "reached");
}

const std::byte* Tensor::the_element() const {
    if (numel() != 1)
        fail<ShapeError>("item: a tensor of shape ", sizes(), " has ", numel(), " elements, not one");
    return raw();
}

void Tensor::check_dtype(DType wanted) const {
    if (dtype() == wanted) return;
    fail<DTypeError>("data_ptr: the tensor holds ", dtype(), ", not ", wanted, "; convert it with to(",
                     wanted, ")");
}

Tensor Tensor::dense_constant() const {
    if (is_contiguous()) return *this;
    Tensor dense = empty(sizes(), dtype());
    StridedRuns(sizes(), strides()).gather(itemsize(), raw(), 0, numel(), dense.raw());
    return dense;
}

Tensor Tensor::detach() const {
    return make_handle(impl().storage, dtype(), sizes(), strides(), storage_offset(), numel(),
                       is_contiguous());
}

TensorIndex::TensorIndex(const char* text) : kind_(Kind::kEllipsis) {
    if (std::string_view(text) != "...")
        fail<IndexError>("index: \"", text, "\" is not an index; \"...\" is");
}

}  // namespace reel
