/// \file
/// Tensors in the layouts that a check wants, whose elements can be set one by one. Not a public header.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/tensor.hpp"

namespace reel::detail {

using Numbers = std::vector<double>;

/// Row-major index of an element.
Shape index_of(std::size_t element, const Shape& sizes);

/// A tensor of these elements in a given layout, on memory of its own. Elements that share a place have one value.
Tensor placed(const Shape& sizes, const Shape& strides, DType dtype, std::span<const double> elements);

/// An input whose elements can be set: a leaf on memory of its own. It has the layout of the original, or is dense
/// where elements of that share a place.
class PerturbedInput {
public:
    PerturbedInput(const Tensor& original, DType dtype);

    const Tensor& leaf() const { return leaf_; }
    std::size_t size() const { return home_.size(); }
    const Numbers& home() const { return home_; }
    void set(std::span<const double> elements) const;

private:
    Tensor leaf_;
    std::vector<std::int64_t> offsets_;
    Numbers home_;
};

}  // namespace reel::detail
