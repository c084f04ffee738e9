// Convolution as products of matrices: what the window shows at every result is a column. The three products
// of one convolution (result, gradient of the image, gradient of the weight) are each other's pullbacks, so
// that derivatives of any order need no further rule.
#include "ops/conv.hpp"

#include <algorithm>
#include <cstring>

#include "autograd/tape.hpp"
#include "ops/apply.hpp"
#include "ops/fold.hpp"
#include "ops/gemm.hpp"
#include "ops/reduce.hpp"
#include "ops/views.hpp"
#include "ops/window.hpp"
#include "tensor/parallel.hpp"

namespace reel {

namespace {

using std::int64_t;

constexpr int64_t kInL1 = 8 << 10;   // elements of columns that are read where they stand
constexpr int64_t kInL2 = 64 << 10;  // and that are summed over

/// The sizes of a convolution.
struct Convolution {
    kernels::Sliding window;
    int64_t images;
    int64_t groups;
    int64_t in;   ///< channels of one group
    int64_t out;  ///< channels of one group
    Shape image_sizes, weight_sizes, result_sizes;

    int64_t depth() const { return in * window.kernel_height * window.kernel_width; }
    int64_t plane() const { return window.height * window.width; }
    int64_t results() const { return window.out_height * window.out_width; }
};

/// One thread's way through the images and groups of a convolution: everything dense and of type `dtype`.
struct Pass {
    const Convolution& c;
    DType dtype;
    const kernels::Window& kernel = kernels::kernels().window[static_cast<std::size_t>(dtype)];
    int64_t size = itemsize(dtype);
    int64_t rows;  ///< output rows whose columns are made at once
    Tensor columns;

    /// `elements` of columns stay in cache.
    Pass(const Convolution& convolution, DType type, int64_t elements)
        : c(convolution),
          dtype(type),
          rows(std::clamp<int64_t>(elements / std::max<int64_t>(c.depth() * c.window.out_width, 1), 1,
                                   c.window.out_height)),
          columns(Tensor::empty({c.depth() * rows * c.window.out_width}, type)) {}

    std::byte* image(const Tensor& x, int64_t n, int64_t g) const {
        return x.raw() + (n * c.groups + g) * c.in * c.plane() * size;
    }
    std::byte* weight(const Tensor& w, int64_t g) const { return w.raw() + g * c.out * c.depth() * size; }
    std::byte* result(const Tensor& y, int64_t n, int64_t g, int64_t row) const {
        return y.raw() + ((n * c.groups + g) * c.out * c.results() + row * c.window.out_width) * size;
    }
    /// Calls f(row, results) after unfolding these output rows of an image.
    template <class F>
    void unfold(const Tensor& x, int64_t n, int64_t g, const F& f) const {
        for (int64_t row = 0; row < c.window.out_height; row += rows) {
            const int64_t end = std::min(row + rows, c.window.out_height);
            kernel.unfold(c.window, c.in, row, end, image(x, n, g), columns.raw());
            f(row, (end - row) * c.window.out_width);
        }
    }

