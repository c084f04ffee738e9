// `backward` and `grad`: the tapes of a thread rewound one after the other, from the innermost outwards. The
// rewind of one tape is in `rewind.cpp`.
#include <mutex>

#include "autograd/rewind.hpp"

namespace reel {

namespace {

using detail::Rewind;
using detail::RewindOptions;

/// Why no gradient can start at `output`, and what to do.
const char* why_not(const Tensor& output) {
    if (output.impl().slot.node >= 0)
        return "the tape that recorded it has ended; call backward while it lives";
    if (detail::innermost->entries.size() == 0) {
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
    Tensor one = Tensor::empty(output.sizes(), output.dtype());
    one.fill_(1);
    return one;
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
bool request(const Tape::State& tape, Rewind& rewind, const std::vector<Tensor>& inputs) {
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

/// Guards what leaves carry: threads may share them.
std::mutex& leaf_mutex() {
    static std::mutex mutex;
    return mutex;
}

std::vector<detail::NumberedHook> hooks_of(const Tensor& leaf) {
    const std::lock_guard lock(leaf_mutex());
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
    /// Undefined where nothing reached it.
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

/// Sweeps all living tapes of the thread from the innermost outwards: values of outer tapes are leaves of the
/// inner one, and their gradients the seeds of the next sweep. Goes everywhere unless `inputs` are given.
void sweep(Harvest& harvest, Seeds seeds, RewindOptions options, const std::vector<Tensor>* inputs) {
    if (inputs) harvest.inputs.resize(inputs->size());
    for (Tape::State* tape = detail::innermost; tape && !seeds.empty(); tape = tape->outer) {
        Rewind rewind(*tape, options);
        const std::size_t taken = std::erase_if(seeds, [&](const auto& seed) {
            const Tape::State* made_by = detail::tape_of(seed.first.impl());
            if (made_by && made_by != tape) return false;
            rewind.seed(seed.first, seed.second);
            return true;
        });
        if (taken == 0 || (inputs && !request(*tape, rewind, *inputs))) continue;
        rewind.run();
        rewind.hand_over_leaves([&](const Tensor& leaf, Tensor gradient) {
            if (detail::tape_of(leaf.impl())) {
                seeds.emplace_back(leaf, std::move(gradient));
            } else {
                harvest.leaves.add(leaf, std::move(gradient), options.create_graph);
            }
        });
        for (std::size_t i = 0; i < harvest.inputs.size(); ++i) {
            if (is_made_by(*tape, (*inputs)[i])) harvest.inputs[i] = rewind.requested((*inputs)[i]);
        }
        const auto& retained = rewind.retained();
        harvest.retained.insert(harvest.retained.end(), retained.begin(), retained.end());
    }
    harvest.leaves.run_hooks();
}

/// Adds to `.grad()`, which holds memory of its own: two leaves may have been sent the same tensor.
void accumulate_into(const Tensor& tensor, Tensor gradient, bool create_graph) {
    const std::lock_guard lock(leaf_mutex());
    Tensor& sum = detail::variable(tensor).grad;
    const bool alone =
        gradient.handle().unique() && gradient.impl().storage.unique() && gradient.is_contiguous();
    if (!sum.defined() && !create_graph && !alone) gradient = gradient.clone();
    detail::accumulate(sum, std::move(gradient), create_graph);
}

}  // namespace

void Tensor::backward(const Tensor& gradient, bool retain_graph, bool create_graph) const {
    check_tape("backward", *this);
    Seeds seeds;
    seeds.emplace_back(*this, cotangent_of("backward", *this, gradient));
    const detail::Swap<bool> pause(detail::paused, !create_graph);
    Harvest harvest;
    sweep(harvest, std::move(seeds), {retain_graph || create_graph, create_graph}, nullptr);
    for (auto& [tensor, sum] : harvest.retained) accumulate_into(tensor, std::move(sum), create_graph);
    harvest.leaves.for_each([&](const Tensor& leaf, Tensor& sum) {
        if (leaf.impl().requires_grad) accumulate_into(leaf, std::move(sum), create_graph);
    });
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
    const detail::Swap<bool> pause(detail::paused, !options.create_graph);
    const bool retain_graph = options.retain_graph.value_or(options.create_graph);
    Harvest harvest;
    sweep(harvest, std::move(seeds), {retain_graph, options.create_graph}, &inputs);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (!harvest.inputs[i].defined()) harvest.inputs[i] = harvest.leaves.of(inputs[i]);
        if (harvest.inputs[i].defined() || options.allow_unused) continue;
        fail<AutogradError>("grad: no output depends on input ", i, ", of shape ", inputs[i].sizes(),
                            "; allow_unused gives an undefined tensor for it");
    }
    return std::move(harvest.inputs);
}

}  // namespace reel
