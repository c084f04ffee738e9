/// \file
/// What a watched tape notes for its page (`html.cpp`). Not a public header.
#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "autograd/chunked_array.hpp"

namespace reel::detail {

/// Where a gradient goes: a node (>= 0), or leaf number ~target.
using Target = std::int64_t;

/// What is noted of a tensor, however large it is: enough to show it.
struct Snapshot {
    std::vector<std::vector<double>> corner;  ///< the first elements of the first matrix
    double min = 0, max = 0, mean = 0;        ///< of the finite ones
    std::int64_t not_finite = 0;
    std::int64_t count = 0;
};
Snapshot snapshot(const Tensor& tensor);

/// What an operation was called with, in the order of its edges: a target, or one of the constants.
struct Operand {
    bool constant;
    std::int64_t number;   ///< the target, or the constant's number
    std::size_t edge = 0;  ///< that leads to the target
};

/// What came over one edge: what the pullback returned, where that was summed down, and the sum.
struct Share {
    Shape shape;
    std::optional<Snapshot> before;
    Snapshot after;
};

/// What a watched tape notes, by node, by leaf, by constant and by edge. What no gradient has reached has none.
struct Watch {
    std::vector<Snapshot> values;
    std::vector<Snapshot> leaf_values;
    std::vector<std::int64_t> bytes_kept;  ///< before a rewind frees it
    std::int64_t bytes = -1;               ///< of all nodes, before the first rewind
    std::vector<std::vector<Operand>> operands;
    Numbering constants;
    std::vector<Snapshot> constant_values;
    std::unordered_map<Target, Snapshot> gradients;
    std::unordered_map<std::size_t, Share> shares;

    /// Notes a constant that an operation reads; returns its number.
    std::int64_t note_constant(const Tensor& constant);
    void note_share(std::size_t edge, const Tensor& before, const Tensor& after);
};

}  // namespace reel::detail
