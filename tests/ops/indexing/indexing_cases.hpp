/// \file
/// Indices and what PyTorch makes of them. `indexing_cases.cpp` is made by `make_indexing_cases.py`.
#pragma once

#include <vector>

#include "reel.hpp"

namespace reel::testing {

struct IndexCase {
    Shape sizes;  ///< of x = 1, 2, 3, …
    TensorIndices index;
    Shape result;
    std::vector<double> values;
    std::vector<double> x_bar;  ///< the gradient for the cotangent 1, 1.5, 2, …
};

std::vector<IndexCase> index_cases();

/// An index tensor.
inline Tensor at(const Shape& sizes, const std::vector<std::int64_t>& values) {
    return tensor(values).view(sizes);
}
/// A mask, of zeros and ones.
inline Tensor mask(const Shape& sizes, const std::vector<std::int64_t>& values) {
    return tensor(values).view(sizes).to(kBool);
}

}  // namespace reel::testing
