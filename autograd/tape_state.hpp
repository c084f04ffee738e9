/// \file
/// The inside of a tape, shared by `tape.cpp`, `in_place.cpp`, `variable.cpp`, `rewind.cpp` and `backward.cpp`. Not a public header.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <unordered_map>

#include "autograd/tape.hpp"
#include "autograd/watch.hpp"

namespace reel::detail {

struct KeptEdge {
    Target target;
    Pullback pullback;  ///< empty: the gradient is zero, or the node has been freed
};

/// A block that a pullback captured, and its version then.
struct KeptBlock {
    const Storage* storage;
    std::uint32_t version;
};

struct Node {
    const char* name;
    Tensor output;  ///< only when a pullback takes it
    Shape sizes;
    DType dtype;
    bool freed = false;
    std::size_t edges_begin;
    std::size_t blocks_begin;
};

/// What a view was before `renew_view_history` gave it the slot `number`.
struct ViewUpdate {
    Tensor view;
    std::int64_t number;
    TapeSlot slot;
    decltype(TensorImpl::base_rewritten) base_rewritten;
};

using Hook = std::function<Tensor(const Tensor&)>;
using NumberedHook = std::pair<std::int64_t, Hook>;

/// The tensors that operations have read or captured, one for each storage.
class Reads {
public:
    void note(const Tensor& tensor) {
        if (tensors_.size() == next_sweep_) forget_temporaries();
        tensors_.emplace(tensor.impl().storage.get(), Tensor::from_handle(tensor.handle()));  // unobserved
    }
    /// What nobody else holds was made in between, and is gone.
    void forget_temporaries() {
        std::erase_if(tensors_, [](const auto& read) {
            return read.second.handle().unique() && read.second.impl().storage.unique();
        });
        next_sweep_ = std::max(kFirstSweep, 2 * tensors_.size());
    }
    const std::unordered_map<const Storage*, Tensor>& tensors() const { return tensors_; }

private:
    static constexpr std::size_t kFirstSweep = 64;
    std::unordered_map<const Storage*, Tensor> tensors_;
    std::size_t next_sweep_ = kFirstSweep;
};

/// A rewind over a tape that keeps no pullbacks, so far: thrown through the function that asks for it, which
/// is then run on one that does.
struct Forgotten {};

/// What a leaf, or a non-leaf that retains its gradient, carries.
struct Variable : AutogradMeta {
    Tensor grad;
    bool retains_grad = false;
    std::vector<NumberedHook> hooks;
};

/// The tensor's `Variable`, made when it has none. Under `variable_mutex`.
Variable& variable(const Tensor& tensor);
/// Guards every `Variable`: threads may share a leaf. Neither a hook runs nor a tensor is freed under it, which
/// could be somebody's code that asks for it again.
std::mutex& variable_mutex();
/// `gradient` after the hooks.
Tensor run_hooks(const std::vector<NumberedHook>& hooks, Tensor gradient);

}  // namespace reel::detail

namespace reel {

struct Tape::State {
    static void* operator new(std::size_t bytes) { return allocate(bytes); }
    static void operator delete(void* state, std::size_t bytes) { deallocate(state, bytes); }

    std::uint64_t id;
    State* outer;
    TapeOptions options;
    detail::Reads* reads = nullptr;  ///< notes what is read, for `checkpoint.cpp`, if it is asked for
    bool forgets = false;            ///< keeps no pullbacks: the function is going to be run again
    int rewinds = 0;                 ///< that are under way
    State** thread;                  ///< the variable `innermost` of the thread that it records on
    std::string failure;             ///< of the rewind that used up nodes and did not come to its end
    detail::ChunkedArray<detail::Node> nodes;
    detail::ChunkedArray<detail::KeptEdge> edges;
    detail::ChunkedArray<detail::KeptBlock> blocks;
    detail::Numbering leaves;  ///< tensors from outside that nodes read: leaves, and values of outer tapes
    std::map<std::int64_t, std::vector<detail::NumberedHook>> hooks;
    std::map<std::int64_t, std::vector<Tensor>> retained;
    int attempts = 0;                              ///< that are under way and may yet be taken back
    std::vector<detail::ViewUpdate> view_updates;  ///< since the outermost of them began
    std::unique_ptr<detail::Watch> watch;          ///< none unless asked for

    std::size_t edges_end(std::size_t node) const {
        return node + 1 < nodes.size() ? nodes[node + 1].edges_begin : edges.size();
    }
    std::size_t blocks_end(std::size_t node) const {
        return node + 1 < nodes.size() ? nodes[node + 1].blocks_begin : blocks.size();
    }
    const Shape& target_sizes(detail::Target target) const {
        return target >= 0 ? nodes[static_cast<std::size_t>(target)].sizes
                           : leaves[static_cast<std::size_t>(~target)].sizes();
    }
    DType target_dtype(detail::Target target) const {
        return target >= 0 ? nodes[static_cast<std::size_t>(target)].dtype
                           : leaves[static_cast<std::size_t>(~target)].dtype();
    }
    /// Where the gradient of `tensor` goes on this tape; a tensor from outside becomes one of its leaves.
    detail::Target target_of(const Tensor& tensor);
    /// The bytes that the node keeps, each storage counted once.
    std::int64_t bytes_kept(std::size_t node) const;
    std::int64_t bytes_kept(std::size_t first_block, std::size_t last_block) const;
    /// Those that all nodes keep.
    std::int64_t bytes_kept() const;
    /// Drops what the node keeps.
    void free_node(std::size_t node);

