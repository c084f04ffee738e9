// Views that show a part of their source, or an element more than once. Their pullbacks put the gradient into
// zeros. Views that show everything once are in `views.cpp`.
#include <algorithm>

#include "autograd/tape.hpp"
#include "ops/pointwise/dense_driver.hpp"
#include "ops/shape/views.hpp"
#include "tensor/checked.hpp"
#include "tensor/factory.hpp"
#include "tensor/iterate.hpp"

namespace reel {

namespace {

std::size_t at(std::int64_t dim) { return static_cast<std::size_t>(dim); }

/// Whether some elements may share a place: not every stride steps over all that the smaller ones reach.
bool may_overlap(const Shape& sizes, const Shape& strides) {
    const Shape order = dims_by_stride(sizes, strides);
    std::int64_t reach = 0;
    for (std::size_t i = order.size(); i-- > 0;) {
        const std::size_t dim = at(order[i]);
        if (sizes[dim] == 1) continue;
        if (std::abs(strides[dim]) <= reach) return true;
        reach += (sizes[dim] - 1) * std::abs(strides[dim]);
    }
    return false;
}

/// Adds `y_bar` to zeros at `places`; one by one where places coincide.
void add_to_zeros(const Tensor& zeros, const Tensor& y_bar) {
    if (y_bar.numel() == 0) return;
    if (!may_overlap(zeros.sizes(), zeros.strides())) return copy_elements(zeros, y_bar);
    const StridedRuns runs(zeros.sizes(), zeros.strides());
    const Tensor values = dense(y_bar);
    dispatch(y_bar.dtype(), [&](auto zero) {
        using T = decltype(zero);
        auto* to = reinterpret_cast<T*>(zeros.raw());
        const auto* from = reinterpret_cast<const T*>(values.raw());
        for (std::int64_t i = 0; i < runs.numel();) {
            const StridedRuns::Run run = runs.run(i);
            for (std::int64_t k = 0; k < run.length; ++k, ++i) {
                T& sum = to[run.offset + k * run.step];
                sum = convert_element<T>(convert_element<double>(sum) + convert_element<double>(from[i]));
            }
        }
    });
}

/// Zeros of `sizes` with `y_bar` where `view` of them is: the adjoint of `view`.
Tensor embed(const char* name, const Tensor& y_bar, const Shape& sizes, const auto& view) {
    const Tensor x_bar = zeros(sizes, y_bar.dtype());
    {
        const NoGradGuard quiet;
        add_to_zeros(view(x_bar), y_bar);
    }
    return record(name, x_bar, {{y_bar, view}});
}

/// A view that shows a part of `x`, or an element more than once. `view` makes it of any tensor of this
/// shape.
Tensor part(const char* name, const Tensor& x, const Shape& sizes, const Shape& strides, std::int64_t offset,
            const auto& view) {
    return record(name, Tensor::make_view(x, sizes, strides, offset),
                  {{x, [name, from = x.sizes(), view](const Tensor& y_bar) {
                        return embed(name, y_bar, from, view);
                    }}});
}

/// The elements of memory in which `y_bar` is at the places of layout `from`, read at the places of layout
/// `to`.
struct Layout {
    Shape sizes;
    Shape strides;
    std::int64_t offset;

    std::int64_t lowest() const { return offset + offset_range(sizes, strides).low; }
    std::int64_t highest() const { return offset + offset_range(sizes, strides).high; }
};

/// Whether the layout stays in [0, held). No dimension may reach further alone: so nothing overflows.
bool lies_in(const Layout& layout, std::int64_t held) {
    for (std::size_t i = 0; i < layout.sizes.size(); ++i) {
        const std::int64_t most = held / std::max<std::int64_t>(layout.sizes[i] - 1, 1);
        if (layout.sizes[i] > 1 && (layout.strides[i] > most || layout.strides[i] < -most)) return false;
    }
    return layout.offset >= 0 && layout.offset < held && layout.lowest() >= 0 && layout.highest() < held;
}

Layout layout(const Tensor& x) { return {x.sizes(), x.strides(), x.storage_offset()}; }

/// Of a cotangent v, ḡ = v restrided from `to` to `from`.
Tensor restride(const Tensor& y_bar, const Layout& from, const Layout& to) {
    if (numel(from.sizes) == 0 || numel(to.sizes) == 0) {
        return record("as_strided_backward", zeros(to.sizes, y_bar.dtype()),
                      {{y_bar, [from, to](const Tensor& v) { return restride(v, to, from); }}});
    }
    const std::int64_t low = std::min(from.lowest(), to.lowest());
    const std::int64_t high = std::max(from.highest(), to.highest());
    const Tensor memory = zeros({high - low + 1}, y_bar.dtype());
    add_to_zeros(
        Tensor::make(memory.impl().storage, y_bar.dtype(), from.sizes, from.strides, from.offset - low),
        y_bar);
    return record("as_strided_backward",
                  Tensor::make(memory.impl().storage, y_bar.dtype(), to.sizes, to.strides, to.offset - low),
                  {{y_bar, [from, to](const Tensor& v) { return restride(v, to, from); }}});
}

}  // namespace

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
    const std::int64_t offset = storage_offset() + (numel() > 0 ? i * strides[d] : 0);
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
    if (step == 0) fail<IndexError>("slice: the step must not be 0");
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
    // A step as long as the dimension takes one element; it must not overflow below.
    const std::int64_t longest = std::max<std::int64_t>(size, 1);
    const std::int64_t by = std::clamp(step, -longest, longest);
    Shape sizes = this->sizes();
    Shape strides = this->strides();
    sizes[d] = span > 0 ? (span - 1) / std::abs(by) + 1 : 0;
    const std::int64_t offset = storage_offset() + (numel() > 0 && sizes[d] > 0 ? first * strides[d] : 0);
    strides[d] = low_bits(Wide{strides[d]} * by);
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
    const Wide rows = sizes[a] - std::max<Wide>(0, -Wide{offset});
    const Wide columns = sizes[b] - std::max<Wide>(0, offset);
    const auto length = static_cast<std::int64_t>(std::max<Wide>(0, std::min(rows, columns)));
    const bool empty = length == 0 || numel() == 0;
    const std::int64_t first = empty ? 0 : (offset >= 0 ? offset * strides[b] : -offset * strides[a]);
    const std::int64_t step = low_bits(Wide{strides[a]} + strides[b]);
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
    const Composite whole;
    std::vector<Tensor> parts;
    const std::int64_t size = this->size(dim);
    for (std::int64_t i = 0; i < size; ++i) parts.push_back(select(dim, i));
    return parts;
}

