/// \file
/// The three products of a convolution, on dense operands of the one type that is computed in. There are two
/// ways: by columns, as products of matrices, which serves every convolution; by shifts, which is faster
/// where it applies. What is recorded is in `conv.cpp`.
#pragma once

#include "ops/kernels/table.hpp"
#include "ops/linalg/gemm_driver.hpp"
#include "ops/reduce/reduce_driver.hpp"
#include "tensor/factory.hpp"
#include "tensor/parallel.hpp"

namespace reel {

/// The sizes of a convolution.
struct Convolution {
    kernels::Sliding window;
    std::int64_t images;
    std::int64_t groups;
    std::int64_t in;   ///< channels of one group
    std::int64_t out;  ///< channels of one group
    Shape image_sizes, weight_sizes, result_sizes;

    std::int64_t depth() const { return in * window.kernel_height * window.kernel_width; }
    std::int64_t plane() const { return window.height * window.width; }
    std::int64_t results() const { return window.out_height * window.out_width; }
    /// The work for one image and group, as `parallel_for` counts it.
    std::int64_t cost(DType dtype) const { return product_cost({dtype, out, results(), depth()}); }

    /// Where group g of image n begins, and its weight and results.
    std::byte* image(const Tensor& x, std::int64_t n, std::int64_t g) const {
        return x.raw() + (n * groups + g) * in * plane() * x.itemsize();
    }
    std::byte* weight(const Tensor& w, std::int64_t g) const {
        return w.raw() + g * out * depth() * w.itemsize();
    }
    std::byte* result(const Tensor& y, std::int64_t n, std::int64_t g) const {
        return y.raw() + (n * groups + g) * out * results() * y.itemsize();
    }
};

Tensor convolve_by_columns(const Convolution& c, const Tensor& x, const Tensor& w, const Tensor& bias);
Tensor image_gradient_by_columns(const Convolution& c, const Tensor& y_bar, const Tensor& w);
Tensor weight_gradient_by_columns(const Convolution& c, const Tensor& y_bar, const Tensor& x);

/// The convolution that makes x̄ of ȳ (by the weight turned round), where the stride is 1.
Convolution reversed(const Convolution& c);
/// Whether windows overlap, and most positions of the frame belong to results (Note [Shifted planes]). Windows that do not are
/// unfolded as fast as they are framed.
bool can_shift(const Convolution& c);
/// The same of the weight's gradient, which pays for the columns once for all outputs, and not at all for other positions: it
/// goes by columns with many outputs of which each line leaves more than a few positions over.
bool can_shift_products(const Convolution& c);
Tensor convolve_by_shifts(const Convolution& c, const Tensor& x, const Tensor& w, const Tensor& bias);
Tensor image_gradient_by_shifts(const Convolution& c, const Tensor& y_bar, const Tensor& w);
Tensor weight_gradient_by_shifts(const Convolution& c, const Tensor& y_bar, const Tensor& x);

/// w̄, when make(chunk) gives each thread an f(begin, end, w̄) that adds to w̄ what images [begin, end), at most
/// `chunk` of them, give. The chunks do not depend on the number of threads.
Tensor sum_over_images(const Convolution& c, DType dtype, const auto& make) {
    constexpr std::int64_t kMostChunks = 16;
    const std::int64_t chunk = std::max<std::int64_t>((c.images + kMostChunks - 1) / kMostChunks, 1);
    const std::int64_t chunks = std::max<std::int64_t>((c.images + chunk - 1) / chunk, 1);
    Shape sizes = c.weight_sizes;
    sizes.insert(0, chunks);
    const Tensor parts = zeros(sizes, dtype);
    parallel_for(chunks, 1, c.groups * chunk * c.cost(dtype), [&](std::int64_t first, std::int64_t last) {
        const auto add = make(chunk);
        for (std::int64_t i = first; i < last; ++i) {
            add(i * chunk, std::min((i + 1) * chunk, c.images), parts.select(0, i));
        }
    });
    return reduce(kernels::ReduceOp::kSum, parts, {0}, {dtype}).view(c.weight_sizes);
}

}  // namespace reel
