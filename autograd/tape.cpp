// Recording. A node is appended when an operation that has run calls `record`; the rewind is in
// `rewind.cpp`, what a tape looks like from outside in `export.cpp`.
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
    void copied(const Tensor& tensor) override {
        if (!tensor.defined()) return;
        const Storage* storage = tensor.impl().storage.get();
        state_.blocks.append([&] { return KeptBlock{storage, storage->version}; });
        if (state_.reads && tensor.impl().slot.tape != state_.id) state_.reads->note(tensor);
    }

private:
    Tape::State& state_;
    Swap<CopyObserver*> swap_;
};

bool is_finite(const Tensor& tensor) {
    return !tensor.is_floating_point() || tensor.isfinite().all().item<bool>();
}

[[noreturn]] void fail_forward(const char* name, const Tensor& output) {
    fail<AutogradError>("anomaly: the forward pass of ", name,
                        " made a NaN or Inf out of finite inputs, in a result of shape ", output.sizes());
}

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

/// Puts something on a tape, all of it or nothing. See Note [First all that can fail].
class Attempt {
public:
    explicit Attempt(Tape::State& state) : state_(&state), mark_(state.mark()) {}
    Attempt(const Attempt&) = delete;
    Attempt& operator=(const Attempt&) = delete;
    ~Attempt() {
        if (state_) state_->return_to(mark_);
    }
    void succeed() { state_ = nullptr; }

private:
    Tape::State* state_;
    TapeMark mark_;
};

/// Appends a node for `output`, which keeps its old slot. Returns the number, or -1 if no input wants a
/// gradient. The views among the inputs are up to date.
std::int64_t append(Tape::State& state, const char* name, const Tensor& output, const auto& edges,
                    const auto& input_of, const auto& pullback_of) {
    const auto wanted = [&](const auto& edge) {
        return input_of(edge).defined() && wants_gradient(input_of(edge));
    };
    if (std::none_of(edges.begin(), edges.end(), wanted)) return -1;
    Attempt attempt(state);
    const std::size_t first_edge = state.edges.size();
    const std::size_t first_block = state.blocks.size();
    Tensor kept_output;
    for (const auto& edge : edges) {
        if (!wanted(edge)) continue;
        const Target target = state.target_of(input_of(edge));
        const BlockCollector collector(state);
        const KeptEdge& kept = state.edges.append([&] { return KeptEdge{target, pullback_of(edge)}; });
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
    attempt.succeed();
    return static_cast<std::int64_t>(number);
}

Tensor record_on_tape(const char* name, Tensor output, const auto& edges, const auto& input_of,
                      const auto& pullback_of) {
    Tape::State* state = recording();
    if (!state || !output.is_floating_point()) return output;
    for (const auto& edge : edges) {
        const Tensor& input = input_of(edge);
        if (!input.defined()) continue;
        update_view_history(input);
        if (state->reads && input.impl().slot.tape != state->id) state->reads->note(input);
    }
    if (state->options.detect_anomaly) check_forward(name, output, edges, input_of);
    // An output that an input hands through, or that has a slot of its own, is recorded as a view of it.
    const auto is_output = [&](const auto& edge) {
        return input_of(edge).defined() && input_of(edge).is_same(output);
    };
    if (output.impl().slot.node >= 0 || output.impl().requires_grad ||
        std::any_of(edges.begin(), edges.end(), is_output)) {
        output = Tensor::make_view(output, output.sizes(), output.strides(), output.storage_offset());
    }
    const std::int64_t number = append(*state, name, output, edges, input_of, pullback_of);
    if (number < 0) return output;
    TensorImpl& impl = output.impl();
    // A view of what the operation itself has made: nobody else sees that, and its history ends here.
    const auto shows = [&](const auto& edge) {
        if (!input_of(edge).defined()) return false;
        const TensorImpl& input = input_of(edge).impl();
        return impl.base.get() == (input.base ? input.base.get() : &input);
    };
    if (impl.base && std::none_of(edges.begin(), edges.end(), shows)) impl.base = {};
    impl.slot = {state->id, number};
    return output;
}

const auto kInputOfEdge = [](const Edge& edge) -> const Tensor& { return edge.input(); };
const auto kPullbackOfEdge = [](const Edge& edge) { return edge.pullback(); };

/// Where a view's elements are in the memory of its base, counted from the base's first element.
struct Window {
    Shape base_sizes;
    Shape base_strides;
    Shape sizes;
    Shape strides;
    std::int64_t offset;

    /// The window in `laid_out`, which has the base's layout.
    Tensor in(const Tensor& laid_out) const {
        return laid_out.as_strided(sizes, strides, laid_out.storage_offset() + offset);
    }
    /// A copy of `y_bar`, which has the base's shape, in the base's layout.
    Tensor copy(const Tensor& y_bar) const {
        const OffsetRange range = offset_range(base_sizes, base_strides);
        const Tensor memory = Tensor::empty({range.extent()}, y_bar.dtype());
        return Tensor::make(memory.impl().storage, y_bar.dtype(), base_sizes, base_strides, -range.low)
            .copy_(y_bar);
    }
};

/// Appends the write to `view`, which is node `written` (-1: its new value is a constant), to the history of
/// the tensor that it is a view of: that one changes there and nowhere else. Returns the number or -1.
std::int64_t append_write_to_base(Tape::State& state, const char* name, const Tensor& view,
                                  std::int64_t written) {
    const TensorImpl& impl = view.impl();
    const Tensor base = Tensor::from_handle(impl.base);
    const Window window{base.sizes(), base.strides(), impl.sizes, impl.strides,
                        impl.offset - base.storage_offset()};
    const Tensor part = view.detach();
    if (written >= 0) part.impl().slot = {state.id, written};
    const auto rest = [window](const Tensor& y_bar) {
        const Tensor kept = window.copy(y_bar);
        window.in(kept).zero_();
        return kept;
    };
    const auto there = [window](const Tensor& y_bar) {
        return window.in(y_bar.strides() == window.base_strides ? y_bar : window.copy(y_bar));
    };
    const std::initializer_list<Edge> edges = {{base, rest}, {part, there}};
    return append(state, name, base, edges, kInputOfEdge, kPullbackOfEdge);
}

/// The old bytes of a tensor that is written, for the case that anomaly detection throws.
class OldValue {
public:
    explicit OldValue(const Tensor& self) : place_(self.detach()), copy_(place_.clone()) {}
    void put_back() const {
        Storage& storage = *place_.impl().storage;
        const auto version = storage.version;
        const char* const overwritten_by = storage.overwritten_by;
        const NoGradGuard quiet;
        place_.copy_(copy_);
        storage.version = version;
        storage.overwritten_by = overwritten_by;
    }

private:
    Tensor place_;
    Tensor copy_;
};

}  // namespace