std::vector<Tensor> Tensor::split(std::int64_t split_size, std::int64_t dim) const {
    const std::int64_t size = this->size(dim);
    if (split_size < 0 || (split_size == 0 && size > 0)) {
        fail<ShapeError>("split: parts of size ", split_size, " for dimension ", dim, " of shape ", sizes());
    }
    const Composite whole;
    std::vector<Tensor> parts;
    std::int64_t start = 0;
    do {
        const std::int64_t length = std::min(split_size, size - start);
        parts.push_back(narrow(dim, start, length));
        start += length;
    } while (start < size);
    return parts;
}

std::vector<Tensor> Tensor::split(const std::vector<std::int64_t>& split_sizes, std::int64_t dim) const {
    const std::int64_t size = this->size(dim);
    Wide total = 0;
    for (std::int64_t part_size : split_sizes) {
        if (part_size < 0) fail<ShapeError>("split: a negative size in ", Shape(split_sizes));
        total += part_size;
    }
    const std::int64_t sum = to_int64(total, "split: the sum of the sizes ", Shape(split_sizes));
    if (sum != size) {
        fail<ShapeError>("split: the sizes ", Shape(split_sizes), " add up to ", sum, ", dimension ", dim,
                         " of shape ", sizes(), " has ", size);
    }
    const Composite whole;
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
    const std::int64_t size = this->size(dim);
    if (size > 0) return split((size - 1) / chunks + 1, dim);
    constexpr std::int64_t kMostEmpty = 1 << 20;  // whose handles alone take 200 MB
    if (chunks > kMostEmpty) {
        fail<ShapeError>("chunk: ", chunks, " chunks of dimension ", dim, " of shape ", sizes(),
                         ", all of them empty; at most ", kMostEmpty, " are made");
    }
    return split(std::vector<std::int64_t>(at(chunks), 0), dim);
}

Tensor Tensor::unfold(std::int64_t dim, std::int64_t size, std::int64_t step) const {
    const std::size_t d = at(wrap_dim(dim, this->dim(), "unfold"));
    const std::int64_t length = this->dim() == 0 ? 1 : this->sizes()[d];
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
    const std::int64_t stride = strides[d];
    sizes[d] = (length - size) / step + 1;
    const Wide apart = Wide{stride} * step;  // of a single window, whose stride may be any
    strides[d] = fits_int64(apart) ? static_cast<std::int64_t>(apart) : stride;
    sizes.push_back(size);
    strides.push_back(stride);
    return part("unfold", *this, sizes, strides, storage_offset(),
                [dim, size, step](const Tensor& x) { return x.unfold(dim, size, step); });
}

Tensor Tensor::as_strided(const Shape& sizes, const Shape& strides,
                          std::optional<std::int64_t> offset) const {
    if (sizes.size() != strides.size()) {
        fail<ShapeError>("as_strided: ", sizes.size(), " sizes ", sizes, " and ", strides.size(), " strides ",
                         strides);
    }
    Layout to{sizes, strides, offset.value_or(storage_offset())};
    const auto held = static_cast<std::int64_t>(impl().storage->bytes) / itemsize();
    if (reel::numel(sizes) == 0) to.offset = std::clamp<std::int64_t>(to.offset, 0, held);
    if (reel::numel(sizes) > 0 && !lies_in(to, held)) {
        fail<ShapeError>("as_strided: sizes ", sizes, ", strides ", strides, " and offset ", to.offset,
                         " reach beyond a storage of ", held, " elements");
    }
    const Composite whole;
    // An expanded element counts once: the first of its repetitions stands for all.
    Tensor source = *this;
    for (std::int64_t d = 0; d < dim(); ++d) {
        if (this->strides()[at(d)] == 0 && this->sizes()[at(d)] > 1) source = source.narrow(d, 0, 1);
    }
    return record(
        "as_strided", make_view(source, sizes, strides, to.offset),
        {{source, [from = layout(source), to](const Tensor& y_bar) { return restride(y_bar, to, from); }}});
}

}  // namespace reel
