// The sweep over one tape:
//
//     mark what the outputs' gradients reach; throw if something there cannot be rewound
//     for each node that is marked, from the last to the first:
//         its gradient is complete: hooks see it, tensors retain it
//         for each edge: the pullback's result is summed down and added to the gradient of its target
//         what the node kept is freed
//
// What is done with the gradients is in `backward.cpp`.
#include "autograd/rewind.hpp"

#include <algorithm>

#include "autograd/shared_pullback.hpp"
#include "tensor/factory.hpp"

namespace reel::detail {

constinit thread_local const Tamper* tamper = nullptr;
constinit thread_local std::shared_ptr<void>* shared_in_visit = nullptr;

namespace {

/// x̄ for an input of `sizes`: sums over the dimensions that were stretched to the gradient's shape.
Tensor sum_to(const Tensor& gradient, const Shape& sizes) {
    const std::size_t lead = gradient.sizes().size() - sizes.size();
    Shape stretched;
    for (std::size_t i = 0; i < gradient.sizes().size(); ++i) {
        if (i < lead || (sizes[i - lead] == 1 && gradient.sizes()[i] != 1)) {
            stretched.push_back(static_cast<std::int64_t>(i));
        }
    }
    const bool inside = stretched.size() > lead;
    const Tensor sum = gradient.sum(stretched, inside);
    return inside && lead > 0 ? sum.reshape(sizes) : sum;
}

bool broadcasts_to(const Shape& sizes, const Shape& target) {
    if (sizes.size() > target.size()) return false;
    for (std::size_t i = 1; i <= sizes.size(); ++i) {
        const std::int64_t size = sizes[sizes.size() - i];
        if (size != 1 && size != target[target.size() - i]) return false;
    }
    return true;
}

}  // namespace

void accumulate(Tensor& sum, Tensor gradient, bool create_graph) {
    if (!sum.defined()) {
        sum = std::move(gradient);
    } else if (!create_graph && sum.handle().unique() && sum.impl().storage.unique() && sum.is_contiguous()) {
        sum.add_(gradient);
    } else {
        sum = sum.add(gradient);
    }
}

Tensor Rewind::zero(Target target) const {
    return zeros(tape_->target_sizes(target), tape_->target_dtype(target));
}

void Rewind::deliver(Target target, Tensor gradient) {
    const DType dtype = tape_->target_dtype(target);
    if (gradient.dtype() != dtype) gradient = gradient.to(dtype);
    accumulate(gradients_[place(target)], std::move(gradient), options_.create_graph);
}

void Rewind::mark() {
    const auto last = std::max_element(expected_.begin(), expected_.end());
    nodes_ = last == expected_.end() ? 0 : static_cast<std::size_t>(std::max<Target>(*last + 1, 0));
    marks_.assign(nodes_ + tape_->leaves.size(), 0);
    if (!requested_.empty()) mark_leading();
    for (const Target target : expected_) marks(target) |= kReached | kCalled;
    for (std::size_t number = nodes_; number-- > 0;) {
        if (marks_[number] & kReached) mark_inputs(number);
    }
    gradients_.resize(marks_.size());
}

void Rewind::mark_leading() {
    for (const Target target : requested_) {
        if (target < static_cast<Target>(nodes_)) marks(target) = kLeads | kRequested;
    }
    for (std::size_t number = 0; number < nodes_; ++number) {
        for (std::size_t i = tape_->nodes[number].edges_begin; i < tape_->edges_end(number); ++i) {
            if (leads(tape_->edges[i].target)) marks_[number] |= kLeads;
        }
    }
}

/// What the gradient of a node that is reached comes to, and how.
void Rewind::mark_inputs(std::size_t number) {
    if (stops_at(number)) return;
    if (tape_->hooks.contains(static_cast<Target>(number))) marks_[number] |= kCalled;  // may replace a zero
    const bool called = marks_[number] & kCalled;
    const Node& node = tape_->nodes[number];
    const std::size_t end = tape_->edges_end(number);
    bool used = false;
    for (std::size_t i = node.edges_begin; i < end; ++i) {
        const KeptEdge& edge = tape_->edges[i];
        if (!leads(edge.target)) continue;
        const bool calls = called && (edge.pullback || node.freed);
        used = used || calls;
        marks(edge.target) |= calls ? kReached | kCalled : kReached;
    }
    if (used) check(number);
}

void Rewind::check(std::size_t number) const {
    const Node& node = tape_->nodes[number];
    if (tape_->forgets) throw Forgotten();
    if (node.freed && !tape_->failure.empty()) {
        fail<AutogradError>("backward: what ", node.name, " (node ", number,
                            ") kept was used up by a rewind that failed: ", tape_->failure,
                            "; pass retain_graph to be able to try again");
    }
    if (node.freed) {
        fail<AutogradError>("backward: what ", node.name, " (node ", number,
                            ") kept was freed by an earlier rewind; pass retain_graph to that one");
    }
    for (std::size_t i = node.blocks_begin; i < tape_->blocks_end(number); ++i) {
        const KeptBlock& block = tape_->blocks[i];
        if (block.storage->version == block.version) continue;
        fail<AutogradError>("backward: a value that ", node.name, " (node ", number,
                            ") saved has since been overwritten by ", block.storage->overwritten_by,
                            "; write to a clone(), or use the out-of-place operation");
    }
}

Tensor Rewind::pull_back(std::size_t number, std::size_t edge, const Tensor& y_bar) const {
    const Node& node = tape_->nodes[number];
    const KeptEdge& kept = tape_->edges[edge];
    Tensor x_bar = kept.pullback(y_bar, node.output);
    if (tamper) x_bar = (*tamper)(number, edge - node.edges_begin, x_bar);
    if (!x_bar.defined()) return x_bar;
    const Shape& wanted = tape_->target_sizes(kept.target);
    if (x_bar.sizes() != wanted) {
        if (!broadcasts_to(wanted, x_bar.sizes())) {
            fail<AutogradError>("backward: the pullback of ", node.name, " (node ", number,
                                ") returned shape ", x_bar.sizes(), " for an input of shape ", wanted);
        }
        Tensor sum = sum_to(x_bar, wanted);
        if (tape_->watch) tape_->watch->note_share(edge, x_bar, sum);
        x_bar = std::move(sum);
    } else if (tape_->watch) {
        tape_->watch->note_share(edge, x_bar, x_bar);
    }
    if (tape_->options.detect_anomaly && x_bar.is_floating_point() && !x_bar.isfinite().all().item<bool>() &&
        y_bar.isfinite().all().item<bool>()) {
        fail<AutogradError>("anomaly: the backward pass of ", node.name, " (node ", number,
                            ") made a NaN or Inf out of a finite gradient, in a result of shape ",
                            x_bar.sizes());
    }
    return x_bar;
}

/// The gradient of a node, to which nothing more is added, after its hooks. Zero is made where it is seen.
Tensor Rewind::complete(std::size_t number, Tensor y_bar) {
    const auto node = static_cast<Target>(number);
    const auto hooks = tape_->hooks.find(node);
    const auto retained = tape_->retained.find(node);
    const bool seen = hooks != tape_->hooks.end() || retained != tape_->retained.end() || tape_->watch;
    if (seen && !y_bar.defined()) y_bar = zero(node);
    if (hooks != tape_->hooks.end()) {
        const std::vector<NumberedHook> copies = hooks->second;  // a hook may add or remove hooks
        y_bar = run_hooks(copies, std::move(y_bar));
    }
    if (retained != tape_->retained.end()) {
        for (const Tensor& tensor : retained->second) retained_.emplace_back(tensor, y_bar);
    }
    if (tape_->watch) tape_->watch->gradients[node] = snapshot(y_bar);
    if (marks_[number] & kRequested) finished_[node] = y_bar;
    return y_bar;
}

void Rewind::visit(std::size_t number) {
    Tensor y_bar = std::move(gradients_[number]);
    if (stops_at(number)) {
        finished_[static_cast<Target>(number)] = std::move(y_bar);
        return;
    }
    if (!y_bar.defined() && !(marks_[number] & kZero)) return;
    y_bar = complete(number, std::move(y_bar));
    bool used = false;
    std::shared_ptr<void> shared;
    const Swap<std::shared_ptr<void>*> in_visit(shared_in_visit, &shared);
    const Node& node = tape_->nodes[number];
    const std::size_t end = tape_->edges_end(number);
    for (std::size_t i = node.edges_begin; i < end; ++i) {
        const auto& [target, pullback] = tape_->edges[i];
        if (!leads(target)) continue;
        const bool zero = !y_bar.defined() || (!node.freed && !pullback);
        if (zero) marks(target) |= kZero;
        if (zero || !(marks_[number] & kCalled)) continue;
        used = true;
        if (Tensor x_bar = pull_back(number, i, y_bar); x_bar.defined()) deliver(target, std::move(x_bar));
    }
    if (used && !options_.retain_graph) tape_->free_node(number);
}

void Rewind::run() {
    if (tape_->watch && tape_->watch->bytes < 0) tape_->watch->bytes = tape_->bytes_kept();
    const Swap<bool> pause(paused, !options_.create_graph);
    // With create_graph it is recorded on the innermost tape, which sees the values of all others: this one,
    // most of the time, which grows meanwhile: the number of nodes to visit was fixed by `mark`.
    for (std::size_t number = nodes_; number-- > 0;) {
        if (marks_[number] & kReached) visit(number);
    }
    if (!tape_->watch) return;
    for (std::size_t i = 0; nodes_ + i < gradients_.size(); ++i) {
        const Tensor& gradient = gradients_[nodes_ + i];
        if (gradient.defined()) tape_->watch->gradients[~static_cast<Target>(i)] = snapshot(gradient);
    }
}

bool Rewind::reached(const Tensor& input) const {
    const Target target = tape_->target_of(input);
    return is_known(target) && (marks_[place(target)] & kReached);
}

Tensor Rewind::requested(const Tensor& input) {
    if (!reached(input)) return {};
    const Target target = tape_->target_of(input);
    Tensor found;
    if (target < 0) {
        found = gradients_[place(target)];
    } else if (const auto finished = finished_.find(target); finished != finished_.end()) {
        found = finished->second;
    }
    return !found.defined() && (marks(target) & kZero) ? zero(target) : found;
}

}  // namespace reel::detail
