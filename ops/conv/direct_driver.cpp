// Convolution as sums of shifted planes.
//
// Note [Shifted planes]
// Frame every plane with its padding of zeros and read it as one long row. The zeros after a line are those
// before the next one, and the zeros below an image those above the next one of a stack: from line to line it
// is r = width + padding. With p = i r + j, what place (a, b) of the window shows at result (i, j) is at
// p + a·dilation·r + b·dilation. So a term of the sum is the framed plane itself, read from a shifted place,
// and there are no columns to fill or to read. The positions after the end of a line of results, and between
// images, belong to none: their sums are computed and dropped.
//
// With a stride s, what a place of the window shows at neighbouring results is s apart. So the frame is taken
// apart into its phases, each every sth line and column, where r = ⌈(width + padding) / s⌉: place (a, b) reads
// the phase of a·dilation mod s and b·dilation mod s, shifted by a·dilation / s lines and b·dilation / s places.
//
// x̄ is a convolution of ȳ, by the weight turned round with its channels swapped, whose padding is what the
// first one left: dilation (kernel − 1) − padding.
//
// w̄ multiplies planes of x by planes of ȳ that are framed alike: zeros are at the positions of no result.
// An infinite x there would make a NaN of a sum that it has no part in; a w̄ that is not finite is computed
// again, by columns.
#include <algorithm>
#include <vector>

#include "ops/conv/convolution_driver.hpp"
#include "tensor/checked.hpp"
#include "tensor/scratch.hpp"

namespace reel {

namespace {

using std::int64_t;

constexpr int64_t kResults = 32 << 10;  // sums made at once: they stay in L2
constexpr int64_t kSummed = 1 << 10;    // positions of a stack to be summed: enough to fill the last vectors
constexpr int64_t kMultiplied = 128;    // vectors of one for products: three such rows stay in L1

const kernels::Correlate& kernels_of(DType dtype) {
    return kernels::kernels().correlate[static_cast<std::size_t>(dtype)];
}

/// From line to line of a frame, and from image to image of a stack, in lines.
int64_t row_of(const kernels::Sliding& w) {
    return std::max((w.width + w.padding_width - 1) / w.stride_width + 1, w.out_width);
}
int64_t lines_of(const kernels::Sliding& w) {
    return std::max((w.height + w.padding_height - 1) / w.stride_height + 1, w.out_height);
}

/// The phases along one dimension on which places of the window fall.
std::vector<int64_t> phases_of(int64_t kernel, int64_t dilation, int64_t stride) {
    std::vector<int64_t> phases;
    for (int64_t k = 0; k < kernel; ++k) {
        const int64_t phase = k * dilation % stride;
        if (std::find(phases.begin(), phases.end(), phase) != phases.end()) break;  // they come round
        phases.push_back(phase);
    }
    return phases;
}

/// What a phase shows of `size` places: `count` of them from `start` on, at its places from `first` on.
struct Shown {
    int64_t first, start, count;

    Shown(int64_t phase, int64_t padding, int64_t stride, int64_t size)
        : first(phase < padding ? (padding - phase - 1) / stride + 1 : 0),
          start(first * stride + phase - padding),
          count(start < size ? (size - 1 - start) / stride + 1 : 0) {}
};

/// How many images, from one to `most`, stand on so many positions.
int64_t images_on(int64_t positions, const kernels::Sliding& w, int64_t most) {
    return std::max<int64_t>(std::min(positions / (row_of(w) * lines_of(w)), most), 1);
}

/// One thread's way through the images of a convolution, a stack of them at a time.
struct Shifts {
    const Convolution& c;
    DType dtype;
    int64_t stack;  ///< images, at most
    int64_t size = itemsize(dtype);
    const kernels::Correlate& kernel = kernels_of(dtype);
    int64_t row = row_of(c.window);
    int64_t lines = lines_of(c.window);
    std::vector<int64_t> down =
        phases_of(c.window.kernel_height, c.window.dilation_height, c.window.stride_height);
    std::vector<int64_t> across =
        phases_of(c.window.kernel_width, c.window.dilation_width, c.window.stride_width);
    int64_t phases = static_cast<int64_t>(down.size() * across.size());
    /// What is read past the end of a phase must be zeros; the next one may begin with less of the padding.
    int64_t apart = phases > 1 ? c.window.padding_height / c.window.stride_height + 2 : 0;
    int64_t plane = (stack * lines + apart) * row;
    std::vector<int64_t> taps;
    Tensor framed;  ///< zeros, but for the planes of the images

