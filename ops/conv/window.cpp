#include "ops/conv/window.hpp"

#include "tensor/checked.hpp"

namespace reel {

namespace {

using std::int64_t;

/// One dimension of a window, and the number of its places.
struct Axis {
    int64_t length, kernel, stride, padding, dilation;
    int64_t results = 0;
};

/// With `ceil_mode` the last window may reach over the padded end, if it starts before it. Where there is one
/// window, or one element in it, the step that is never taken becomes 1: so no place in or around the plane needs
/// more than the 62 bits that are checked here.
Axis placed(const char* name, Axis axis, bool ceil_mode) {
    const auto [length, kernel, stride, padding, dilation, none] = axis;
    if (kernel < 1 || stride < 1 || dilation < 1 || padding < 0) {
        fail<ShapeError>(name, ": kernel size ", kernel, ", stride ", stride, ", padding ", padding,
                         ", dilation ", dilation, "; the padding must be at least 0, the others at least 1");
    }
    constexpr Wide kLongest = Wide{1} << 62;
    const Wide padded = Wide{length} + 2 * Wide{padding};
    const Wide window = Wide{dilation} * (kernel - 1) + 1;
    const Wide room = padded - window;
    if (room < 0 && !(ceil_mode && room + stride > 0)) {
        fail<ShapeError>(name, ": a window of kernel size ", kernel, " and dilation ", dilation,
                         " does not fit into a length of ", length, " with padding ", padding);
    }
    if (padded > kLongest || window > kLongest) {
        fail<ShapeError>(name, ": a length of ", length, " with padding ", padding,
                         " and a window of kernel size ", kernel, " and dilation ", dilation,
                         " go beyond 2⁶² elements");
    }
    Wide results = (room + (ceil_mode ? stride - 1 : 0)) / stride + 1;
    if (ceil_mode && (results - 1) * stride >= Wide{length} + padding) --results;
    axis.results = static_cast<int64_t>(results);
    if (axis.results == 1) axis.stride = 1;
    if (kernel == 1) axis.dilation = 1;
    return axis;
}

}  // namespace

kernels::Sliding slide(const char* name, const Tensor& x, const kernels::Sliding& w, bool ceil_mode) {
    const Axis rows = placed(
        name, {x.size(-2), w.kernel_height, w.stride_height, w.padding_height, w.dilation_height}, ceil_mode);
    const Axis columns = placed(
        name, {x.size(-1), w.kernel_width, w.stride_width, w.padding_width, w.dilation_width}, ceil_mode);
    return {rows.length, columns.length, rows.results, columns.results, rows.kernel,   columns.kernel,
            rows.stride, columns.stride, rows.padding, columns.padding, rows.dilation, columns.dilation};
}

Shape slid_sizes(const Tensor& x, const kernels::Sliding& window) {
    Shape sizes = x.sizes();
    sizes[sizes.size() - 2] = window.out_height;
    sizes[sizes.size() - 1] = window.out_width;
    return sizes;
}

}  // namespace reel
