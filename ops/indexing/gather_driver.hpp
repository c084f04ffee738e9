/// \file
/// Where the elements of an indexed operation are. What `index`, `gather`, `scatter` and their kin have in
/// common; which places each of them means is decided in `indexing.cpp`.
///
/// Note [Gather plan]
/// Element i = (i₀, i₁, …) of an indexed result is in its source at Σ_d i_d · stride_d + Σ_k index_k[i] ·
/// stride_k: plain dimensions are walked by a stride, indexed ones are looked up. `index` has index tensors
/// that vary along some dimensions of the result, `gather` one that varies along all of them. Reading at
/// places, overwriting them and adding to them are each other's adjoints.
#pragma once

#include <vector>

#include "tensor/tensor.hpp"

namespace reel {

/// An index tensor along one dimension of the source.
struct IndexedDim {
    Tensor index;         ///< int64, expanded to the result's sizes
    std::int64_t dim;     ///< for errors
    std::int64_t size;    ///< indices are in [0, size)
    bool wraps;           ///< and in [−size, 0), counted from the end
    std::int64_t stride;  ///< of the source, in elements
};

/// The places of a result of `sizes` in a tensor.
struct GatherPlan {
    const char* name;  ///< of the operation, for errors
    Shape sizes;
    Shape strides;  ///< of the source for plain dimensions, 0 for those that only indices vary along
    std::vector<IndexedDim> indexed;
};

/// y[i] = x at place i: a dense tensor. Throws an `IndexError` for an index out of its range.
Tensor take(const Tensor& x, const GatherPlan& plan);
/// y at place i = values[i], one after the other where places coincide: the last one stays. `values` is
/// broadcast and of y's type. An `IndexError` may come in the middle: `check_bounds` before writing to what
/// others see.
void put(const Tensor& y, const GatherPlan& plan, const Tensor& values);
/// y at place i += values[i], one after the other where places coincide; 16-bit sums are taken in float32.
void add(const Tensor& y, const GatherPlan& plan, const Tensor& values);

/// Whether each element that `plan` puts into `y`, an int64 tensor for this use, is the last one at its place.
Tensor last_writes(const Tensor& y, const GatherPlan& plan);

/// Throws an `IndexError` for the first index out of its range, also where the rows that it names are empty.
void check_bounds(const GatherPlan& plan);
/// Throws a `DTypeError` unless an index tensor is int64.
void check_index(const char* name, const Tensor& index);

}  // namespace reel
