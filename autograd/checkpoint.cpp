#include "autograd/checkpoint.hpp"

#include <memory>

#include "autograd/rewind.hpp"
#include "autograd/shared_pullback.hpp"
#include "tensor/random.hpp"

namespace reel {

namespace {

using Tensors = std::vector<Tensor>;

/// Sets this thread's random generator for a scope.
class Replay {
public:
    explicit Replay(GeneratorState state) : before_(generator_state()) { set_generator_state(state); }
    Replay(const Replay&) = delete;
    Replay& operator=(const Replay&) = delete;
    ~Replay() { set_generator_state(before_); }

private:
    GeneratorState before_;
};

Tensor only(Tensors outputs) {
    if (outputs.size() != 1) {
        fail<Error>("checkpoint: the function returns ", outputs.size(), " tensors; it must return one");
    }
    return std::move(outputs[0]);
}

/// The second run of a function: the gradients of all that it reads, undefined where they are zero.
struct SecondRun {
    TensorFunction f;
    Tensors inputs;
    Tensors read;
    GeneratorState state;

    Tensors gradients(const Tensor& y_bar) const {
        const Replay replay(state);
        // With create_graph it is recorded like the rewind itself.
        std::optional<Tape> tape;
        const bool create_graph = detail::recording() != nullptr;
        if (!create_graph) tape.emplace();
        const detail::Swap<bool> recording(detail::paused, false);
        const detail::SecondRunScope scope{detail::innermost, detail::innermost->nodes.size()};
        const Tensor y = [&] {
            const detail::Swap<const detail::SecondRunScope*> running(detail::second_run, &scope);
            return only(f(inputs));
        }();
        Tensors found(read.size());
        if (!y.requires_grad()) return found;
        detail::update_view_history(y);
        detail::Rewind rewind(*detail::innermost,
                              {.retain_graph = create_graph, .create_graph = create_graph, .partial = true});
        rewind.expect(y);
        for (const Tensor& tensor : read) rewind.request(tensor);
        rewind.mark();
        rewind.seed(y, y_bar);
        rewind.run();
        for (std::size_t i = 0; i < read.size(); ++i) found[i] = rewind.requested(read[i]);
        return found;
    }
};

/// What the first run leaves: its result, as a constant or as a view of what was there before, the tensors
/// that want a gradient and have been read, and all that was there before and has been read.
struct FirstRun {
    Tensor y;
    Tensors read;
    Tensors held;
};

FirstRun first_run(const TensorFunction& f, const Tensors& inputs, bool forgets) {
    FirstRun run;
    detail::Reads reads;
    Tape tape(detail::recording()->options);
    Tape::State& state = tape.state();
    state.reads = &reads;
    state.forgets = forgets;
    Tensor y = only(f(inputs));
    detail::update_view_history(y);
    if (y.requires_grad()) static_cast<void>(state.target_of(y));  // it may be an input, handed back
    for (std::size_t i = 0; i < state.leaves.size(); ++i) run.read.push_back(state.leaves[i]);
    const bool shows_another = y.requires_grad() && (y.impl().base || y.impl().slot.tape != state.id);
    run.y = shows_another ? y : y.detach();
    reads.forget_temporaries();
    for (const auto& [storage, tensor] : reads.tensors()) {
        if (shows_another || storage != y.impl().storage.get()) run.held.push_back(tensor);
    }
    return run;
}

}  // namespace

Tensor checkpoint(const TensorFunction& f, const Tensors& inputs) {
    if (!detail::recording()) return only(f(inputs));
    const GeneratorState state = generator_state();
    const detail::UndoDraws undo;
    FirstRun first;
    try {
        first = first_run(f, inputs, true);
    } catch (const detail::Forgotten&) {  // `f` rewinds: it needs what it records
        set_generator_state(state);
        first = first_run(f, inputs, false);
    }
    const auto second = std::make_shared<const SecondRun>(SecondRun{f, inputs, first.read, state});
    // The tape sees what a closure captures, not what that points to: the first one shows it the tensors.
    Tensors kept = std::move(first.held);
    kept.insert(kept.end(), inputs.begin(), inputs.end());
    kept.insert(kept.end(), first.read.begin(), first.read.end());
    std::vector<OwnedEdge> edges;
    for (std::size_t i = 0; i < first.read.size(); ++i) {
        edges.emplace_back(first.read[i],
                           Pullback([second, i, kept = std::exchange(kept, {})](const Tensor& y_bar) {
                               static_cast<void>(kept);
                               const auto shared = once_in_visit([&] { return second->gradients(y_bar); });
                               return std::exchange((*shared)[i], Tensor());
                           }));
    }
    return record("checkpoint", first.y, edges);
}

Tensor checkpoint(const TensorFunction& f, const Tensor& input) { return checkpoint(f, Tensors{input}); }

}  // namespace reel
