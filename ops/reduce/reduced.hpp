/// \file
/// What every reduction asks of its dims. The reductions are in `reduce.cpp` and `extremes.cpp`.
#pragma once

#include "tensor/tensor.hpp"

namespace reel {

/// The dims of one reduction.
struct Reduced {
    Shape dims;              ///< wrapped
    Shape kept;              ///< the result's sizes with keepdim
    Shape result;            ///< the result's sizes
    std::int64_t count = 1;  ///< elements folded into one

    Reduced(const char* name, const Tensor& x, const Shape& given, bool keepdim)
        : dims(wrap_dims(given, x.dim(), name)),
          kept(x.sizes()),
          result(keepdim ? Shape() : reduced_sizes(x.sizes(), dims, false)) {
        for (std::int64_t d : dims) count *= std::exchange(kept[static_cast<std::size_t>(d)], 1);
        if (keepdim) result = kept;
    }

    /// `y`, which is new, has the kept dimensions and is dense, put into the shape of the result.
    Tensor shaped(Tensor&& y) const {
        y.impl().sizes = result;
        y.impl().strides = contiguous_strides(result);
        return std::move(y);
    }
    /// A gradient of the result, in a shape that broadcasts over `x`.
    Tensor unreduced(const Tensor& g) const { return g.reshape(kept); }
};

}  // namespace reel
