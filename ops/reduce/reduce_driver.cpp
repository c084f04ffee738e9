// Reducing any dims of any layout. The dimensions are taken in the order of memory and fall into three groups:
// [outer, reduced, inner]. Where nothing lies inside, rows are reduced, else columns. What is left by the
// innermost reduced group is a smaller, dense tensor of states; groups further out merge those.
#include "ops/reduce/reduce_driver.hpp"

#include <algorithm>
#include <numeric>

#include "ops/pointwise/dense_driver.hpp"
#include "tensor/iterate.hpp"
#include "tensor/parallel.hpp"
#include "tensor/transpose.hpp"

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

/// Whether elements are reduced as they are stored.
bool is_plain(const Preparation& how, DType stored) {
    return how.compute == stored && how.map == kernels::Fn::kIdentity;
}

/// 16-bit elements are converted while they are reduced where a kernel does that, not block by block before.
Preparation read_in_place(kernels::ReduceOp op, DType stored, const Preparation& how) {
    const bool converts = how.compute == kFloat32 && is_reduced(stored) && how.map == kernels::Fn::kIdentity;
    return converts && kernels::reduction(op, stored).rows ? Preparation{stored} : how;
}

/// A matrix whose rows are dense.
struct Matrix {
    const std::byte* at;
    int64_t stride;
};

/// [first, last): neighbouring dimensions that are all reduced.
struct Group {
    std::size_t first;
    std::size_t last;
};

/// Sizes and strides in the order in which a reduction walks them.
struct Layout {
    Shape sizes;
    Shape strides;
    Shape order;    ///< which dimension of the tensor each is
    Shape reduced;  ///< 1 where it is to be reduced

    /// `as_given` where the order of the elements counts, else by falling stride.
    Layout(const Tensor& x, const Shape& dims, bool as_given)
        : sizes(x.sizes()), strides(x.strides()), order(sizes) {
        std::iota(order.begin(), order.end(), 0);
        if (!as_given && !x.is_contiguous()) {
            order = dims_by_stride(x.sizes(), x.strides());
            for (std::size_t i = 0; i < order.size(); ++i) {
                sizes[i] = x.sizes()[order[i]];
                strides[i] = x.strides()[order[i]];
            }
        }
        for (int64_t dim : order) reduced.push_back(contains(dims, dim) ? 1 : 0);
    }

    /// Walks the group's dimensions before all others: many short rows become a few long ones.
    void move_to_front(Group group) {
        for (Shape* values : {&sizes, &strides, &order, &reduced}) {
            std::rotate(values->begin(), values->begin() + group.first, values->begin() + group.last);
        }
    }
};

constexpr int64_t kLongRow = 1024;  // elements, from which a dense row is reduced where it is

/// The last run of neighbours that are all reduced; with `split`, up to where long dense rows lie apart.
Group last_group(const Layout& x, bool split) {
    std::size_t last = x.sizes.size();
    while (last > 0 && !x.reduced[last - 1]) --last;
    std::size_t first = last;
    int64_t row = 1;
    while (first > 0 && (x.reduced[first - 1] || x.sizes[first - 1] == 1)) {
        if (split && row >= kLongRow && x.sizes[first - 1] != 1 && x.strides[first - 1] != row) break;
        --first;
        row = x.strides[first] == row || x.sizes[first] == 1 ? row * x.sizes[first] : 0;
    }
    return {first, last};
}

/// Evenly spaced dimensions [first, last) as one: its stride, if there is one.
std::optional<int64_t> common_stride(const Layout& x, std::size_t first, std::size_t last) {
    std::optional<int64_t> stride;
    int64_t reach = 0;
    for (std::size_t i = last; i-- > first;) {
        if (x.sizes[i] == 1) continue;
        if (stride && x.strides[i] != reach) return None;
        if (!stride) stride = x.strides[i];
        reach = x.strides[i] * x.sizes[i];
    }
    return stride ? stride : 0;
}

/// A tensor as matrices [count, rows, columns]: rows and columns are the last two of the three groups.
struct Source {
    const std::byte* base;
    DType stored;
    Preparation preparation;
    StridedRuns runs;
    StridedRuns outer;  ///< of the matrices alone
    int64_t rows;
    int64_t columns;
    std::optional<int64_t> direct;             ///< the stride of the rows where they can be used as they are
    std::optional<StridedRuns> columns_apart;  ///< where rows are dense down a column, and columns lie apart

    Source(const Tensor& x, const Layout& layout, const Preparation& how, std::size_t row, std::size_t column)
        : base(x.raw()),
          stored(x.dtype()),
          preparation(how),
          runs(layout.sizes, layout.strides),
          outer(Shape(std::span(layout.sizes.data(), row)), Shape(std::span(layout.strides.data(), row))),
          rows(numel(Shape(std::span(layout.sizes.data() + row, column - row)))),
          columns(numel(Shape(std::span(layout.sizes.data() + column, layout.sizes.size() - column)))) {
        const auto step = common_stride(layout, column, layout.sizes.size());
        const bool dense = step && (*step == 1 || columns == 1);
        if (dense && is_plain(how, stored)) direct = common_stride(layout, row, column);
        if (row == 0 && !dense && common_stride(layout, row, column) == 1)
            columns_apart =
                StridedRuns(Shape(std::span(layout.sizes.data() + column, layout.sizes.size() - column)),
                            Shape(std::span(layout.strides.data() + column, layout.sizes.size() - column)));
    }
};

