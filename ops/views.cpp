// Views: other sizes and strides on the same storage, never a copy; and `reshape`, which copies where it
// must. What a view shows of its source decides its pullback: everything once (the inverse view), or a part
// (zeros around it).
#include "ops/views.hpp"

#include <algorithm>
#include <cstring>

#include "autograd/tape.hpp"
#include "ops/apply.hpp"
#include "tensor/iterate.hpp"

namespace reel {

namespace {

std::size_t at(std::int64_t dim) { return static_cast<std::size_t>(dim); }

/// Whether some elements may share a place: not every stride steps over all that the smaller ones reach.
bool may_overlap(const Shape& sizes, const Shape& strides) {
    const Shape order = memory_order(sizes, strides);
    std::int64_t reach = 0;
    for (std::size_t i = order.size(); i-- > 0;) {
        const std::size_t dim = at(order[i]);
        if (sizes[dim] == 1) continue;
        if (std::abs(strides[dim]) <= reach) return true;
        reach += (sizes[dim] - 1) * std::abs(strides[dim]);
    }
    return false;
}

/// Adds `g` to zeros at `places`; one by one where places coincide.
void add_to_zeros(const Tensor& places, const Tensor& g) {
    if (!may_overlap(places.sizes(), places.strides())) return copy_elements(places, g);
    const Walk walk(places.sizes(), places.strides());
    const Tensor values = dense(g);
    dispatch(g.dtype(), [&](auto zero) {
        using T = decltype(zero);
        auto* to = reinterpret_cast<T*>(places.raw());
        const auto* from = reinterpret_cast<const T*>(values.raw());
        for (std::int64_t i = 0; i < walk.numel();) {
            const Walk::Run run = walk.run(i);
            for (std::int64_t k = 0; k < run.length; ++k, ++i) {
                T& sum = to[run.offset + k * run.step];
                sum = convert_element<T>(convert_element<double>(sum) + convert_element<double>(from[i]));
            }
        }
    });
}

Tensor zeros_of(const Shape& sizes, DType dtype) {
    Tensor zeros = Tensor::empty(sizes, dtype);
    std::memset(zeros.raw(), 0, static_cast<std::size_t>(zeros.numel() * zeros.itemsize()));
    return zeros;
}

/// Zeros of `sizes` with `g` where `view` of them is: the adjoint of `view`.
template <class View>
Tensor embed(const char* name, const Tensor& g, const Shape& sizes, const View& view) {
    const Tensor x_bar = zeros_of(sizes, g.dtype());
    {
        const NoGradGuard quiet;
        add_to_zeros(view(x_bar), g);
    }
    return record(name, x_bar, {{g, view}});
}

/// A view that shows a part of `x`, or an element more than once. `view` makes it of any tensor of this
/// shape.
template <class View>
Tensor part(const char* name, const Tensor& x, Shape sizes, Shape strides, std::int64_t offset,
            const View& view) {
    return record(
        name, Tensor::make_view(x, std::move(sizes), std::move(strides), offset),
        {{x, [name, from = x.sizes(), view](const Tensor& g) { return embed(name, g, from, view); }}});
}

/// A view that shows every element of `x` once; `inverse` turns it back.
template <class Inverse>
Tensor rearranged(const char* name, const Tensor& x, Shape sizes, Shape strides, const Inverse& inverse) {
    return record(name, Tensor::make_view(x, std::move(sizes), std::move(strides), x.storage_offset()),
                  {{x, inverse}});
}

auto reshape_to(const Shape& sizes) {
    return [sizes](const Tensor& g) { return g.reshape(sizes); };
}

/// The elements of memory in which `g` stands at the places of layout `from`, read at the places of layout
/// `to`.
struct Layout {
    Shape sizes;
    Shape strides;
    std::int64_t offset;

