#include "ops/pointwise/rows_driver.hpp"

#include <algorithm>
#include <cstdlib>

#include "tensor/parallel.hpp"
#include "tensor/stream.hpp"

namespace reel {

namespace {

/// What is done with rows of operands whose elements are `step` apart, or one of two a number for each row: row after row,
/// or where there is a loop for that and all are dense, all at once. Neither: they are not such rows.
struct RowLoops {
    kernels::Loop one = nullptr;
    kernels::RowsLoop all = nullptr;

    RowLoops(const Elementwise& f, kernels::Loop loop, const std::int64_t* step, std::size_t count) {
        const auto numbers = std::count(step, step + count, 0);
        if (numbers == 0) one = loop;
        if (count != 2 || numbers == 2) return;
        const std::size_t same = numbers == 0 ? kernels::kNoneSame : step[0] == 0 ? 0 : 1;
        // Of 16 bits that loop takes the number in the type computed in.
        if (numbers == 1 && !is_reduced(f.compute)) one = kernels::spread_loop(f.fn, f.compute, same);
        all = kernels::rows_loop(f.fn, f.compute, same);
    }
};

/// Whether a row is dense, or a number, or its elements share lines of memory, which no other row's are in between.
bool is_row(const StridedRuns& runs, std::int64_t step, std::int64_t size) {
    return step == 0 || step == 1 || (!runs.is_transposed() && std::abs(step) * size <= kLine);
}

/// How rows of the operands and of the result are stored.
struct RowShape {
    bool fit = false;                 ///< a kernel takes them where they are
    std::size_t count;                ///< of operands
    std::int64_t length;              ///< of a row, in elements
    bool dense;                       ///< all are, or numbers
    std::int64_t step[kMaxOperands];  ///< from one element to the next
    std::int64_t size[kMaxOperands];  ///< bytes of an element
    std::int64_t y_step;
    std::int64_t y_size;

