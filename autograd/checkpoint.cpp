#include "autograd/checkpoint.hpp"

#include <memory>

#include "autograd/rewind.hpp"
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

/// The second run of a function, for the gradients of all that it reads.
class SecondRun {
public:
    SecondRun(const TensorFunction& f, Tensors inputs, Tensors read, GeneratorState state)
        : f_(f),
          inputs_(std::move(inputs)),
          read_(std::move(read)),
          state_(state),
          taken_(read_.size(), true) {}

    /// The gradient for the i-th tensor that was read. One run serves all of them: the rewind asks for one
    /// after the other, with the same cotangent.
    Tensor gradient(std::size_t i, const Tensor& y_bar) {
        if (taken_[i] || !y_bar_.is_same(y_bar)) run(y_bar);
        taken_[i] = true;
        return std::exchange(gradients_[i], Tensor());
    }

private:
    void run(const Tensor& y_bar) {
        const Replay replay(state_);
        // With create_graph it is recorded like the rewind itself.
        std::optional<Tape> tape;
        const bool create_graph = detail::recording() != nullptr;
        if (!create_graph) tape.emplace();
        const detail::Swap<bool> recording(detail::paused, false);
        const Tensor y = only(f_(inputs_));
        gradients_.assign(read_.size(), Tensor());
        if (y.requires_grad()) {
            detail::Rewind rewind(
                *detail::innermost,
                {.retain_graph = create_graph, .create_graph = create_graph, .partial = true});
            rewind.seed(y, y_bar);
            for (const Tensor& tensor : read_) rewind.request(tensor);
            rewind.run();
            for (std::size_t i = 0; i < read_.size(); ++i) gradients_[i] = rewind.requested(read_[i]);
        }
        taken_.assign(read_.size(), false);
        y_bar_ = y_bar;
    }

    TensorFunction f_;
    Tensors inputs_;
    Tensors read_;
    GeneratorState state_;
    Tensor y_bar_;
    Tensors gradients_;
    std::vector<bool> taken_;
};

}  // namespace

Tensor checkpoint(const TensorFunction& f, const Tensors& inputs) {
    if (!detail::recording()) return only(f(inputs));
    const GeneratorState state = generator_state();
    const detail::UndoDraws undo;
    Tensors read;
    Tensor y;
    {
        Tape tape(detail::recording()->options);
        tape.state().forgets = true;
        y = only(f(inputs)).detach();
        const detail::Numbering& leaves = tape.state().leaves;
        for (std::size_t i = 0; i < leaves.size(); ++i) read.push_back(leaves[i]);
    }
    const auto second = std::make_shared<SecondRun>(f, inputs, read, state);
    // The tape sees what a closure captures, not what that points to: the first one shows it the tensors.
    Tensors kept = inputs;
    kept.insert(kept.end(), read.begin(), read.end());
    std::vector<OwnedEdge> edges;
    for (std::size_t i = 0; i < read.size(); ++i) {
        edges.emplace_back(read[i],
                           Pullback([second, i, kept = std::exchange(kept, {})](const Tensor& y_bar) {
                               static_cast<void>(kept);
                               return second->gradient(i, y_bar);
                           }));
    }
    return record("checkpoint", y, edges);
}

Tensor checkpoint(const TensorFunction& f, const Tensor& input) { return checkpoint(f, Tensors{input}); }

}  // namespace reel