    Shifts(const Convolution& convolution, DType type, int64_t images)
        : c(convolution), dtype(type), stack(images) {
        const kernels::Sliding& w = c.window;
        const auto rows = static_cast<int64_t>(down.size());
        const auto columns = static_cast<int64_t>(across.size());
        for (int64_t i = 0; i < c.in; ++i) {
            for (int64_t a = 0; a < w.kernel_height; ++a) {
                for (int64_t b = 0; b < w.kernel_width; ++b) {
                    taps.push_back(((i * rows + a % rows) * columns + b % columns) * plane +
                                   a * w.dilation_height / w.stride_height * row +
                                   b * w.dilation_width / w.stride_width);
                }
            }
            if (c.is_turned) std::reverse(taps.end() - w.kernel_height * w.kernel_width, taps.end());
        }
        framed = zeros({*std::max_element(taps.begin(), taps.end()) + plane + kernel.step}, dtype);
    }

    int64_t rounded(int64_t n) const { return (n + kernel.step - 1) / kernel.step * kernel.step; }
    /// The lines on which results of `images` lie.
    int64_t height(int64_t images) const { return (images - 1) * lines + c.window.out_height; }

    /// Brings the planes of images [n, n + images) into the frame.
    void frame(const Tensor& x, int64_t n, int64_t images, int64_t g) const {
        const kernels::Sliding& w = c.window;
        std::byte* to = framed.raw();
        for (const int64_t u : down) {
            const Shown rows(u, w.padding_height, w.stride_height, w.height);
            for (const int64_t v : across) {
                const Shown columns(v, w.padding_width, w.stride_width, w.width);
                for (int64_t i = 0; i < images && rows.count > 0 && columns.count > 0; ++i) {
                    kernel.copy({c.in, rows.count, columns.count, c.plane(), w.stride_height * w.width,
                                 w.stride_width, phases * plane, row},
                                c.image(x, n + i, g) + (rows.start * w.width + columns.start) * size,
                                to + ((i * lines + rows.first) * row + columns.first) * size);
                }
                to += plane * size;
            }
        }
    }

    /// The lines of a strip, which holds all of several images. Threads share those of one image.
    int64_t strip(int64_t images) const {
        const int64_t threads = images == 1 ? threads_for(c.cost(dtype)) : 1;
        const int64_t share = (height(images) + threads - 1) / threads;
        return std::clamp<int64_t>(kResults / (c.out * row), 1, share);
    }

    /// y of the framed images, a strip of lines after the other.
    void sum(const std::byte* weight, const std::byte* bias, const Tensor& y, int64_t n, int64_t images,
             int64_t g) const {
        const kernels::Sliding& w = c.window;
        const int64_t most = strip(images);
        const int64_t strips = (height(images) + most - 1) / most;
        parallel_for(strips, 1, images * c.cost(dtype) / strips, [&](int64_t begin, int64_t end) {
            const Scratch sums(c.out * rounded(most * row) * size);
            for (int64_t line = begin * most; line < std::min(end * most, height(images)); line += most) {
                const int64_t count = std::min(most, height(images) - line);
                const int64_t step = rounded(count * row);
                kernel.sums(c.out, (count - 1) * row + w.out_width, c.depth(),
                            framed.raw() + line * row * size, taps.data(), weight, bias, sums.data(), step);
                for (int64_t i = 0; i < images; ++i) {
                    kernel.copy({c.out, std::min(count, w.out_height), w.out_width, step, row, 1, c.results(),
                                 w.out_width},
                                sums.data() + i * lines * row * size,
                                c.result(y, n + i, g) + line * w.out_width * size);
                }
            }
        });
    }
};

/// One thread's way through the images of a weight's gradient.
struct Products {
    Shifts shifts;
    int64_t step;
    Tensor framed;  ///< ȳ framed as x is

    Products(const Convolution& c, DType dtype, int64_t images)
        : shifts(c, dtype, images_on(kMultiplied * kernels_of(dtype).step, c.window, images)),
          step(shifts.rounded(shifts.plane)),
          framed(zeros({c.out * step}, dtype)) {}

