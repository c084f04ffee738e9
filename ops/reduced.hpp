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
          kept(reduced_sizes(x.sizes(), dims, true)),
          result(reduced_sizes(x.sizes(), dims, keepdim)) {
        for (std::int64_t d : dims) count *= x.sizes()[static_cast<std::size_t>(d)];
    }

    /// `y`, which has the kept dimensions and is dense, in the shape of the result. Not recorded.
    Tensor shaped(const Tensor& y) const {
        if (y.sizes() == result) return y;
        return Tensor::make(y.impl().storage, y.dtype(), result, contiguous_strides(result), 0);
    }
    /// A gradient of the result, in a shape that broadcasts over `x`.
    Tensor unreduced(const Tensor& g) const { return g.reshape(kept); }
};

}  // namespace reel
