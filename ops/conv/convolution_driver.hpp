/// \file
/// The three products of a convolution, on dense operands of the one type that is computed in. There are three
/// ways: by columns, as products of matrices, which serves every convolution; by offsets, the same without making the
/// columns; by shifts, for few outputs. What is recorded is in `conv.cpp`.
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
    bool is_turned = false;  ///< the weight's places are those of the window from the last to the first

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

/// Whether windows overlap, and most positions of the frame belong to results (Note [Shifted planes]). Windows that do not are
/// unfolded as fast as they are framed.
bool can_shift(const Convolution& c);
/// The positions of an image that are computed for its results.
std::int64_t shifted_positions(const Convolution& c);
Tensor convolve_by_shifts(const Convolution& c, const Tensor& x, const Tensor& w, const Tensor& bias);
Tensor weight_gradient_by_shifts(const Convolution& c, const Tensor& y_bar, const Tensor& x);

/// Whether that takes less time than the other ways (Note [Columns by offsets]).
bool offsets_pay(const Convolution& c, DType dtype);
bool offset_products_pay(const Convolution& c, DType dtype);
Tensor convolve_by_offsets(const Convolution& c, const Tensor& x, const Tensor& w, const Tensor& bias);
Tensor weight_gradient_by_offsets(const Convolution& c, const Tensor& y_bar, const Tensor& x);

/// The convolution that makes x̄ of ȳ, where the stride is 1 ...
Convolution reversed(const Convolution& c);
/// ... by the weight turned round, with its channels swapped within each group: this is the swapped one.
Tensor swapped_weight(const Convolution& c, const Tensor& w);

/// w̄, when make(chunk) gives each thread an f(begin, end, w̄) that adds to w̄ what images [begin, end), at most
/// `chunk` of them, give. The chunks do not depend on the number of threads; there are few of them where a w̄ is as much to add
/// as an image is to multiply, and the threads then share each.
Tensor sum_over_images(const Convolution& c, DType dtype, const auto& make) {
    constexpr std::int64_t kMostChunks = 16;
    constexpr std::int64_t kManyResults = 1 << 10;    // of a chunk
    constexpr std::int64_t kFewElements = 256 << 10;  // of all w̄
    const std::int64_t most = std::max(c.images * c.results() / kManyResults,
                                       kFewElements / std::max<std::int64_t>(numel(c.weight_sizes), 1));
    const std::int64_t wanted = std::clamp<std::int64_t>(most, 1, kMostChunks);
    const std::int64_t chunk = std::max<std::int64_t>((c.images + wanted - 1) / wanted, 1);
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
    if (chunks == 1) return parts.view(c.weight_sizes);
    return reduce(kernels::ReduceOp::kSum, parts, {0}, {dtype}).view(c.weight_sizes);
}

}  // namespace reel
