// Joining tensors: copies of runs into one result. What a part gave is a slice of the result, and so is its
// gradient.
#include "ops/shape/join.hpp"

#include "autograd/tape.hpp"
#include "ops/pointwise/dense_driver.hpp"
#include "tensor/checked.hpp"
#include "tensor/copy.hpp"
#include "tensor/iterate.hpp"
#include "tensor/parallel.hpp"
#include "tensor/scratch.hpp"

namespace reel {

namespace {

using std::int64_t;

std::size_t at(int64_t dim) { return static_cast<std::size_t>(dim); }

/// PyTorch's relic: a 1-d tensor of no elements joins with anything.
bool is_skipped(const Tensor& x) { return x.dim() == 1 && x.numel() == 0; }

void check_not_none(const char* name, const std::vector<Tensor>& tensors) {
    if (tensors.empty()) fail<ShapeError>(name, ": no tensors are given; at least one is needed");
}

/// A tensor that takes part, and where it starts along the dimension.
struct Part {
    Tensor tensor;
    int64_t start;
};

DType common_dtype(const std::vector<Tensor>& tensors) {
    DType dtype = tensors.front().dtype();
    for (const Tensor& tensor : tensors) dtype = promote(dtype, tensor.dtype());
    return dtype;
}

/// Throws unless all sizes but that along `dim` are those of `model`.
void check_fits(const Tensor& model, const Tensor& x, std::size_t index, int64_t dim) {
    bool fits = model.dim() == x.dim();
    for (int64_t d = 0; d < x.dim() && fits; ++d) fits = d == dim || model.sizes()[at(d)] == x.sizes()[at(d)];
    if (fits) return;
    fail<ShapeError>("cat: tensor ", index, " of shape ", x.sizes(), " does not match one of shape ",
                     model.sizes(), " along dimension ", dim, "; all other sizes must agree");
}

/// What is left of sizes or strides before dimension `dim`, and from it on.
Shape outer(const Shape& x, int64_t dim) { return std::span<const int64_t>(x.data(), at(dim)); }
Shape inner(const Shape& x, int64_t dim) { return std::span<const int64_t>(x.begin() + dim, x.end()); }

/// What a part gives to each row of the result: its bytes [start, end).
struct Runs {
    const std::byte* first;
    int64_t start, end;
    int64_t itemsize;
    StridedRuns rows;
    int64_t step;  ///< bytes from a run to the next, where that is the same for all

    Runs(const Part& part, int64_t dim, int64_t slice)
        : first(part.tensor.raw()),
          start(slice * part.start),
          end(start + slice * part.tensor.sizes()[at(dim)]),
          itemsize(part.tensor.itemsize()),
          rows(outer(part.tensor.sizes(), dim), outer(part.tensor.strides(), dim)),
          step(rows.run(0).step * itemsize) {}
    const std::byte* run(int64_t row) const {
        return first + (rows.is_even() ? row * step : rows.run(row).offset * itemsize);
    }
    /// Its runs in rows [row, last), which lie `to_step` bytes apart from `to` on.
    void copy(int64_t row, int64_t last, std::byte* to, int64_t to_step) const {
        if (rows.is_even()) return copy_rows(to + start, to_step, run(row), step, last - row, end - start);
        for (; row < last; ++row, to += to_step) copy_rows(to + start, to_step, run(row), 0, 1, end - start);
    }
};

/// One row of the result holds one run of each part.
void copy_runs(const Tensor& y, const std::vector<Part>& parts, int64_t dim) {
    const int64_t rows = numel(outer(y.sizes(), dim));
    const int64_t slice = y.itemsize() * y.strides()[at(dim)];
    const int64_t row = slice * y.sizes()[at(dim)];
    std::vector<Runs> runs;
    runs.reserve(parts.size());
    for (const Part& part : parts) runs.emplace_back(part, dim, slice);
    const bool streams = rows * row >= kStreamedCopy;
    if (row <= kJoined && row < kShortCopy * static_cast<int64_t>(parts.size())) {
        const int64_t block = kJoined / row;
        parallel_for(rows, block, row, [&](int64_t begin, int64_t end) {
            const Scratch joined(streams ? kJoined : 0);
            for (int64_t i = begin; i < end; i += block) {
                const int64_t last = std::min(i + block, end);
                std::byte* to = y.raw() + i * row;
                for (const Runs& part : runs) part.copy(i, last, streams ? joined.data() : to, row);
                if (streams) copy_bytes(to, joined.data(), (last - i) * row, true);
            }
            if (streams) finish_stream();
        });
        return;
    }
    // A job is a whole row, or a piece of one.
    constexpr int64_t kPiece = 1 << 16;  // bytes: enough for a thread to be worth it
    const int64_t pieces = (row + kPiece - 1) / kPiece;
    parallel_for(rows * pieces, 1, std::min(row, kPiece), [&](int64_t begin, int64_t end) {
        for (int64_t job = begin; job < end; ++job) {
            const int64_t i = pieces == 1 ? job : job / pieces;
            const int64_t first = (job - i * pieces) * kPiece;
            const int64_t last = std::min(row, first + kPiece);
            std::byte* to = y.raw() + i * row;
            for (const Runs& part : runs) {
                const int64_t low = std::max(first, part.start);
                const int64_t high = std::min(last, part.end);
                if (low >= high) continue;
                copy_bytes(to + low, part.run(i) + (low - part.start), high - low, streams);
            }
        }
        if (streams) finish_stream();
    });
}

/// The part of `y` that a tensor gave, to be written.
Tensor place_of(const Tensor& y, const Part& part, int64_t dim) {
    return Tensor::make(y.impl().storage, y.dtype(), part.tensor.sizes(), y.strides(),
                        part.start * y.strides()[at(dim)]);
}

/// Slices [begin, end) along the first dimension.
Tensor cut(const Tensor& x, int64_t begin, int64_t end) {
    Shape sizes = x.sizes();
    sizes[0] = end - begin;
    return Tensor::make(x.impl().storage, x.dtype(), sizes, x.strides(),
                        x.storage_offset() + begin * x.strides()[0]);
}

/// The same element by element, of a few slices along the first dimension at a time: they stay in cache until
/// the last part is written.
void copy_slices(const Tensor& y, const std::vector<Part>& parts, int64_t dim) {
    constexpr int64_t kSlices =
        65536;  // elements; of an eighth, to begin each copy would cost a fifth of the time
    const int64_t count = dim == 0 ? 1 : y.sizes()[0];
    const int64_t step = std::max<int64_t>(1, kSlices * count / y.numel());
    parallel_for(count, step, y.numel() / count, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i += step) {
            for (const Part& part : parts) {
                Tensor to = place_of(y, part, dim);
                Tensor from = part.tensor;
                if (step < count) {
                    to = cut(to, i, std::min(end, i + step));
                    from = cut(from, i, std::min(end, i + step));
                }
                if (from.numel() > 0) copy_elements(to, from);
            }
        }
    });
}

}  // namespace

