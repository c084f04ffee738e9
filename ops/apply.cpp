#include "ops/apply.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include "tensor/iterate.hpp"
#include "tensor/parallel.hpp"
#include "tensor/stream.hpp"

namespace reel {

namespace {

using kernels::Fn;

constexpr std::size_t kMaxOperands = 3;
constexpr std::int64_t kBlock = 1024;        // elements of a block: a few of them fit in L1
constexpr std::int64_t kPanel = 128 * 1024;  // elements of a panel of a transposed operand: fits in L2

/// Scratch memory for a block.
class Buffer {
public:
    Buffer() = default;
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() {
        if (memory_) deallocate(memory_, bytes_);
    }
    std::byte* get(std::int64_t bytes) {
        if (!memory_) {
            bytes_ = static_cast<std::size_t>(bytes);
            memory_ = static_cast<std::byte*>(allocate(bytes_));
        }
        return memory_;
    }

private:
    std::byte* memory_ = nullptr;
    std::size_t bytes_ = 0;
};

/// An operand on its way into a kernel.
struct Source {
    const std::byte* base;
    DType stored;
    DType wanted;
    Walk walk;
};

/// Where a kernel's results go.
struct Sink {
    std::byte* base;
    DType computed;
    DType stored;
    Walk walk;
};

/// One thread's view of a source: dense elements of the wanted type, where they stand or in a buffer.
class Reader {
public:
    void open(const Source& source, std::int64_t block) {
        source_ = &source;
        block_ = block;
    }
    const void* read(std::int64_t begin, std::int64_t count) {
        const Walk::Run run = source_->walk.run(begin);
        const std::int64_t size = itemsize(source_->stored);
        if (run.step == 0 && run.length >= source_->walk.numel()) return splat(run, count);
        const std::byte* dense = source_->base + run.offset * size;
        if (!((run.step == 1 || count == 1) && run.length >= count)) {
            std::byte* gathered = gathered_.get(block_ * size);
            source_->walk.gather(size, source_->base, begin, count, gathered);
            dense = gathered;
        }
        if (source_->stored == source_->wanted) return dense;
        std::byte* converted = converted_.get(block_ * itemsize(source_->wanted));
        kernels::convert(source_->stored, source_->wanted)(count, dense, converted);
        return converted;
    }

private:
    /// One number for all elements: written out once, used for every block.
    const void* splat(const Walk::Run& run, std::int64_t count) {
        const std::int64_t size = itemsize(source_->wanted);
        std::byte* values = converted_.get(block_ * size);
        if (splatted_ < count) {
            alignas(8) std::byte value[8];
            kernels::convert(source_->stored, source_->wanted)(
                1, source_->base + run.offset * itemsize(source_->stored), value);
            static const Shape kStill = {0};
            Walk({count}, kStill).gather(size, value, 0, count, values);
            splatted_ = count;
        }
        return values;
    }

    const Source* source_ = nullptr;
    std::int64_t block_ = 0;
    std::int64_t splatted_ = 0;
    Buffer gathered_;
    Buffer converted_;
};

/// One thread's view of the sink.
class Writer {
public:
    Writer(const Sink& sink, std::int64_t block) : sink_(sink), block_(block) {}

    /// Where the kernel shall write `count` results from `begin` on.
    std::byte* place(std::int64_t begin, std::int64_t count) {
        if (direct(begin, count)) return sink_.base + sink_.walk.run(begin).offset * itemsize(sink_.stored);
        return computed_.get(block_ * itemsize(sink_.computed));
    }
    /// Brings them to where they belong.
    void finish(std::int64_t begin, std::int64_t count) {
        if (direct(begin, count)) return;
        finish(begin, count, computed_.get(0));
    }
    void finish(std::int64_t begin, std::int64_t count, const void* results) {
        const auto* dense = static_cast<const std::byte*>(results);
        const std::int64_t size = itemsize(sink_.stored);
        if (sink_.computed != sink_.stored) {
            std::byte* converted = converted_.get(block_ * size);
            kernels::convert(sink_.computed, sink_.stored)(count, dense, converted);
            dense = converted;
        }
        sink_.walk.scatter(size, sink_.base, begin, count, dense);
    }

private:
    bool direct(std::int64_t begin, std::int64_t count) const {
        if (sink_.computed != sink_.stored) return false;
        const Walk::Run run = sink_.walk.run(begin);
        return run.length >= count && (run.step == 1 || count == 1);
    }

