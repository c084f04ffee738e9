// Pooling, forward and pullback side by side; the windows are walked in `kernels/window.cpp`.
#include "ops/conv/pool.hpp"

#include <algorithm>
#include <limits>

#include "autograd/tape.hpp"
#include "ops/conv/window.hpp"
#include "ops/pointwise/by_promotion.hpp"
#include "ops/pointwise/compare.hpp"
#include "ops/pointwise/conditional.hpp"
#include "ops/pointwise/dense_driver.hpp"
#include "ops/shape/views.hpp"
#include "tensor/factory.hpp"
#include "tensor/parallel.hpp"

namespace reel {

namespace {

using kernels::Sliding;
using std::int64_t;

Sliding sliding(const char* name, const Tensor& x, const auto& options, Pair dilation) {
    check_floating(name, x);
    const Pair kernel = options.kernel_size;
    const Pair stride = options.stride;
    const Pair padding = options.padding;
    const bool shaped = x.dim() == 3 || x.dim() == 4;
    if (!shaped || x.size(-1) == 0 || x.size(-2) == 0 || x.size(-3) == 0) {
        fail<ShapeError>(name, ": (N, C, H, W) or (C, H, W) is needed, only N may be 0, not the shape ",
                         x.sizes());
    }
    if (x.size(-1) * x.size(-2) > std::numeric_limits<std::int32_t>::max()) {
        fail<ShapeError>(name, ": planes of the shape ", x.sizes(), " have more than 2³¹ − 1 elements");
    }
    if (padding.height > kernel.height / 2 || padding.width > kernel.width / 2) {
        fail<ShapeError>(name, ": the padding (", padding.height, ", ", padding.width,
                         ") is more than half the kernel size (", kernel.height, ", ", kernel.width, ")");
    }
    return slide(name, x,
                 {0, 0, 0, 0, kernel.height, kernel.width, stride.height, stride.width, padding.height,
                  padding.width, dilation.height, dilation.width},
                 options.ceil_mode);
}

int64_t plane(const Sliding& s) { return s.height * s.width; }
int64_t results(const Sliding& s) { return s.out_height * s.out_width; }

/// Calls f(kernels, begin, end) for ranges of the planes of `x`.
void for_planes(const Sliding& s, const Tensor& x, DType compute, const auto& f) {
    const kernels::Window& kernel = kernels::kernels().window[static_cast<std::size_t>(compute)];
    const int64_t planes = x.numel() / std::max<int64_t>(x.size(-1) * x.size(-2), 1);
    const int64_t taps = std::min(s.kernel_height, s.height) * std::min(s.kernel_width, s.width);
    const int64_t cost = results(s) * taps + plane(s);
    parallel_for(planes, 1, cost, [&](int64_t begin, int64_t end) { f(kernel, begin, end - begin); });
}

/// ȳ at the indices of the winners, zeros around; an index of −1 is none. With g = ȳ, of a cotangent v, ḡ = v at these indices.
Tensor max_pool2d_backward(const Sliding& s, const Tensor& y_bar, const Tensor& indices, const Shape& sizes) {
    const DType compute = compute_dtype(y_bar.dtype());
    const Tensor from = dense(y_bar, compute);
    const Tensor x_bar = zeros(sizes, compute);
    const int64_t size = itemsize(compute);
    for_planes(s, x_bar, compute, [&](const kernels::Window& kernel, int64_t begin, int64_t planes) {
        kernel.max_backward(s, planes, from.raw() + begin * results(s) * size,
                            indices.data_ptr<int64_t>() + begin * results(s),
                            x_bar.raw() + begin * plane(s) * size);
    });
    return record(
        "max_pool2d_backward", dense(x_bar, y_bar.dtype()),
        {{y_bar, [indices](const Tensor& v) {
              const Tensor taken =
                  v.flatten(-2).gather(-1, clamp(indices, 0, None).flatten(-2)).view(indices.sizes());
              return where(indices < 0, 0, taken);
          }}});
}

/// What the sum under each window is multiplied by: 1 / the number of elements that count.
Tensor scales(const Sliding& s, const AvgPool2dOptions& options, DType dtype) {
    if (options.divisor_override && *options.divisor_override == 0) {
        fail<Error>("avg_pool2d: divisor_override must not be 0");
    }
    const auto counted = [&](int64_t out, int64_t stride, int64_t padding, int64_t kernel, int64_t length) {
        const int64_t begin = out * stride - padding;
        const int64_t end = std::min(begin + kernel, length + padding);
        return options.count_include_pad ? end - begin : std::min(end, length) - std::max<int64_t>(begin, 0);
    };
    const Tensor scale = Tensor::empty({s.out_height, s.out_width}, kFloat64);
    auto* to = scale.data_ptr<double>();
    for (int64_t i = 0; i < s.out_height; ++i) {
        const int64_t rows = counted(i, s.stride_height, s.padding_height, s.kernel_height, s.height);
        for (int64_t j = 0; j < s.out_width; ++j) {
            const int64_t columns = counted(j, s.stride_width, s.padding_width, s.kernel_width, s.width);
            const double count = static_cast<double>(rows) * static_cast<double>(columns);
            *to++ = 1 / (options.divisor_override ? static_cast<double>(*options.divisor_override) : count);
        }
    }
    return dense(scale, dtype);
}

/// ȳ / n for the n elements under each window, added up. With g = ȳ, of a cotangent v, ḡ = avg_pool2d(v).
Tensor avg_pool2d_backward(const Sliding& s, const Tensor& y_bar, const Shape& sizes,
                           const AvgPool2dOptions& options) {
    const DType compute = compute_dtype(y_bar.dtype());
    const Tensor from = dense(y_bar, compute);
    const Tensor scale = scales(s, options, compute);
    const Tensor x_bar = zeros(sizes, compute);
    const int64_t size = itemsize(compute);
    for_planes(s, x_bar, compute, [&](const kernels::Window& kernel, int64_t begin, int64_t planes) {
        kernel.sum_backward(s, planes, from.raw() + begin * results(s) * size, scale.raw(),
                            x_bar.raw() + begin * plane(s) * size);
    });
    return record("avg_pool2d_backward", dense(x_bar, y_bar.dtype()),
                  {{y_bar, [options](const Tensor& v) { return avg_pool2d(v, options); }}});
}

}  // namespace

Tensor max_pool2d(const Tensor& x, const MaxPool2dOptions& options) {
    const Sliding s = sliding("max_pool2d", x, options, options.dilation);
    const DType compute = compute_dtype(x.dtype());
    const Tensor from = dense(x, compute);
    const Tensor y = Tensor::empty(slid_sizes(x, s), compute);
    const Tensor indices = Tensor::empty(y.sizes(), kInt64);
    const int64_t size = itemsize(compute);
    for_planes(s, x, compute, [&](const kernels::Window& kernel, int64_t begin, int64_t planes) {
        kernel.max(s, planes, from.raw() + begin * plane(s) * size, y.raw() + begin * results(s) * size,
                   indices.data_ptr<int64_t>() + begin * results(s));
    });
    return record("max_pool2d", dense(y, x.dtype()),
                  {{x, [s, indices, sizes = x.sizes()](const Tensor& y_bar) {
                        return max_pool2d_backward(s, y_bar, indices, sizes);
                    }}});
}

Tensor avg_pool2d(const Tensor& x, const AvgPool2dOptions& options) {
    const Sliding s = sliding("avg_pool2d", x, options, 1);
    const DType compute = compute_dtype(x.dtype());
    const Tensor from = dense(x, compute);
    const Tensor scale = scales(s, options, compute);
    const Tensor y = Tensor::empty(slid_sizes(x, s), compute);
    const int64_t size = itemsize(compute);
    for_planes(s, x, compute, [&](const kernels::Window& kernel, int64_t begin, int64_t planes) {
        kernel.sum(s, planes, from.raw() + begin * plane(s) * size, scale.raw(),
                   y.raw() + begin * results(s) * size);
    });
    return record("avg_pool2d", dense(y, x.dtype()),
                  {{x, [s, sizes = x.sizes(), options](const Tensor& y_bar) {
                        return avg_pool2d_backward(s, y_bar, sizes, options);
                    }}});
}

}  // namespace reel
