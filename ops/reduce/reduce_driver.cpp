// Reducing any dims of any layout. The dimensions are taken in the order of memory and fall into three groups:
// [outer, reduced, inner]. Where nothing lies inside, rows are reduced, else columns. What is left by the
// innermost reduced group is a smaller, dense tensor of states; groups further out merge those.
#include "ops/reduce/reduce_driver.hpp"

#include <algorithm>

#include "ops/pointwise/dense_driver.hpp"
#include "ops/reduce/matrices_driver.hpp"
#include "tensor/parallel.hpp"

namespace reel {

namespace {

using kernels::ReduceMatrix;
using std::int64_t;

constexpr int64_t kBlock =
    16 * 1024;                     // elements reduced at a time: they fit in L2 where they must be gathered
constexpr int64_t kBatch = 4096;   // of rows that are converted or mapped, or short: they stay in L1
constexpr int64_t kColumns = 512;  // columns of a block
constexpr int64_t kRows = 64;      // the multiple that its rows come in
constexpr int64_t kShort = 16;     // rows up to this length are read across, as columns

int64_t blocks_of(int64_t count, int64_t block) { return (count + block - 1) / block; }

/// 16-bit elements are converted while they are reduced where a kernel does that, not block by block before.
Preparation read_in_place(kernels::ReduceOp op, DType stored, const Preparation& how) {
    const bool converts = how.compute == kFloat32 && is_reduced(stored) && how.map == kernels::Fn::kIdentity;
    return converts && kernels::reduction(op, stored).rows ? Preparation{stored} : how;
}

/// The chunks' states of each result, one after the other in memory, merged.
void merge_chunks(const kernels::Reduction& kernel, const Tensor& parts, int64_t outer, int64_t chunks,
                  int64_t inner, std::byte* y) {
    parallel_for(outer, 1, chunks * inner, [&](int64_t begin, int64_t end) {
        for (int64_t o = begin; o < end; ++o) {
            kernel.merge(chunks, inner, parts.raw() + o * chunks * inner * kernel.state, inner, 0,
                         y + o * inner * kernel.state);
        }
    });
}

void reduce_block_of_rows(const kernels::Reduction& kernel, int64_t rows, int64_t n, const LoadedBlock& x,
                          int64_t first, std::byte* y) {
    if (x.step == 1) return kernel.rows(rows, n, x.at, x.stride, first, y);
    kernel.apart(rows, n, x.at, x.stride, x.step, y);
}

/// Nothing lies inside: whole rows where they are no longer than a block, else chunks of one.
void reduce_rows(const kernels::Reduction& kernel, const auto& make_loader, const Middle& shape,
                 int64_t block, std::byte* y) {
    const int64_t chunk = std::min(block, shape.n);
    const int64_t chunks = blocks_of(shape.n, chunk);
    if (chunks == 1) {
        const int64_t batch = std::max<int64_t>(1, kBatch / shape.n);
        parallel_for(shape.outer, batch, shape.n, [&](int64_t begin, int64_t end) {
            auto loader = make_loader();
            for (int64_t row = begin; row < end; row += batch) {
                const int64_t rows = std::min(batch, end - row);
                const LoadedBlock x = loader.load(0, row, rows, 0, shape.n);
                reduce_block_of_rows(kernel, rows, shape.n, x, 0, y + row * kernel.state);
            }
        });
        return;
    }
    const Tensor parts = Tensor::empty({shape.outer * chunks * kernel.state}, kBool);
    parallel_for(shape.outer * chunks, 1, chunk, [&](int64_t begin, int64_t end) {
        auto loader = make_loader();
        for (int64_t part = begin; part < end; ++part) {
            const int64_t first = part % chunks * chunk;
            const int64_t length = std::min(chunk, shape.n - first);
            const LoadedBlock x = loader.load(0, part / chunks, 1, first, length);
            reduce_block_of_rows(kernel, 1, length, {x.at, length * x.step, x.step}, first,
                                 parts.raw() + part * kernel.state);
        }
    });
    merge_chunks(kernel, parts, shape.outer, chunks, 1, y);
}

/// Blocks of some rows and a strip of columns each.
void reduce_columns(const kernels::Reduction& kernel, ReduceMatrix reduce_block, const auto& make_loader,
                    const Middle& shape, std::byte* y) {
    const int64_t width = std::min(kColumns, shape.inner);
    const int64_t chunk = std::min(shape.n, std::max(kRows, kBlock / shape.inner / kRows * kRows));
    const int64_t chunks = blocks_of(shape.n, chunk);
    const int64_t strips = blocks_of(shape.inner, width);
    const Tensor parts =
        chunks == 1 ? Tensor() : Tensor::empty({shape.outer * chunks * shape.inner * kernel.state}, kBool);
    std::byte* states = chunks == 1 ? y : parts.raw();
    parallel_for(shape.outer * chunks * strips, 1, chunk * width, [&](int64_t begin, int64_t end) {
        auto loader = make_loader();
        for (int64_t block = begin; block < end; ++block) {
            const int64_t column = block % strips * width;
            const int64_t part = block / strips;
            const int64_t row = part % chunks * chunk;
            const int64_t rows = std::min(chunk, shape.n - row);
            const int64_t columns = std::min(width, shape.inner - column);
            const LoadedBlock x = loader.load(part / chunks, row, rows, column, columns);
            reduce_block(rows, columns, x.at, x.stride, row,
                         states + (part * shape.inner + column) * kernel.state);
        }
    });
    if (chunks > 1) merge_chunks(kernel, parts, shape.outer, chunks, shape.inner, y);
}

/// The states of an empty reduction: each the reduction of no elements.
void reduce_nothing(const kernels::Reduction& kernel, int64_t count, std::byte* y) {
    for (int64_t i = 0; i < count; ++i) kernel.rows(1, 0, nullptr, 0, 0, y + i * kernel.state);
}

/// Many short rows, which are better read across.
bool are_short(const Middle& shape) {
    return shape.inner == 1 && shape.n <= kShort && shape.outer >= kColumns;
}

/// A tensor that is one dense [outer, reduced, inner] already, as most are.
std::optional<Middle> dense_middle(const Tensor& x, const Shape& dims, const Preparation& how) {
    if (!x.is_contiguous() || !is_plain(how, x.dtype())) return None;
    const auto [first, last] = std::minmax_element(dims.begin(), dims.end());
    if (dims.empty() || static_cast<std::size_t>(*last - *first) + 1 != dims.size()) return None;
    const Middle shape = middle_of(x.sizes(), *first, *last + 1);
    return are_short(shape) || shape.n == 0 ? None : std::optional(shape);
}

/// [outer, reduced, inner] → [outer, inner].
void reduce_dense(const kernels::Reduction& kernel, const Tensor& x, const Middle& shape, std::byte* y) {
    if (shape.outer * shape.inner == 0) return;
    if (shape.inner == 1) {
        const DenseLoader rows(x, {1, shape.outer, shape.n}, x.itemsize());
        reduce_rows(
            kernel, [&] { return rows; }, shape, kBlock, y);
    } else {
        const DenseLoader columns(x, shape, x.itemsize());
        reduce_columns(
            kernel, kernel.columns, [&] { return columns; }, shape, y);
    }
}

}  // namespace

States reduce_states(kernels::ReduceOp op, const Tensor& x, const Shape& dims, const Preparation& wanted) {
    const Preparation preparation = read_in_place(op, x.dtype(), wanted);
    const kernels::Reduction& kernel = kernels::reduction(op, preparation.compute);
    const bool has_index = op == kernels::ReduceOp::kArgMax || op == kernels::ReduceOp::kArgMin;
    const bool apart = kernel.apart && is_plain(preparation, x.dtype());
    ReductionLayout layout(x, dims, dims.size() > 1 && has_index);
    ReducedGroup group = last_reduced_group(layout, !has_index, apart);
    Middle shape = middle_of(layout.sizes, group.first, group.last);
    if (are_short(shape)) {
        layout.move_to_front(group);
        group = {0, group.last - group.first};
        shape = middle_of(layout.sizes, group.first, group.last);
    }
    Tensor states = Tensor::empty({shape.outer * shape.inner * kernel.state}, kBool);
    if (shape.outer * shape.inner == 0) {
    } else if (shape.n == 0) {
        reduce_nothing(kernel, shape.outer * shape.inner, states.raw());
    } else if (shape.inner == 1) {
        const MatrixSource source(x, layout, preparation, 0, group.first, apart);
        reduce_rows(
            kernel, [&] { return MatrixLoader(source); }, shape,
            is_plain(preparation, x.dtype()) ? kBlock : kBatch, states.raw());
    } else {
        const MatrixSource source(x, layout, preparation, group.first, group.last);
        reduce_columns(
            kernel, kernel.columns, [&] { return MatrixLoader(source); }, shape, states.raw());
    }
    for (;;) {
        std::fill_n(layout.sizes.begin() + group.first, group.last - group.first, 1);
        for (std::size_t i = group.first; i < group.last; ++i) layout.reduced[i] = 0;
        group = last_reduced_group(layout, false, false);
        if (group.first == group.last) break;
        shape = middle_of(layout.sizes, group.first, group.last);
        const Tensor merged = Tensor::empty({shape.outer * shape.inner * kernel.state}, kBool);
        if (shape.outer * shape.inner > 0 && shape.n == 0) {
            reduce_nothing(kernel, shape.outer * shape.inner, merged.raw());
        } else if (shape.outer * shape.inner > 0) {
            const DenseLoader loader(states, shape, kernel.state);
            reduce_columns(
                kernel, kernel.merge, [&] { return loader; }, shape, merged.raw());
        }
        states = merged;
    }
    const Shape dense_strides = contiguous_strides(layout.sizes);
    Shape sizes = layout.sizes;
    Shape strides = dense_strides;
    for (std::size_t i = 0; i < layout.order.size(); ++i) {
        sizes[layout.order[i]] = layout.sizes[i];
        strides[layout.order[i]] = dense_strides[i];
    }
    return {states, sizes, strides};
}

Tensor States::arranged(const Tensor& values) const {
    return dense(Tensor::make(values.impl().storage, values.dtype(), sizes, strides, 0));
}

Tensor States::elements(DType dtype) const {
    return dense(Tensor::make(memory.impl().storage, dtype, sizes, strides, 0));
}

Tensor reduce(kernels::ReduceOp op, const Tensor& x, const Shape& dims, const Preparation& preparation) {
    const bool counts = op == kernels::ReduceOp::kSum && preparation.compute == kBool;
    const DType result = counts ? kInt64 : preparation.compute;
    const Preparation how = read_in_place(op, x.dtype(), preparation);
    const auto shape = dense_middle(x, dims, how);
    if (!shape) return reduce_states(op, x, dims, how).elements(result);
    Tensor y = Tensor::empty(reduced_sizes(x.sizes(), dims, true), result);
    reduce_dense(kernels::reduction(op, how.compute), x, *shape, y.raw());
    return y;
}

}  // namespace reel