    TapeMark mark() const { return {nodes.size(), edges.size(), blocks.size(), leaves.size()}; }
    /// Takes back all that was put on the tape since, and the slots that views got there.
    void return_to(const TapeMark& mark) noexcept;
    /// Begins and ends what may be taken back; they nest.
    TapeMark begin_attempt() {
        ++attempts;
        return mark();
    }
    void end_attempt() noexcept {
        if (--attempts == 0) view_updates.clear();
    }
};

namespace detail {

/// The innermost living tape of this thread, recording or paused; null when there is none.
extern constinit thread_local Tape::State* innermost;
/// Whether recording is paused on this thread.
extern constinit thread_local bool paused;

/// For the tests of the tests: while set, the result of every pullback goes through it, with the number of
/// the node and of the edge within it. So a wrong pullback can be had without writing one.
using Tamper = std::function<Tensor(std::size_t node, std::size_t edge, const Tensor& x_bar)>;
extern constinit thread_local const Tamper* tamper;

/// What the second run of a checkpointed function records: nodes of `tape` from `first` on. Hooks that it
/// puts on anything else were put there by the first run.
struct SecondRunScope {
    const Tape::State* tape;
    std::size_t first;
};
extern constinit thread_local const SecondRunScope* second_run;

/// The tape that records now.
inline Tape::State* recording() { return paused ? nullptr : innermost; }
/// The living tape of this thread that made the value, or null.
inline Tape::State* tape_of(const TensorImpl& impl) {
    if (impl.slot.node < 0) return nullptr;
    Tape::State* state = innermost;
    while (state && state->id != impl.slot.tape) state = state->outer;
    return state;
}
/// Whether the tensor that this view shows was written in place since the view got its slot: then the view's
/// history is the base's newer one, and its slot is out of date.
inline bool is_stale(const TensorImpl& impl) {
    return impl.base && impl.base->rewritten != impl.base_rewritten;
}
/// Whether gradients flow to `tensor`. Changes nothing.
inline bool wants_gradient(const Tensor& tensor) {
    const TensorImpl& impl = tensor.impl();
    return is_stale(impl) ? tape_of(*impl.base) != nullptr : impl.requires_grad || tape_of(impl);
}
void renew_view_history(const Tensor& view);
/// Gives a stale view its new slot, on the tape that holds the base's history. To be called before a slot is
/// read, and before anything is appended that reads one.
inline void update_view_history(const Tensor& view) {
    if (is_stale(view.impl())) renew_view_history(view);
}
/// Keeps the gradient of node `number` in `tensor`, if it retains one, and no longer that of `before`.
void move_retained(Tape::State& state, const Tensor& tensor, std::int64_t before, std::int64_t number);

/// Puts something on a tape, all of it or nothing. See Note [First all that can fail].
class Attempt {
public:
    explicit Attempt(Tape::State& state) : state_(state), mark_(state.begin_attempt()) {}
    Attempt(const Attempt&) = delete;
    Attempt& operator=(const Attempt&) = delete;
    ~Attempt() {
        if (!succeeded_) state_.return_to(mark_);
        state_.end_attempt();
    }
    void succeed() { succeeded_ = true; }

private:
    Tape::State& state_;
    TapeMark mark_;
    bool succeeded_ = false;
};

/// Appends a node for `output`, which keeps its old slot. Returns the number, or -1 if no input wants a
/// gradient. The views among the inputs are up to date. Within an `Attempt`.
std::int64_t append(Tape::State& state, const char* name, const Tensor& output,
                    std::initializer_list<Edge> edges);

/// `grad` of those outputs that are recorded; undefined for inputs that none of them depends on. The graph is retained.
std::vector<Tensor> grad_of_recorded(const std::vector<Tensor>& outputs,
                                     const std::vector<Tensor>& cotangents, const std::vector<Tensor>& inputs,
                                     bool create_graph);

bool is_finite(const Tensor& tensor);
/// The error of anomaly detection.
[[noreturn]] void fail_forward(const char* name, const Tensor& output);

/// Sets a thread-local for a scope.
template <class T>
class Swap {
public:
    Swap(T& place, T value) : place_(place), before_(std::exchange(place, value)) {}
    Swap(const Swap&) = delete;
    Swap& operator=(const Swap&) = delete;
    ~Swap() { place_ = before_; }

private:
    T& place_;
    T before_;
};

}  // namespace detail
}  // namespace reel
