#include "ops/pointwise/strided_driver.hpp"

#include <algorithm>
#include <memory>

#include "ops/pointwise/rows_driver.hpp"
#include "tensor/parallel.hpp"
#include "tensor/scratch.hpp"

namespace reel {

namespace {

constexpr std::int64_t kPanel = 128 * 1024;  // elements of a panel of a transposed operand: fits in L2

/// Elements that are converted at once from dense memory into dense memory, where no buffer has to stay in cache.
constexpr std::int64_t kConvertedBlock = 16 * kOperandBlock;

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