    std::int64_t lowest() const {
        std::int64_t low = offset;
        for (std::size_t i = 0; i < sizes.size(); ++i)
            low += std::min<std::int64_t>(0, (sizes[i] - 1) * strides[i]);
        return low;
    }
    std::int64_t highest() const {
        std::int64_t high = offset;
        for (std::size_t i = 0; i < sizes.size(); ++i)
            high += std::max<std::int64_t>(0, (sizes[i] - 1) * strides[i]);
        return high;
    }
};

Layout layout(const Tensor& x) { return {x.sizes(), x.strides(), x.storage_offset()}; }

Tensor restride(const Tensor& g, const Layout& from, const Layout& to) {
    if (numel(from.sizes) == 0 || numel(to.sizes) == 0) {
        return record("as_strided_backward", zeros_of(to.sizes, g.dtype()),
                      {{g, [from, to](const Tensor& h) { return restride(h, to, from); }}});
    }
    const std::int64_t low = std::min(from.lowest(), to.lowest());
    const std::int64_t high = std::max(from.highest(), to.highest());
    const Tensor memory = zeros_of({high - low + 1}, g.dtype());
    add_to_zeros(Tensor::make(memory.impl().storage, g.dtype(), from.sizes, from.strides, from.offset - low),
                 g);
    return record("as_strided_backward",
                  Tensor::make(memory.impl().storage, g.dtype(), to.sizes, to.strides, to.offset - low),
                  {{g, [from, to](const Tensor& h) { return restride(h, to, from); }}});
}

void swap_dims(Shape& shape, std::size_t a, std::size_t b) { std::swap(shape[a], shape[b]); }

}  // namespace

Tensor Tensor::view(const Shape& shape) const {
    const Shape sizes = infer_sizes(shape, numel(), "view");
    std::optional<Shape> strides = view_strides(this->sizes(), this->strides(), sizes);
    if (!strides) {
        fail<ShapeError>("view: a tensor of shape ", this->sizes(), " and strides ", this->strides(),
                         " cannot be seen as ", sizes, " without a copy; use reshape");
    }
    return rearranged("view", *this, sizes, std::move(*strides), reshape_to(this->sizes()));
}

Tensor Tensor::view_as(const Tensor& other) const { return view(other.sizes()); }

Tensor Tensor::reshape(const Shape& shape) const {
    const Shape sizes = infer_sizes(shape, numel(), "reshape");
    if (view_strides(this->sizes(), strides(), sizes)) return view(sizes);
    return contiguous().view(sizes);
}

Tensor Tensor::reshape_as(const Tensor& other) const { return reshape(other.sizes()); }

Tensor Tensor::contiguous() const { return is_contiguous() ? *this : clone(); }

Tensor Tensor::clone() const {
    return record("clone", dense_copy(*this, dtype()), {{*this, [](const Tensor& g) { return g; }}});
}

Tensor Tensor::to(DType dtype) const {
    if (dtype == this->dtype()) return *this;
    return record("to", dense_copy(*this, dtype),
                  {{*this, [from = this->dtype()](const Tensor& g) { return g.to(from); }}});
}

Tensor Tensor::flatten(std::int64_t start_dim, std::int64_t end_dim) const {
    const std::int64_t first = wrap_dim(start_dim, dim(), "flatten");
    const std::int64_t last = wrap_dim(end_dim, dim(), "flatten");
    if (first > last) fail<ShapeError>("flatten: start_dim ", start_dim, " lies behind end_dim ", end_dim);
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
    const std::int64_t stride = front < sizes.size() ? sizes[front] * strides[front] : 1;
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
                      [a, b](const Tensor& g) { return g.transpose(a, b); });
}

Tensor Tensor::t() const {
    if (dim() > 2) fail<ShapeError>("t: a matrix or less is needed, not a tensor of shape ", sizes());
    return dim() < 2 ? rearranged("t", *this, sizes(), strides(), [](const Tensor& g) { return g; })
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
                      [inverse](const Tensor& g) { return g.permute(inverse); });
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
                      [](const Tensor& g) { return g; });
}

