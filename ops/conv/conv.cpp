// Convolution: what is recorded, and the checks. The three products of one convolution (result, gradient of
// the image, gradient of the weight) are each other's pullbacks, so that derivatives of any order need no
// further rule. How they are computed is in the drivers beside.
#include "ops/conv/conv.hpp"

#include "autograd/tape.hpp"
#include "ops/conv/convolution_driver.hpp"
#include "ops/conv/window.hpp"
#include "ops/pointwise/compare.hpp"
#include "ops/pointwise/dense_driver.hpp"
#include "ops/reduce/reduce.hpp"
#include "tensor/checked.hpp"

namespace reel {

namespace {

using std::int64_t;

// ---- The faster way, on dense operands of one type.

Tensor compute_result(const Convolution& c, const Tensor& x, const Tensor& w, const Tensor& bias) {
    if (numel(c.result_sizes) == 0) return Tensor::empty(c.result_sizes, x.dtype());
    if (offsets_pay(c, x.dtype())) return convolve_by_offsets(c, x, w, bias);
    return can_shift(c) ? convolve_by_shifts(c, x, w, bias) : convolve_by_columns(c, x, w, bias);
}

/// Whether there is a result at every place of the window. (Where there is one alone, its stride is 1, whatever was asked for.)
bool is_dense(const kernels::Sliding& w) {
    return w.stride_height == 1 && w.stride_width == 1 &&
           w.out_height == w.height + 2 * w.padding_height - (w.kernel_height - 1) * w.dilation_height &&
           w.out_width == w.width + 2 * w.padding_width - (w.kernel_width - 1) * w.dilation_width;
}

Tensor compute_image_gradient(const Convolution& c, const Tensor& y_bar, const Tensor& w) {
    if (y_bar.numel() == 0) return zeros(c.image_sizes, y_bar.dtype());
    if (!is_dense(c.window) || !can_shift(c) || !can_shift(reversed(c)))
        return image_gradient_by_columns(c, y_bar, w);
    return compute_result(reversed(c), y_bar, swapped_weight(c, w), {});
}

Tensor compute_weight_gradient(const Convolution& c, const Tensor& y_bar, const Tensor& x) {
    if (y_bar.numel() == 0) return zeros(c.weight_sizes, y_bar.dtype());
    if (offset_products_pay(c, x.dtype())) return weight_gradient_by_offsets(c, y_bar, x);
    if (can_shift(c)) {
        const Tensor w_bar = weight_gradient_by_shifts(c, y_bar, x);
        if (isfinite(w_bar).all().item<bool>()) return w_bar;  // else see Note [Shifted planes]
    }
    return weight_gradient_by_columns(c, y_bar, x);
}

// ---- What is recorded.

Tensor image_gradient(const Convolution& c, const Tensor& y_bar, const Tensor& w);
Tensor weight_gradient(const Convolution& c, const Tensor& y_bar, const Tensor& x);

/// The convolution itself, on checked operands.
Tensor convolved(const Convolution& c, const Tensor& x, const Tensor& w, const Tensor& bias) {
    const DType compute = compute_dtype(x.dtype());
    const Tensor start = bias.defined() ? dense(bias, compute) : bias;
    const Tensor y = compute_result(c, dense(x, compute), dense(w, compute), start);
    const Shape spread = c.result_sizes.size() == 4 ? Shape{0, 2, 3} : Shape{1, 2};
    return record("conv2d", dense(y, x.dtype()),
                  {{x, [c, w](const Tensor& y_bar) { return image_gradient(c, y_bar, w); }},
                   {w, [c, x](const Tensor& y_bar) { return weight_gradient(c, y_bar, x); }},
                   {bias, [spread](const Tensor& y_bar) { return y_bar.sum(spread); }}});
}

/// x̄: bilinear in ȳ and w. With g = ȳ, of a cotangent v, ḡ = conv2d(v, w) and w̄ = Σ v g as in conv2d.
Tensor image_gradient(const Convolution& c, const Tensor& y_bar, const Tensor& w) {
    const DType compute = compute_dtype(y_bar.dtype());
    const Tensor x_bar = compute_image_gradient(c, dense(y_bar, compute), dense(w, compute));
    return record("conv2d_image_gradient", dense(x_bar, y_bar.dtype()),
                  {{y_bar, [c, w](const Tensor& v) { return convolved(c, v, w, {}); }},
                   {w, [c, y_bar](const Tensor& v) { return weight_gradient(c, y_bar, v); }}});
}

/// w̄: bilinear in ȳ and x. With g = ȳ, of a cotangent v, ḡ = conv2d(x, v) and x̄ = Σ v g as in conv2d.
Tensor weight_gradient(const Convolution& c, const Tensor& y_bar, const Tensor& x) {
    const DType compute = compute_dtype(y_bar.dtype());
    const Tensor w_bar = compute_weight_gradient(c, dense(y_bar, compute), dense(x, compute));
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
    if (groups < 1 || weight.size(0) % groups != 0 || x.size(-3) != Wide{weight.size(1)} * groups) {
        fail<ShapeError>("conv2d: x of shape ", x.sizes(), " has ", x.size(-3),
                         " channels; the weight of shape ", weight.sizes(), " with ", groups,
                         " groups takes ", groups, " times ", weight.size(1),
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