void update_view_history(const Tensor& view) {
    TensorImpl& impl = view.impl();
    if (!is_stale(impl)) return;
    Tape::State* state = tape_of(*impl.base);
    if (!state) return;
    const Tensor base = Tensor::from_handle(impl.base);
    const Swap<Tape::State*> on_its_tape(innermost, state);
    const Swap<bool> recording_there(paused, false);
    const TapeSlot slot = base.as_strided(impl.sizes, impl.strides, impl.offset).impl().slot;
    move_retained(*state, view, impl.slot.tape == state->id ? impl.slot.node : -1, slot.node);
    impl.slot = slot;
    impl.base_rewritten = impl.base->rewritten;
}

void move_retained(Tape::State& state, const Tensor& tensor, std::int64_t before, std::int64_t number) {
    const auto* variable = static_cast<const Variable*>(tensor.impl().meta.get());
    if (!variable || !variable->retains_grad) return;
    if (number >= 0) state.retained[number].push_back(tensor);
    const auto found = state.retained.find(before);
    if (found == state.retained.end()) return;
    std::erase_if(found->second, [&](const Tensor& other) { return other.is_same(tensor); });
}

}  // namespace detail

detail::Target Tape::State::target_of(const Tensor& tensor) {
    const detail::TensorImpl& impl = tensor.impl();
    if (impl.slot.tape == id && impl.slot.node >= 0) return impl.slot.node;
    if (const std::int64_t number = leaves.find(tensor); number >= 0) return ~number;
    if (watch) watch->leaf_values.push_back(detail::snapshot(tensor));
    return ~leaves.add(tensor);
}

TapeMark Tape::State::mark() const {
    return {nodes.size(),
            edges.size(),
            blocks.size(),
            leaves.size(),
            watch ? watch->values.size() : 0,
            watch ? watch->bytes_kept.size() : 0,
            watch ? watch->leaf_values.size() : 0};
}

void Tape::State::return_to(const TapeMark& mark) noexcept {
    retained.erase(retained.lower_bound(static_cast<std::int64_t>(mark.nodes)), retained.end());
    nodes.shrink(mark.nodes);
    edges.shrink(mark.edges);
    blocks.shrink(mark.blocks);
    leaves.shrink(mark.leaves);
    if (!watch) return;
    watch->values.resize(mark.values);
    watch->bytes_kept.resize(mark.bytes_kept);
    watch->operands.resize(mark.bytes_kept);
    watch->leaf_values.resize(mark.leaf_values);
}

void Tape::State::free_node(std::size_t node) {
    nodes[node].freed = true;
    nodes[node].output = Tensor();
    const std::size_t end = edges_end(node);
    for (std::size_t i = nodes[node].edges_begin; i < end; ++i) edges[i].pullback.reset();
}

Tensor record(const char* name, Tensor output, std::initializer_list<Edge> edges) {
    return detail::record_on_tape(name, std::move(output), edges, detail::kInputOfEdge,
                                  detail::kPullbackOfEdge);
}

