// The rewind: one sweep from the end of the tape to its front. No recursion and no sort: the order of
// execution, read backwards, is a topological order.
#include <mutex>

#include "autograd/tape_state.hpp"

namespace reel {

constinit thread_local const detail::Tamper* detail::tamper = nullptr;

namespace {

using detail::Entry;
using detail::Target;

struct RewindOptions {
    bool retain_graph;
    bool create_graph;
};

/// x̄ for an input of `sizes`: sums over the dimensions that were stretched to the gradient's shape.
Tensor sum_to(const Tensor& gradient, const Shape& sizes) {
    const std::size_t lead = gradient.sizes().size() - sizes.size();
    Shape stretched;
    for (std::size_t i = 0; i < gradient.sizes().size(); ++i) {
        if (i < lead || (sizes[i - lead] == 1 && gradient.sizes()[i] != 1)) {
            stretched.push_back(static_cast<std::int64_t>(i));
        }
    }
    const Tensor kept = stretched.empty() ? gradient : gradient.sum(stretched, true);
    return lead == 0 ? kept : kept.reshape(sizes);
}

bool broadcasts_to(const Shape& sizes, const Shape& target) {
    if (sizes.size() > target.size()) return false;
    for (std::size_t i = 1; i <= sizes.size(); ++i) {
        const std::int64_t size = sizes[sizes.size() - i];
        if (size != 1 && size != target[target.size() - i]) return false;
    }
    return true;
}

/// Adds `gradient` to `sum`, in place where nobody else can see it.
void accumulate(Tensor& sum, Tensor gradient, bool create_graph) {
    if (!sum.defined()) {
        sum = std::move(gradient);
    } else if (!create_graph && sum.handle().unique() && sum.impl().storage.unique() && sum.is_contiguous()) {
        sum.add_(gradient);
    } else {
        sum = sum.add(gradient);
    }
}

/// One sweep over one tape.
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
    /// Calls `f(leaf, gradient)` for every leaf that a gradient reached.
    void for_each_leaf(const auto& f) {
        for (std::size_t i = 0; i < leaf_gradients_.size(); ++i) {
            if (leaf_gradients_[i].defined()) f(tape_.leaves[i], leaf_gradients_[i]);
        }
    }

private:
    enum : std::uint8_t { kReached = 1, kLeads = 2 };

    void mark();
    void check(std::size_t number) const;
    void visit(std::size_t number);
    Tensor pull_back(std::size_t number, std::size_t edge, const Tensor& y_bar) const;
    void deliver(Target target, Tensor gradient);
    bool leads(Target target) const {
        if (requested_.empty()) return true;
        return target >= 0 ? marks_[static_cast<std::size_t>(target)] & kLeads
                           : leaf_requested_[static_cast<std::size_t>(~target)];
    }

    Tape::State& tape_;
    RewindOptions options_;
    std::vector<Tensor> entry_gradients_;
    std::vector<Tensor> leaf_gradients_;
    std::vector<Target> requested_;
    std::vector<std::uint8_t> marks_;
    std::vector<bool> leaf_requested_;
    std::unordered_map<Target, Tensor> finished_;  // requested gradients of entries
};

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
    leaf_requested_.assign(tape_.leaves.size(), false);
    for (Target target : requested_) {
        if (target < 0) leaf_requested_[static_cast<std::size_t>(~target)] = true;
    }
    for (std::size_t number = 0; number < marks_.size() && !requested_.empty(); ++number) {
        for (std::size_t i = tape_.entries[number].edges_begin; i < tape_.edges_end(number); ++i) {
            if (leads(tape_.edges[i].target)) marks_[number] |= kLeads;
        }
        // A requested entry leads to itself; whether to go on below it, its own edges have said.
        for (Target target : requested_) {
            if (target == static_cast<Target>(number)) marks_[number] |= kLeads;
        }
    }
    for (std::size_t number = marks_.size(); number-- > 0;) {
        if (entry_gradients_[number].defined()) marks_[number] |= kReached;
        if (!(marks_[number] & kReached)) continue;
        bool used = false;
        for (std::size_t i = tape_.entries[number].edges_begin; i < tape_.edges_end(number); ++i) {
            const Target target = tape_.edges[i].target;
            if (!leads(target)) continue;
            used = true;
            if (target >= 0) marks_[static_cast<std::size_t>(target)] |= kReached;
        }
        if (used) check(number);
    }
}

