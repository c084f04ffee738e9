// New layouts of one tensor: repeated, rolled, padded, cut to a triangle. Where views and what they record
// suffice, nothing else is used.
#include <algorithm>
#include <cstring>
#include <limits>

#include "autograd/tape.hpp"
#include "ops/indexing/indexing.hpp"
#include "ops/pointwise/by_promotion.hpp"
#include "ops/pointwise/dense_driver.hpp"
#include "ops/shape/join.hpp"
#include "tensor/checked.hpp"
#include "tensor/copy.hpp"
#include "tensor/factory.hpp"
#include "tensor/parallel.hpp"

namespace reel {

namespace {

using std::int64_t;

// ---- repeat_interleave

/// The slice that each slice of the result shows: each of the `size` slices as often as `repeats` says.
Tensor repeated(const Tensor& repeats, int64_t size) {
    if (repeats.dtype() != kInt64) {
        fail<DTypeError>("repeat_interleave: repeats must be int64, not ", repeats.dtype());
    }
    const bool one = repeats.numel() == 1;
    if (repeats.dim() > 1 || (!one && repeats.numel() != size)) {
        fail<ShapeError>("repeat_interleave: repeats of shape ", repeats.sizes(), " for ", size,
                         " slices; one number, or one for each slice, is needed");
    }
    const std::vector<int64_t> counts = repeats.to_vector<int64_t>();
    Wide total = 0;
    for (int64_t count : counts) {
        if (count < 0) fail<ShapeError>("repeat_interleave: a negative count, ", count);
        total += one ? Wide{count} * size : count;
    }
    const Tensor indices = Tensor::empty(
        to_int64(total, "repeat_interleave: the size of the result with repeats ", Shape(counts)), kInt64);
    auto* to = indices.data_ptr<int64_t>();
    for (int64_t i = 0; i < size; ++i) to = std::fill_n(to, counts[one ? 0 : static_cast<std::size_t>(i)], i);
    return indices;
}

// ---- roll

Tensor rolled(const Tensor& x, int64_t shift, int64_t dim) {
    const int64_t size = x.size(dim);
    const int64_t rest = size == 0 ? 0 : shift % size;
    const int64_t turn = rest < 0 ? rest + size : rest;
    if (turn == 0) return x.clone();
    return cat({x.narrow(dim, size - turn, turn), x.narrow(dim, 0, size - turn)}, dim);
}

// ---- pad

/// Places before and after one dimension; negative ones crop.
struct Margin {
    int64_t before = 0;
    int64_t after = 0;

