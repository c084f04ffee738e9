/// \file
/// A tensor as a reduction reads it: its dimensions in the order of memory, as matrices [outer, reduced, inner], whose blocks are
/// ready to be reduced.
#pragma once

#include <optional>

#include "ops/reduce/reduce_driver.hpp"
#include "tensor/iterate.hpp"
#include "tensor/scratch.hpp"

namespace reel {

/// Whether elements are reduced as they are stored.
inline bool is_plain(const Preparation& how, DType stored) {
    return how.compute == stored && how.map == kernels::Fn::kIdentity;
}

/// A block of a matrix: the elements of a row are `step` apart.
struct LoadedBlock {
    const std::byte* at;
    std::int64_t stride;
    std::int64_t step = 1;
};

/// [first, last): neighbouring dimensions that are all reduced.
struct ReducedGroup {
    std::size_t first;
    std::size_t last;
};

/// Sizes and strides in the order in which a reduction walks them.
struct ReductionLayout {
    Shape sizes;
    Shape strides;
    Shape order;    ///< which dimension of the tensor each is
    Shape reduced;  ///< 1 where it is to be reduced

    /// `as_given` where the order of the elements counts, else by falling stride.
    ReductionLayout(const Tensor& x, const Shape& dims, bool as_given);

    /// Walks the group's dimensions before all others: many short rows become a few long ones.
    void move_to_front(ReducedGroup group);
};

/// The last run of neighbours that are all reduced; with `split`, up to where long rows lie apart that are dense or, with
/// `apart`, of elements a short step apart.
ReducedGroup last_reduced_group(const ReductionLayout& x, bool split, bool apart);

/// A tensor as matrices [count, rows, columns]: rows and columns are the last two of the three groups.
struct MatrixSource {
    const std::byte* base;
    DType stored;
    Preparation preparation;
    StridedRuns runs;
    StridedRuns outer;  ///< of the matrices alone
    std::int64_t rows;
    std::int64_t columns;
    std::optional<std::int64_t> direct;        ///< the stride of the rows where they can be used as they are
    std::int64_t step = 1;                     ///< of elements of those
    std::optional<StridedRuns> columns_apart;  ///< where rows are dense down a column, and columns lie apart

    /// `apart`: rows whose elements lie apart are of use, too.
    MatrixSource(const Tensor& x, const ReductionLayout& layout, const Preparation& how, std::size_t row,
                 std::size_t column, bool apart = false);
};

/// One thread's view of a source: blocks of a matrix, ready to be reduced.
class MatrixLoader {
public:
    explicit MatrixLoader(const MatrixSource& source) : source_(source) {}
    LoadedBlock load(std::int64_t matrix, std::int64_t row, std::int64_t rows, std::int64_t column,
                     std::int64_t columns);

private:
    const std::byte* read(std::int64_t begin, std::int64_t count, std::int64_t i, std::int64_t pieces);
    const std::byte* read_across(std::int64_t row, std::int64_t rows, std::int64_t column,
                                 std::int64_t columns);
    const std::byte* converted(const std::byte* from, std::int64_t count, std::int64_t i,
                               std::int64_t pieces);
    const std::byte* mapped(const std::byte* block, std::int64_t count);
    std::byte* space(std::size_t which, std::int64_t bytes);

    const MatrixSource& source_;
    Scratch memory_[2];  // gathered, prepared
};

/// A dense tensor as matrices, or the dense states that an earlier reduction has left.
class DenseLoader {
public:
    DenseLoader(const Tensor& x, const Middle& shape, std::int64_t size)
        : base_(x.raw()), shape_(shape), size_(size) {}
    LoadedBlock load(std::int64_t matrix, std::int64_t row, std::int64_t, std::int64_t column,
                     std::int64_t) const {
        return {base_ + ((matrix * shape_.n + row) * shape_.inner + column) * size_, shape_.inner};
    }

private:
    const std::byte* base_;
    Middle shape_;
    std::int64_t size_;
};

}  // namespace reel