Tensor Tensor::expand_as(const Tensor& other) const { return expand(other.sizes()); }
Tensor Tensor::broadcast_to(const Shape& sizes) const { return expand(sizes); }

Tensor Tensor::select(std::int64_t dim, std::int64_t index) const {
    if (this->dim() == 0) fail<IndexError>("select: a 0-d tensor has no dimension to index; use item()");
    const std::size_t d = at(wrap_dim(dim, this->dim(), "select"));
    const std::int64_t size = sizes()[d];
    if (index < -size || index >= size) {
        fail<IndexError>("select: index ", index, " is out of range for dimension ", d, " of shape ",
                         sizes());
    }
    const std::int64_t i = index < 0 ? index + size : index;
    Shape sizes = this->sizes();
    Shape strides = this->strides();
    const std::int64_t offset = storage_offset() + i * strides[d];
    sizes.erase(d);
    strides.erase(d);
    return part("select", *this, sizes, strides, offset,
                [d, i](const Tensor& x) { return x.select(static_cast<std::int64_t>(d), i); });
}

Tensor Tensor::narrow(std::int64_t dim, std::int64_t start, std::int64_t length) const {
    const std::int64_t size = this->size(dim);
    const std::int64_t first = start < 0 ? start + size : start;
    if (first < 0 || length < 0 || first > size - length) {
        fail<IndexError>("narrow: start ", start, " and length ", length, " exceed dimension ", dim,
                         " of shape ", sizes());
    }
    return slice(dim, first, first + length);
}

Tensor Tensor::slice(std::int64_t dim, std::optional<std::int64_t> start, std::optional<std::int64_t> end,
                     std::int64_t step) const {
    if (this->dim() == 0) fail<IndexError>("slice: a 0-d tensor has no dimension to slice");
    if (step == 0) fail<IndexError>("slice: a step of 0");
    const std::size_t d = at(wrap_dim(dim, this->dim(), "slice"));
    const std::int64_t size = sizes()[d];
    // Python's rules: missing ends are those of the direction, negative ones count from the end, all are
    // clamped.
    const std::int64_t low = step > 0 ? 0 : -1;
    const std::int64_t high = step > 0 ? size : size - 1;
    const auto bound = [&](std::optional<std::int64_t> value, std::int64_t missing) {
        if (!value) return missing;
        return std::clamp(*value < 0 ? *value + size : *value, low, high);
    };
    const std::int64_t first = bound(start, step > 0 ? low : high);
    const std::int64_t last = bound(end, step > 0 ? high : low);
    const std::int64_t span = step > 0 ? last - first : first - last;
    const std::int64_t pace = step > 0 ? step : -step;
    Shape sizes = this->sizes();
    Shape strides = this->strides();
    sizes[d] = span > 0 ? (span - 1) / pace + 1 : 0;
    const std::int64_t offset = storage_offset() + (sizes[d] > 0 ? first * strides[d] : 0);
    strides[d] *= step;
    return part("slice", *this, sizes, strides, offset, [d, start, end, step](const Tensor& x) {
        return x.slice(static_cast<std::int64_t>(d), start, end, step);
    });
}

Tensor Tensor::diagonal(std::int64_t offset, std::int64_t dim1, std::int64_t dim2) const {
    const std::size_t a = at(wrap_dim(dim1, dim(), "diagonal"));
    const std::size_t b = at(wrap_dim(dim2, dim(), "diagonal"));
    if (a == b || dim() < 2)
        fail<ShapeError>("diagonal: two different dimensions are needed, not ", dim1, " and ", dim2);
    Shape sizes = this->sizes();
    Shape strides = this->strides();
    const std::int64_t rows = sizes[a] - std::max<std::int64_t>(0, -offset);
    const std::int64_t columns = sizes[b] - std::max<std::int64_t>(0, offset);
    const std::int64_t length = std::max<std::int64_t>(0, std::min(rows, columns));
    const std::int64_t first = length == 0 ? 0 : (offset >= 0 ? offset * strides[b] : -offset * strides[a]);
    const std::int64_t step = strides[a] + strides[b];
    for (std::size_t d : {std::max(a, b), std::min(a, b)}) {
        sizes.erase(d);
        strides.erase(d);
    }
    sizes.push_back(length);
    strides.push_back(step);
    return part("diagonal", *this, sizes, strides, storage_offset() + first,
                [offset, dim1, dim2](const Tensor& x) { return x.diagonal(offset, dim1, dim2); });
}