    int64_t cropped_before() const { return std::max<int64_t>(0, -before); }
    int64_t cropped_after() const { return std::max<int64_t>(0, -after); }
    int64_t added_before() const { return std::max<int64_t>(0, before); }
    int64_t added_after() const { return std::max<int64_t>(0, after); }
    int64_t total() const { return before + after; }
};

/// The margins of every dimension, from the list that starts with the last. What they and the size come to fits
/// into an int64.
std::vector<Margin> margins_of(const Tensor& x, const Shape& pads) {
    if (pads.size() % 2 != 0 || pads.size() > 2 * x.sizes().size()) {
        fail<ShapeError>("pad: ", pads.size(), " pads for a tensor of shape ", x.sizes(),
                         "; two are needed for each padded dimension, the last one first");
    }
    std::vector<Margin> margins(x.sizes().size());
    for (std::size_t i = 0; i < pads.size() / 2; ++i) {
        const std::size_t d = margins.size() - 1 - i;
        margins[d] = {pads[2 * i], pads[2 * i + 1]};
        const Wide size = Wide{x.sizes()[d]} + margins[d].before + margins[d].after;
        if (size < 0) {
            fail<ShapeError>("pad: pads ", pads, " crop more than there is of dimension ", d, " of shape ",
                             x.sizes());
        }
        for (const Wide needed : {size, -Wide{margins[d].before}, -Wide{margins[d].after}}) {
            to_int64(needed, "pad: dimension ", d, " of shape ", x.sizes(), " with pads ", pads);
        }
    }
    return margins;
}

/// The padded tensor holds `x`, or what is left of it. Its adjoint crops what was added, and adds zeros where
/// it was cropped: the same with all signs turned.
Tensor pad_constant(const Tensor& x, const Shape& pads, Scalar value) {
    const std::vector<Margin> margins = margins_of(x, pads);
    check_number("pad", value, x.dtype());
    Shape sizes = x.sizes();
    for (std::size_t d = 0; d < margins.size(); ++d) sizes[d] += margins[d].total();
    // To fill the margins alone spares 1024 x 1024 with three on each side a quarter of the time; but those of short rows
    // cost more, one by one, than what they are between.
    constexpr int64_t kLongRow = 256;
    constexpr int64_t kMany = 4096;  // elements
    const bool apart = numel(sizes) >= kMany && (sizes.back() >= kLongRow || sizes.back() == x.size(-1));
    const Tensor y = apart ? Tensor::empty(sizes, x.dtype()) : full(sizes, value, x.dtype());
    Tensor to = y;
    Tensor from = x.detach();
    for (std::size_t d = 0; d < margins.size(); ++d) {
        const auto dim = static_cast<int64_t>(d);
        const int64_t start = margins[d].cropped_before();
        const int64_t length = std::max<int64_t>(0, x.sizes()[d] - start - margins[d].cropped_after());
        const int64_t before = margins[d].added_before();
        if (apart) {
            to.slice(dim, 0, before).fill_(value);
            to.slice(dim, before + length, sizes[d]).fill_(value);
        }
        from = from.slice(dim, start, start + length);
        to = to.slice(dim, before, before + length);
    }
    if (from.numel() > 0) copy_elements(to, from);
    Shape turned = pads;
    for (int64_t& pad : turned) pad = -pad;
    return record("pad", y,
                  {{x, [turned](const Tensor& y_bar) { return pad_constant(y_bar, turned, 0); }},
                   {nonfinite_input(value), pass}});
}

/// The place in [0, size) that place i of the padded dimension shows.
using Fold = int64_t (*)(int64_t i, int64_t size);
using Widest = int64_t (*)(int64_t size);

int64_t reflect(int64_t i, int64_t size) { return i < 0 ? -i : i >= size ? 2 * (size - 1) - i : i; }
int64_t replicate(int64_t i, int64_t size) { return std::clamp<int64_t>(i, 0, size - 1); }

/// `widest`: of a margin of a dimension of this size.
Tensor pad_indexed(const Tensor& x, const Shape& pads, std::string_view mode, Fold fold, Widest widest) {
    Tensor y = x;
    const std::vector<Margin> margins = margins_of(x, pads);
    for (std::size_t d = 0; d < margins.size(); ++d) {
        const auto [before, after] = margins[d];
        if (before == 0 && after == 0) continue;
        const int64_t size = x.sizes()[d];
        if (size == 0 || std::max(before, after) > widest(size)) {
            fail<ShapeError>("pad: ", mode, " pads ", pads, " are too wide for dimension ", d, " of shape ",
                             x.sizes());
        }
        const Tensor indices = Tensor::empty({size + margins[d].total()}, kInt64);
        const int64_t first = -std::max(before, -2 * size);  // whoever crops more sees the last element alone
        for (int64_t i = 0; i < indices.numel(); ++i) indices.data_ptr<int64_t>()[i] = fold(first + i, size);
        y = index_select(y, static_cast<int64_t>(d), indices);
    }
    return y.is_same(x) ? x.clone() : y;
}

/// What is left of each dimension after cropping goes round once, at most.
Tensor pad_circular(const Tensor& x, const Shape& pads) {
    const std::vector<Margin> margins = margins_of(x, pads);
    Tensor y = x;
    for (std::size_t d = 0; d < margins.size(); ++d) {
        const auto dim = static_cast<int64_t>(d);
        const Margin& margin = margins[d];
        if (margin.before == 0 && margin.after == 0) continue;
        const int64_t size = x.sizes()[d] - margin.cropped_before() - margin.cropped_after();
        const int64_t before = margin.added_before();
        const int64_t after = margin.added_after();
        if (size <= 0 || std::max(before, after) > size) {
            fail<ShapeError>("pad: circular pads ", pads, " are too wide for dimension ", d, " of shape ",
                             x.sizes(), ", which is cropped first");
        }
        const Tensor kept = y.narrow(dim, margin.cropped_before(), size);
        y = cat({kept.narrow(dim, size - before, before), kept, kept.narrow(dim, 0, after)}, dim);
    }
    return y.is_same(x) ? x.clone() : y;
}

// ---- tril, triu

/// The columns up to the diagonal of each row (`lower`), or from there on; the rest is 0. The adjoint is the operation itself.
Tensor triangle(const char* name, const Tensor& x, int64_t diagonal, bool lower) {
    if (x.dim() < 2)
        fail<ShapeError>(name, ": a matrix or more is needed, not a tensor of shape ", x.sizes());
    const Tensor from = dense(x);
    const Tensor y = Tensor::empty(x.sizes(), x.dtype());
    const int64_t rows = x.size(-2);
    const int64_t columns = x.size(-1);
    const int64_t size = x.itemsize();
    parallel_for(columns > 0 ? x.numel() / columns : 0, 1, columns, [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; ++row) {
            const Wide edge = Wide{row % rows} + diagonal + (lower ? 1 : 0);
            const auto cut = static_cast<int64_t>(std::clamp<Wide>(edge, 0, columns));
            const int64_t first = lower ? 0 : cut;
            const int64_t last = lower ? cut : columns;
            std::byte* to = y.raw() + row * columns * size;
            std::memset(to, 0, static_cast<std::size_t>(first * size));
            copy_bytes(to + first * size, from.raw() + (row * columns + first) * size, (last - first) * size);
            std::memset(to + last * size, 0, static_cast<std::size_t>((columns - last) * size));
        }
    });
    return record(name, y, {{x, [name, diagonal, lower](const Tensor& y_bar) {
                                 return triangle(name, y_bar, diagonal, lower);
                             }}});
}

}  // namespace