    /// y = w · columns(x).
    void forward(const Tensor& x, const Tensor& w, const Tensor& y, int64_t n, int64_t g,
                 bool accumulate) const {
        unfold(x, n, g, [&](int64_t row, int64_t count) {
            gemm({dtype, c.out, count, c.depth(), accumulate}, {weight(w, g), c.depth(), 1},
                 {columns.raw(), count, 1}, {result(y, n, g, row), c.results()});
        });
    }
    /// w̄ += ȳ · columns(x)ᵀ.
    void weight_gradient(const Tensor& y_bar, const Tensor& x, const Tensor& w_bar, int64_t n,
                         int64_t g) const {
        unfold(x, n, g, [&](int64_t row, int64_t count) {
            gemm({dtype, c.out, c.depth(), count, true}, {result(y_bar, n, g, row), c.results(), 1},
                 {columns.raw(), 1, count}, {weight(w_bar, g), c.depth()});
        });
    }
    /// columns(x̄) = wᵀ · ȳ.
    void image_gradient(const Tensor& y_bar, const Tensor& w, const Tensor& x_bar, int64_t n,
                        int64_t g) const {
        for (int64_t row = 0; row < c.window.out_height; row += rows) {
            const int64_t end = std::min(row + rows, c.window.out_height);
            const int64_t count = (end - row) * c.window.out_width;
            gemm({dtype, c.depth(), count, c.out}, {weight(w, g), 1, c.depth()},
                 {result(y_bar, n, g, row), c.results(), 1}, {columns.raw(), count});
            kernel.fold(c.window, c.in, row, end, columns.raw(), image(x_bar, n, g));
        }
    }
};

/// Calls f(pass, image, group) for all of them, shared out among threads.
template <class F>
void for_images(const Convolution& c, DType dtype, const F& f) {
    const int64_t cost = product_cost({dtype, c.out, c.results(), c.depth()});
    parallel_for(c.images * c.groups, 1, cost, [&](int64_t begin, int64_t end) {
        const Pass pass(c, dtype, kInL1);
        for (int64_t i = begin; i < end; ++i) f(pass, i / c.groups, i % c.groups);
    });
}

Tensor zeros_of(const Shape& sizes, DType dtype) {
    const Tensor zeros = Tensor::empty(sizes, dtype);
    std::memset(zeros.raw(), 0, static_cast<std::size_t>(zeros.numel() * zeros.itemsize()));
    return zeros;
}

Tensor image_gradient(const Convolution& c, const Tensor& y_bar, const Tensor& w);
Tensor weight_gradient(const Convolution& c, const Tensor& y_bar, const Tensor& x);

/// The convolution itself, on checked operands.
Tensor convolved(const Convolution& c, const Tensor& x, const Tensor& w, const Tensor& bias) {
    const DType compute = compute_dtype(x.dtype());
    const Tensor from = dense(x, compute);
    const Tensor by = dense(w, compute);
    const Tensor y = Tensor::empty(c.result_sizes, compute);
    if (bias.defined()) copy_elements(y, bias.detach().view({-1, 1, 1}).expand(c.result_sizes));
    for_images(c, compute, [&](const Pass& pass, int64_t n, int64_t g) {
        pass.forward(from, by, y, n, g, bias.defined());
    });
    const Shape spread = c.result_sizes.size() == 4 ? Shape{0, 2, 3} : Shape{1, 2};
    return record("conv2d", dense(y, x.dtype()),
                  {{x, [c, w](const Tensor& y_bar) { return image_gradient(c, y_bar, w); }},
                   {w, [c, x](const Tensor& y_bar) { return weight_gradient(c, y_bar, x); }},
                   {bias, [spread](const Tensor& y_bar) { return y_bar.sum(spread); }}});
}

/// x̄: bilinear in ȳ and w. With g = ȳ, of a cotangent v, ḡ = conv2d(v, w) and w̄ = Σ v g as in conv2d.
Tensor image_gradient(const Convolution& c, const Tensor& y_bar, const Tensor& w) {
    const DType compute = compute_dtype(y_bar.dtype());
    const Tensor from = dense(y_bar, compute);
    const Tensor by = dense(w, compute);
    const Tensor x_bar = zeros_of(c.image_sizes, compute);
    for_images(c, compute,
               [&](const Pass& pass, int64_t n, int64_t g) { pass.image_gradient(from, by, x_bar, n, g); });
    return record("conv2d_image_gradient", dense(x_bar, y_bar.dtype()),
                  {{y_bar, [c, w](const Tensor& v) { return convolved(c, v, w, {}); }},
                   {w, [c, y_bar](const Tensor& v) { return weight_gradient(c, y_bar, v); }}});
}

/// w̄: bilinear in ȳ and x. Images are summed in a fixed number of chunks. With g = ȳ, of a cotangent v,
/// ḡ = conv2d(x, v) and x̄ = Σ v g as in conv2d.
Tensor weight_gradient(const Convolution& c, const Tensor& y_bar, const Tensor& x) {
    constexpr int64_t kMostChunks = 16;
    const DType compute = compute_dtype(y_bar.dtype());
    const Tensor from = dense(y_bar, compute);
    const Tensor image = dense(x, compute);
    const int64_t chunk = std::max<int64_t>((c.images + kMostChunks - 1) / kMostChunks, 1);
    const int64_t chunks = std::max<int64_t>((c.images + chunk - 1) / chunk, 1);
    Shape sizes = c.weight_sizes;
    sizes.insert(0, chunks);
    const Tensor parts = zeros_of(sizes, compute);
    const int64_t cost = c.groups * chunk * product_cost({compute, c.out, c.results(), c.depth()});
    parallel_for(chunks, 1, cost, [&](int64_t begin, int64_t end) {
        const Pass pass(c, compute, kInL2);
        for (int64_t n = begin * chunk; n < std::min(end * chunk, c.images); ++n) {
            const Tensor part = parts.detach().select(0, n / chunk);
            for (int64_t g = 0; g < c.groups; ++g) pass.weight_gradient(from, image, part, n, g);
        }
    });
    const Tensor w_bar = fold(kernels::Fold::kSum, parts, {0}, {compute}).view(c.weight_sizes);
    return record("conv2d_weight_gradient", dense(w_bar, y_bar.dtype()),
                  {{y_bar, [c, x](const Tensor& v) { return convolved(c, x, v, {}); }},
                   {x, [c, y_bar](const Tensor& v) { return image_gradient(c, y_bar, v); }}});
}

void check(const Tensor& x, const Tensor& weight, const Tensor& bias, int64_t groups) {
    if (!x.is_floating_point() || weight.dtype() != x.dtype() ||
        (bias.defined() && bias.dtype() != x.dtype())) {
        fail<DTypeError>("conv2d: floating operands of one dtype are needed, not ", x.dtype(), " and ",
                         weight.dtype(), bias.defined() ? detail::concat(" and ", bias.dtype()) : "",
                         "; convert with to(…)");
    }
    if ((x.dim() != 3 && x.dim() != 4) || weight.dim() != 4) {
        fail<ShapeError>(
            "conv2d: x must be (N, C, H, W) or (C, H, W), the weight (O, C / groups, height, width), not ",
            x.sizes(), " and ", weight.sizes());
    }
    if (groups < 1 || weight.size(0) % groups != 0 || x.size(-3) != weight.size(1) * groups) {
        fail<ShapeError>("conv2d: x of shape ", x.sizes(), " has ", x.size(-3),
                         " channels; the weight of shape ", weight.sizes(), " with ", groups,
                         " groups takes ", weight.size(1) * groups,
                         ", and its first size must be a multiple of the groups");
    }
    if (bias.defined() && bias.sizes() != Shape{weight.size(0)}) {
        fail<ShapeError>("conv2d: a bias of shape ", bias.sizes(), " for ", weight.size(0),
                         " output channels");
    }
}

}  // namespace

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options) {
    check(x, weight, bias, options.groups);
    const kernels::Sliding window = slide(
        "conv2d", x,
        {0, 0, 0, 0, weight.size(2), weight.size(3), options.stride.height, options.stride.width,
         options.padding.height, options.padding.width, options.dilation.height, options.dilation.width});
    Shape sizes = slid_sizes(x, window);
    sizes[sizes.size() - 3] = weight.size(0);
    const Convolution c{window,
                        x.dim() == 4 ? x.size(0) : 1,
                        options.groups,
                        weight.size(1),
                        weight.size(0) / options.groups,
                        x.sizes(),
                        weight.sizes(),
                        sizes};
    return convolved(c, x, weight, bias);
}

}  // namespace reel
