// Views that show every element: other sizes and strides on the same storage, never a copy; and `reshape`,
// which copies where it must. Their pullbacks are the inverse views. Views that show a part are in
// `slicing.cpp`.
#include "ops/shape/views.hpp"

#include "autograd/tape.hpp"
#include "tensor/checked.hpp"

namespace reel {

namespace {

std::size_t at(std::int64_t dim) { return static_cast<std::size_t>(dim); }

/// A view that shows every element of `x` once; `inverse` turns it back.
Tensor rearranged(const char* name, const Tensor& x, const Shape& sizes, const Shape& strides,
                  const auto& inverse) {
    return record(name, Tensor::make_view(x, sizes, strides, x.storage_offset()), {{x, inverse}});
}

/// The strides under which the memory of `x` reads as `sizes`, if there are any.
std::optional<Shape> strides_as(const Tensor& x, const Shape& sizes) {
    return x.is_contiguous() ? contiguous_strides(sizes) : view_strides(x.sizes(), x.strides(), sizes);
}

auto reshape_to(const Shape& sizes) {
    return [sizes](const Tensor& y_bar) { return y_bar.reshape(sizes); };
}

void swap_dims(Shape& shape, std::size_t a, std::size_t b) { std::swap(shape[a], shape[b]); }

}  // namespace

Tensor Tensor::view(const Shape& shape) const {
    const Shape sizes = infer_sizes(shape, numel(), "view");
    const std::optional<Shape> strides = strides_as(*this, sizes);
    if (!strides) {
        fail<ShapeError>("view: a tensor of shape ", this->sizes(), " and strides ", this->strides(),
                         " cannot be seen as ", sizes, " without a copy; use reshape");
    }
    return rearranged("view", *this, sizes, *strides, reshape_to(this->sizes()));
}

Tensor Tensor::view_as(const Tensor& other) const { return view(other.sizes()); }

Tensor Tensor::reshape(const Shape& shape) const {
    const Shape sizes = infer_sizes(shape, numel(), "reshape");
    if (const auto strides = strides_as(*this, sizes)) {
        return rearranged("view", *this, sizes, *strides, reshape_to(this->sizes()));
    }
    const Composite whole;
    return contiguous().view(sizes);
}

Tensor Tensor::reshape_as(const Tensor& other) const { return reshape(other.sizes()); }

Tensor Tensor::flatten(std::int64_t start_dim, std::int64_t end_dim) const {
    const std::int64_t first = wrap_dim(start_dim, dim(), "flatten");
    const std::int64_t last = wrap_dim(end_dim, dim(), "flatten");
    if (first > last) fail<ShapeError>("flatten: start_dim ", start_dim, " comes after end_dim ", end_dim);
    if (dim() == 0) return reshape({1});
    Shape shape;
    std::int64_t merged = 1;
    for (std::int64_t d = 0; d < dim(); ++d) {
        if (d >= first && d <= last) merged *= sizes()[at(d)];
        if (d == last) shape.push_back(merged);
        if (d < first || d > last) shape.push_back(sizes()[at(d)]);
    }
    return reshape(shape);
}

Tensor Tensor::unflatten(std::int64_t dim, const Shape& sizes) const {
    const std::int64_t front = wrap_dim(dim, this->dim(), "unflatten");
    if (sizes.empty())
        fail<ShapeError>("unflatten: no sizes for dimension ", dim, " of shape ", this->sizes());
    const Shape inner = infer_sizes(sizes, size(front), "unflatten");
    Shape shape = this->sizes();
    shape.erase(at(front));
    for (std::size_t i = 0; i < inner.size(); ++i) shape.insert(at(front) + i, inner[i]);
    return view(shape);
}

Tensor Tensor::squeeze() const {
    Shape sizes;
    Shape strides;
    for (std::size_t i = 0; i < this->sizes().size(); ++i) {
        if (this->sizes()[i] == 1) continue;
        sizes.push_back(this->sizes()[i]);
        strides.push_back(this->strides()[i]);
    }
    return rearranged("squeeze", *this, sizes, strides, reshape_to(this->sizes()));
}

Tensor Tensor::squeeze(std::int64_t dim) const {
    const std::size_t front = at(wrap_dim(dim, this->dim(), "squeeze"));
    Shape sizes = this->sizes();
    Shape strides = this->strides();
    if (!sizes.empty() && sizes[front] == 1) {
        sizes.erase(front);
        strides.erase(front);
    }
    return rearranged("squeeze", *this, sizes, strides, reshape_to(this->sizes()));
}

Tensor Tensor::unsqueeze(std::int64_t dim) const {
    const std::size_t front = at(wrap_dim(dim, this->dim() + 1, "unsqueeze"));
    Shape sizes = this->sizes();
    Shape strides = this->strides();
    const std::int64_t stride = front < sizes.size() ? low_bits(Wide{sizes[front]} * strides[front]) : 1;
    sizes.insert(front, 1);
    strides.insert(front, stride);
    return rearranged("unsqueeze", *this, sizes, strides, reshape_to(this->sizes()));
}

Tensor Tensor::transpose(std::int64_t dim0, std::int64_t dim1) const {
    const std::int64_t a = wrap_dim(dim0, dim(), "transpose");
    const std::int64_t b = wrap_dim(dim1, dim(), "transpose");
    Shape sizes = this->sizes();
    Shape strides = this->strides();
    if (dim() > 0) {
        swap_dims(sizes, at(a), at(b));
        swap_dims(strides, at(a), at(b));
    }
    return rearranged("transpose", *this, sizes, strides,
                      [a, b](const Tensor& y_bar) { return y_bar.transpose(a, b); });
}

Tensor Tensor::t() const {
    if (dim() > 2) fail<ShapeError>("t: a matrix or less is needed, not a tensor of shape ", sizes());
    return dim() < 2 ? rearranged("t", *this, sizes(), strides(), [](const Tensor& y_bar) { return y_bar; })
                     : transpose(0, 1);
}

Tensor Tensor::permute(const Shape& dims) const {
    if (dims.size() != sizes().size()) {
        fail<ShapeError>("permute: ", dims.size(), " dimensions ", dims, " for a tensor of shape ", sizes());
    }
    const Shape order = dims.empty() ? Shape{} : wrap_dims(dims, dim(), "permute");
    Shape sizes = this->sizes();
    Shape strides = this->strides();
    Shape inverse = order;
    for (std::size_t i = 0; i < order.size(); ++i) {
        sizes[i] = this->sizes()[at(order[i])];
        strides[i] = this->strides()[at(order[i])];
        inverse[at(order[i])] = static_cast<std::int64_t>(i);
    }
    return rearranged("permute", *this, sizes, strides,
                      [inverse](const Tensor& y_bar) { return y_bar.permute(inverse); });
}

Tensor Tensor::movedim(const Shape& source, const Shape& destination) const {
    if (source.size() != destination.size()) {
        fail<ShapeError>("movedim: ", source, " and ", destination, " differ in length");
    }
    if (source.empty()) return permute(wrap_dims({}, dim(), "movedim"));
    const Shape from = wrap_dims(source, dim(), "movedim");
    const Shape to = wrap_dims(destination, dim(), "movedim");
    if (dim() == 0) return permute({});
    Shape order = Shape::filled(sizes().size(), -1);
    for (std::size_t i = 0; i < from.size(); ++i) order[at(to[i])] = from[i];
    std::int64_t next = 0;
    for (std::int64_t& dim : order) {
        if (dim >= 0) continue;
        while (contains(from, next)) ++next;
        dim = next++;
    }
    return permute(order);
}

Tensor Tensor::expand(const Shape& sizes) const {
    const std::int64_t lead = static_cast<std::int64_t>(sizes.size()) - dim();
    Shape target = sizes;
    bool fits = lead >= 0;
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(sizes.size()) && fits; ++i) {
        const std::int64_t own = i >= lead ? this->sizes()[at(i - lead)] : -1;
        if (target[at(i)] == -1) target[at(i)] = own;
        fits = target[at(i)] >= 0 && (own < 0 || own == 1 || own == target[at(i)]);
    }
    if (!fits) {
        fail<ShapeError>("expand: a tensor of shape ", this->sizes(), " does not stretch to ", sizes,
                         "; only dimensions of size 1 and new ones in front do");
    }
    // The rewind sums the gradient of a broadcast input down to its shape.
    return rearranged("expand", *this, target, broadcast_strides(this->sizes(), strides(), target),
                      [](const Tensor& y_bar) { return y_bar; });
}

Tensor Tensor::expand_as(const Tensor& other) const { return expand(other.sizes()); }
Tensor Tensor::broadcast_to(const Shape& sizes) const { return expand(sizes); }

Tensor Tensor::flip(const Shape& dims) const {
    const Shape flipped = dims.empty() ? Shape{} : wrap_dims(dims, dim(), "flip");
    Shape strides = this->strides();
    std::int64_t offset = storage_offset();
    for (std::int64_t d : flipped) {
        if (numel() > 0) offset += (sizes()[at(d)] - 1) * strides[at(d)];
        strides[at(d)] = low_bits(-Wide{strides[at(d)]});
    }
    return record("flip", make_view(*this, sizes(), strides, offset),
                  {{*this, [flipped](const Tensor& y_bar) { return y_bar.flip(flipped); }}});
}

}  // namespace reel
