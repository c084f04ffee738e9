/// \file
/// The gradient-check table: one row, or several, for every differentiable operation. `gradients_test.cpp`
/// checks each row to first and second order, on contiguous, transposed, sliced and expanded inputs, and
/// mutates its pullbacks.
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
    /// Rows of piecewise linear operations have a second derivative of zero.
    bool second_order = true;
};

using Rows = std::vector<Row>;

/// Numbers for a row: deterministic, in [low, high), no two alike.
Tensor numbers(const Shape& sizes, double low = -2, double high = 2, std::uint64_t seed = 1);

// One list for each file of `ops/`.
Rows change_rows();
Rows indexing_rows();
Rows join_rows();
Rows layer_rows();
Rows loss_rows();
Rows matmul_rows();
Rows order_rows();
Rows pointwise_rows();
Rows reduce_rows();
Rows softmax_rows();
Rows view_rows();

}  // namespace reel::testing
