#include "ops/conv/window.hpp"

namespace reel {

namespace {

using std::int64_t;

/// The number of places of a window of `kernel` elements. With `ceil_mode` the last may reach over the padded
/// end, if it starts before it.
int64_t results(const char* name, int64_t length, int64_t kernel, int64_t stride, int64_t padding,
                int64_t dilation, bool ceil_mode) {
    if (kernel < 1 || stride < 1 || dilation < 1 || padding < 0) {
        fail<ShapeError>(name, ": kernel size ", kernel, ", stride ", stride, ", padding ", padding,
                         ", dilation ", dilation, "; the padding must be at least 0, the others at least 1");
    }
    const int64_t room = length + 2 * padding - dilation * (kernel - 1) - 1;
    if (room < 0 && !(ceil_mode && room + stride > 0)) {
        fail<ShapeError>(name, ": a window of ", dilation * (kernel - 1) + 1,
                         " does not fit into a length of ", length, " with padding ", padding);
    }
    int64_t count = (room + (ceil_mode ? stride - 1 : 0)) / stride + 1;
    if (ceil_mode && (count - 1) * stride >= length + padding) --count;
    return count;
}

}  // namespace

kernels::Sliding slide(const char* name, const Tensor& x, kernels::Sliding window, bool ceil_mode) {
    window.height = x.size(-2);
    window.width = x.size(-1);
    window.out_height = results(name, window.height, window.kernel_height, window.stride_height,
                                window.padding_height, window.dilation_height, ceil_mode);
    window.out_width = results(name, window.width, window.kernel_width, window.stride_width,
                               window.padding_width, window.dilation_width, ceil_mode);
    return window;
}

Shape slid_sizes(const Tensor& x, const kernels::Sliding& window) {
    Shape sizes = x.sizes();
    sizes[sizes.size() - 2] = window.out_height;
    sizes[sizes.size() - 1] = window.out_width;
    return sizes;
}

}  // namespace reel