    /// What `copies` one operand has another way for a number, and for a dense result.
    RowShape(const Sink& sink, const Source* sources, std::size_t operands, bool copies)
        : count(operands),
          length(sink.runs.row()),
          y_step(sink.runs.run(0).step),
          y_size(itemsize(sink.stored)) {
        dense = y_step == 1;
        if (y_step == 0 || !is_row(sink.runs, y_step, y_size) || (copies && dense)) return;
        for (std::size_t k = 0; k < count; ++k) {
            const StridedRuns& runs = sources[k].runs;
            length = std::min(length, runs.row());
            size[k] = itemsize(sources[k].stored);
            step[k] = runs.run(0).step;
            if (!sources[k].is_direct() || !is_row(runs, step[k], size[k]) || (copies && step[k] == 0))
                return;
            dense = dense && (step[k] == 0 || step[k] == 1);
        }
        fit = true;
    }
};

/// to[i] = from[i · step] for i < n, of `size` bytes.
void read_row(std::int64_t size, const std::byte* from, std::int64_t step, std::int64_t n, std::byte* to) {
    if (size >= 4 && kernels::is_short_step(step))
        return kernels::kernels().read_every[size / 8](n, from, step, to);
    read_apart(size, from, step, n, to);
}

/// One row of elements that lie apart, by way of blocks so short that memory has work again soon (every second of two operands
/// of 8 MB, added, in 0.44 ms, with blocks of 1024 elements 0.58; AMD EPYC, Zen 4). Without a loop it is copied.
[[gnu::noinline]] void run_apart(const RowShape& row, const void* const* operands, std::byte* y,
                                 std::int64_t n, kernels::Loop loop, const double* parameters) {
    constexpr std::int64_t kBlock = 256;
    alignas(kLine) std::byte memory[kMaxOperands + 1][kBlock * sizeof(double)];
    for (std::int64_t i = 0; i < n; i += kBlock) {
        const std::int64_t some = std::min(kBlock, n - i);
        const void* x[kMaxOperands] = {};
        for (std::size_t k = 0; k < row.count; ++k) {
            const std::byte* from =
                static_cast<const std::byte*>(operands[k]) + i * row.step[k] * row.size[k];
            const bool is_direct = row.step[k] == 0 || row.step[k] == 1;
            if (!is_direct) read_row(row.size[k], from, row.step[k], some, memory[k]);
            x[k] = is_direct ? from : memory[k];
        }
        std::byte* to = y + i * row.y_step * row.y_size;
        std::byte* place = row.y_step == 1 ? to : memory[kMaxOperands];
        if (loop) loop(some, place, x, parameters);
        if (row.y_step != 1)
            write_apart(row.y_size, to, row.y_step, some, loop ? place : static_cast<const std::byte*>(x[0]));
    }
}

}  // namespace

bool run_rows(const Sink& sink, const Source* sources, std::size_t count, const Elementwise& f,
              kernels::Loop loop) {
    // Elements: 100,000 rows of 33 times a number each take 1.6 ms, by way of copies 2.2 (AMD EPYC, Zen 3). Where all rows
    // are one call, those of 8 do (60,000 and a number each: 0.1 ms, not 0.7).
    constexpr std::int64_t kWorthACall = 16;
    constexpr std::int64_t kWorthALoop = 8;
    constexpr std::int64_t kWorthBlocks = 128;  // of elements apart; shorter rows are gathered together
    if (sink.computed != sink.stored || sink.runs.numel() == 0) return false;
    const RowShape shape(sink, sources, count, !loop);
    if (!shape.fit) return false;
    const std::int64_t length = shape.length;
    const bool dense = shape.dense;
    const RowLoops loops(f, loop, shape.step, count);
    const bool at_once = dense && loops.all;
    if (loop && !loops.one && !at_once) return false;
    if (length < (at_once ? kWorthALoop : dense ? kWorthACall : kWorthBlocks)) return false;
    constexpr std::int64_t kPiece = 16 * kOperandBlock;  // of a longer row, for threads to share
    const std::int64_t pieces = (length + kPiece - 1) / kPiece;
    // Rows from number `row` on that are evenly spaced in all operands, at most so many.
    const auto run_some = [&](std::int64_t row, std::int64_t many, std::int64_t column, std::int64_t n) {
        const StridedRuns::Rows to = sink.runs.rows(row, length);
        many = std::min(many, to.count);
        std::int64_t stride[kMaxOperands];
        StridedRuns::Rows from[kMaxOperands];
        for (std::size_t k = 0; k < count; ++k) {
            from[k] = sources[k].runs.rows(row, length);
            many = std::min(many, from[k].count);
        }
        const void* x[kMaxOperands];
        for (std::size_t k = 0; k < count; ++k) {
            x[k] = sources[k].base + (from[k].offset + column * shape.step[k]) * shape.size[k];
            stride[k] = from[k].stride;
        }
        std::byte* y = sink.base + (to.offset + column * shape.y_step) * shape.y_size;
        if (at_once) {
            loops.all(many, n, y, to.stride, x, stride);
            return many;
        }
        for (std::int64_t i = 0; i < many; ++i, y += to.stride * shape.y_size) {
            if (dense) {
                loops.one(n, y, x, f.parameters);
            } else {
                run_apart(shape, x, y, n, loops.one, f.parameters);
            }
            for (std::size_t k = 0; k < count; ++k)
                x[k] = static_cast<const std::byte*>(x[k]) + stride[k] * shape.size[k];
        }
        return many;
    };
    parallel_for(sink.runs.numel() / length * pieces, 1, std::min(length, kPiece),
                 [&](std::int64_t begin, std::int64_t end) {
                     for (std::int64_t i = begin; i < end;) {
                         const std::int64_t column = i % pieces * kPiece;
                         i += run_some(i / pieces, pieces == 1 ? end - i : 1, column,
                                       std::min(kPiece, length - column));
                     }
                 });
    return true;
}

}  // namespace reel