std::vector<Tensor> Tensor::unbind(std::int64_t dim) const {
    std::vector<Tensor> parts;
    const std::int64_t size = this->size(dim);
    for (std::int64_t i = 0; i < size; ++i) parts.push_back(select(dim, i));
    return parts;
}

std::vector<Tensor> Tensor::split(std::int64_t split_size, std::int64_t dim) const {
    if (split_size <= 0) fail<ShapeError>("split: the size of a part must be positive, not ", split_size);
    const std::int64_t size = this->size(dim);
    std::vector<Tensor> parts;
    for (std::int64_t start = 0; start < size || parts.empty(); start += split_size) {
        parts.push_back(narrow(dim, start, std::min(split_size, size - start)));
    }
    return parts;
}

std::vector<Tensor> Tensor::split(const std::vector<std::int64_t>& split_sizes, std::int64_t dim) const {
    const std::int64_t size = this->size(dim);
    std::int64_t total = 0;
    for (std::int64_t part_size : split_sizes) {
        if (part_size < 0) fail<ShapeError>("split: a negative size in ", Shape(split_sizes));
        total += part_size;
    }
    if (total != size) {
        fail<ShapeError>("split: the sizes ", Shape(split_sizes), " add up to ", total, ", dimension ", dim,
                         " of shape ", sizes(), " has ", size);
    }
    std::vector<Tensor> parts;
    std::int64_t start = 0;
    for (std::int64_t part_size : split_sizes) {
        parts.push_back(narrow(dim, start, part_size));
        start += part_size;
    }
    return parts;
}

std::vector<Tensor> Tensor::chunk(std::int64_t chunks, std::int64_t dim) const {
    if (chunks <= 0) fail<ShapeError>("chunk: ", chunks, " chunks; at least 1 is needed");
    return split(std::max<std::int64_t>(1, (size(dim) + chunks - 1) / chunks), dim);
}

Tensor Tensor::unfold(std::int64_t dim, std::int64_t size, std::int64_t step) const {
    const std::int64_t length = this->dim() == 0 ? 1 : this->size(dim);
    if (size < 0 || size > length || step <= 0) {
        fail<ShapeError>("unfold: windows of size ", size, " and step ", step, " do not fit dimension ", dim,
                         " of shape ", sizes());
    }
    Shape sizes = this->sizes();
    Shape strides = this->strides();
    if (sizes.empty()) {
        return part("unfold", *this, {size}, {1}, storage_offset(),
                    [dim, size, step](const Tensor& x) { return x.unfold(dim, size, step); });
    }
    const std::size_t d = at(wrap_dim(dim, this->dim(), "unfold"));
    const std::int64_t stride = strides[d];
    sizes[d] = (length - size) / step + 1;
    strides[d] = stride * step;
    sizes.push_back(size);
    strides.push_back(stride);
    return part("unfold", *this, sizes, strides, storage_offset(),
                [dim, size, step](const Tensor& x) { return x.unfold(dim, size, step); });
}

Tensor Tensor::flip(const Shape& dims) const {
    const Shape flipped = dims.empty() ? Shape{} : wrap_dims(dims, dim(), "flip");
    Shape strides = this->strides();
    std::int64_t offset = storage_offset();
    for (std::int64_t d : flipped) {
        offset += std::max<std::int64_t>(sizes()[at(d)] - 1, 0) * strides[at(d)];
        strides[at(d)] = -strides[at(d)];
    }
    return record("flip", make_view(*this, sizes(), strides, offset),
                  {{*this, [flipped](const Tensor& g) { return g.flip(flipped); }}});
}

