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
///
///     expect(outputs), request(inputs)    where gradients will come from, and where they are wanted
///     mark()                              which nodes will be visited; throws where one cannot be
///     seed(outputs), run()                for each node marked, from the end: hooks, pullbacks, delivery
///     reached(input), requested(input)    what came out
///
/// A gradient that is known to be zero is not made where nobody sees it. See Note [Zero is a gradient].
class Rewind {
public:
    Rewind(Tape::State& tape, RewindOptions options) : tape_(&tape), options_(options) { ++tape.rewinds; }

    /// The output of a node, or a leaf, will get a cotangent.
    void expect(const Tensor& output) { expected_.push_back(tape_->target_of(output)); }
    /// Asks for the gradient of `input`; once one is asked for, the sweep goes only where it leads to one.
    void request(const Tensor& input) { requested_.push_back(tape_->target_of(input)); }
    /// Finds what a gradient reaches, and every node that cannot be rewound, before anything is changed.
    void mark();

    /// Puts a cotangent on an output that is expected.
    void seed(const Tensor& output, const Tensor& cotangent) {
        if (const Target target = tape_->target_of(output); is_known(target)) deliver(target, cotangent);
    }
    void run();

    /// Whether a gradient comes to the input; known once marked.
    bool reached(const Tensor& input) const;
    /// The gradient of a requested input; undefined where none came to it.
    Tensor requested(const Tensor& input);
    /// Calls `f(leaf)` for every leaf that a gradient comes to.
    void for_each_reached_leaf(const auto& f) const {
        for (std::size_t i = 0; nodes_ + i < marks_.size(); ++i) {
            if (marks_[nodes_ + i] & kReached) f(tape_->leaves[i]);
        }
    }
    /// Calls `f(leaf, gradient)` for every leaf that a gradient came to, and gives the gradient away.
    void hand_over_leaves(const auto& f) {
        for (std::size_t i = 0; nodes_ + i < marks_.size(); ++i) {
            Tensor gradient = std::move(gradients_[nodes_ + i]);
            if (!gradient.defined() && (marks_[nodes_ + i] & kZero)) gradient = zero(~static_cast<Target>(i));
            if (gradient.defined()) f(tape_->leaves[i], std::move(gradient));
        }
    }
    /// The tensors that retain their gradient, with it; gives it away.
    std::vector<std::pair<Tensor, Tensor>> take_retained() { return std::move(retained_); }
    Tape::State& tape() const { return *tape_; }

private:
    /// kReached: a gradient comes, were it zero; kCalled: one that may be another, so that pullbacks are called;
    /// kZero: a zero has come.
    enum : std::uint8_t { kReached = 1, kCalled = 2, kLeads = 4, kRequested = 8, kZero = 16 };

    void mark_leading();
    void mark_inputs(std::size_t number);
    void check(std::size_t number) const;
    void visit(std::size_t number);
    Tensor complete(std::size_t number, Tensor y_bar);
    Tensor pull_back(std::size_t number, std::size_t edge, const Tensor& y_bar) const;
    void deliver(Target target, Tensor gradient);
    Tensor zero(Target target) const;
    /// Where a target's mark and gradient are.
    std::size_t place(Target target) const {
        return target >= 0 ? static_cast<std::size_t>(target) : nodes_ + static_cast<std::size_t>(~target);
    }
    /// Whether it was on the tape when that was marked.
    bool is_known(Target target) const {
        return target < static_cast<Target>(nodes_) && place(target) < marks_.size();
    }
    std::uint8_t& marks(Target target) { return marks_[place(target)]; }
    bool leads(Target target) { return requested_.empty() || (marks(target) & kLeads); }
    bool stops_at(std::size_t number) const { return options_.partial && (marks_[number] & kRequested); }

    struct Release {
        void operator()(Tape::State* tape) const { --tape->rewinds; }
    };
    std::unique_ptr<Tape::State, Release> tape_;  // which must not end before this does
    RewindOptions options_;
    std::vector<Target> expected_;
    std::vector<Target> requested_;
    std::size_t nodes_ = 0;            // that may be visited: the first ones of the tape
    std::vector<std::uint8_t> marks_;  // of these, then of the leaves
    std::vector<Tensor> gradients_;
    std::unordered_map<Target, Tensor> finished_;  // requested gradients of nodes
    std::vector<std::pair<Tensor, Tensor>> retained_;
};

}  // namespace reel::detail
