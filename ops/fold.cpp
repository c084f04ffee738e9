#include "ops/fold.hpp"

#include <algorithm>

#include "ops/apply.hpp"
#include "tensor/iterate.hpp"
#include "tensor/parallel.hpp"

namespace reel {

namespace {

using std::int64_t;

constexpr int64_t kChunk =
    64 * 1024;  // elements that one thread folds at a time when there is a single result

/// Dense memory read as [outer, reduced, inner], folded over the middle.
struct Middle {
    int64_t outer;
    int64_t reduced;
    int64_t inner;
};

/// One long row: chunks of a fixed length, then the chunks' results.
void fold_row(const kernels::Reduction& kernel, int64_t n, int64_t size, const std::byte* x, std::byte* y) {
    if (n <= kChunk) return kernel.row(n, x, y);
    const int64_t chunks = (n + kChunk - 1) / kChunk;
    const Tensor parts = Tensor::empty({chunks * size}, kBool);
    parallel_for(chunks, 1, kChunk, [&](int64_t begin, int64_t end) {
        for (int64_t c = begin; c < end; ++c) {
            kernel.row(std::min(kChunk, n - c * kChunk), x + c * kChunk * size, parts.raw() + c * size);
        }
    });
    kernel.row(chunks, parts.raw(), y);
}

/// Many rows into one: where they are long, strips of columns; where they are many, chunks of rows.
void fold_columns(const kernels::Reduction& kernel, const Middle& shape, int64_t size, const std::byte* x,
                  std::byte* y) {
    constexpr int64_t kStrip = 256;
    const int64_t chunk = std::max<int64_t>(32, kChunk / shape.inner / 32 * 32);
    if (shape.inner >= 2 * kStrip || shape.reduced <= chunk) {
        parallel_for(shape.inner, kStrip, shape.reduced, [&](int64_t begin, int64_t end) {
            kernel.columns(shape.reduced, end - begin, x + begin * size, shape.inner, y + begin * size);
        });
        return;
    }
    const int64_t chunks = (shape.reduced + chunk - 1) / chunk;
    const Tensor parts = Tensor::empty({chunks * shape.inner * size}, kBool);
    parallel_for(chunks, 1, chunk * shape.inner, [&](int64_t begin, int64_t end) {
        for (int64_t c = begin; c < end; ++c) {
            kernel.columns(std::min(chunk, shape.reduced - c * chunk), shape.inner,
                           x + c * chunk * shape.inner * size, shape.inner,
                           parts.raw() + c * shape.inner * size);
        }
    });
    kernel.columns(chunks, shape.inner, parts.raw(), shape.inner, y);
}

void fold_middle(const kernels::Reduction& kernel, const Middle& shape, int64_t size, const std::byte* x,
                 std::byte* y) {
    const int64_t plane = shape.reduced * shape.inner;
    if (shape.outer == 1) {
        return shape.inner == 1 ? fold_row(kernel, shape.reduced, size, x, y)
                                : fold_columns(kernel, shape, size, x, y);
    }
    parallel_for(shape.outer, 1, plane, [&](int64_t begin, int64_t end) {
        for (int64_t o = begin; o < end; ++o) {
            const std::byte* from = x + o * plane * size;
            std::byte* to = y + o * shape.inner * size;
            if (shape.inner == 1) {
                kernel.row(shape.reduced, from, to);
            } else {
                kernel.columns(shape.reduced, shape.inner, from, shape.inner, to);
            }
        }
    });
}

/// The last run of neighbouring dimensions that are all reduced.
struct Group {
    std::size_t first;
    std::size_t last;
};

Group last_group(const Shape& sizes, const std::vector<bool>& reduced) {
    std::size_t last = sizes.size();
    while (last > 0 && !(reduced[last - 1] && sizes[last - 1] != 1)) --last;
    std::size_t first = last;
    while (first > 0 && (reduced[first - 1] || sizes[first - 1] == 1)) --first;
    return {first, last};
}

}  // namespace

Tensor fold(kernels::Fold how, const Tensor& x, const Shape& dims, DType compute) {
    const kernels::Reduction& kernel = kernels::reduction(how, compute);
    // Read in memory order, where a permuted tensor is dense, too.
    const Shape order = memory_order(x.sizes(), x.strides());
    Shape sizes = x.sizes();
    Shape strides = x.strides();
    Shape result_sizes = x.sizes();
    std::vector<bool> reduced(sizes.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        const auto from = static_cast<std::size_t>(order[i]);
        sizes[i] = x.sizes()[from];
        strides[i] = x.strides()[from];
        reduced[i] = contains(dims, order[i]);
        if (reduced[i]) result_sizes[from] = 1;
    }
    Tensor part =
        dense(Tensor::make(x.impl().storage, x.dtype(), sizes, strides, x.storage_offset()), compute);
    // The innermost group of reduced dimensions first: what is left is smaller, and dense.
    bool folded = false;
    for (;;) {
        const Group group = last_group(sizes, reduced);
        if (group.first == group.last) break;
        folded = true;
        Middle shape{1, 1, 1};
        for (std::size_t i = 0; i < sizes.size(); ++i) {
            (i < group.first ? shape.outer : i < group.last ? shape.reduced : shape.inner) *= sizes[i];
        }
        for (std::size_t i = group.first; i < group.last; ++i) sizes[i] = 1;
        const Tensor result = Tensor::empty(sizes, compute);
        if (result.numel() > 0) fold_middle(kernel, shape, itemsize(compute), part.raw(), result.raw());
        part = result;
    }
    if (!folded && part.shares_storage(x)) part = dense_copy(part, compute);
    Shape back = order;
    for (std::size_t i = 0; i < order.size(); ++i)
        back[static_cast<std::size_t>(order[i])] = part.strides()[i];
    Tensor y = Tensor::make(part.impl().storage, compute, result_sizes, back, 0);
    return y.is_contiguous() ? y : dense_copy(y, compute);
}

}  // namespace reel
