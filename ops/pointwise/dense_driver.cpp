#include "ops/pointwise/dense_driver.hpp"

#include <algorithm>

#include "ops/pointwise/strided_driver.hpp"
#include "tensor/iterate.hpp"
#include "tensor/parallel.hpp"

namespace reel {

namespace {

/// The bytes [first, last) that a tensor's elements lie in.
std::pair<const std::byte*, const std::byte*> extent(const Tensor& x) {
    const OffsetRange range = offset_range(x.sizes(), x.strides());
    return {x.raw() + range.low * x.itemsize(), x.raw() + (range.high + 1) * x.itemsize()};
}

}  // namespace

bool overlaps(const Tensor& y, const Tensor& x) {
    if (y.numel() == 0 || x.numel() == 0) return false;
    const bool same =
        y.raw() == x.raw() && y.dtype() == x.dtype() && y.sizes() == x.sizes() && y.strides() == x.strides();
    if (same) return false;
    const auto [y_first, y_last] = extent(y);
    const auto [x_first, x_last] = extent(x);
    return y_first < x_last && x_first < y_last;
}

Tensor empty_in_order(const Shape& sizes, const Shape& order, DType dtype) {
    Tensor y = Tensor::empty(sizes, dtype);
    if (std::is_sorted(order.begin(), order.end())) return y;
    Shape strides = sizes;
    std::int64_t step = 1;
    for (std::size_t i = order.size(); i-- > 0;) {
        strides[order[i]] = step;
        step *= std::max<std::int64_t>(sizes[order[i]], 1);
    }
    return Tensor::make(y.impl().storage, dtype, sizes, strides, 0);
}

void copy_elements(const Tensor& y, const Tensor& x) {
    if (overlaps(y, x)) return copy_elements(y, dense_copy(x, x.dtype()));
    if (x.dtype() == y.dtype() && y.is_contiguous()) {
        const StridedRuns runs(y.sizes(), broadcast_strides(x.sizes(), x.strides(), y.sizes()));
        const std::int64_t size = x.itemsize();
        if (const std::int64_t planes = runs.planes()) {
            return parallel_for(planes, 1, y.numel() / planes, [&](std::int64_t first, std::int64_t last) {
                runs.gather_planes(size, x.raw(), first, last, y.raw());
            });
        }
        const std::int64_t block =
            runs.is_transposed() ? std::max(kOperandBlock, 32 * runs.row()) : kOperandBlock;
        parallel_for(y.numel(), block, 1, [&](std::int64_t begin, std::int64_t end) {
            runs.gather(size, x.raw(), begin, end - begin, y.raw() + begin * size);
        });
        return;
    }
    run_strided(y, {"copy", kernels::Fn::kIdentity, y.dtype(), y.dtype(), nullptr}, {x}, nullptr);
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