Tensor record(const char* name, Tensor output, const std::vector<OwnedEdge>& edges) {
    return detail::record_on_tape(
        name, std::move(output), edges, [](const OwnedEdge& edge) -> const Tensor& { return edge.first; },
        [](const OwnedEdge& edge) { return edge.second; });
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

void check_in_place(const char* name, const Tensor& self) {
    const detail::TensorImpl& impl = self.impl();
    const detail::TensorImpl& whole = impl.base ? *impl.base : impl;
    const Tape::State* recording = detail::recording();
    for (const detail::TensorImpl* written : {&impl, &whole}) {
        const Tape::State* made_by = recording ? detail::tape_of(*written) : nullptr;
        if (!made_by || made_by == recording) continue;
        fail<AutogradError>(name, ": a value of an outer tape, of shape ", written->sizes,
                            ", is overwritten while an inner tape records; use the out-of-place operation");
    }
    if (recording && (impl.requires_grad || whole.requires_grad)) {
        fail<AutogradError>(
            name, ": a leaf that requires grad, of shape ", self.sizes(),
            ", is overwritten while a tape records; use the out-of-place operation, detach(), or a ",
            "NoGradGuard");
    }
    for (std::size_t i = 0; i < impl.sizes.size() && impl.numel > 0; ++i) {
        if (impl.sizes[i] > 1 && impl.strides[i] == 0) {
            fail<ShapeError>(name, ": several elements of the tensor of shape ", impl.sizes, " and strides ",
                             impl.strides,
                             " share one place in memory (expanded?); clone() it before writing");
        }
    }
}

struct InPlaceWrite::Recording {
    detail::Attempt attempt;
    Tape::State& state;
    std::int64_t number = -1;                          ///< of the node for what is written
    std::int64_t base_number = -1;                     ///< of the node for the tensor that it is a view of
    std::optional<detail::OldValue> old_value = None;  ///< for anomaly detection, where all was finite

    void check_finite(const char* name, const Tensor& self) const {
        if (!old_value) return;
        try {
            if (detail::is_finite(self)) return;
            detail::fail_forward(name, self);
        } catch (...) {
            old_value->put_back();
            throw;
        }
    }
    /// For the page of a watched tape. It is made after the write, which nothing may undo: without memory for
    /// it the page shows the old value.
    void note_value(const Tensor& self) const {
        if (!state.watch || number < 0) return;
        try {
            state.watch->values[static_cast<std::size_t>(number)] = detail::snapshot(self);
        } catch (const std::exception&) {
        }
    }
    void give_history(const Tensor& tensor, std::int64_t node) {
        detail::TensorImpl& impl = tensor.impl();
        if (node != impl.slot.node) detail::move_retained(state, tensor, impl.slot.node, -1);
        impl.slot = node >= 0 ? detail::TapeSlot{state.id, node} : detail::TapeSlot{};
        ++impl.rewritten;
    }
};

InPlaceWrite::InPlaceWrite(const char* name, const Tensor& self, std::initializer_list<Edge> edges)
    : name_(name), self_(self) {
    check_in_place(name, self);
    Tape::State* state = detail::recording();
    if (!state || !self.is_floating_point()) return;
    detail::update_view_history(self);
    for (const Edge& edge : edges) {
        if (edge.input().defined()) detail::update_view_history(edge.input());
    }
    recording_.reset(new Recording{detail::Attempt(*state), *state});
    if (state->reads) {
        for (const Edge& edge : edges) {
            if (edge.input().defined()) state->reads->note(edge.input());
        }
    }
    const auto is_finite = [](const Edge& edge) {
        return !edge.input().defined() || detail::is_finite(edge.input());
    };
    if (state->options.detect_anomaly && detail::is_finite(self) &&
        std::all_of(edges.begin(), edges.end(), is_finite)) {
        recording_->old_value.emplace(self);
    }
    Recording& made = *recording_;
    made.number = detail::append(*state, name, self, edges, detail::kInputOfEdge, detail::kPullbackOfEdge);
    detail::move_retained(*state, self, -1, made.number);
    if (!self.impl().base) return;
    made.base_number = detail::append_write_to_base(*state, name, self, made.number);
    const Tensor base = Tensor::from_handle(self.impl().base);
    detail::move_retained(*state, base, -1, made.base_number);
}

InPlaceWrite::~InPlaceWrite() = default;

void InPlaceWrite::commit() {
    if (recording_) recording_->check_finite(name_, self_);
    detail::TensorImpl& impl = self_.impl();
    impl.storage->overwrite(name_);
    if (!recording_) return;
    if (!impl.base || recording_->base_number >= 0) recording_->give_history(self_, recording_->number);
    // A view of a tensor that has a history now is out of date by this: its own is that of its base.
    if (recording_->base_number >= 0) {
        recording_->give_history(Tensor::from_handle(impl.base), recording_->base_number);
    }
    recording_->attempt.succeed();
    recording_->note_value(self_);
}

Composite::Composite() : exceptions_(std::uncaught_exceptions()) {
    if (const Tape::State* state = detail::recording()) {
        tape_ = state->id;
        mark_ = state->mark();
    }
}

Composite::~Composite() {
    Tape::State* state = detail::recording();
    if (tape_ != 0 && state && state->id == tape_ && std::uncaught_exceptions() > exceptions_) {
        state->return_to(mark_);
    }
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