Tensor Tensor::as_strided(const Shape& sizes, const Shape& strides,
                          std::optional<std::int64_t> offset) const {
    if (sizes.size() != strides.size()) {
        fail<ShapeError>("as_strided: ", sizes.size(), " sizes ", sizes, " and ", strides.size(), " strides ",
                         strides);
    }
    const Layout to{sizes, strides, offset.value_or(storage_offset())};
    const auto held = static_cast<std::int64_t>(impl().storage->bytes) / itemsize();
    if (reel::numel(sizes) > 0 && (to.lowest() < 0 || to.highest() >= held)) {
        fail<ShapeError>("as_strided: sizes ", sizes, ", strides ", strides, " and offset ", to.offset,
                         " reach elements ", to.lowest(), " to ", to.highest(), " of a storage that holds ",
                         held);
    }
    // An expanded element counts once: the first of its repetitions stands for all.
    Tensor source = *this;
    for (std::int64_t d = 0; d < dim(); ++d) {
        if (this->strides()[at(d)] == 0 && this->sizes()[at(d)] > 1) source = source.narrow(d, 0, 1);
    }
    return record("as_strided", make_view(source, sizes, strides, to.offset),
                  {{source, [from = layout(source), to](const Tensor& g) { return restride(g, to, from); }}});
}

Tensor flatten(const Tensor& x, std::int64_t start_dim, std::int64_t end_dim) {
    return x.flatten(start_dim, end_dim);
}
Tensor reshape(const Tensor& x, const Shape& shape) { return x.reshape(shape); }
Tensor squeeze(const Tensor& x) { return x.squeeze(); }
Tensor squeeze(const Tensor& x, std::int64_t dim) { return x.squeeze(dim); }
Tensor unsqueeze(const Tensor& x, std::int64_t dim) { return x.unsqueeze(dim); }
Tensor transpose(const Tensor& x, std::int64_t dim0, std::int64_t dim1) { return x.transpose(dim0, dim1); }
Tensor permute(const Tensor& x, const Shape& dims) { return x.permute(dims); }
Tensor movedim(const Tensor& x, const Shape& source, const Shape& destination) {
    return x.movedim(source, destination);
}
Tensor broadcast_to(const Tensor& x, const Shape& sizes) { return x.broadcast_to(sizes); }
Tensor select(const Tensor& x, std::int64_t dim, std::int64_t index) { return x.select(dim, index); }
Tensor narrow(const Tensor& x, std::int64_t dim, std::int64_t start, std::int64_t length) {
    return x.narrow(dim, start, length);
}
Tensor diagonal(const Tensor& x, std::int64_t offset, std::int64_t dim1, std::int64_t dim2) {
    return x.diagonal(offset, dim1, dim2);
}
std::vector<Tensor> unbind(const Tensor& x, std::int64_t dim) { return x.unbind(dim); }
std::vector<Tensor> split(const Tensor& x, std::int64_t split_size, std::int64_t dim) {
    return x.split(split_size, dim);
}
std::vector<Tensor> split(const Tensor& x, const std::vector<std::int64_t>& split_sizes, std::int64_t dim) {
    return x.split(split_sizes, dim);
}
std::vector<Tensor> chunk(const Tensor& x, std::int64_t chunks, std::int64_t dim) {
    return x.chunk(chunks, dim);
}
Tensor flip(const Tensor& x, const Shape& dims) { return x.flip(dims); }
Tensor as_strided(const Tensor& x, const Shape& sizes, const Shape& strides,
                  std::optional<std::int64_t> offset) {
    return x.as_strided(sizes, strides, offset);
}

}  // namespace reel
