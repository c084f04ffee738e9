// Convolution as products of matrices: what the window shows at every result is a column.
#include <algorithm>

#include "ops/conv/convolution_driver.hpp"
#include "ops/pointwise/dense_driver.hpp"

namespace reel {

namespace {

using std::int64_t;

constexpr int64_t kColumns = 64 << 10;  // elements of columns made at once: they stay in L2

/// One thread's way through the images and groups of a convolution.
struct Pass {
    const Convolution& c;
    DType dtype;
    const kernels::Window& kernel = kernels::kernels().window[static_cast<std::size_t>(dtype)];
    int64_t size = itemsize(dtype);
    int64_t rows;  ///< output rows whose columns are made at once
    Tensor columns;

    Pass(const Convolution& convolution, DType type)
        : c(convolution),
          dtype(type),
          rows(std::clamp<int64_t>(kColumns / std::max<int64_t>(c.depth() * c.window.out_width, 1), 1,
                                   c.window.out_height)),
          columns(Tensor::empty({c.depth() * rows * c.window.out_width}, type)) {}

    std::byte* result(const Tensor& y, int64_t n, int64_t g, int64_t row) const {
        return c.result(y, n, g) + row * c.window.out_width * size;
    }
    /// Calls f(row, results) after unfolding these output rows of an image.
    void unfold(const Tensor& x, int64_t n, int64_t g, const auto& f) const {
        for (int64_t row = 0; row < c.window.out_height; row += rows) {
            const int64_t end = std::min(row + rows, c.window.out_height);
            kernel.unfold(c.window, c.in, row, end, c.image(x, n, g), columns.raw());
            f(row, (end - row) * c.window.out_width);
        }
    }

    /// y = w · columns(x).
    void forward(const Tensor& x, const Tensor& w, const Tensor& y, int64_t n, int64_t g,
                 bool accumulate) const {
        unfold(x, n, g, [&](int64_t row, int64_t count) {
            std::byte* const to = result(y, n, g, row);
            gemm({dtype, c.out, count, c.depth()}, {c.weight(w, g), c.depth(), 1}, {columns.raw(), count, 1},
                 {to, c.results()}, {accumulate ? to : nullptr, c.results()});
        });
    }
    /// w̄ += ȳ · columns(x)ᵀ.
    void weight_gradient(const Tensor& y_bar, const Tensor& x, const Tensor& w_bar, int64_t n,
                         int64_t g) const {
        unfold(x, n, g, [&](int64_t row, int64_t count) {
            std::byte* const to = c.weight(w_bar, g);
            gemm({dtype, c.out, c.depth(), count}, {result(y_bar, n, g, row), c.results(), 1},
                 {columns.raw(), 1, count}, {to, c.depth()}, {to, c.depth()});
        });
    }
    /// columns(x̄) = wᵀ · ȳ.
    void image_gradient(const Tensor& y_bar, const Tensor& w, const Tensor& x_bar, int64_t n,
                        int64_t g) const {
        for (int64_t row = 0; row < c.window.out_height; row += rows) {
            const int64_t end = std::min(row + rows, c.window.out_height);
            const int64_t count = (end - row) * c.window.out_width;
            gemm({dtype, c.depth(), count, c.out}, {c.weight(w, g), 1, c.depth()},
                 {result(y_bar, n, g, row), c.results(), 1}, {columns.raw(), count});
            kernel.fold(c.window, c.in, row, end, columns.raw(), c.image(x_bar, n, g));
        }
    }
};

/// Calls f(pass, image, group) for all of them, shared out among threads.
void for_images(const Convolution& c, DType dtype, const auto& f) {
    parallel_for(c.images * c.groups, 1, c.cost(dtype), [&](int64_t begin, int64_t end) {
        const Pass pass(c, dtype);
        for (int64_t i = begin; i < end; ++i) f(pass, i / c.groups, i % c.groups);
    });
}

}  // namespace

Tensor convolve_by_columns(const Convolution& c, const Tensor& x, const Tensor& w, const Tensor& bias) {
    const Tensor y = Tensor::empty(c.result_sizes, x.dtype());
    if (bias.defined()) copy_elements(y, bias.detach().view({-1, 1, 1}).expand(c.result_sizes));
    for_images(c, x.dtype(),
               [&](const Pass& pass, int64_t n, int64_t g) { pass.forward(x, w, y, n, g, bias.defined()); });
    return y;
}

Tensor image_gradient_by_columns(const Convolution& c, const Tensor& y_bar, const Tensor& w) {
    const Tensor x_bar = zeros(c.image_sizes, y_bar.dtype());
    for_images(c, y_bar.dtype(),
               [&](const Pass& pass, int64_t n, int64_t g) { pass.image_gradient(y_bar, w, x_bar, n, g); });
    return x_bar;
}

Tensor weight_gradient_by_columns(const Convolution& c, const Tensor& y_bar, const Tensor& x) {
    return sum_over_images(c, x.dtype(), [&](int64_t) {
        return [&, pass = Pass(c, x.dtype())](int64_t begin, int64_t end, const Tensor& w_bar) {
            for (int64_t i = begin * c.groups; i < end * c.groups; ++i) {
                pass.weight_gradient(y_bar, x, w_bar, i / c.groups, i % c.groups);
            }
        };
    });
}

}  // namespace reel
