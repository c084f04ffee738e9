// `backward` and `grad`: the tapes of a thread rewound one after the other, from the innermost outwards. The
// rewind of one tape is in `rewind.cpp`.
#include <algorithm>

#include "autograd/rewind.hpp"
#include "tensor/factory.hpp"

namespace reel {

namespace {

using detail::Rewind;
using detail::RewindOptions;

/// Why no gradient can start at `output`, and what to do.
const char* why_not(const Tensor& output) {
    if (output.impl().slot.node >= 0)
        return "the tape that recorded it has ended, or is another thread's; call backward there while it "
               "lives";
    if (detail::innermost->nodes.size() == 0) {
        return "nothing is recorded: no tensor used since the tape was made requires grad "
               "(set_requires_grad() on the "
               "parameters themselves; w = w - ... makes a new tensor: w.sub_(...) under a NoGradGuard)";
    }
    return "it was computed before the tape was made, or under a NoGradGuard, or from constants alone";
}

/// The cotangent of `output`: what was given, else 1 where there is one element.
Tensor cotangent_of(const char* operation, const Tensor& output, const Tensor& given) {
    if (!output.requires_grad()) {
        fail<AutogradError>(operation, ": the tensor of shape ", output.sizes(),
                            " does not require grad: ", why_not(output));
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
    return ones(output.sizes(), output.dtype());
}

void check_tape(const char* operation, const Tensor& output) {
    if (detail::innermost) return;
    if (output.defined() && output.impl().slot.node >= 0)
        fail<AutogradError>(operation, ": ", why_not(output));
    fail<AutogradError>(operation,
                        ": no tape is alive on this thread; make one (reel::Tape tape;) before the ",
                        "operations that are to be differentiated");
}

using Seeds = std::vector<std::pair<Tensor, Tensor>>;  // values and their cotangents

bool is_made_by(const Tape::State& tape, const Tensor& tensor) {
    return tensor.impl().slot.node >= 0 && tensor.impl().slot.tape == tape.id;
}

/// Whether the gradient of `input` is found on this tape: where it was made, or, for a leaf, where it was
/// read.
bool is_found_on(const Tape::State& tape, const Tensor& input) {
    return is_made_by(tape, input) || (!detail::tape_of(input.impl()) && tape.leaves.find(input) >= 0);
}

/// Requests what leads to `inputs` on this tape and on those around it. Returns whether anything does.
bool request(Rewind& rewind, const std::vector<Tensor>& inputs) {
    const Tape::State& tape = rewind.tape();
    bool any = false;
    bool outside = false;
    for (const Tensor& input : inputs) {
        if (is_found_on(tape, input)) {
            rewind.request(input);
            any = true;
        }
        for (const Tape::State* outer = tape.outer; outer && !outside; outer = outer->outer) {
            outside = is_found_on(*outer, input);
        }
    }
    for (std::size_t i = 0; outside && i < tape.leaves.size(); ++i) {
        if (!detail::tape_of(tape.leaves[i].impl())) continue;
        rewind.request(tape.leaves[i]);
        any = true;
    }
    return any;
}

std::vector<detail::NumberedHook> hooks_of(const Tensor& leaf) {
    const std::lock_guard lock(detail::variable_mutex());
    return leaf.impl().meta ? detail::variable(leaf).hooks : std::vector<detail::NumberedHook>();
}

/// True leaves and what reached each of them, summed over all tapes.
class LeafGradients {
public:
    void add(const Tensor& leaf, Tensor gradient, bool create_graph) {
        const std::int64_t number = leaves_.find(leaf);
        if (number < 0) leaves_.add(leaf);
        Tensor& sum = number < 0 ? sums_.emplace_back() : sums_[static_cast<std::size_t>(number)];
        detail::accumulate(sum, std::move(gradient), create_graph);
    }
    void run_hooks() {
        for (std::size_t i = 0; i < sums_.size(); ++i) {
            sums_[i] = detail::run_hooks(hooks_of(leaves_[i]), std::move(sums_[i]));
        }
    }
    /// The gradient of a leaf, undefined where none came to it.
    Tensor of(const Tensor& leaf) const {
        const std::int64_t number = leaves_.find(leaf);
        return number >= 0 ? sums_[static_cast<std::size_t>(number)] : Tensor();
    }
    /// Calls f(leaf, gradient), which may take the gradient.
    void for_each(const auto& f) {
        for (std::size_t i = 0; i < sums_.size(); ++i) f(leaves_[i], sums_[i]);
    }

private:
    detail::Numbering leaves_;
    std::vector<Tensor> sums_;
};

/// What a sweep brings home. Nothing outside the tapes has been changed yet.
struct Harvest {
    LeafGradients leaves;        ///< after their hooks
    Seeds retained;              ///< non-leaves that retain their gradients
    std::vector<Tensor> inputs;  ///< the gradients that were asked for, of values that a tape has made
};

/// The rewinds of all living tapes of the thread that lead from the outputs to `inputs` (null: anywhere), from
/// the innermost outwards: values of outer tapes are leaves of the inner one. Throws if a node on the way
/// cannot be rewound; changes nothing.
std::vector<Rewind> marked_rewinds(const Seeds& seeds, RewindOptions options,
                                   const std::vector<Tensor>* inputs) {
    std::vector<Tensor> expected;
    for (const auto& [output, cotangent] : seeds) expected.push_back(output);
    std::vector<Rewind> rewinds;
    for (Tape::State* tape = detail::innermost; tape && !expected.empty(); tape = tape->outer) {
        Rewind rewind(*tape, options);
        const std::size_t taken = std::erase_if(expected, [&](const Tensor& output) {
            const Tape::State* made_by = detail::tape_of(output.impl());
            if (made_by && made_by != tape) return false;
            rewind.expect(output);
            return true;
        });
        if (taken == 0 || (inputs && !request(rewind, *inputs))) continue;
        rewind.mark();
        rewind.for_each_reached_leaf([&](const Tensor& leaf) {
            if (detail::tape_of(leaf.impl())) expected.push_back(leaf);
        });
        rewinds.push_back(std::move(rewind));
    }
    return rewinds;
}

/// Sweeps the tapes one after the other: the gradients of one's outer values are the seeds of the next.
void sweep(Harvest& harvest, const Seeds& given, std::vector<Rewind>& rewinds, bool create_graph,
           const std::vector<Tensor>* inputs) {
    if (inputs) harvest.inputs.resize(inputs->size());
    Seeds seeds;  // on values of tapes further out
    for (Rewind& rewind : rewinds) {
        const Tape::State& tape = rewind.tape();
        const bool first = &rewind == rewinds.data();
        for (const auto& [output, cotangent] : given) {
            const Tape::State* made_by = detail::tape_of(output.impl());
            if (made_by ? made_by == &tape : first) rewind.seed(output, cotangent);
        }
        std::erase_if(seeds, [&](const auto& seed) {
            if (detail::tape_of(seed.first.impl()) != &tape) return false;
            rewind.seed(seed.first, seed.second);
            return true;
        });
        rewind.run();
        for (std::size_t i = 0; i < harvest.inputs.size(); ++i) {
            if (is_made_by(tape, (*inputs)[i])) harvest.inputs[i] = rewind.requested((*inputs)[i]);
        }
        rewind.hand_over_leaves([&](const Tensor& leaf, Tensor gradient) {
            if (detail::tape_of(leaf.impl())) {
                seeds.emplace_back(leaf, std::move(gradient));
            } else {
                harvest.leaves.add(leaf, std::move(gradient), create_graph);
            }
        });
        for (auto& seen : rewind.take_retained()) harvest.retained.push_back(std::move(seen));
    }
    harvest.leaves.run_hooks();
}

/// `sweep`. If it fails, what it freed is used up, and the next rewind will say why.
void sweep_or_tell(Harvest& harvest, const Seeds& seeds, std::vector<Rewind>& rewinds, RewindOptions options,
                   const std::vector<Tensor>* inputs) {
    try {
        sweep(harvest, seeds, rewinds, options.create_graph, inputs);
    } catch (const std::exception& error) {
        for (Rewind& rewind : rewinds) {
            if (!options.retain_graph) rewind.tape().failure = error.what();
        }
        throw;
    }
}

/// Whether nobody else sees the memory: two leaves, or a leaf and the caller, may have been sent the same
/// tensor.
bool is_alone(const Tensor& gradient) {
    const auto& storage = gradient.impl().storage;
    return gradient.handle().unique() && storage.unique() && storage->owned && gradient.is_contiguous();
}

Tensor owned(Tensor gradient) { return is_alone(gradient) ? std::move(gradient) : gradient.clone(); }

/// With create_graph: a gradient is a function of all that the outputs are a function of, were it by zero. So
/// a derivative that does not depend on an input is zero for it, not an error.
Tensor derived(Tensor gradient, const Seeds& seeds) {
    const bool alone = is_alone(gradient);
    const Tensor value = gradient.detach();
    std::vector<OwnedEdge> edges = {{gradient, Pullback([](const Tensor& v) { return v; })}};
    for (const auto& [output, cotangent] : seeds) edges.emplace_back(output, Pullback());
    return record("gradient", alone ? value : value.clone(), edges);
}

/// What is to be added to, or put in the place of, a tensor's `.grad()`.
struct Accumulation {
    Tensor tensor;
    Tensor gradient;
    bool in_place = false;
};

/// Makes all that it needs before the first `.grad()` changes.
void accumulate_all(std::vector<Accumulation>& gradients, bool create_graph) {
    const std::lock_guard lock(detail::variable_mutex());
    for (auto& [tensor, gradient, in_place] : gradients) {
        const Tensor& sum = detail::variable(tensor).grad;
        in_place = sum.defined() && !create_graph && sum.handle().unique() && sum.impl().storage.unique() &&
                   sum.is_contiguous();
        if (!sum.defined() && !create_graph) gradient = owned(std::move(gradient));
        if (sum.defined() && !in_place) gradient = sum.add(gradient);
    }
    for (Accumulation& each : gradients) {
        Tensor& sum = detail::variable(each.tensor).grad;
        if (each.in_place) {
            sum.add_(each.gradient);
        } else {
            std::swap(sum, each.gradient);  // what was there goes when the mutex is free
        }
    }
}

/// The gradients of the inputs, undefined for those that no output depends on, which throw unless allowed.
std::vector<Tensor> gradients_of(const std::vector<Tensor>& inputs, const Seeds& seeds, RewindOptions options,
                                 bool allow_unused) {
    std::vector<Rewind> rewinds = marked_rewinds(seeds, options, &inputs);
    std::vector<bool> reached;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        reached.push_back(std::any_of(rewinds.begin(), rewinds.end(), [&](const Rewind& rewind) {
            return is_found_on(rewind.tape(), inputs[i]) && rewind.reached(inputs[i]);
        }));
        if (reached[i] || allow_unused) continue;
        fail<AutogradError>("grad: no output depends on input ", i, ", of shape ", inputs[i].sizes(),
                            "; allow_unused gives an undefined tensor for it");
    }
    Harvest harvest;
    sweep_or_tell(harvest, seeds, rewinds, options, &inputs);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        Tensor& gradient = harvest.inputs[i];
        if (!gradient.defined()) gradient = harvest.leaves.of(inputs[i]);
        if (!gradient.defined() && reached[i]) gradient = zeros_like(inputs[i]);
    }
    return std::move(harvest.inputs);
}

}  // namespace

