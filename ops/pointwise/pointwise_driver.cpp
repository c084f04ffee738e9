#include "ops/pointwise/pointwise_driver.hpp"

#include <algorithm>
#include <cstring>

#include "ops/pointwise/dense_driver.hpp"
#include "ops/pointwise/strided_driver.hpp"
#include "tensor/iterate.hpp"
#include "tensor/parallel.hpp"
#include "tensor/stream.hpp"

namespace reel {

namespace {

using kernels::Fn;

kernels::Loop find_loop(const Elementwise& f) {
    const kernels::Loop loop = kernels::loop(f.fn, f.compute);
    if (!loop) fail<DTypeError>(f.name, ": not defined for ", f.compute, " tensors");
    return loop;
}

/// Whether there is a kernel that takes these 16-bit operands as they are. A number it takes, in the type computed in, beside dense
/// memory alone (that of `y`, where that is given).
bool is_narrow(const Elementwise& f, Operands operands, const Tensor* y = nullptr) {
    if (f.compute == f.result || !kernels::loop(f.fn, f.result)) return false;
    for (std::size_t k = 0; k < operands.size(); ++k) {
        const Tensor* x = operands[k].tensor();
        if (x && x->dtype() == f.result) continue;
        if (x || operands.size() != 2 || !kernels::spread_loop(f.fn, f.result, k)) return false;
        const Tensor* other = operands[1 - k].tensor();
        if (!other || !other->is_contiguous()) return false;
        if (y && !(y->is_contiguous() && y->sizes() == other->sizes() && !overlaps(*y, *other))) return false;
    }
    return true;
}
Elementwise narrowed(const Elementwise& f) { return {f.name, f.fn, f.result, f.result, f.parameters}; }

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

/// Whether the operand is a tensor of so many elements, and not one element for all.
bool is_full(const Operand& operand, std::int64_t size) {
    return operand.tensor() && operand.tensor()->numel() == size;
}

/// Writes the first element of dense memory `count` times.
void splat(std::byte* to, DType dtype, std::int64_t count) {
    dispatch(dtype, [&](auto zero) {
        using T = decltype(zero);
        T* const elements = reinterpret_cast<T*>(to);
        std::fill_n(elements + 1, count - 1, elements[0]);
    });
}

/// An element's work, as `parallel_for` counts it: an exponential takes three times as long as a sum, tanh four, a power twenty.
std::int64_t work_of(kernels::Fn fn) { return kernels::takes_long(fn) ? 4 : 1; }

/// Bytes of a result from which on it is streamed. One of 8 MB stays in L3 beside its operands: a million sums of int64 in 0.77 of
/// the time that they take streamed, of float64 in 0.76; of 16 MB, four million float32 products in 1.07 (AMD EPYC, Zen 4, 32 MB of L3).
constexpr std::int64_t kStreamedResult = 12 << 20;

/// Bytes computed before they are streamed: the fewer, the sooner memory has work again, but the more calls (-x of 8 MB of float64
/// in 0.56 ms, with 1024 numbers at once 0.64, with 128 0.53; Intel Xeon, model 207).
constexpr std::int64_t kStreamedBlock = 2048;

/// The loop over all of `y`, in blocks, by threads. `memory` holds the elements of full operands, and `block`
/// times the number in the place of others. A large new result is written past the caches, by way of a block in L1; not
/// where computing takes long, which goes on while plain writes are on their way (e^x of 8 MB of float64 in 0.71 ms, not
/// 0.86; tanh of 16 MB of float32 in 2.2 ms, not 2.9; Intel Xeon, model 207, AVX-512).
void run_blocks(const Tensor& y, const Elementwise& f, Operands operands, const void* const* memory,
                std::int64_t block, kernels::Loop loop) {
    const std::int64_t out_size = itemsize(f.result);
    std::byte* const to = y.raw();
    bool streams =
        y.numel() * out_size >= kStreamedResult && is_line_aligned(to) && !kernels::takes_long(f.fn);
    std::int64_t step[kMaxOperands] = {};  // bytes from one element to the next; 0 for a number
    for (std::size_t k = 0; k < operands.size(); ++k) {
        if (is_full(operands[k], y.numel())) step[k] = itemsize(operand_type(f, k));
        streams = streams && memory[k] != to;  // what is read is fetched anyway
    }
    if (streams) block = std::min(kStreamedBlock / out_size, block);
    parallel_for(y.numel(), kOperandBlock, work_of(f.fn), [&](std::int64_t begin, std::int64_t end) {
        alignas(64) std::byte results[kStreamedBlock];
        for (std::int64_t i = begin; i < end; i += block) {
            const std::int64_t n = std::min(block, end - i);
            const void* x[kMaxOperands] = {};
            for (std::size_t k = 0; k < operands.size(); ++k)
                x[k] = static_cast<const std::byte*>(memory[k]) + i * step[k];
            loop(n, streams ? results : to + i * out_size, x, f.parameters);
            if (streams) stream(to + i * out_size, results, n * out_size);
        }
        if (streams) finish_stream();
    });
}

/// f of plain operands into dense `y`. A number that the loop does not take as one is written out for one block,
/// which all blocks read.
void run_plain(const Tensor& y, const Elementwise& f, Operands operands, kernels::Loop loop) {
    const std::int64_t size = y.numel();
    const void* memory[kMaxOperands] = {};
    alignas(64) std::byte numbers[kMaxOperands][kOperandBlock * sizeof(double)];
    std::size_t count = 0, number = 0;  // how many operands are numbers, and which was the last
    for (std::size_t k = 0; k < operands.size(); ++k) {
        memory[k] = is_full(operands[k], size) ? operands[k].tensor()->raw() : numbers[k];
        if (memory[k] != numbers[k]) continue;
        number = k;
        ++count;
    }
    const bool alone = count == 1 && operands.size() == 2;
    const auto spread = alone ? kernels::spread_loop(f.fn, f.compute, number) : nullptr;
    for (std::size_t k = 0; k < operands.size() && count > 0; ++k) {
        if (memory[k] != numbers[k]) continue;
        const DType wanted = spread ? compute_dtype(f.compute) : operand_type(f, k);
        if (const Tensor* x = operands[k].tensor()) {
            kernels::convert(x->dtype(), wanted)(1, x->raw(), numbers[k]);
        } else {
            store(f, operands[k].number(), wanted, numbers[k]);
        }
    }
    std::int64_t block = std::max<std::int64_t>(size, 1);
    if (spread) {
        loop = spread;
    } else if (count > 0) {
        block = std::min(kOperandBlock, block);
        for (std::size_t k = 0; k < operands.size(); ++k)
            if (memory[k] == numbers[k]) splat(numbers[k], operand_type(f, k), block);
    }
    if (size <= std::min(block, kGrain / work_of(f.fn))) return loop(size, y.raw(), memory, f.parameters);
    run_blocks(y, f, operands, memory, block, loop);
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
    const auto each = [&](std::size_t k) { return operands[std::min(k, operands.size() - 1)].promotable(); };
    return result_type({each(0), each(1), each(2)});
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

Tensor apply(const Elementwise& f, Operands operands) {
    if (is_reduced(f.result) && is_narrow(f, operands)) return reel::apply(narrowed(f), operands);
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
                   : empty_in_order(sizes, dims_by_stride(sizes, model->strides()), f.result);
    run_strided(y, f, operands, loop);
    return y;
}

void apply_to(const Tensor& y, const Elementwise& f, Operands operands) {
    if (is_reduced(f.result) && is_narrow(f, operands, &y)) return apply_to(y, narrowed(f), operands);
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
    Operand safe[kMaxOperands];
    std::size_t k = 0;
    for (const Operand& operand : operands) {
        safe[k] = operand;
        if (operand.tensor() && overlaps(y, *operand.tensor())) {
            copies[k] = dense_copy(*operand.tensor(), operand.tensor()->dtype());
            safe[k] = copies[k];
        }
        ++k;
    }
    run_strided(y, f, Operands(safe, k), loop);
}

}  // namespace reel
