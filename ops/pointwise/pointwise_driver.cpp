#include "ops/pointwise/pointwise_driver.hpp"

#include <algorithm>
#include <array>

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

/// Writes `count` times the element to dense memory.
void splat(const std::byte* element, DType dtype, std::int64_t count, std::byte* to) {
    dispatch(dtype, [&](auto zero) {
        using T = decltype(zero);
        std::fill_n(reinterpret_cast<T*>(to), count, *reinterpret_cast<const T*>(element));
    });
}

/// The loop for one of two operands that is a single number, if there is such a one.
kernels::Loop number_loop(const Tensor& y, const Elementwise& f, Operands operands) {
    if (operands.size() != 2 || y.numel() == 1) return nullptr;
    const auto is_number = [&](const Operand& o) { return !o.tensor() || o.tensor()->numel() != y.numel(); };
    const std::size_t same = is_number(operands.begin()[0]) ? 0 : 1;
    if (!is_number(operands.begin()[same]) || is_number(operands.begin()[1 - same])) return nullptr;
    return kernels::spread_loop(f.fn, f.compute, same);
}

/// f of plain operands into dense `y`. A number that the loop does not take as one is written out for one block,
/// which all blocks read. A large new result is written past the caches, by way of a block in L1.
void run_plain(const Tensor& y, const Elementwise& f, Operands operands, kernels::Loop loop) {
    std::size_t count = 0;
    const std::byte* base[kMaxOperands] = {};
    std::int64_t step[kMaxOperands] = {};  // bytes from one element to the next; 0 for a number
    alignas(64) std::byte numbers[kMaxOperands][kOperandBlock * sizeof(double)];
    const std::int64_t out_size = itemsize(f.result);
    bool streams = y.numel() * out_size >= kStreamed && is_line_aligned(y.raw());
    for (const Operand& operand : operands) {  // what is read is fetched anyway
        streams = streams && !(operand.tensor() && operand.tensor()->raw() == y.raw());
    }
    std::int64_t block = streams ? kOperandBlock : std::max<std::int64_t>(y.numel(), 1);
    const kernels::Loop with_number = number_loop(y, f, operands);
    if (with_number) loop = with_number;
    for (const Operand& operand : operands) {
        const DType wanted = operand_type(f, count);
        const Tensor* x = operand.tensor();
        if (x && x->numel() == y.numel()) {
            base[count] = x->raw();
            step[count] = itemsize(wanted);
        } else {
            alignas(8) std::byte number[8];
            if (!x) store(f, operand.number(), wanted, number);
            if (!with_number) block = std::min(kOperandBlock, block);
            splat(x ? x->raw() : number, wanted, with_number ? 1 : block, numbers[count]);
            base[count] = numbers[count];
        }
        ++count;
    }
    std::byte* to = y.raw();
    if (y.numel() <= std::min(block, kGrain)) {
        const void* x[kMaxOperands] = {base[0], base[1], base[2]};
        return loop(y.numel(), to, x, f.parameters);
    }
    parallel_for(y.numel(), kOperandBlock, 1, [&](std::int64_t begin, std::int64_t end) {
        alignas(64) std::byte results[kOperandBlock * sizeof(double)];
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

/// The bytes [first, last) that a tensor's elements lie in.
std::pair<const std::byte*, const std::byte*> extent(const Tensor& x) {
    const OffsetRange range = offset_range(x.sizes(), x.strides());
    return {x.raw() + range.low * x.itemsize(), x.raw() + (range.high + 1) * x.itemsize()};
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
                   : empty_in_order(sizes, dims_by_stride(sizes, model->strides()), f.result);
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
        const StridedRuns runs(y.sizes(), broadcast_strides(x.sizes(), x.strides(), y.sizes()));
        const std::int64_t size = x.itemsize();
        const std::int64_t block =
            runs.is_transposed() ? std::max(kOperandBlock, 32 * runs.row()) : kOperandBlock;
        parallel_for(y.numel(), block, 1, [&](std::int64_t begin, std::int64_t end) {
            runs.gather(size, x.raw(), begin, end - begin, y.raw() + begin * size);
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