void Tensor::backward(const Tensor& gradient, bool retain_graph, bool create_graph) const {
    check_tape("backward", *this);
    Seeds seeds;
    seeds.emplace_back(*this, cotangent_of("backward", *this, gradient));
    detail::update_view_history(*this);
    const detail::Swap<bool> pause(detail::paused, !create_graph);
    const RewindOptions options{retain_graph || create_graph, create_graph};
    std::vector<Accumulation> gradients;
    {
        std::vector<Rewind> rewinds = marked_rewinds(seeds, options, nullptr);
        Harvest harvest;
        sweep_or_tell(harvest, seeds, rewinds, options, nullptr);
        for (auto& [tensor, sum] : harvest.retained) gradients.push_back({tensor, std::move(sum)});
        harvest.leaves.for_each([&](const Tensor& leaf, Tensor& sum) {
            if (leaf.impl().requires_grad) gradients.push_back({leaf, std::move(sum)});
        });
    }
    for (Accumulation& each : gradients) {
        if (create_graph) each.gradient = derived(std::move(each.gradient), seeds);
    }
    accumulate_all(gradients, create_graph);
}

std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const GradOptions& options) {
    check_tape("grad", outputs.empty() ? Tensor() : outputs[0]);
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
    for (const Tensor& output : outputs) detail::update_view_history(output);
    for (const Tensor& input : inputs) detail::update_view_history(input);
    const detail::Swap<bool> pause(detail::paused, !options.create_graph);
    const RewindOptions rewind_options{options.retain_graph.value_or(options.create_graph),
                                       options.create_graph};
    std::vector<Tensor> gradients = gradients_of(inputs, seeds, rewind_options, options.allow_unused);
    for (Tensor& gradient : gradients) {
        if (!gradient.defined()) continue;
        gradient = options.create_graph ? derived(std::move(gradient), seeds) : owned(std::move(gradient));
    }
    return gradients;
}

std::vector<Tensor> detail::grad_of_recorded(const std::vector<Tensor>& outputs,
                                             const std::vector<Tensor>& cotangents,
                                             const std::vector<Tensor>& inputs, bool create_graph) {
    std::vector<Tensor> recorded;
    GradOptions options{.retain_graph = true, .create_graph = create_graph, .allow_unused = true};
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        if (!outputs[i].requires_grad()) continue;
        recorded.push_back(outputs[i]);
        options.grad_outputs.push_back(cotangents[i]);
    }
    return recorded.empty() ? std::vector<Tensor>(inputs.size()) : grad(recorded, inputs, options);
}

}  // namespace reel
