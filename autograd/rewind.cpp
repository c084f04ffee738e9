// The sweep over one tape: which entries to visit, and the visit. What is done with the gradients is in
// `backward.cpp`.
#include "autograd/rewind.hpp"

#include "autograd/shared_pullback.hpp"

namespace reel::detail {

constinit thread_local const Tamper* tamper = nullptr;
constinit thread_local std::any* shared_in_visit = nullptr;

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

void Rewind::deliver(Target target, Tensor gradient) {
    const DType dtype = tape_.target_dtype(target);
    if (gradient.dtype() != dtype) gradient = gradient.to(dtype);
    auto& gradients = target >= 0 ? entry_gradients_ : leaf_gradients_;
    const auto place = static_cast<std::size_t>(target >= 0 ? target : ~target);
    if (place >= gradients.size()) gradients.resize(place + 1);
    accumulate(gradients[place], std::move(gradient), options_.create_graph);
}

/// Which entries does a gradient reach, and which of them lead to a requested input? Finds every entry that
/// cannot be rewound before anything is changed.
void Rewind::mark() {
    marks_.assign(entry_gradients_.size(), 0);
    if (!requested_.empty()) mark_leading();
    for (std::size_t number = marks_.size(); number-- > 0;) {
        if (entry_gradients_[number].defined()) marks_[number] |= kReached;
        if ((marks_[number] & kReached) && mark_inputs_reached(number)) check(number);
    }
}

void Rewind::mark_leading() {
    leaf_requested_.assign(tape_.leaves.size(), false);
    for (const Target target : requested_) {
        const auto place = static_cast<std::size_t>(target >= 0 ? target : ~target);
        if (target < 0) leaf_requested_[place] = true;
        if (target >= 0 && place < marks_.size()) marks_[place] = kLeads | kRequested;
    }
    for (std::size_t number = 0; number < marks_.size(); ++number) {
        for (std::size_t i = tape_.entries[number].edges_begin; i < tape_.edges_end(number); ++i) {
            if (leads(tape_.edges[i].target)) marks_[number] |= kLeads;
        }
    }
}

/// Returns whether any pullback of the entry will be called.
bool Rewind::mark_inputs_reached(std::size_t number) {
    if (stops_at(number)) return false;
    bool used = false;
    for (std::size_t i = tape_.entries[number].edges_begin; i < tape_.edges_end(number); ++i) {
        const Target target = tape_.edges[i].target;
        if (!leads(target)) continue;
        used = true;
        if (target >= 0) marks_[static_cast<std::size_t>(target)] |= kReached;
    }
    return used;
}

void Rewind::check(std::size_t number) const {
    const Entry& entry = tape_.entries[number];
    if (entry.freed) {
        fail<AutogradError>("backward: what ", entry.name, " (entry ", number,
                            ") kept was freed by an earlier rewind; pass retain_graph to that one");
    }
    for (std::size_t i = entry.blocks_begin; i < tape_.blocks_end(number); ++i) {
        const KeptBlock& block = tape_.blocks[i];
        if (block.storage->version == block.version) continue;
        fail<AutogradError>("backward: a value that ", entry.name, " (entry ", number,
                            ") saved has since been overwritten by ", block.storage->overwritten_by,
                            "; write to a clone(), or use the out-of-place operation");
    }
}

Tensor Rewind::pull_back(std::size_t number, std::size_t edge, const Tensor& y_bar) const {
    const char* name = tape_.entries[number].name;
    Tensor x_bar = tape_.edges[edge].pullback(y_bar, tape_.entries[number].output);
    if (tamper) x_bar = (*tamper)(number, edge - tape_.entries[number].edges_begin, x_bar);
    if (!x_bar.defined()) return x_bar;
    const Shape& wanted = tape_.target_sizes(tape_.edges[edge].target);
    if (x_bar.sizes() != wanted) {
        if (!broadcasts_to(wanted, x_bar.sizes())) {
            fail<AutogradError>("backward: the pullback of ", name, " (entry ", number, ") returned shape ",
                                x_bar.sizes(), " for an input of shape ", wanted);
        }
        Tensor sum = sum_to(x_bar, wanted);
        if (tape_.watch) tape_.watch->note_share(edge, x_bar, sum);
        x_bar = std::move(sum);
    } else if (tape_.watch) {
        tape_.watch->note_share(edge, x_bar, x_bar);
    }
    if (tape_.options.detect_anomaly && x_bar.is_floating_point() && !x_bar.isfinite().all().item<bool>() &&
        y_bar.isfinite().all().item<bool>()) {
        fail<AutogradError>("anomaly: the backward pass of ", name, " (entry ", number,
                            ") made a NaN or Inf out of a finite gradient, in a result of shape ",
                            x_bar.sizes());
    }
    return x_bar;
}

void Rewind::visit(std::size_t number) {
    Tensor y_bar = std::move(entry_gradients_[number]);
    const auto node = static_cast<Target>(number);
    if (stops_at(number)) {
        finished_[node] = std::move(y_bar);
        return;
    }
    if (const auto found = tape_.hooks.find(node); found != tape_.hooks.end()) {
        const std::vector<NumberedHook> hooks = found->second;  // a hook may add or remove hooks
        y_bar = run_hooks(hooks, std::move(y_bar));
    }
    if (const auto found = tape_.retained.find(node); found != tape_.retained.end()) {
        for (const Tensor& tensor : found->second) retained_.emplace_back(tensor, y_bar);
    }
    if (tape_.watch) tape_.watch->gradients[node] = snapshot(y_bar);
    if (marks_[number] & kRequested) finished_[node] = y_bar;
    bool used = false;
    std::any shared;
    const Swap<std::any*> in_visit(shared_in_visit, &shared);
    for (std::size_t i = tape_.entries[number].edges_begin; i < tape_.edges_end(number); ++i) {
        const Target target = tape_.edges[i].target;
        if (!leads(target)) continue;
        used = true;
        if (Tensor x_bar = pull_back(number, i, y_bar); x_bar.defined()) deliver(target, std::move(x_bar));
    }
    if (used && !options_.retain_graph) tape_.free_entry(number);
}

void Rewind::run() {
    mark();
    if (tape_.watch && tape_.watch->bytes < 0) tape_.watch->bytes = tape_.bytes_kept();
    const Swap<bool> pause(paused, !options_.create_graph);
    // With create_graph it is recorded on the innermost tape, which sees the values of all others: this one,
    // most of the time, which grows meanwhile: the number of entries to visit was fixed by `mark`.
    for (std::size_t number = marks_.size(); number-- > 0;) {
        if (entry_gradients_[number].defined()) visit(number);
    }
    if (!tape_.watch) return;
    for (std::size_t i = 0; i < leaf_gradients_.size(); ++i) {
        if (leaf_gradients_[i].defined())
            tape_.watch->gradients[~static_cast<Target>(i)] = snapshot(leaf_gradients_[i]);
    }
}

Tensor Rewind::requested(const Tensor& input) const {
    const Target target = tape_.target_of(input);
    if (target >= 0) {
        const auto found = finished_.find(target);
        return found != finished_.end() ? found->second : Tensor();
    }
    const auto place = static_cast<std::size_t>(~target);
    return place < leaf_gradients_.size() ? leaf_gradients_[place] : Tensor();
}

}  // namespace reel::detail
