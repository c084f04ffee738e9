// Convolution and pooling: any options give the shape that the formula gives in 128 bits, or are refused.
#include <algorithm>

#include "tests/fuzz/fuzz.hpp"

namespace reel::fuzz {

namespace {

struct Axis {
    Wide size, kernel, stride, padding, dilation;

    /// Windows that fit; one more where the last may reach over the end and still begins inside.
    Wide windows(bool ceil_mode) const {
        const Wide room = size + 2 * padding - dilation * (kernel - 1) - 1;
        if (room < 0) return ceil_mode && stride > 0 && room + stride > 0 ? 1 : 0;
        if (!ceil_mode) return room / stride + 1;
        const Wide count = (room + stride - 1) / stride + 1;
        return (count - 1) * stride >= size + padding ? count - 1 : count;
    }
    bool is_sound() const { return kernel > 0 && stride > 0 && padding >= 0 && dilation > 0; }
};

struct Options {
    Pair kernel = 1, stride = 1, padding = 0, dilation = 1;

    explicit Options(Bytes& bytes) {
        for (Pair* pair : {&kernel, &stride, &padding, &dilation}) {
            const std::int64_t first = bytes.number();
            const std::int64_t second = bytes.flag() ? bytes.number() : first;
            *pair = Pair(first, second);
        }
    }
};

/// Whether a result of these windows is small enough to be made; those that are not even counted are refused.
bool is_small(Wide planes, Wide height, Wide width) {
    constexpr Wide kMost = 1 << 16;
    const std::optional<Wide> count = elements_of({planes, height, width});
    return !count || *count <= kMost;
}

void check(const char* what, const Tensor& x, Wide channels, const Axis& rows, const Axis& columns,
           bool ceil_mode, const std::function<Tensor()>& call) {
    const bool sound = rows.is_sound() && columns.is_sound();
    const Wide height = sound ? rows.windows(ceil_mode) : 0;
    const Wide width = sound ? columns.windows(ceil_mode) : 0;
    if (sound && !is_small(std::max<Wide>(x.size(0), 1) * std::max<Wide>(channels, 1), height, width)) return;
    Tensor y;
    if (!answers([&] { y = call(); })) return;
    expect(sound, what, ": options that mean nothing are taken");
    expect_sizes(what, y, {x.size(0), channels, height, width});
    touch(y);
}

}  // namespace

void windows(Bytes bytes) {
    const std::int64_t kind = bytes.between(0, 2);
    const DType dtype = bytes.flag() ? kFloat32 : bytes.flag() ? kFloat64 : kFloat16;
    const Tensor x =
        counted({bytes.between(0, 2), bytes.between(0, 4), bytes.between(0, 5), bytes.between(0, 5)}, dtype);
    const Options o(bytes);
    const auto axis = [&](int i, Wide kernel, bool dilated) {
        const auto of = [i](const Pair& pair) { return i == 0 ? pair.height : pair.width; };
        return Axis{x.size(2 + i), kernel, of(o.stride), of(o.padding), dilated ? of(o.dilation) : 1};
    };
    if (kind == 0) {
        const std::int64_t groups = bytes.number();
        const Tensor weight = counted(
            {bytes.between(0, 4), bytes.between(0, 4), bytes.between(0, 3), bytes.between(0, 3)}, dtype);
        check("conv2d", x, weight.size(0), axis(0, weight.size(2), true), axis(1, weight.size(3), true),
              false, [&] {
                  return conv2d(
                      x, weight, {},
                      {.stride = o.stride, .padding = o.padding, .dilation = o.dilation, .groups = groups});
              });
        return;
    }
    const bool ceil_mode = bytes.flag();
    const Axis rows = axis(0, o.kernel.height, kind == 1);
    const Axis columns = axis(1, o.kernel.width, kind == 1);
    if (kind == 1) {
        check("max_pool2d", x, x.size(1), rows, columns, ceil_mode, [&] {
            return max_pool2d(x, {.kernel_size = o.kernel,
                                  .stride = o.stride,
                                  .padding = o.padding,
                                  .dilation = o.dilation,
                                  .ceil_mode = ceil_mode});
        });
    } else {
        check("avg_pool2d", x, x.size(1), rows, columns, ceil_mode, [&] {
            return avg_pool2d(x, {.kernel_size = o.kernel,
                                  .stride = o.stride,
                                  .padding = o.padding,
                                  .ceil_mode = ceil_mode,
                                  .count_include_pad = bytes.flag(),
                                  .divisor_override = bytes.maybe()});
        });
    }
}

}  // namespace reel::fuzz
