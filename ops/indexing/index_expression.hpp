/// \file
/// What the words of an index mean: a view, and index tensors that are looked up in it. Reading and writing
/// there is `indexing.cpp`.
#pragma once

#include "ops/indexing/gather_driver.hpp"

namespace reel {

/// The index tensors of a view, one for each dimension, undefined for those that are not indexed.
struct IndexedDims {
    std::vector<Tensor> tensors;
    Shape dims;            ///< what the user calls the dimensions, for errors
    bool distinct = true;  ///< no place is named twice: there are only masks
    bool wraps = true;     ///< negative indices count from the end

    bool any() const { return !tensors.empty(); }
    void set(std::size_t d, const Tensor& tensor, std::int64_t dim) {
        if (tensors.size() <= d) tensors.resize(d + 1);
        while (dims.size() <= d) dims.push_back(-1);
        tensors[d] = tensor;
        dims[d] = dim;
    }
};

/// What an index comes to: a view, and the dimensions of it that are indexed.
struct Selection {
    Tensor view;
    IndexedDims indexed;
};

/// Reads the words of an index of `x` for the operation `name`.
Selection select_by_words(const char* name, const Tensor& x, const TensorIndices& indices);

/// How the elements that `indexed` picks of `x` are found.
GatherPlan gather_plan(const char* name, const Tensor& x, const IndexedDims& indexed);

}  // namespace reel
