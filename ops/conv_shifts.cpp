// Convolution of stride 1 as sums of shifted planes.
//
// Note [Shifted planes]
// Frame every plane with its padding of zeros and read it as one long row, r = width + 2 padding to a line.
// With p = i r + j, what place (a, b) of the window shows at result (i, j) stands at p + a·dilation·r +
// b·dilation. So a term of the sum is the framed plane itself, read from a shifted place, and there are no
// columns to fill or to read. The positions behind the end of a line of results belong to none: their sums
// are computed and dropped.
//
// x̄ is a convolution of ȳ, by the weight turned round with its channels swapped, whose padding is what the
// first one left: dilation (kernel − 1) − padding.
//
// w̄ multiplies planes of x by planes of ȳ that are framed alike: zeros stand at the positions of no result.
// An infinite x there would make a NaN of a sum that it has no part in; a w̄ that is not finite is computed
// again, by columns.
#include <vector>

#include "ops/convolution.hpp"
#include "ops/views.hpp"

namespace reel {

namespace {

using std::int64_t;

constexpr int64_t kResults = 32 << 10;  // sums made at once: they stay in L2

/// One thread's way through the images of a convolution.
struct Shifts {
    const Convolution& c;
    DType dtype;
    int64_t size = itemsize(dtype);
    const kernels::Correlate& kernel = kernels::kernels().correlate[static_cast<std::size_t>(dtype)];
    int64_t row, plane;  ///< of the frame
    std::vector<int64_t> places;
    Tensor framed;  ///< zeros, but for the planes of the image

    Shifts(const Convolution& convolution, DType type) : c(convolution), dtype(type) {
        const kernels::Sliding& w = c.window;
        row = w.width + 2 * w.padding_width;
        plane = row * (w.height + 2 * w.padding_height);
        for (int64_t i = 0; i < c.in; ++i) {
            for (int64_t a = 0; a < w.kernel_height; ++a) {
                for (int64_t b = 0; b < w.kernel_width; ++b) {
                    places.push_back(i * plane + a * w.dilation_height * row + b * w.dilation_width);
                }
            }
        }
        framed = zeros({c.in * plane + row + kernel.step}, dtype);
    }

    int64_t rounded(int64_t n) const { return (n + kernel.step - 1) / kernel.step * kernel.step; }

    /// Brings the planes of an image into the frame.
    void frame(const std::byte* image) const {
        const kernels::Sliding& w = c.window;
        kernel.copy({c.in, w.height, w.width, c.plane(), w.width, plane, row}, image,
                    framed.raw() + (w.padding_height * row + w.padding_width) * size);
    }

    /// y of the framed image, a strip of lines after the other.
    void sum(const std::byte* weight, const std::byte* bias, const Tensor& sums, int64_t strip,
             std::byte* y) const {
        const kernels::Sliding& w = c.window;
        for (int64_t line = 0; line < w.out_height; line += strip) {
            const int64_t lines = std::min(strip, w.out_height - line);
            const int64_t n = rounded(lines * row);
            kernel.sums(c.out, (lines - 1) * row + w.out_width, c.depth(), framed.raw() + line * row * size,
                        places.data(), weight, bias, sums.raw(), n);
            kernel.copy({c.out, lines, w.out_width, n, row, c.results(), w.out_width}, sums.raw(),
                        y + line * w.out_width * size);
        }
    }
};

/// The weight turned round, channels swapped within each group.
Tensor reversed_weight(const Convolution& c, const Tensor& w) {
    const Tensor turned = w.detach()
                              .view({c.groups, c.out, c.in, c.window.kernel_height, c.window.kernel_width})
                              .transpose(1, 2)
                              .flip({3, 4});
    return turned.contiguous();
}

}  // namespace

Convolution reversed(const Convolution& c) {
    const kernels::Sliding& w = c.window;
    kernels::Sliding back = w;
    back.height = w.out_height;
    back.width = w.out_width;
    back.out_height = w.height;
    back.out_width = w.width;
    back.padding_height = w.dilation_height * (w.kernel_height - 1) - w.padding_height;
    back.padding_width = w.dilation_width * (w.kernel_width - 1) - w.padding_width;
    return {back, c.images, c.groups, c.out, c.in, c.result_sizes, c.weight_sizes, c.image_sizes};
}

bool can_shift(const Convolution& c) {
    const kernels::Sliding& w = c.window;
    const int64_t row = w.width + 2 * w.padding_width;
    return w.stride_height == 1 && w.stride_width == 1 && w.padding_height >= 0 && w.padding_width >= 0 &&
           row <= 2 * w.out_width && c.in > 0 && c.out > 0;
}

Tensor convolve_by_shifts(const Convolution& c, const Tensor& x, const Tensor& w, const Tensor& bias) {
    const Tensor y = Tensor::empty(c.result_sizes, x.dtype());
    parallel_for(c.images * c.groups, 1, c.cost(x.dtype()), [&](int64_t begin, int64_t end) {
        const Shifts shifts(c, x.dtype());
        const int64_t strip = std::clamp<int64_t>(kResults / (c.out * shifts.row), 1, c.window.out_height);
        const Tensor sums = Tensor::empty({c.out * shifts.rounded(strip * shifts.row)}, x.dtype());
        for (int64_t i = begin; i < end; ++i) {
            const int64_t n = i / c.groups;
            const int64_t g = i % c.groups;
            shifts.frame(c.image(x, n, g));
            shifts.sum(c.weight(w, g), bias.defined() ? bias.raw() + g * c.out * x.itemsize() : nullptr, sums,
                       strip, c.result(y, n, g));
        }
    });
    return y;
}

Tensor weight_gradient_by_shifts(const Convolution& c, const Tensor& y_bar, const Tensor& x) {
    const kernels::Sliding& w = c.window;
    return sum_over_images(c, x.dtype(), [&](int64_t begin, int64_t end, const Tensor& part) {
        const Shifts shifts(c, x.dtype());
        const int64_t span = shifts.rounded(w.out_height * shifts.row);
        const Tensor framed = zeros({c.out * span}, x.dtype());
        for (int64_t i = begin * c.groups; i < end * c.groups; ++i) {
            const int64_t n = i / c.groups;
            const int64_t g = i % c.groups;
            shifts.frame(c.image(x, n, g));
            shifts.kernel.copy({c.out, w.out_height, w.out_width, c.results(), w.out_width, span, shifts.row},
                               c.result(y_bar, n, g), framed.raw());
            shifts.kernel.products(c.out, span, c.depth(), framed.raw(), span, shifts.framed.raw(),
                                   shifts.places.data(), c.weight(part, g));
        }
    });
}

Tensor image_gradient_by_shifts(const Convolution& c, const Tensor& y_bar, const Tensor& w) {
    return convolve_by_shifts(reversed(c), y_bar, reversed_weight(c, w), {});
}

}  // namespace reel
