/// \file
/// Walking strided memory. Every kernel sees dense runs; a `StridedRuns` turns any strided operand into them, and
/// back.
///
/// Note [Dense blocks]
/// An operation cuts its index space, read in row-major order, into blocks. For each block an operand is
/// either used where it is (the block lies in one evenly spaced run of step 1) or gathered into a buffer
/// that stays in cache. So a kernel is written once, for dense memory, and a pointwise operation gives the same
/// bits for every layout of its operands. (What reduces numbers may take them in the order of memory: Note [Fixed tree] in
/// `ops/reduce/reduce_driver.hpp`.)
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/shape.hpp"

namespace reel {

/// Writes `count` copies of the element at `value` to dense memory.
void repeat_element(std::int64_t itemsize, const std::byte* value, std::int64_t count, std::byte* dense);

/// Copies elements that are `step` apart to dense memory, and back.
void read_apart(std::int64_t itemsize, const std::byte* from, std::int64_t step, std::int64_t count,
                std::byte* dense);
void write_apart(std::int64_t itemsize, std::byte* to, std::int64_t step, std::int64_t count,
                 const std::byte* dense);

/// The places of an operand's elements, in row-major order of `sizes`: neighbours that are evenly spaced are
/// merged.
class StridedRuns {
public:
    StridedRuns() = default;
    StridedRuns(const Shape& sizes, const Shape& strides);
    /// With the dimensions in another order.
    StridedRuns(const Shape& sizes, const Shape& strides, const Shape& order);

    std::int64_t numel() const { return numel_; }
    /// One evenly spaced run covers everything.
    bool is_even() const { return sizes_.size() <= 1; }
    bool is_dense() const { return is_even() && (numel_ <= 1 || strides_[0] == 1); }
    /// Neighbours in memory are in different rows: gather whole panels, not short blocks.
    bool is_transposed() const { return dense_ == 1; }
    /// The length of an innermost row.
    std::int64_t row() const { return sizes_.empty() ? 1 : sizes_[0]; }
    struct Run {
        std::int64_t offset;  ///< of its first element
        std::int64_t length;  ///< elements up to its end
        std::int64_t step;
    };
    /// The evenly spaced run in which element `begin` is.
    Run run(std::int64_t begin) const;

    struct Rows {
        std::int64_t offset;  ///< of the first one's first element
        std::int64_t count;
        std::int64_t stride;  ///< from a row to the next
    };
    /// The evenly spaced rows of `length` elements from number `row` on, where innermost rows are multiples of that.
    Rows rows(std::int64_t row, std::int64_t length) const;

    /// Where elements [begin, begin + count) are.
    void offsets(std::int64_t begin, std::int64_t count, std::int64_t* to) const;
    /// Copies elements [begin, begin + count), of `itemsize` bytes each, from the operand at `base` to dense
    /// memory.
    void gather(std::int64_t itemsize, const std::byte* base, std::int64_t begin, std::int64_t count,
                std::byte* dense) const;
    /// Planes of the innermost dimension and of the one that is dense in memory, where these are not neighbours; else none.
    std::int64_t planes() const { return dense_ < 2 ? 0 : numel_ / (sizes_[0] * sizes_[dense_]); }
    /// Copies planes [first, last) to their places in dense memory.
    void gather_planes(std::int64_t itemsize, const std::byte* base, std::int64_t first, std::int64_t last,
                       std::byte* dense) const;
    /// The reverse: from dense memory to their places in the operand.
    void scatter(std::int64_t itemsize, std::byte* base, std::int64_t begin, std::int64_t count,
                 const std::byte* dense) const;

private:
    /// Calls f(rows, one of these rows, elements before them) for all rows, and parts of rows, that elements [begin, begin +
    /// count) are.
    void walk(std::int64_t begin, std::int64_t count, const auto& f) const;

    std::int64_t numel_ = 1;
    std::size_t dense_ = 0;  ///< which dimension is dense in memory where the innermost is not, else 0
    Shape sizes_;            ///< innermost first, none of size 1
    Shape strides_;          ///< in elements
};

/// The dimensions by falling stride: the order in which memory is best walked.
Shape dims_by_stride(const Shape& sizes, const Shape& strides);

}  // namespace reel
