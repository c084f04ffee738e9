/// \file
/// The gradient-check table: one row, or several, for every differentiable operation. `gradients_test.cpp`
/// checks each row to first and second order, on contiguous, transposed, sliced and expanded inputs;
/// `mutation_test.cpp` checks the check, with every pullback spoilt in turn; `coverage_test.cpp` asks for a
/// row for every operation that records itself.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "reel.hpp"

namespace reel::testing {

struct Row {
    /// The name under which the operation records itself.
    std::string operation;
    /// What this row looks at, where an operation has several.
    std::string variant;
    /// The operation, as a function of its differentiable inputs.
    std::function<Tensor(const std::vector<Tensor>&)> f;
    /// Where it is checked: dense float64 tensors, away from kinks.
    std::vector<Tensor> inputs;
    /// False where the gradient itself has no exact derivative: it is rounded, or jumps.
    bool second_order = true;
    /// Its derivative vanishes: it has no pullback that could be spoilt.
    bool flat = false;
};

using Rows = std::vector<Row>;

std::string name_of(const Row& row);
/// Whether the row puts several calls together, each of which records itself and rounds its result.
bool makes_several_calls(const Row& row);

/// Numbers for a row: deterministic, in [low, high), no two alike.
Tensor numbers(const Shape& sizes, double low = -2, double high = 2, std::uint64_t seed = 1);

/// The gradient of `f` at `x` for the cotangent `y_bar`, itself on the tape: for rows of operations that
/// record themselves in a backward pass only.
Tensor gradient(const std::function<Tensor(const Tensor&)>& f, const Tensor& x, const Tensor& y_bar);

/// All rows there are: those of every file `<family>_rows.cpp`, which defines `Rows <family>_rows()` and
/// needs to be named nowhere else (`CMakeLists.txt` collects them).
Rows all_rows();

}  // namespace reel::testing
