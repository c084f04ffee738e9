/// \file
/// The table that the properties of all operations run over: for each operation, how to draw a call of it.
/// The families are in the files `<family>_calls.cpp`.
#pragma once

#include "tests/property/property.hpp"

namespace reel::property {

using Inputs = std::vector<Tensor>;

/// An operation with its inputs; everything else that was drawn (dims, numbers) is inside `f`.
struct Call {
    Inputs inputs;
    std::function<std::vector<Tensor>(const Inputs&)> f;
    /// How far results on another layout may be off, in units in the last place of the larger of the result
    /// and `size`: 0 unless sums are taken in another order.
    double ulps = 0;
    double size = 1;
};

struct Operation {
    std::string name;
    std::function<Call(Draw&)> draw;
};
using Operations = std::vector<Operation>;

/// A function of two tensors that broadcasts, and the types it takes.
struct Binary {
    std::string name;
    Tensor (*f)(const Tensor&, const Tensor&);
    DType (Draw::*type)();
};
const std::vector<Binary>& binary_functions();

Operations pointwise_calls();
Operations reduce_calls();
Operations view_calls();
Operations shape_calls();
Operations index_calls();
Operations product_calls();
Operations layer_calls();

/// All of them.
Operations all_calls();

}  // namespace reel::property
