#include "ops/reduce/matrices_driver.hpp"

#include <algorithm>
#include <numeric>

#include "tensor/transpose.hpp"

namespace reel {

namespace {

using std::int64_t;

constexpr int64_t kLongRow = 1024;  // elements, from which a dense row is reduced where it is

/// Evenly spaced dimensions [first, last) as one: its stride, if there is one.
std::optional<int64_t> common_stride(const ReductionLayout& x, std::size_t first, std::size_t last) {
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

}  // namespace

ReductionLayout::ReductionLayout(const Tensor& x, const Shape& dims, bool as_given)
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

void ReductionLayout::move_to_front(ReducedGroup group) {
    for (Shape* values : {&sizes, &strides, &order, &reduced}) {
        std::rotate(values->begin(), values->begin() + group.first, values->begin() + group.last);
    }
}

ReducedGroup last_reduced_group(const ReductionLayout& x, bool split, bool apart) {
    std::size_t last = x.sizes.size();
    while (last > 0 && !x.reduced[last - 1]) --last;
    std::size_t first = last;
    int64_t row = 1;  // evenly spaced elements
    int64_t step = 1;
    for (; first > 0 && (x.reduced[first - 1] || x.sizes[first - 1] == 1); --first) {
        const int64_t size = x.sizes[first - 1];
        const int64_t stride = x.strides[first - 1];
        if (size == 1) continue;
        if (row == 1 && apart && kernels::is_short_step(stride)) step = stride;
        if (split && row >= kLongRow && stride != row * step) break;
        row = stride == row * step ? row * size : 0;
    }
    return {first, last};
}

MatrixSource::MatrixSource(const Tensor& x, const ReductionLayout& layout, const Preparation& how,
                           std::size_t row, std::size_t column, bool apart)
    : base(x.raw()),
      stored(x.dtype()),
      preparation(how),
      runs(layout.sizes, layout.strides),
      outer(Shape(std::span(layout.sizes.data(), row)), Shape(std::span(layout.strides.data(), row))),
      rows(numel(Shape(std::span(layout.sizes.data() + row, column - row)))),
      columns(numel(Shape(std::span(layout.sizes.data() + column, layout.sizes.size() - column)))) {
    const auto even = common_stride(layout, column, layout.sizes.size());
    const bool dense = even && (*even == 1 || columns == 1);
    const auto across = common_stride(layout, row, column);
    if (is_plain(how, stored) && (dense || (apart && even && kernels::is_short_step(*even) && across != 1)))
        direct = across;
    if (!dense && direct) step = *even;
    if (row == 0 && !dense && across == 1)
        columns_apart =
            StridedRuns(Shape(std::span(layout.sizes.data() + column, layout.sizes.size() - column)),
                        Shape(std::span(layout.strides.data() + column, layout.sizes.size() - column)));
}

LoadedBlock MatrixLoader::load(int64_t matrix, int64_t row, int64_t rows, int64_t column, int64_t columns) {
    const int64_t size = itemsize(source_.stored);
    if (source_.direct) {
        const int64_t offset =
            source_.outer.run(matrix).offset + row * *source_.direct + column * source_.step;
        return {source_.base + offset * size, *source_.direct, source_.step};
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

/// Elements [begin, begin + count) of the runs in the type reduced, as piece `i` of a block.
const std::byte* MatrixLoader::read(int64_t begin, int64_t count, int64_t i, int64_t pieces) {
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
const std::byte* MatrixLoader::read_across(int64_t row, int64_t rows, int64_t column, int64_t columns) {
    const int64_t size = itemsize(source_.stored);
    std::byte* block = space(0, rows * columns * size);
    with_unit(size, [&](auto unit) {
        using Unit = decltype(unit);
        for (int64_t done = 0; done < columns;) {
            const StridedRuns::Run run = source_.columns_apart->run(column + done);
            const int64_t some = std::min(run.length, columns - done);
            kernels::transpose(reinterpret_cast<const Unit*>(source_.base) + run.offset + row, run.step, rows,
                               some, reinterpret_cast<Unit*>(block) + done, columns);
            done += some;
        }
    });
    return converted(block, rows * columns, 0, 1);
}

/// `count` elements in the type reduced, as piece `i` of a block.
const std::byte* MatrixLoader::converted(const std::byte* from, int64_t count, int64_t i, int64_t pieces) {
    const DType compute = source_.preparation.compute;
    if (compute == source_.stored) return from;
    std::byte* to = space(1, pieces * count * itemsize(compute)) + i * count * itemsize(compute);
    kernels::convert(source_.stored, compute)(count, from, to);
    return to;
}

const std::byte* MatrixLoader::mapped(const std::byte* block, int64_t count) {
    const Preparation& how = source_.preparation;
    if (how.map == kernels::Fn::kIdentity) return block;
    std::byte* result = space(1, count * itemsize(how.compute));
    const void* operand = block;
    kernels::loop(how.map, how.compute)(count, result, &operand, nullptr);
    return result;
}

std::byte* MatrixLoader::space(std::size_t which, int64_t bytes) {
    Scratch& memory = memory_[which];
    if (memory.size() < bytes) memory = Scratch(bytes);
    return memory.data();
}

}  // namespace reel
