#include "ops/pointwise/strided_driver.hpp"

#include <algorithm>
#include <memory>

#include "tensor/iterate.hpp"
#include "tensor/parallel.hpp"
#include "tensor/scratch.hpp"
#include "tensor/stream.hpp"

namespace reel {

namespace {

constexpr std::int64_t kPanel = 128 * 1024;  // elements of a panel of a transposed operand: fits in L2

/// Elements that are converted at once from dense memory into dense memory, where no buffer has to stay in cache.
constexpr std::int64_t kConvertedBlock = 16 * kOperandBlock;

/// An operand on its way into a kernel: converted from the type stored, by way of another where it is rounded to
/// that one first, to the type wanted.
struct Source {
    const std::byte* base = nullptr;
    DType stored = kBool;
    DType rounded = kBool;
    DType wanted = kBool;
    StridedRuns runs;

    bool is_direct() const { return stored == wanted && rounded == wanted; }
    bool is_rounded() const { return stored != rounded && rounded != wanted; }
    /// Converts elements; `between` holds as many of the type they are rounded to.
    void convert(std::int64_t count, const void* from, void* between, void* to) const {
        if (is_rounded()) {
            kernels::convert(stored, rounded)(count, from, between);
            kernels::convert(rounded, wanted)(count, between, to);
        } else {
            kernels::convert(stored, wanted)(count, from, to);
        }
    }
};

/// Where a kernel's results go.
struct Sink {
    std::byte* base;
    DType computed;
    DType stored;
    StridedRuns runs;
};

/// One thread's view of a source: dense elements of the wanted type, where they are or in a buffer.
class Reader {
public:
    /// Takes all the memory that reading will need.
    void open(const Source& source, std::int64_t block) {
        source_ = &source;
        block_ = block;
        const StridedRuns::Run run = source.runs.run(0);
        is_number_ = run.step == 0 && run.length >= source.runs.numel();
        if (!is_number_ && !source.runs.is_dense()) gathered_.get(block * itemsize(source.stored));
        if (is_number_ || !source.is_direct()) converted_.get(block * itemsize(source.wanted));
        if (!is_number_ && source.is_rounded()) rounded_.get(block * itemsize(source.rounded));
    }
    /// Where they are, or in memory of its own; what has to be converted may go to `place`.
    const void* read(std::int64_t begin, std::int64_t count, std::byte* place = nullptr) {
        const StridedRuns::Run run = source_->runs.run(begin);
        const std::int64_t size = itemsize(source_->stored);
        if (is_number_) return splat(run, count);
        const std::byte* dense = source_->base + run.offset * size;
        if (!((run.step == 1 || count == 1) && run.length >= count)) {
            std::byte* gathered = gathered_.get(block_ * size);
            source_->runs.gather(size, source_->base, begin, count, gathered);
            dense = gathered;
        }
        if (source_->is_direct()) return dense;
        std::byte* converted = place ? place : converted_.get(block_ * itemsize(source_->wanted));
        std::byte* rounded =
            source_->is_rounded() ? rounded_.get(block_ * itemsize(source_->rounded)) : nullptr;
        source_->convert(count, dense, rounded, converted);
        return converted;
    }

private:
    /// One number for all elements: written out once, used for every block.
    const void* splat(const StridedRuns::Run& run, std::int64_t count) {
        const std::int64_t size = itemsize(source_->wanted);
        std::byte* values = converted_.get(block_ * size);
        if (splatted_ < count) {
            alignas(8) std::byte value[8];
            alignas(8) std::byte rounded[8];
            source_->convert(1, source_->base + run.offset * itemsize(source_->stored), rounded, value);
            static const Shape kStill = {0};
            StridedRuns({count}, kStill).gather(size, value, 0, count, values);
            splatted_ = count;
        }
        return values;
    }

    const Source* source_ = nullptr;
    std::int64_t block_ = 0;
    bool is_number_ = false;  // the same one for all elements
    std::int64_t splatted_ = 0;
    Scratch gathered_;
    Scratch rounded_;
    Scratch converted_;
};

/// One thread's view of the sink.
class Writer {
public:
    /// Takes all the memory that writing will need; `computes`: results come from a kernel, not from a reader.
    void open(const Sink& sink, std::int64_t block, bool computes) {
        sink_ = &sink;
        block_ = block;
        const bool converts = sink.computed != sink.stored;
        if (computes && (converts || !sink.runs.is_dense())) computed_.get(block * itemsize(sink.computed));
        if (converts) converted_.get(block * itemsize(sink.stored));
    }