    const Sink& sink_;
    std::int64_t block_;
    Buffer computed_;
    Buffer converted_;
};

/// The block length that suits all operands: whole panels where one is transposed, whole rows where that is
/// close.
std::int64_t block_length(const Sink& sink, const Source* sources, std::size_t count) {
    std::int64_t block = kBlock;
    for (std::size_t k = 0; k < count; ++k) {
        const Walk& walk = sources[k].walk;
        const std::int64_t row = walk.row();
        if (walk.is_transposed() && row > 1 && 2 * row <= kPanel) {
            block = std::max(block, std::min<std::int64_t>(32, kPanel / row) * row);
        } else if (!walk.is_even() && row > kBlock / 4 && row <= 4 * kBlock) {
            block = std::max(block, row);
        }
    }
    return std::min(block, std::max<std::int64_t>(sink.walk.numel(), 1));
}

void run(const Sink& sink, const Source* sources, std::size_t count, kernels::Loop loop,
         const double* parameters) {
    const std::int64_t total = sink.walk.numel();
    const std::int64_t block = block_length(sink, sources, count);
    parallel_for(total, block, 1, [&](std::int64_t begin, std::int64_t end) {
        Reader readers[kMaxOperands];
        for (std::size_t k = 0; k < count; ++k) readers[k].open(sources[k], block);
        Writer writer(sink, block);
        for (std::int64_t i = begin; i < end; i += block) {
            const std::int64_t n = std::min(block, end - i);
            const void* x[kMaxOperands] = {};
            for (std::size_t k = 0; k < count; ++k) x[k] = readers[k].read(i, n);
            if (!loop) {
                writer.finish(i, n, x[0]);
                continue;
            }
            loop(n, writer.place(i, n), x, parameters);
            writer.finish(i, n);
        }
    });
}

bool is_predicate(Fn fn) {
    return (fn >= Fn::kIsNan && fn <= Fn::kLogicalNot) || (fn >= Fn::kEq && fn <= Fn::kLogicalXor);
}

DType operand_type(const Elementwise& f, std::size_t k) {
    return f.fn == Fn::kWhere && k == 0 ? kBool : f.compute;
}

kernels::Loop find_loop(const Elementwise& f) {
    const kernels::Loop loop = kernels::loop(f.fn, f.compute);
    if (!loop) fail<DTypeError>(f.name, ": not defined for ", f.compute, " tensors");
    return loop;
}

Shape permuted(const Shape& values, const Shape& order) {
    Shape result = values;
    for (std::size_t i = 0; i < order.size(); ++i) result[i] = values[static_cast<std::size_t>(order[i])];
    return result;
}

DType computed_type(const Elementwise& f) { return is_predicate(f.fn) ? kBool : f.compute; }

/// The tensor with the most elements, the first of several; null where there are only numbers.
const Tensor* largest_tensor(Operands operands) {
    const Tensor* largest = nullptr;
    for (const Operand& operand : operands) {
        const Tensor* x = operand.tensor();
        if (x && (!largest || x->numel() > largest->numel())) largest = x;
    }
    return largest;
}

/// Whether all tensors have the kernel's types, and are dense and of these sizes, or a single element: there
/// is nothing to walk.
bool are_plain(const Elementwise& f, Operands operands, const Shape& sizes) {
    std::size_t k = 0;
    for (const Operand& operand : operands) {
        const DType wanted = operand_type(f, k++);
        if (!operand.tensor()) continue;
        const detail::TensorImpl& x = operand.tensor()->impl();
        const bool fits =
            &x.sizes == &sizes || (x.numel == 1 && x.sizes.size() <= sizes.size()) || x.sizes == sizes;
        if (x.dtype != wanted || !x.contiguous || !fits) return false;
    }
    return f.result == computed_type(f);
}

/// Writes the number as an element.
void store(Scalar number, DType dtype, std::byte* to) {
    dispatch(dtype, [&](auto zero) { *reinterpret_cast<decltype(zero)*>(to) = number.to<decltype(zero)>(); });
}

/// Writes `count` times the element to dense memory.
void splat(const std::byte* element, DType dtype, std::int64_t count, std::byte* to) {
    dispatch(dtype, [&](auto zero) {
        using T = decltype(zero);
        std::fill_n(reinterpret_cast<T*>(to), count, *reinterpret_cast<const T*>(element));
    });
}

/// f of plain operands into dense `y`. A number is written out for one block, which all blocks read. A large
/// result is written past the caches, by way of a block in L1.
void run_plain(const Tensor& y, const Elementwise& f, Operands operands, kernels::Loop loop) {
    std::size_t count = 0;
    const std::byte* base[kMaxOperands] = {};
    std::int64_t step[kMaxOperands] = {};  // bytes from one element to the next; 0 for a number
    alignas(64) std::byte numbers[kMaxOperands][kBlock * sizeof(double)];
    const std::int64_t out_size = itemsize(f.result);
    const bool streams = y.numel() * out_size >= kStreamed && is_line_aligned(y.raw());
    std::int64_t block = streams ? kBlock : std::max<std::int64_t>(y.numel(), 1);
    for (const Operand& operand : operands) {
        const DType wanted = operand_type(f, count);
        const Tensor* x = operand.tensor();
        if (x && x->numel() == y.numel()) {
            base[count] = x->raw();
            step[count] = itemsize(wanted);
        } else {
            alignas(8) std::byte number[8];
            if (!x) store(operand.number(), wanted, number);
            block = std::min(kBlock, block);
            splat(x ? x->raw() : number, wanted, block, numbers[count]);
            base[count] = numbers[count];
        }
        ++count;
    }
    std::byte* to = y.raw();
    if (y.numel() <= std::min(block, kGrain)) {
        const void* x[kMaxOperands] = {base[0], base[1], base[2]};
        return loop(y.numel(), to, x, f.parameters);
    }
    parallel_for(y.numel(), kBlock, 1, [&](std::int64_t begin, std::int64_t end) {
        alignas(64) std::byte results[kBlock * sizeof(double)];
        for (std::int64_t i = begin; i < end; i += block) {
            const std::int64_t n = std::min(block, end - i);
            const void* x[kMaxOperands] = {};
            for (std::size_t k = 0; k < count; ++k) x[k] = base[k] + i * step[k];
            loop(n, streams ? results : to + i * out_size, x, f.parameters);
            if (streams) stream(to + i * out_size, results, n * out_size);
        }
        if (streams) finish_stream();
    });
}

/// Elements are walked in the order of `y`'s memory.
void run_strided(const Tensor& y, const Elementwise& f, Operands operands, kernels::Loop loop) {
    const Shape order = memory_order(y.sizes(), y.strides());
    const Shape sizes = permuted(y.sizes(), order);
    const DType computed = computed_type(f);
    const Sink sink{y.raw(), computed, y.dtype(), Walk(sizes, permuted(y.strides(), order))};
    alignas(8) std::byte numbers[kMaxOperands][8];
    Source sources[kMaxOperands] = {{nullptr, kBool, kBool, Walk({}, {})},
                                    {nullptr, kBool, kBool, Walk({}, {})},
                                    {nullptr, kBool, kBool, Walk({}, {})}};
    std::size_t k = 0;
    for (const Operand& operand : operands) {
        const DType wanted = operand_type(f, k);
        if (const Tensor* x = operand.tensor()) {
            const Shape strides = broadcast_strides(x->sizes(), x->strides(), y.sizes());
            sources[k] = {x->raw(), x->dtype(), wanted, Walk(sizes, permuted(strides, order))};
        } else {
            store(operand.number(), wanted, numbers[k]);
            sources[k] = {numbers[k], wanted, wanted, Walk(sizes, Shape::filled(sizes.size(), 0))};
        }
        ++k;
    }
    run(sink, sources, k, loop, f.parameters);
}

/// The bytes [first, last) that a tensor's elements lie in.
std::pair<const std::byte*, const std::byte*> extent(const Tensor& x) {
    const Reach places = reach(x.sizes(), x.strides());
    return {x.raw() + places.low * x.itemsize(), x.raw() + (places.high + 1) * x.itemsize()};
}

/// Whether writing to `y` could change elements of `x` that are still to be read.
bool overlaps(const Tensor& y, const Tensor& x) {
    if (y.numel() == 0 || x.numel() == 0) return false;
    const bool same =
        y.raw() == x.raw() && y.dtype() == x.dtype() && y.sizes() == x.sizes() && y.strides() == x.strides();
    if (same) return false;
    const auto [y_first, y_last] = extent(y);
    const auto [x_first, x_last] = extent(x);
    return y_first < x_last && x_first < y_last;
}

/// The first tensor of the given shape, or of any.
const Tensor* first_tensor(Operands operands, const Shape* sizes = nullptr) {
    for (const Operand& operand : operands) {
        if (operand.tensor() && (!sizes || operand.tensor()->sizes() == *sizes)) return operand.tensor();
    }
    return nullptr;
}

}  // namespace

Promotable Operand::promotable() const {
    using Rank = Promotable::Rank;
    if (!tensor_) return {number_.dtype(), Rank::kScalar};
    return {tensor_->dtype(), tensor_->dim() == 0 ? Rank::kZeroDim : Rank::kDimensioned};
}

DType result_type(Operands operands) {
    // Numbers do not widen a floating tensor, nor do tensors of its own type.
    if (const Tensor* x = first_tensor(operands); x && x->is_floating_point()) {
        const DType own = x->dtype();
        if (std::all_of(operands.begin(), operands.end(),
                        [own](const Operand& o) { return !o.tensor() || o.tensor()->dtype() == own; })) {
            return own;
        }
    }
    const Operand* o = operands.begin();
    switch (operands.size()) {
        case 1:
            return o[0].promotable().dtype;
        case 2:
            return result_type({o[0].promotable(), o[1].promotable()});
        default:
            return result_type({o[0].promotable(), o[1].promotable(), o[2].promotable()});
    }
}

Shape broadcast_shapes(const char* name, Operands operands) {
    Shape sizes;
    for (const Operand& operand : operands) {
        if (!operand.tensor()) continue;
        const Shape& own = operand.tensor()->sizes();
        if (sizes != own) sizes = broadcast_shapes(sizes, own, name);
    }
    return sizes;
}

Tensor empty_in_order(const Shape& sizes, const Shape& order, DType dtype) {
    const Shape dense_strides = contiguous_strides(permuted(sizes, order));
    Shape strides = dense_strides;
    for (std::size_t i = 0; i < order.size(); ++i)
        strides[static_cast<std::size_t>(order[i])] = dense_strides[i];
    return Tensor::make(Tensor::empty(sizes, dtype).impl().storage, dtype, sizes, strides, 0);
}

Tensor apply(const Elementwise& f, Operands operands) {
    const kernels::Loop loop = find_loop(f);
    if (const Tensor* x = largest_tensor(operands); x && are_plain(f, operands, x->sizes())) {
        Tensor y = Tensor::empty(x->sizes(), f.result);
        run_plain(y, f, operands, loop);
        return y;
    }
    const Shape sizes = broadcast_shapes(f.name, operands);
    const Tensor* model = first_tensor(operands, &sizes);  // gives the memory order
    Tensor y = !model || model->is_contiguous()
                   ? Tensor::empty(sizes, f.result)
                   : empty_in_order(sizes, memory_order(sizes, model->strides()), f.result);
    run_strided(y, f, operands, loop);
    return y;
}

void apply_to(const Tensor& y, const Elementwise& f, Operands operands) {
    const kernels::Loop loop = find_loop(f);
    const bool overlapping = std::any_of(operands.begin(), operands.end(), [&](const Operand& operand) {
        return operand.tensor() && overlaps(y, *operand.tensor());
    });
    if (!overlapping && y.is_contiguous() && are_plain(f, operands, y.sizes())) {
        return run_plain(y, f, operands, loop);
    }
    for (const Operand& operand : operands) {
        if (!operand.tensor()) continue;
        const Shape sizes = broadcast_shapes(y.sizes(), operand.tensor()->sizes(), f.name);
        if (sizes != y.sizes()) {
            fail<ShapeError>(f.name, ": an operand of shape ", operand.tensor()->sizes(),
                             " does not broadcast to the result's shape ", y.sizes());
        }
    }
    Tensor copies[kMaxOperands];
    std::array<Operand, kMaxOperands> safe = {Scalar(0), Scalar(0), Scalar(0)};
    std::size_t k = 0;
    for (const Operand& operand : operands) {
        safe[k] = operand;
        if (operand.tensor() && overlaps(y, *operand.tensor())) {
            copies[k] = dense_copy(*operand.tensor(), operand.tensor()->dtype());
            safe[k] = copies[k];
        }
        ++k;
    }
    switch (k) {
        case 1:
            return run_strided(y, f, {safe[0]}, loop);
        case 2:
            return run_strided(y, f, {safe[0], safe[1]}, loop);
        default:
            return run_strided(y, f, {safe[0], safe[1], safe[2]}, loop);
    }
}

void copy_elements(const Tensor& y, const Tensor& x) {
    if (overlaps(y, x)) return copy_elements(y, dense_copy(x, x.dtype()));
    if (x.dtype() == y.dtype() && y.is_contiguous()) {
        const Walk walk(y.sizes(), broadcast_strides(x.sizes(), x.strides(), y.sizes()));
        const std::int64_t size = x.itemsize();
        const std::int64_t block = walk.is_transposed() ? std::max(kBlock, 32 * walk.row()) : kBlock;
        parallel_for(y.numel(), block, 1, [&](std::int64_t begin, std::int64_t end) {
            walk.gather(size, x.raw(), begin, end - begin, y.raw() + begin * size);
        });
        return;
    }
    run_strided(y, {"copy", Fn::kIdentity, y.dtype(), y.dtype(), nullptr}, {x}, nullptr);
}

Tensor dense_copy(const Tensor& x, DType dtype) {
    Tensor y = Tensor::empty(x.sizes(), dtype);
    copy_elements(y, x);
    return y;
}

Tensor dense(const Tensor& x, DType dtype) { return dense(Tensor(x), dtype); }

Tensor dense(Tensor&& x, DType dtype) {
    return x.is_contiguous() && x.dtype() == dtype ? std::move(x) : dense_copy(x, dtype);
}

}  // namespace reel
