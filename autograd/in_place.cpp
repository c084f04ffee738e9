// Writes in place: what is checked before one, how it comes into the history of the tensor and of what that is a
// view of, and how a view learns of a write to its base.
#include <algorithm>
#include <exception>

#include "autograd/tape.hpp"
#include "autograd/tape_state.hpp"

namespace reel {

namespace detail {

namespace {

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
    return append(state, name, base, {{base, rest}, {part, there}});
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

void renew_view_history(const Tensor& view) {
    TensorImpl& impl = view.impl();
    Tape::State* state = tape_of(*impl.base);
    if (!state) return;
    const Tensor base = Tensor::from_handle(impl.base);
    const Swap<Tape::State*> on_its_tape(innermost, state);
    const Swap<bool> recording_there(paused, false);
    const TapeSlot slot = base.as_strided(impl.sizes, impl.strides, impl.offset).impl().slot;
    if (state->attempts > 0)
        state->view_updates.push_back(
            {Tensor::from_handle(view.handle()), slot.node, impl.slot, impl.base_rewritten});
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
    recording_.reset(new Recording{detail::Attempt(*state), *state});
    detail::update_view_history(self);
    for (const Edge& edge : edges) {
        if (edge.input().defined()) detail::update_view_history(edge.input());
    }
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
    made.number = detail::append(*state, name, self, edges);
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

}  // namespace reel
