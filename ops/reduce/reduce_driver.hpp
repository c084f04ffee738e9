/// \file
/// How a reduction meets tensors: any dims, any layout, threads. The operations are in `reduce.hpp`, the raw
/// reductions in `kernels/`.
#pragma once

#include "ops/kernels/table.hpp"
#include "tensor/tensor.hpp"

namespace reel {

/// The dims of one reduction, and the sizes that come of them.
struct ReducedDims {
    Shape dims;              ///< wrapped
    Shape kept;              ///< the result's sizes with keepdim
    Shape result;            ///< the result's sizes
    std::int64_t count = 1;  ///< elements reduced into one

    ReducedDims(const char* name, const Tensor& x, const Shape& given, bool keepdim)
        : dims(wrap_dims(given, x.dim(), name)),
          kept(x.sizes()),
          result(keepdim ? Shape() : reduced_sizes(x.sizes(), dims, false)) {
        for (std::int64_t d : dims) count *= std::exchange(kept[d], 1);
        if (keepdim) result = kept;
    }

    /// `y`, which is new, has the kept dimensions and is dense, put into the shape of the result.
    Tensor shaped(Tensor&& y) const {
        y.impl().sizes = result;
        y.impl().strides = contiguous_strides(result);
        return std::move(y);
    }
    /// A gradient of the result, in a shape that broadcasts over `x`.
    Tensor unreduced(const Tensor& y_bar) const { return y_bar.reshape(kept); }
};

/// A dense tensor read as [outer, n, inner].
struct Middle {
    std::int64_t outer;
    std::int64_t n;
    std::int64_t inner;
};
/// With the dimensions [first, last) in the middle.
Middle middle_of(const Shape& sizes, std::integral auto first, std::integral auto last) {
    Middle middle{1, 1, 1};
    for (decltype(first) d = 0; d < static_cast<decltype(first)>(sizes.size()); ++d)
        (d < first ? middle.outer : d < last ? middle.n : middle.inner) *= sizes[d];
    return middle;
}

/// What is done to every element on its way into a reduction, a block at a time.
struct Preparation {
    DType compute;                             ///< the type reduced
    kernels::Fn map = kernels::Fn::kIdentity;  ///< then mapped by this
};

/// What a reduction leaves: one state for each element of the result, which has 1 in the place of every reduced
/// dimension, where `strides` say.
struct States {
    Tensor memory;
    Shape sizes;
    Shape strides;

    /// The tensor of f(state), dense in row-major order.
    template <class State, class F>
    Tensor map(DType dtype, const F& f) const {
        const Tensor values = Tensor::empty(sizes, dtype);
        const auto* from = reinterpret_cast<const State*>(memory.raw());
        dispatch(dtype, [&](auto zero) {
            auto* to = reinterpret_cast<decltype(zero)*>(values.raw());
            for (std::int64_t i = 0; i < values.numel(); ++i)
                to[i] = convert_element<decltype(zero)>(f(from[i]));
        });
        return arranged(values);
    }
    /// States that are elements themselves, as a tensor.
    Tensor elements(DType dtype) const;

private:
    Tensor arranged(const Tensor& values) const;
};

/// Reduces `x` over the (wrapped) `dims`. An empty reduction gives the reduction's identity; there is none for the
/// extremes with an index. Several dims have an index only where they are all that there are: it counts in
/// row-major order.
///
/// Note [Fixed tree]
/// The order in which numbers are reduced depends on the shape, the dims and how the dimensions lie in memory: blocks
/// of a fixed size, combined in pairs. So a result is the same bit for bit at every thread count, and the error of a sum
/// grows with the logarithm of its length. A view is read in the order of memory, and may give other last bits than its
/// row-major copy.
States reduce_states(kernels::ReduceOp op, const Tensor& x, const Shape& dims,
                     const Preparation& preparation);

/// The same for reductions whose states are elements: a new tensor of type `preparation.compute`; a sum of bools
/// counts in int64.
Tensor reduce(kernels::ReduceOp op, const Tensor& x, const Shape& dims, const Preparation& preparation);

}  // namespace reel