void Rewind::check(std::size_t number) const {
    const Entry& entry = tape_.entries[number];
    if (entry.freed) {
        fail<AutogradError>("backward: what ", entry.name, " (entry ", number,
                            ") kept was freed by an earlier rewind; pass retain_graph to that one");
    }
    for (std::size_t i = entry.blocks_begin; i < tape_.blocks_end(number); ++i) {
        const detail::KeptBlock& block = tape_.blocks[i];
        if (block.storage->version == block.version) continue;
        fail<AutogradError>("backward: a value that ", entry.name, " (entry ", number,
                            ") saved has since been overwritten by ", block.storage->overwritten_by,
                            "; write to a clone(), or use the out-of-place operation");
    }
}

Tensor Rewind::pull_back(std::size_t number, std::size_t edge, const Tensor& y_bar) const {
    const char* name = tape_.entries[number].name;
    Tensor x_bar = tape_.edges[edge].pullback(y_bar, tape_.entries[number].output);
    if (detail::tamper) x_bar = (*detail::tamper)(number, edge - tape_.entries[number].edges_begin, x_bar);
    if (!x_bar.defined()) return x_bar;
    const Shape& wanted = tape_.target_sizes(tape_.edges[edge].target);
    if (x_bar.sizes() != wanted) {
        if (!broadcasts_to(wanted, x_bar.sizes())) {
            fail<AutogradError>("backward: the pullback of ", name, " (entry ", number, ") returned shape ",
                                x_bar.sizes(), " for an input of shape ", wanted);
        }
        x_bar = sum_to(x_bar, wanted);
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
    if (const auto hooks = tape_.hooks.find(node); hooks != tape_.hooks.end()) {
        y_bar = detail::run_hooks(hooks->second, std::move(y_bar));
    }
    if (const auto retained = tape_.retained.find(node); retained != tape_.retained.end()) {
        for (const Tensor& tensor : retained->second) {
            accumulate(detail::variable(tensor).grad, y_bar, options_.create_graph);
        }
    }
    for (Target target : requested_) {
        if (target == node) finished_[node] = y_bar;
    }
    bool used = false;
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
    const detail::Swap<bool> pause(detail::paused, !options_.create_graph);
    const detail::Swap<Tape::State*> innermost(detail::innermost, &tape_);
    // With create_graph the tape grows meanwhile: the number of entries to visit was fixed by `mark`.
    for (std::size_t number = marks_.size(); number-- > 0;) {
        if (entry_gradients_[number].defined()) visit(number);
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

/// The cotangent of `output`: what was given, else 1 where there is one element.
Tensor cotangent_of(const char* operation, const Tensor& output, const Tensor& given) {
    if (!output.requires_grad()) {
        fail<AutogradError>(
            operation, ": the tensor of shape ", output.sizes(),
            " does not require grad: no living tape of this thread has recorded it, and it is no leaf");
    }
    if (given.defined()) {
        if (given.sizes() != output.sizes()) {
            fail<ShapeError>(operation, ": a gradient of shape ", given.sizes(), " for an output of shape ",
                             output.sizes());
        }
        return given;
    }
    if (output.numel() != 1) {
        fail<AutogradError>(
            operation, ": the output has shape ", output.sizes(),
            "; without a gradient it must have one element (or pass a gradient of its shape)");
    }
    Tensor one = Tensor::empty(output.sizes(), output.dtype());
    one.fill_(1);
    return one;
}

void check_tape(const char* operation) {
    if (detail::innermost) return;
    fail<AutogradError>(operation,
                        ": no tape is alive on this thread; make one (reel::Tape tape;) before the ",
                        "operations that are to be differentiated");
}

/// Adds to `.grad()` of a leaf that two threads may share.
void accumulate_into_leaf(const Tensor& leaf, Tensor gradient, bool create_graph) {
    static std::mutex mutex;
    gradient = detail::run_hooks(detail::variable(leaf).hooks, std::move(gradient));
    const std::lock_guard lock(mutex);
    Tensor& sum = detail::variable(leaf).grad;
    // What is kept must be the leaf's alone: two leaves may have been sent the same tensor.
    const bool alone =
        gradient.handle().unique() && gradient.impl().storage.unique() && gradient.is_contiguous();
    if (!sum.defined() && !create_graph && !alone) gradient = gradient.clone();
    accumulate(sum, std::move(gradient), create_graph);
}

using Seeds = std::vector<std::pair<Tensor, Tensor>>;  // values and their cotangents

/// Takes the seeds that belong to `tape` out of `seeds`.
Seeds take_seeds(Seeds& seeds, const Tape::State& tape) {
    Seeds taken;
    Seeds left;
    for (auto& seed : seeds) {
        const Tape::State* made_by = detail::tape_of(seed.first.impl());
        (made_by && made_by != &tape ? left : taken).push_back(std::move(seed));
    }
    seeds = std::move(left);
    return taken;
}

/// Sweeps all living tapes of the thread from the innermost outwards: values of outer tapes are leaves of the
/// inner one, and their gradients the seeds of the next sweep. `prepare(tape, rewind)` says whether there is
/// anything to do on a tape, `finish(tape, rewind)` reads the gradients.
void sweep(Seeds seeds, RewindOptions options, const auto& prepare, const auto& finish) {
    for (Tape::State* tape = detail::innermost; tape && !seeds.empty(); tape = tape->outer) {
        Rewind rewind(*tape, options);
        const Seeds own = take_seeds(seeds, *tape);
        for (const auto& [output, cotangent] : own) rewind.seed(output, cotangent);
        if (own.empty() || !prepare(*tape, rewind)) continue;
        rewind.run();
        rewind.for_each_leaf([&](const Tensor& leaf, Tensor& gradient) {
            if (detail::tape_of(leaf.impl())) seeds.emplace_back(leaf, gradient);
        });
        finish(*tape, rewind);
    }
}

}  // namespace

void Tensor::backward(const Tensor& gradient, bool retain_graph, bool create_graph) const {
    check_tape("backward");
    sweep(
        {{*this, cotangent_of("backward", *this, gradient)}}, {retain_graph || create_graph, create_graph},
        [](const Tape::State&, const Rewind&) { return true; },
        [create_graph](const Tape::State&, Rewind& rewind) {
            rewind.for_each_leaf([&](const Tensor& leaf, Tensor& sum) {
                if (leaf.impl().requires_grad) accumulate_into_leaf(leaf, std::move(sum), create_graph);
            });
        });
}

std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const GradOptions& options) {
    check_tape("grad");
    if (!options.grad_outputs.empty() && options.grad_outputs.size() != outputs.size()) {
        fail<AutogradError>("grad: ", options.grad_outputs.size(), " grad_outputs for ", outputs.size(),
                            " outputs");
    }
    for (const Tensor& input : inputs) {
        if (!input.requires_grad()) {
            fail<AutogradError>("grad: an input of shape ", input.sizes(), " does not require grad");
        }
    }
    Seeds seeds;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const Tensor given = options.grad_outputs.empty() ? Tensor() : options.grad_outputs[i];
        seeds.emplace_back(outputs[i], cotangent_of("grad", outputs[i], given));
    }
    std::vector<Tensor> gradients(inputs.size());
    const auto belongs = [](const Tape::State& tape, const Tensor& input) {
        return input.impl().slot.tape == tape.id || tape.leaf_numbers.contains(&input.impl());
    };
    sweep(
        std::move(seeds), {options.retain_graph.value_or(options.create_graph), options.create_graph},
        [&](const Tape::State& tape, Rewind& rewind) {
            bool any = false;
            const auto request = [&](const Tensor& tensor) {
                rewind.request(tensor);
                any = true;
            };
            for (const Tensor& input : inputs) {
                if (belongs(tape, input)) request(input);
            }
            for (const Tensor& leaf : tape.leaves) {
                if (detail::tape_of(leaf.impl())) request(leaf);
            }
            return any;
        },
        [&](const Tape::State& tape, const Rewind& rewind) {
            for (std::size_t i = 0; i < inputs.size(); ++i) {
                if (!belongs(tape, inputs[i])) continue;
                Tensor part = rewind.requested(inputs[i]);
                if (part.defined()) accumulate(gradients[i], std::move(part), options.create_graph);
            }
        });
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (gradients[i].defined() || options.allow_unused) continue;
        fail<AutogradError>("grad: no output depends on input ", i, ", of shape ", inputs[i].sizes(),
                            "; allow_unused gives an undefined tensor for it");
    }
    return gradients;
}

}  // namespace reel