/// One thread's view of a source: blocks of a matrix, ready to be reduced.
class Loader {
public:
    explicit Loader(const Source& source) : source_(source) {}

    Matrix load(int64_t matrix, int64_t row, int64_t rows, int64_t column, int64_t columns) {
        const int64_t size = itemsize(source_.stored);
        if (source_.direct) {
            const int64_t offset = source_.outer.run(matrix).offset + row * *source_.direct + column;
            return {source_.base + offset * size, *source_.direct};
        }
        if (source_.columns_apart)
            return {mapped(read_across(row, rows, column, columns), rows * columns), columns};
        const int64_t begin = (matrix * source_.rows + row) * source_.columns + column;
        const bool whole = rows == 1 || columns == source_.columns;  // one range of the runs
        const int64_t pieces = whole ? 1 : rows;
        const int64_t length = rows * columns / pieces;
        const std::byte* block = nullptr;
        for (int64_t i = pieces; i-- > 0;) block = read(begin + i * source_.columns, length, i, pieces);
        return {mapped(block, rows * columns), columns};
    }

private:
    /// Elements [begin, begin + count) of the runs in the type reduced, as piece `i` of a block.
    const std::byte* read(int64_t begin, int64_t count, int64_t i, int64_t pieces) {
        const DType compute = source_.preparation.compute;
        const int64_t size = itemsize(source_.stored);
        const StridedRuns::Run run = source_.runs.run(begin);
        const std::byte* from = source_.base + run.offset * size;
        const bool is_dense = run.step == 1 && run.length >= count;
        if (!is_dense || (compute == source_.stored && pieces > 1)) {
            std::byte* gathered = space(0, pieces * count * size) + i * count * size;
            source_.runs.gather(size, source_.base, begin, count, gathered);
            from = gathered;
        }
        return converted(from, count, i, pieces);
    }
    /// A block of many short rows of memory, each of which is part of a column.
    const std::byte* read_across(int64_t row, int64_t rows, int64_t column, int64_t columns) {
        const int64_t size = itemsize(source_.stored);
        std::byte* block = space(0, rows * columns * size);
        with_unit(size, [&](auto unit) {
            using Unit = decltype(unit);
            for (int64_t done = 0; done < columns;) {
                const StridedRuns::Run run = source_.columns_apart->run(column + done);
                const int64_t some = std::min(run.length, columns - done);
                kernels::transpose(reinterpret_cast<const Unit*>(source_.base) + run.offset + row, run.step,
                                   rows, some, reinterpret_cast<Unit*>(block) + done, columns);
                done += some;
            }
        });
        return converted(block, rows * columns, 0, 1);
    }
    /// `count` elements in the type reduced, as piece `i` of a block.
    const std::byte* converted(const std::byte* from, int64_t count, int64_t i, int64_t pieces) {
        const DType compute = source_.preparation.compute;
        if (compute == source_.stored) return from;
        std::byte* to = space(1, pieces * count * itemsize(compute)) + i * count * itemsize(compute);
        kernels::convert(source_.stored, compute)(count, from, to);
        return to;
    }
    const std::byte* mapped(const std::byte* block, int64_t count) {
        const Preparation& how = source_.preparation;
        if (how.map == kernels::Fn::kIdentity) return block;
        std::byte* result = space(1, count * itemsize(how.compute));
        const void* operand = block;
        kernels::loop(how.map, how.compute)(count, result, &operand, nullptr);
        return result;
    }
    std::byte* space(std::size_t which, int64_t bytes) {
        Tensor& memory = memory_[which];
        if (!memory.defined() || memory.numel() < bytes) memory = Tensor::empty({bytes}, kBool);
        return memory.raw();
    }

    const Source& source_;
    Tensor memory_[2];  // gathered, prepared
};

/// A dense tensor as matrices, or the dense states that an earlier reduction has left.
class DenseLoader {
public:
    DenseLoader(const Tensor& x, const Middle& shape, int64_t size)
        : base_(x.raw()), shape_(shape), size_(size) {}
    Matrix load(int64_t matrix, int64_t row, int64_t, int64_t column, int64_t) const {
        return {base_ + ((matrix * shape_.n + row) * shape_.inner + column) * size_, shape_.inner};
    }

private:
    const std::byte* base_;
    Middle shape_;
    int64_t size_;
};

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
                const Matrix x = loader.load(0, row, rows, 0, shape.n);
                kernel.rows(rows, shape.n, x.at, x.stride, 0, y + row * kernel.state);
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
            const Matrix x = loader.load(0, part / chunks, 1, first, length);
            kernel.rows(1, length, x.at, length, first, parts.raw() + part * kernel.state);
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
            const Matrix x = loader.load(part / chunks, row, rows, column, columns);
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
    Layout layout(x, dims, dims.size() > 1 && has_index);
    Group group = last_group(layout, !has_index);
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
        const Source source(x, layout, preparation, 0, group.first);
        reduce_rows(
            kernel, [&] { return Loader(source); }, shape, is_plain(preparation, x.dtype()) ? kBlock : kBatch,
            states.raw());
    } else {
        const Source source(x, layout, preparation, group.first, group.last);
        reduce_columns(
            kernel, kernel.columns, [&] { return Loader(source); }, shape, states.raw());
    }
    for (;;) {
        std::fill_n(layout.sizes.begin() + group.first, group.last - group.first, 1);
        for (std::size_t i = group.first; i < group.last; ++i) layout.reduced[i] = 0;
        group = last_group(layout, false);
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
