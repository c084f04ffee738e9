/// \file
/// A tensor to be overwritten by code that must not fail midway. Not a public header.
///
/// Note [Whole or not at all]
/// What changes several tensors (a step, `clip_grad_norm_`, `load_checkpoint`, `Parameters::load`) first makes all that
/// takes memory, for all of them, and only then writes: so that memory which runs out leaves everything as it was. What
/// it writes to are rows, evenly spaced and of one dimension, on which kernels and copies need no memory of their own.
#pragma once

#include "tensor/iterate.hpp"
#include "tensor/tensor.hpp"

namespace reel::detail {

class Flat {
public:
    /// Makes what is needed to write to `tensor`.
    explicit Flat(Tensor tensor);

    /// The elements in row-major order: the tensor's own memory where it is contiguous, else a copy.
    const Tensor& row() const { return row_; }
    /// Writes as many elements of dense memory to the row, converted. Needs no memory.
    void assign(const Tensor& dense) const;
    /// Writes the row's elements to their places and notes that `operation` has. Needs no memory.
    void write_back(const char* operation) const;

private:
    Tensor tensor_;
    StridedRuns runs_;
    Tensor row_;
};

}  // namespace reel::detail
