// Recording. A node is appended when an operation that has run calls `record`; writes in place are recorded in
// `in_place.cpp`, the rewind is in `rewind.cpp`, what a tape looks like from outside in `export.cpp`.
#include "autograd/tape.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <unordered_set>

#include "autograd/tape_state.hpp"
#include "tensor/factory.hpp"

namespace reel {

namespace detail {

constinit thread_local CopyObserver* copy_observer = nullptr;
constinit thread_local Tape::State* innermost = nullptr;
constinit thread_local bool paused = false;
constinit thread_local const SecondRunScope* second_run = nullptr;

namespace {

/// Notes the blocks of the tensors that a closure captures. See Note [What a pullback keeps].
class BlockCollector final : public CopyObserver {
public:
    explicit BlockCollector(Tape::State& state) : state_(state), swap_(copy_observer, this) {}
    void copied(const Tensor& tensor) noexcept override {
        if (!tensor.defined()) return;
        try {
            const Storage* storage = tensor.impl().storage.get();
            state_.blocks.append([&] { return KeptBlock{storage, storage->version}; });
            if (state_.reads && tensor.impl().slot.tape != state_.id) state_.reads->note(tensor);
        } catch (...) {
            failure_ = std::current_exception();
        }
    }
    /// Throws what stood in the way of a note. (To copy a handle fails never: a closure of handles moves
    /// without failing, and so lies inside its `Pullback`.)
    void check() const {
        if (failure_) std::rethrow_exception(failure_);
    }

private:
    std::exception_ptr failure_;
    Tape::State& state_;
    Swap<CopyObserver*> swap_;
};

void check_forward(const char* name, const Tensor& output, const auto& edges, const auto& input_of) {
    if (is_finite(output)) return;
    for (const auto& edge : edges) {
        const Tensor& input = input_of(edge);
        if (input.defined() && !input.is_same(output) && !is_finite(input)) return;
    }
    fail_forward(name, output);
}

/// What an operation was called with, constants too, for a watched tape. Its edges begin with `edge`.
std::vector<Operand> operands_of(Tape::State& state, const auto& edges, const auto& input_of,
                                 std::size_t edge) {
    std::vector<Operand> operands;
    for (const auto& each : edges) {
        const Tensor& input = input_of(each);
        if (!input.defined()) continue;
        if (wants_gradient(input)) {
            operands.push_back({false, state.edges[edge].target, edge});
            ++edge;
        } else {
            operands.push_back({true, state.watch->note_constant(input)});
        }
    }
    return operands;
}

/// For a destructor, which can throw nothing, where to go on would end in a crash elsewhere.
[[noreturn]] void abort_with(const char* what) {
    std::fprintf(stderr, "reel: %s\n", what);
    std::abort();
}

/// Appends a node for `output`, which keeps its old slot, and returns its number. Some input wants a gradient,
/// and the views among them are up to date. Within an `Attempt`.
std::int64_t append(Tape::State& state, const char* name, const Tensor& output, const auto& edges,
                    const auto& input_of, const auto& pullback_of) {
    const std::size_t first_edge = state.edges.size();
    const std::size_t first_block = state.blocks.size();
    Tensor kept_output;
    for (const auto& edge : edges) {
        if (!input_of(edge).defined() || !wants_gradient(input_of(edge))) continue;
        const Target target = state.target_of(input_of(edge));
        const BlockCollector collector(state);
        const KeptEdge& kept = state.edges.append([&] { return KeptEdge{target, pullback_of(edge)}; });
        collector.check();
        if (kept.pullback.takes_output()) kept_output = Tensor::from_handle(output.handle());
    }
    if (kept_output.defined()) {
        const Storage* storage = output.impl().storage.get();
        state.blocks.append([&] { return KeptBlock{storage, storage->version}; });
    }
    const std::size_t number = state.nodes.size();
    if (state.watch) {
        state.watch->values.push_back(snapshot(output));
        state.watch->bytes_kept.push_back(state.bytes_kept(first_block, state.blocks.size()));
        state.watch->operands.push_back(operands_of(state, edges, input_of, first_edge));
    }
    state.nodes.append([&] {
        return Node{name,       std::move(kept_output), output.sizes(), output.dtype(), false, first_edge,
                    first_block};
    });
    if (state.forgets) state.free_node(number);
    return static_cast<std::int64_t>(number);
}

/// Puts `output` on the tape where it belongs there.
void record_on_tape(const char* name, Tensor& output, const auto& edges, const auto& input_of,
                    const auto& pullback_of) {
    Tape::State* state = recording();
    if (!state || !output.is_floating_point()) return;
    Attempt attempt(*state);
    bool wanted = false;
    bool is_input = false;
    for (const auto& edge : edges) {
        const Tensor& input = input_of(edge);
        if (!input.defined()) continue;
        update_view_history(input);
        if (state->reads && input.impl().slot.tape != state->id) state->reads->note(input);
        wanted = wanted || wants_gradient(input);
        is_input = is_input || input.is_same(output);
    }
    if (state->options.detect_anomaly) check_forward(name, output, edges, input_of);
    // An output that an input hands through, or that has a slot of its own, is recorded as a view of it.
    if (is_input || output.impl().slot.node >= 0 || output.impl().requires_grad) {
        output = Tensor::make_view(output, output.sizes(), output.strides(), output.storage_offset());
    }
    const std::int64_t number = wanted ? append(*state, name, output, edges, input_of, pullback_of) : -1;
    attempt.succeed();
    if (!wanted) return;
    TensorImpl& impl = output.impl();
    // A view of what the operation itself has made: nobody else sees that, and its history ends here.
    const auto shows = [&](const auto& edge) {
        if (!input_of(edge).defined()) return false;
        const TensorImpl& input = input_of(edge).impl();
        return impl.base.get() == (input.base ? input.base.get() : &input);
    };
    if (impl.base && std::none_of(edges.begin(), edges.end(), shows)) impl.base = {};
    impl.slot = {state->id, number};
}

const auto kInputOfEdge = [](const Edge& edge) -> const Tensor& { return edge.input(); };
const auto kPullbackOfEdge = [](const Edge& edge) { return edge.pullback(); };

}  // namespace

std::int64_t append(Tape::State& state, const char* name, const Tensor& output,
                    std::initializer_list<Edge> edges) {
    const bool wanted = std::any_of(edges.begin(), edges.end(), [](const Edge& edge) {
        return edge.input().defined() && wants_gradient(edge.input());
    });
    return wanted ? append(state, name, output, edges, kInputOfEdge, kPullbackOfEdge) : -1;
}

bool is_finite(const Tensor& tensor) {
    return !tensor.is_floating_point() || tensor.isfinite().all().item<bool>();
}

[[noreturn]] void fail_forward(const char* name, const Tensor& output) {
    fail<AutogradError>("anomaly: the forward pass of ", name,
                        " made a NaN or Inf out of finite inputs, in a result of shape ", output.sizes());
}

}  // namespace detail

detail::Target Tape::State::target_of(const Tensor& tensor) {
    const detail::TensorImpl& impl = tensor.impl();
    if (impl.slot.tape == id && impl.slot.node >= 0) return impl.slot.node;
    if (const std::int64_t number = leaves.find(tensor); number >= 0) return ~number;
    if (watch) watch->leaf_values.push_back(detail::snapshot(tensor));
    return ~leaves.add(tensor);
}

void Tape::State::return_to(const TapeMark& mark) noexcept {
    retained.erase(retained.lower_bound(static_cast<std::int64_t>(mark.nodes)), retained.end());
    nodes.shrink(mark.nodes);
    edges.shrink(mark.edges);
    blocks.shrink(mark.blocks);
    leaves.shrink(mark.leaves);
    // The list that a retaining view has left has kept its room, so that nothing is allocated here.
    for (; !view_updates.empty() && view_updates.back().number >= static_cast<std::int64_t>(mark.nodes);
         view_updates.pop_back()) {
        const detail::ViewUpdate& update = view_updates.back();
        detail::TensorImpl& impl = update.view.impl();
        impl.slot = update.slot;
        impl.base_rewritten = update.base_rewritten;
        const auto* variable = static_cast<const detail::Variable*>(impl.meta.get());
        const auto found = retained.find(update.slot.tape == id ? update.slot.node : -1);
        if (variable && variable->retains_grad && found != retained.end())
            found->second.push_back(update.view);
    }
    if (!watch) return;
    watch->values.resize(mark.nodes);
    watch->bytes_kept.resize(mark.nodes);
    watch->operands.resize(mark.nodes);
    watch->leaf_values.resize(mark.leaves);
}

void Tape::State::free_node(std::size_t node) {
    nodes[node].freed = true;
    nodes[node].output = Tensor();
    const std::size_t end = edges_end(node);
    for (std::size_t i = nodes[node].edges_begin; i < end; ++i) edges[i].pullback.reset();
}

Tensor record(const char* name, Tensor output, std::initializer_list<Edge> edges) {
    detail::record_on_tape(name, output, edges, detail::kInputOfEdge, detail::kPullbackOfEdge);
    return output;
}

Tensor record(const char* name, Tensor output, const std::vector<OwnedEdge>& edges) {
    detail::record_on_tape(
        name, output, edges, [](const OwnedEdge& edge) -> const Tensor& { return edge.first; },
        [](const OwnedEdge& edge) { return edge.second; });
    return output;
}

Tensor record(const std::string& name, Tensor output, std::initializer_list<Edge> edges) {
    static std::mutex mutex;
    static auto* names = new std::unordered_set<std::string>;
    const char* kept = [&] {
        const std::lock_guard lock(mutex);
        return names->insert(name).first->c_str();
    }();
    return record(kept, std::move(output), edges);
}

Composite::Composite() : exceptions_(std::uncaught_exceptions()) {
    if (Tape::State* state = detail::recording()) {
        tape_ = state->id;
        mark_ = state->begin_attempt();
    }
}

Composite::~Composite() {
    if (tape_ == 0) return;
    Tape::State* state = detail::recording();
    if (!state || state->id != tape_) return;
    if (std::uncaught_exceptions() > exceptions_) state->return_to(mark_);
    state->end_attempt();
}

Tensor nonfinite_input(Scalar number) {
    return std::isfinite(number.to<double>()) ? Tensor() : full({}, number);
}

void copy_history(const Tensor& from, const Tensor& to) {
    if (!is_recorded(from)) return;
    detail::update_view_history(from);
    to.impl().slot = from.impl().slot;
}

bool is_recording() { return detail::recording() != nullptr; }

bool is_recorded(const Tensor& input) {
    return detail::recording() && input.defined() && detail::wants_gradient(input);
}

void check_constant(const char* name, const char* what, const Tensor& input) {
    if (is_recorded(input)) {
        fail<AutogradError>(name, ": ", what, " are constants and get no gradient; detach() them");
    }
}

Tape::Tape(TapeOptions options) : state_(std::make_unique_for_overwrite<State>()) {
    static std::atomic<std::uint64_t> next_id = 1;
    state_->id = next_id.fetch_add(1, std::memory_order_relaxed);
    state_->thread = &detail::innermost;
    state_->outer = detail::innermost;
    state_->options = options;
    if (options.watch) state_->watch = std::make_unique<detail::Watch>();
    detail::innermost = state_.get();
}

Tape::~Tape() {
    if (state_->thread != &detail::innermost)
        detail::abort_with("a Tape ends on another thread than the one that made it");
    if (state_->rewinds > 0) detail::abort_with("a Tape ends in a hook or a pullback of a rewind over it");
    Tape::State** place = &detail::innermost;
    while (*place && *place != state_.get()) place = &(*place)->outer;
    if (!*place)
        detail::abort_with("a Tape ends in a function that is differentiated by numbers, inside of it");
    *place = state_->outer;
}

std::size_t Tape::size() const { return state_->nodes.size(); }

NoGradGuard::NoGradGuard() : place_(detail::paused), before_(std::exchange(detail::paused, true)) {}
NoGradGuard::~NoGradGuard() {
    if (&place_ != &detail::paused)
        detail::abort_with("a NoGradGuard ends on another thread than the one that made it");
    detail::paused = before_;
}

}  // namespace reel