    /// Whether `count` results from `begin` on can be written where they belong.
    bool is_direct(std::int64_t begin, std::int64_t count) const {
        if (sink_->computed != sink_->stored) return false;
        const StridedRuns::Run run = sink_->runs.run(begin);
        return run.length >= count && (run.step == 1 || count == 1);
    }

    /// Where the kernel shall write `count` results from `begin` on.
    std::byte* place(std::int64_t begin, std::int64_t count) {
        if (is_direct(begin, count))
            return sink_->base + sink_->runs.run(begin).offset * itemsize(sink_->stored);
        return computed_.get(block_ * itemsize(sink_->computed));
    }
    /// Brings them to where they belong.
    void finish(std::int64_t begin, std::int64_t count) {
        if (is_direct(begin, count)) return;
        finish(begin, count, computed_.get(0));
    }
    void finish(std::int64_t begin, std::int64_t count, const void* results) {
        const auto* dense = static_cast<const std::byte*>(results);
        const std::int64_t size = itemsize(sink_->stored);
        if (sink_->computed != sink_->stored) {
            std::byte* converted = converted_.get(block_ * size);
            kernels::convert(sink_->computed, sink_->stored)(count, dense, converted);
            dense = converted;
        }
        sink_->runs.scatter(size, sink_->base, begin, count, dense);
    }

private:
    const Sink* sink_ = nullptr;
    std::int64_t block_ = 0;
    Scratch computed_;
    Scratch converted_;
};

/// The block length that suits all operands: whole panels where one is transposed, whole rows where that is
/// close.
std::int64_t block_length(const Sink& sink, const Source* sources, std::size_t count, bool computes) {
    std::int64_t block = kOperandBlock;
    if (!computes && sink.runs.is_dense() && sources[0].runs.is_dense() && !sources[0].is_rounded())
        block = kConvertedBlock;
    for (std::size_t k = 0; k < count; ++k) {
        const StridedRuns& runs = sources[k].runs;
        const std::int64_t row = runs.row();
        if (runs.is_transposed() && row > 1 && 2 * row <= kPanel) {
            block = std::max(block, std::min<std::int64_t>(32, kPanel / row) * row);
        } else if (!runs.is_even() && row > kOperandBlock / 4 && row <= 4 * kOperandBlock) {
            block = std::max(block, row);
        }
    }
    return std::min(block, std::max<std::int64_t>(sink.runs.numel(), 1));
}

/// What one thread works with.
struct Workplace {
    Reader readers[kMaxOperands];
    Writer writer;
};

/// All memory is taken before anything is written: where there is none, an operation in place has changed nothing.
void run(const Sink& sink, const Source* sources, std::size_t count, kernels::Loop loop,
         const double* parameters) {
    const std::int64_t total = sink.runs.numel();
    if (total == 0) return;
    const std::int64_t block = block_length(sink, sources, count, loop != nullptr);
    const auto open = [&](Workplace& place) {
        for (std::size_t k = 0; k < count; ++k) place.readers[k].open(sources[k], block);
        place.writer.open(sink, block, loop != nullptr);
    };
    Workplace only;
    const int threads = total < 2 * kGrain ? 1 : num_threads();
    const std::unique_ptr<Workplace[]> places(threads > 1 ? new Workplace[static_cast<std::size_t>(threads)]
                                                          : nullptr);
    for (int i = 0; i < threads; ++i) open(places ? places[static_cast<std::size_t>(i)] : only);
    parallel_for(total, block, 1, [&](std::int64_t begin, std::int64_t end) {
        const std::size_t number = thread_number();
        Workplace late;  // for a thread that another one has just allowed
        if (places && number >= static_cast<std::size_t>(threads)) open(late);
        auto& [readers, writer] = !places                                      ? only
                                  : number < static_cast<std::size_t>(threads) ? places[number]
                                                                               : late;
        for (std::int64_t i = begin; i < end; i += block) {
            const std::int64_t n = std::min(block, end - i);
            const void* x[kMaxOperands] = {};
            if (!loop) {
                std::byte* place = writer.is_direct(i, n) ? writer.place(i, n) : nullptr;
                const void* found = readers[0].read(i, n, place);
                if (found != place) writer.finish(i, n, found);
                continue;
            }
            for (std::size_t k = 0; k < count; ++k) x[k] = readers[k].read(i, n);
            loop(n, writer.place(i, n), x, parameters);
            writer.finish(i, n);
        }
    });
}

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

/// How rows of the operands and of the result are stored.
struct RowShape {
    std::size_t count;                ///< of operands
    std::int64_t step[kMaxOperands];  ///< from one element to the next
    std::int64_t size[kMaxOperands];  ///< bytes of an element
    std::int64_t y_step;
    std::int64_t y_size;
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

/// Whether a row is dense, or a number, or its elements share lines of memory, which no other row's are in between.
bool is_row(const StridedRuns& runs, std::int64_t step, std::int64_t size) {
    return step == 0 || step == 1 || (!runs.is_transposed() && std::abs(step) * size <= kLine);
}

/// Rows that are ready for the kernel, where they are. False where they are not.
bool run_rows(const Sink& sink, const Source* sources, std::size_t count, const Elementwise& f,
              kernels::Loop loop) {
    // Elements: 100,000 rows of 33 times a number each take 1.6 ms, by way of copies 2.2 (AMD EPYC, Zen 3). Where all rows
    // are one call, those of 8 do (60,000 and a number each: 0.1 ms, not 0.7).
    constexpr std::int64_t kWorthACall = 16;
    constexpr std::int64_t kWorthALoop = 8;
    constexpr std::int64_t kWorthBlocks = 128;  // of elements apart; shorter rows are gathered together
    if (sink.computed != sink.stored || sink.runs.numel() == 0) return false;
    std::int64_t length = sink.runs.row();
    for (std::size_t k = 0; k < count; ++k) {
        if (!sources[k].is_direct()) return false;
        length = std::min(length, sources[k].runs.row());
    }
    if (length < kWorthALoop) return false;
    RowShape base;
    base.count = count;
    base.y_step = sink.runs.run(0).step;
    base.y_size = itemsize(sink.stored);
    bool dense = base.y_step == 1;
    if (base.y_step == 0 || !is_row(sink.runs, base.y_step, base.y_size) || (!loop && dense)) return false;
    for (std::size_t k = 0; k < count; ++k) {
        base.size[k] = itemsize(sources[k].stored);
        base.step[k] = sources[k].runs.run(0).step;
        if (!is_row(sources[k].runs, base.step[k], base.size[k]) || (!loop && base.step[k] == 0))
            return false;
        dense = dense && (base.step[k] == 0 || base.step[k] == 1);
    }
    const RowLoops loops(f, loop, base.step, count);
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
        const auto& [_, step, size, y_step, y_size] = base;
        const void* x[kMaxOperands];
        for (std::size_t k = 0; k < count; ++k) {
            x[k] = sources[k].base + (from[k].offset + column * step[k]) * size[k];
            stride[k] = from[k].stride;
        }
        std::byte* y = sink.base + (to.offset + column * y_step) * y_size;
        if (at_once) {
            loops.all(many, n, y, to.stride, x, stride);
            return many;
        }
        for (std::int64_t i = 0; i < many; ++i, y += to.stride * y_size) {
            if (dense) {
                loops.one(n, y, x, f.parameters);
            } else {
                run_apart(base, x, y, n, loops.one, f.parameters);
            }
            for (std::size_t k = 0; k < count; ++k)
                x[k] = static_cast<const std::byte*>(x[k]) + stride[k] * size[k];
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

}  // namespace

void store(const Elementwise& f, Scalar number, DType dtype, std::byte* to) {
    dispatch(dtype, [&](auto zero) {
        using T = decltype(zero);
        *reinterpret_cast<T*>(to) = computed_type(f) == kBool ? number.to<T>() : number.checked<T>(f.name);
    });
}

void run_strided(const Tensor& y, const Elementwise& f, Operands operands, kernels::Loop loop) {
    const Shape order = dims_by_stride(y.sizes(), y.strides());
    const DType computed = computed_type(f);
    const Sink sink{y.raw(), computed, y.dtype(), StridedRuns(y.sizes(), y.strides(), order)};
    alignas(8) std::byte numbers[kMaxOperands][8];
    Source sources[kMaxOperands];
    std::size_t k = 0;
    for (const Operand& operand : operands) {
        const DType wanted = operand_type(f, k);
        const DType rounded = is_reduced(f.rounded) && is_floating_point(wanted) ? f.rounded : wanted;
        if (const Tensor* x = operand.tensor()) {
            const Shape strides = broadcast_strides(x->sizes(), x->strides(), y.sizes());
            sources[k] = {x->raw(), x->dtype(), rounded, wanted, StridedRuns(y.sizes(), strides, order)};
        } else {
            store(f, operand.number(), rounded, numbers[k]);
            sources[k] = {numbers[k], rounded, rounded, wanted,
                          StridedRuns(y.sizes(), Shape::filled(order.size(), 0), order)};
        }
        ++k;
    }
    if (run_rows(sink, sources, k, f, loop)) return;
    run(sink, sources, k, loop, f.parameters);
}

}  // namespace reel