    /// w̄ += Σ ȳ x of images [begin, end).
    void add(const Tensor& y_bar, const Tensor& x, int64_t begin, int64_t end, const Tensor& w_bar) const {
        for (int64_t n = begin; n < end; n += shifts.stack) {
            const int64_t images = std::min(shifts.stack, end - n);
            for (int64_t g = 0; g < shifts.c.groups; ++g) {
                shifts.frame(x, n, images, g);
                frame(y_bar, n, images, g);
                shifts.kernel.products(shifts.c.out, shifts.rounded(shifts.height(images) * shifts.row),
                                       shifts.c.depth(), framed.raw(), step, shifts.framed.raw(),
                                       shifts.taps.data(), shifts.c.weight(w_bar, g));
            }
        }
    }

    void frame(const Tensor& y_bar, int64_t n, int64_t images, int64_t g) const {
        const Convolution& c = shifts.c;
        const kernels::Sliding& w = c.window;
        if (images < shifts.stack) framed.zero_();
        for (int64_t i = 0; i < images; ++i) {
            shifts.kernel.copy(
                {c.out, w.out_height, w.out_width, c.results(), w.out_width, 1, step, shifts.row},
                c.result(y_bar, n + i, g), framed.raw() + i * shifts.lines * shifts.row * shifts.size);
        }
    }
};

}  // namespace

Tensor swapped_weight(const Convolution& c, const Tensor& w) {
    const int64_t places = c.window.kernel_height * c.window.kernel_width;
    return w.detach().view({c.groups, c.out, c.in, places}).transpose(1, 2).contiguous();
}

Convolution reversed(const Convolution& c) {
    const kernels::Sliding& w = c.window;
    kernels::Sliding back = w;
    back.height = w.out_height;
    back.width = w.out_width;
    back.out_height = w.height;
    back.out_width = w.width;
    back.padding_height = w.dilation_height * (w.kernel_height - 1) - w.padding_height;
    back.padding_width = w.dilation_width * (w.kernel_width - 1) - w.padding_width;
    return {back, c.images, c.groups, c.out, c.in, c.result_sizes, c.weight_sizes, c.image_sizes, true};
}

bool can_shift(const Convolution& c) {
    const kernels::Sliding& w = c.window;
    return w.kernel_height * w.kernel_width > Wide{w.stride_height} * w.stride_width &&
           w.padding_height >= 0 && w.padding_width >= 0 && row_of(w) <= 2 * w.out_width &&
           lines_of(w) <= 2 * w.out_height && c.in > 0 && c.out > 0;
}

int64_t shifted_positions(const Convolution& c) { return row_of(c.window) * lines_of(c.window); }

Tensor convolve_by_shifts(const Convolution& c, const Tensor& x, const Tensor& w, const Tensor& bias) {
    const Tensor y = Tensor::empty(c.result_sizes, x.dtype());
    const Tensor packed = Tensor::empty({c.groups * c.out * c.depth()}, x.dtype());
    const auto pack = kernels_of(x.dtype()).pack;
    for (int64_t g = 0; g < c.groups; ++g) pack(c.out, c.depth(), c.weight(w, g), c.weight(packed, g));
    const int64_t stack = images_on(std::min(kSummed, kResults / c.out), c.window, c.images);
    const int64_t stacks = (c.images + stack - 1) / stack;
    parallel_for(stacks * c.groups, 1, stack * c.cost(x.dtype()), [&](int64_t begin, int64_t end) {
        const Shifts shifts(c, x.dtype(), stack);
        for (int64_t i = begin; i < end; ++i) {
            const int64_t n = i / c.groups * stack;
            const int64_t g = i % c.groups;
            const int64_t images = std::min(stack, c.images - n);
            shifts.frame(x, n, images, g);
            shifts.sum(c.weight(packed, g), bias.defined() ? bias.raw() + g * c.out * x.itemsize() : nullptr,
                       y, n, images, g);
        }
    });
    return y;
}

Tensor weight_gradient_by_shifts(const Convolution& c, const Tensor& y_bar, const Tensor& x) {
    return sum_over_images(c, x.dtype(), [&](int64_t chunk) {
        return
            [&, products = Products(c, x.dtype(), chunk)](int64_t begin, int64_t end, const Tensor& w_bar) {
                products.add(y_bar, x, begin, end, w_bar);
            };
    });
}

}  // namespace reel
