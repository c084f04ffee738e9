// Recording. An entry is appended when an operation that has run calls `record`; the rewind is in
// `backward.cpp`, what a tape looks like from outside in `export.cpp`.
#include "autograd/tape.hpp"

#include <cmath>
#include <mutex>
#include <unordered_set>

#include "autograd/tape_state.hpp"
#include "tensor/factory.hpp"

namespace reel {

namespace detail {

constinit thread_local CopyObserver* copy_observer = nullptr;
constinit thread_local Tape::State* innermost = nullptr;
constinit thread_local bool paused = false;

namespace {

/// Notes the blocks of the tensors that a closure captures. See Note [What a pullback keeps].
class BlockCollector final : public CopyObserver {
public:
    explicit BlockCollector(Tape::State& state) : state_(state), swap_(copy_observer, this) {}
    void copied(const Tensor& tensor) override {
        if (!tensor.defined()) return;
        const Storage* storage = tensor.impl().storage.get();
        state_.blocks.append([&] { return KeptBlock{storage, storage->version}; });
    }

private:
    Tape::State& state_;
    Swap<CopyObserver*> swap_;
};

bool is_finite(const Tensor& tensor) {
    return !tensor.is_floating_point() || tensor.isfinite().all().item<bool>();
}

void check_forward(const char* name, const Tensor& output, const auto& edges, const auto& input_of) {
    if (is_finite(output)) return;
    for (const auto& edge : edges) {
        const Tensor& input = input_of(edge);
        if (input.defined() && !input.is_same(output) && !is_finite(input)) return;
    }
    fail<AutogradError>("anomaly: the forward pass of ", name,
                        " made a NaN or Inf out of finite inputs, in a result of shape ", output.sizes());
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

/// Appends an entry for `output`; `output` keeps its old slot. Returns the number, or -1 if no input wants a
/// gradient.
std::int64_t append(Tape::State& state, const char* name, const Tensor& output, const auto& edges,
                    const auto& input_of, const auto& pullback_of) {
    bool wanted = false;
    for (const auto& edge : edges)
        wanted = (input_of(edge).defined() && wants_gradient(input_of(edge))) || wanted;
    if (!wanted) return -1;
    const std::size_t first_edge = state.edges.size();
    const std::size_t first_block = state.blocks.size();
    bool takes_output = false;
    for (const auto& edge : edges) {
        if (!input_of(edge).defined() || !wants_gradient(input_of(edge))) continue;
        const Target target = state.target_of(input_of(edge));
        const BlockCollector collector(state);
        const KeptEdge& kept = state.edges.append([&] { return KeptEdge{target, pullback_of(edge)}; });
        takes_output = takes_output || kept.pullback.takes_output();
    }
    Entry& entry = state.entries.append([&] {
        return Entry{name, Tensor(), output.sizes(), output.dtype(), false, first_edge, first_block};
    });
    if (takes_output) {
        const BlockCollector collector(state);
        entry.output = Tensor(output);
    }
    const std::size_t number = state.entries.size() - 1;
    if (state.watch) {
        state.watch->values.push_back(snapshot(output));
        state.watch->bytes_kept.push_back(state.bytes_kept(number));
        state.watch->operands.push_back(operands_of(state, edges, input_of, first_edge));
    }
    if (state.forgets) state.free_entry(number);
    return static_cast<std::int64_t>(number);
}

Tensor record_on_tape(const char* name, Tensor output, const auto& edges, const auto& input_of,
                      const auto& pullback_of) {
    Tape::State* state = recording();
    if (!state || !output.is_floating_point()) return output;
    if (state->options.detect_anomaly) check_forward(name, output, edges, input_of);
    // A recorded output with a slot of its own is some input handed through: the result is a view of it.
    if (output.impl().slot.node >= 0 || output.impl().requires_grad) {
        output = Tensor::make_view(output, output.sizes(), output.strides(), output.storage_offset());
    }
    const std::int64_t number = append(*state, name, output, edges, input_of, pullback_of);
    if (number >= 0) output.impl().slot = {state->id, number};
    return output;
}

const auto kInputOfEdge = [](const Edge& edge) -> const Tensor& { return edge.input(); };
const auto kPullbackOfEdge = [](const Edge& edge) { return edge.pullback(); };

/// Where a view's elements stand in the memory of its base, counted from the base's first element.
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
    /// A copy of `g`, which has the base's shape, in the base's layout.
    Tensor copy(const Tensor& g) const {
        const Reach places = reach(base_sizes, base_strides);
        const Tensor memory = Tensor::empty({places.extent()}, g.dtype());
        return Tensor::make(memory.impl().storage, g.dtype(), base_sizes, base_strides, -places.low).copy_(g);
    }
};

/// `view`, whose new value is `slot`, was written: the tensor that it is a view of changes there and nowhere
/// else.
void record_write_to_base(const char* name, const Tensor& view, TapeSlot slot) {
    TensorImpl& impl = view.impl();
    const Tensor base = Tensor::from_handle(impl.base);
    if (slot.node < 0 && !wants_gradient(base)) return;
    const Window window{base.sizes(), base.strides(), impl.sizes, impl.strides,
                        impl.offset - base.storage_offset()};
    const Tensor part = view.detach();
    part.impl().slot = slot;
    record_in_place(name, base,
                    {{base,
                      [window](const Tensor& g) {
                          const Tensor rest = window.copy(g);
                          window.in(rest).zero_();
                          return rest;
                      }},
                     {part, [window](const Tensor& g) {
                          return window.in(g.strides() == window.base_strides ? g : window.copy(g));
                      }}});
    impl.base_rewritten = impl.base->rewritten;
}

}  // namespace

bool wants_gradient(const Tensor& tensor) {
    TensorImpl& impl = tensor.impl();
    if (impl.base && impl.base->rewritten != impl.base_rewritten && recording()) {
        // The base was written to in place since this view was taken: the view's history is the base's new
        // one.
        impl.base_rewritten = impl.base->rewritten;
        const Tensor base = Tensor::from_handle(impl.base);
        impl.slot = wants_gradient(base) ? base.as_strided(impl.sizes, impl.strides, impl.offset).impl().slot
                                         : TapeSlot();
    }
    return impl.requires_grad || tape_of(impl) != nullptr;
}

}  // namespace detail

detail::Target Tape::State::target_of(const Tensor& tensor) {
    const detail::TensorImpl& impl = tensor.impl();
    if (impl.slot.tape == id && impl.slot.node >= 0) return impl.slot.node;
    if (const std::int64_t number = leaves.find(tensor); number >= 0) return ~number;
    if (watch) watch->leaf_values.push_back(detail::snapshot(tensor));
    return ~leaves.add(tensor);
}

void Tape::State::free_entry(std::size_t entry) {
    entries[entry].freed = true;
    entries[entry].output = Tensor();
    for (std::size_t i = entries[entry].edges_begin; i < edges_end(entry); ++i) edges[i].pullback.reset();
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
    const Tape::State* made_by = detail::tape_of(impl);
    if (detail::recording() && made_by && made_by != detail::innermost) {
        fail<AutogradError>(name, ": a value of an outer tape, of shape ", self.sizes(),
                            ", is overwritten while an inner tape records; use the out-of-place operation");
    }
    const bool leaf = impl.requires_grad || (impl.base && impl.base->requires_grad);
    if (detail::recording() && leaf) {
        fail<AutogradError>(
            name, ": a leaf that requires grad, of shape ", self.sizes(),
            ", is overwritten while a tape records; use the out-of-place operation, detach(), or a ",
            "NoGradGuard");
    }
    for (std::size_t i = 0; i < impl.sizes.size(); ++i) {
        if (impl.sizes[i] > 1 && impl.strides[i] == 0) {
            fail<ShapeError>(name, ": several elements of the tensor of shape ", impl.sizes, " and strides ",
                             impl.strides,
                             " share one place in memory (expanded?); clone() it before writing");
        }
    }
    Tape::State* state = detail::recording();
    if (state && state->options.detect_anomaly) state->finite_before_write = detail::is_finite(self);
}

namespace {

/// The gradient that `self` retains is that of its newest value.
void move_retained(Tape::State& state, const Tensor& self, std::int64_t before, std::int64_t after) {
    const auto* variable = static_cast<const detail::Variable*>(self.impl().meta.get());
    if (!variable || !variable->retains_grad) return;
    std::erase_if(state.retained[before], [&](const Tensor& other) { return other.is_same(self); });
    if (after >= 0) state.retained[after].push_back(self);
}

}  // namespace

void record_in_place(const char* name, const Tensor& self, std::initializer_list<Edge> edges) {
    Tape::State* state = detail::recording();
    if (!state || !self.is_floating_point()) return;
    if (std::exchange(state->finite_before_write, false)) {
        detail::check_forward(name, self, edges, detail::kInputOfEdge);
    }
    const std::int64_t number =
        detail::append(*state, name, self, edges, detail::kInputOfEdge, detail::kPullbackOfEdge);
    detail::TensorImpl& impl = self.impl();
    const detail::TapeSlot slot = number >= 0 ? detail::TapeSlot{state->id, number} : detail::TapeSlot{};
    if (impl.base) detail::record_write_to_base(name, self, slot);
    move_retained(*state, self, impl.slot.node, number);
    impl.slot = slot;
    ++impl.rewritten;
}

Tensor unless_finite(Scalar number) {
    return std::isfinite(number.to<double>()) ? Tensor() : full({}, number);
}

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
    state_->outer = detail::innermost;
    state_->options = options;
    if (options.watch) state_->watch = std::make_unique<detail::Watch>();
    detail::innermost = state_.get();
}

Tape::~Tape() {
    Tape::State** place = &detail::innermost;
    while (*place && *place != state_.get()) place = &(*place)->outer;
    if (*place) *place = state_->outer;
}

std::size_t Tape::size() const { return state_->entries.size(); }

NoGradGuard::NoGradGuard() : before_(std::exchange(detail::paused, true)) {}
NoGradGuard::~NoGradGuard() { detail::paused = before_; }

}  // namespace reel