Tensor repeat(const Tensor& x, const Shape& repeats) {
    const int64_t lead = static_cast<int64_t>(repeats.size()) - x.dim();
    if (lead < 0) {
        fail<ShapeError>("repeat: repeats ", repeats, " for a tensor of shape ", x.sizes(),
                         "; one is needed for each dimension");
    }
    Shape apart;  // [1, n₀, 1, n₁, …], whose ones are stretched
    Shape stretched;
    Shape sizes;
    for (std::size_t i = 0; i < repeats.size(); ++i) {
        const int64_t size = static_cast<int64_t>(i) < lead ? 1 : x.sizes()[static_cast<int64_t>(i) - lead];
        if (repeats[i] < 0) fail<ShapeError>("repeat: a negative count in ", repeats);
        for (int64_t part : {int64_t{1}, size}) apart.push_back(part);
        for (int64_t part : {repeats[i], size}) stretched.push_back(part);
        sizes.push_back(to_int64(Wide{repeats[i]} * size, "repeat: the size of dimension ", i, " of shape ",
                                 x.sizes(), " with repeats ", repeats));
    }
    const Composite whole;
    return x.reshape(apart).expand(stretched).clone().view(sizes);
}

Tensor repeat_interleave(const Tensor& x, int64_t repeats, std::optional<int64_t> dim) {
    if (repeats < 0) fail<ShapeError>("repeat_interleave: a negative count, ", repeats);
    const Composite whole;
    if (!dim) return repeat_interleave(x.reshape({-1}), repeats, 0);
    const int64_t d = wrap_dim(*dim, x.dim(), "repeat_interleave");
    const Tensor rows = x.dim() == 0 ? x.reshape({1}) : x;
    Shape stretched = rows.sizes();
    stretched.insert(d + 1, repeats);
    Shape sizes = rows.sizes();
    sizes[d] = to_int64(Wide{sizes[d]} * repeats, "repeat_interleave: the size of dimension ", d,
                        " of shape ", x.sizes(), " with ", repeats, " repeats");
    return rows.unsqueeze(d + 1).expand(stretched).clone().view(sizes);
}

Tensor repeat_interleave(const Tensor& x, const Tensor& repeats, std::optional<int64_t> dim) {
    const Composite whole;
    if (!dim) return repeat_interleave(x.reshape({-1}), repeats, 0);
    const int64_t d = wrap_dim(*dim, x.dim(), "repeat_interleave");
    const Tensor rows = x.dim() == 0 ? x.reshape({1}) : x;
    return index_select(rows, d, repeated(repeats, rows.size(d)));
}

Tensor roll(const Tensor& x, const Shape& shifts, const Shape& dims) {
    const Composite whole;
    if (dims.empty() && shifts.size() == 1) return rolled(x.reshape({-1}), shifts[0], 0).reshape(x.sizes());
    if (shifts.size() != dims.size() || shifts.empty()) {
        fail<ShapeError>("roll: ", shifts.size(), " shifts for ", dims.size(),
                         " dims; each dimension needs one");
    }
    if (x.dim() == 0) fail<IndexError>("roll: a 0-d tensor has no dimension ", dims[0]);
    Tensor y = x;
    for (std::size_t i = 0; i < dims.size(); ++i)
        y = rolled(y, shifts[i], wrap_dim(dims[i], x.dim(), "roll"));
    return y;
}

Tensor pad(const Tensor& x, const Shape& pads, std::string_view mode, Scalar value) {
    if (mode == "constant") return pad_constant(x, pads, value);
    const Composite whole;
    if (mode == "reflect") return pad_indexed(x, pads, mode, reflect, [](int64_t size) { return size - 1; });
    if (mode == "replicate") {
        return pad_indexed(x, pads, mode, replicate,
                           [](int64_t) { return std::numeric_limits<int64_t>::max(); });
    }
    if (mode == "circular") return pad_circular(x, pads);
    fail<Error>("pad: the mode \"", mode, "\" is not one of constant, reflect, replicate, circular");
}

Tensor tril(const Tensor& x, int64_t diagonal) { return triangle("tril", x, diagonal, true); }
Tensor triu(const Tensor& x, int64_t diagonal) { return triangle("triu", x, diagonal, false); }

}  // namespace reel