Tensor cat(const std::vector<Tensor>& tensors, int64_t dim) {
    check_not_none("cat", tensors);
    const Tensor* model = &tensors.front();
    for (const Tensor& tensor : tensors) {
        if (tensor.dim() == 0)
            fail<ShapeError>("cat: a 0-d tensor has no dimension to join along; use stack");
        if (is_skipped(*model)) model = &tensor;
    }
    const int64_t d = is_skipped(*model) ? 0 : wrap_dim(dim, model->dim(), "cat");
    std::vector<Part> parts;
    std::vector<OwnedEdge> edges;
    parts.reserve(tensors.size());
    edges.reserve(tensors.size());
    Shape sizes = model->sizes();
    sizes[at(d)] = 0;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        if (is_skipped(tensors[i])) {
            edges.emplace_back(tensors[i], Pullback());
            continue;
        }
        check_fits(*model, tensors[i], i, d);
        parts.push_back({tensors[i], sizes[at(d)]});
        sizes[at(d)] = to_int64(Wide{sizes[at(d)]} + tensors[i].sizes()[at(d)], "cat: the size of dimension ",
                                d, " with tensor ", i, " of shape ", tensors[i].sizes());
    }
    const Tensor y = Tensor::empty(sizes, common_dtype(tensors));
    bool plain = true;
    for (const Part& part : parts) {
        const Tensor& x = part.tensor;
        plain = plain && x.dtype() == y.dtype() && is_contiguous(inner(x.sizes(), d), inner(x.strides(), d));
    }
    if (y.numel() > 0) plain ? copy_runs(y, parts, d) : copy_slices(y, parts, d);
    for (const Part& part : parts) {
        const int64_t length = part.tensor.sizes()[at(d)];
        edges.emplace_back(part.tensor, Pullback([d, start = part.start, length](const Tensor& y_bar) {
                               return y_bar.narrow(d, start, length);
                           }));
    }
    return record("cat", y, edges);
}

Tensor stack(const std::vector<Tensor>& tensors, int64_t dim) {
    check_not_none("stack", tensors);
    const int64_t d = wrap_dim(dim, tensors.front().dim() + 1, "stack");
    const Composite whole;
    std::vector<Tensor> parts;
    parts.reserve(tensors.size());
    for (const Tensor& tensor : tensors) {
        if (tensor.sizes() != tensors.front().sizes()) {
            fail<ShapeError>("stack: shapes ", tensors.front().sizes(), " and ", tensor.sizes(),
                             " differ; all must be equal");
        }
    }
    for (const Tensor& tensor : tensors) parts.push_back(tensor.unsqueeze(d));
    return cat(parts, d);
}

}  // namespace reel
