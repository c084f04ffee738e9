/// \file
/// The rewind of one tape, shared by `backward.cpp` and `checkpoint.cpp`. Not a public header.
#pragma once

#include <unordered_map>
#include <vector>

#include "autograd/tape_state.hpp"

namespace reel::detail {

/// Adds `gradient` to `sum`, in place where nobody else can see it.
void accumulate(Tensor& sum, Tensor gradient, bool create_graph);

struct RewindOptions {
    bool retain_graph = false;
    bool create_graph = false;
    bool partial = false;  ///< requested values do not depend on one another: stop at each
};

/// One sweep over one tape, from the end to the front. No recursion and no sort: the order of execution, read
/// backwards, is a topological order.
class Rewind {
public:
    Rewind(Tape::State& tape, RewindOptions options) : tape_(tape), options_(options) {}

    /// Puts a cotangent on the output of an entry, or on a leaf.
    void seed(const Tensor& output, const Tensor& cotangent) { deliver(tape_.target_of(output), cotangent); }
    /// Asks for the gradient of `input`; once one is asked for, the sweep goes only where it leads to one.
    void request(const Tensor& input) { requested_.push_back(tape_.target_of(input)); }

    void run();

    /// The gradient of a requested input, undefined where no output depends on it.
    Tensor requested(const Tensor& input) const;
    /// Calls `f(leaf, gradient)` for every leaf that a gradient reached, and gives the gradient away.
    void hand_over_leaves(const auto& f) {
        for (std::size_t i = 0; i < leaf_gradients_.size(); ++i) {
            if (leaf_gradients_[i].defined()) f(tape_.leaves[i], std::move(leaf_gradients_[i]));
        }
    }
    /// The tensors that retain their gradient, with it.
    const std::vector<std::pair<Tensor, Tensor>>& retained() const { return retained_; }

private:
    enum : std::uint8_t { kReached = 1, kLeads = 2, kRequested = 4 };

    void mark();
    void mark_leading();
    bool mark_inputs_reached(std::size_t number);
    void check(std::size_t number) const;
    void visit(std::size_t number);
    Tensor pull_back(std::size_t number, std::size_t edge, const Tensor& y_bar) const;
    void deliver(Target target, Tensor gradient);
    bool leads(Target target) const {
        if (requested_.empty()) return true;
        return target >= 0 ? marks_[static_cast<std::size_t>(target)] & kLeads
                           : leaf_requested_[static_cast<std::size_t>(~target)];
    }
    bool stops_at(std::size_t number) const { return options_.partial && (marks_[number] & kRequested); }

    Tape::State& tape_;
    RewindOptions options_;
    std::vector<Tensor> entry_gradients_;
    std::vector<Tensor> leaf_gradients_;
    std::vector<Target> requested_;
    std::vector<std::uint8_t> marks_;
    std::vector<bool> leaf_requested_;
    std::unordered_map<Target, Tensor> finished_;  // requested gradients of entries
    std::vector<std::pair<Tensor, Tensor>> retained_;
};

}  // namespace reel::detail
