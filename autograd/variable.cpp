// The autograd half of the handle: leaves, their gradients, hooks. Recording is in `tape.cpp`, the rewind in
// `rewind.cpp`.
#include <algorithm>

#include "autograd/tape_state.hpp"

namespace reel {

namespace detail {

std::mutex& variable_mutex() {
    static std::mutex mutex;
    return mutex;
}

Variable& variable(const Tensor& tensor) {
    auto& meta = tensor.impl().meta;
    if (!meta) meta = std::make_unique<Variable>();
    return static_cast<Variable&>(*meta);
}

Tensor run_hooks(const std::vector<NumberedHook>& hooks, Tensor gradient) {
    for (const auto& [number, hook] : hooks) {
        Tensor replacement = hook(gradient);
        if (!replacement.defined()) continue;
        if (replacement.sizes() != gradient.sizes()) {
            fail<AutogradError>("hook: it replaced a gradient of shape ", gradient.sizes(),
                                " by one of shape ", replacement.sizes());
        }
        gradient = replacement.to(gradient.dtype());
    }
    return gradient;
}

}  // namespace detail

Tensor Tensor::set_requires_grad(bool requires_grad) const {
    detail::TensorImpl& state = impl();
    if (requires_grad && !is_floating_point()) {
        fail<AutogradError>("set_requires_grad: only floating tensors can have gradients, this one is ",
                            dtype());
    }
    if (!is_leaf()) {
        fail<AutogradError>("set_requires_grad: the tensor of shape ", sizes(),
                            " is recorded on a tape; only on leaves can it be set (detach() makes one)");
    }
    state.slot = {};
    if (requires_grad) state.base = {};  // a leaf has no history, not that of what it is a view of either
    state.requires_grad = requires_grad;
    return *this;
}

bool Tensor::requires_grad() const { return detail::wants_gradient(*this); }

bool Tensor::is_leaf() const { return grad_fn() == nullptr; }

const char* Tensor::grad_fn() const {
    if (detail::is_stale(impl())) return detail::tape_of(*impl().base) ? "as_strided" : nullptr;
    const Tape::State* tape = detail::tape_of(impl());
    return tape ? tape->nodes[static_cast<std::size_t>(impl().slot.node)].name : nullptr;
}

Tensor Tensor::grad() const {
    const std::lock_guard lock(detail::variable_mutex());
    const auto* state = static_cast<const detail::Variable*>(impl().meta.get());
    if (!is_leaf() && !(state && state->retains_grad)) {
        fail<AutogradError>(
            "grad: the tensor of shape ", sizes(),
            " is not a leaf, so its gradient is not kept; call retain_grad() on it before backward()");
    }
    return state ? state->grad : Tensor();
}

void Tensor::set_grad(const Tensor& gradient) const {
    if (gradient.defined() && (gradient.sizes() != sizes() || gradient.dtype() != dtype())) {
        fail<AutogradError>("set_grad: a gradient of shape ", gradient.sizes(), " and dtype ",
                            gradient.dtype(), " for a tensor of shape ", sizes(), " and dtype ", dtype());
    }
    Tensor before;  // goes when the mutex is free
    const std::lock_guard lock(detail::variable_mutex());
    if (gradient.defined() || impl().meta) before = std::exchange(detail::variable(*this).grad, gradient);
}

void Tensor::retain_grad() const {
    if (!requires_grad()) {
        fail<AutogradError>("retain_grad: the tensor of shape ", sizes(), " does not require grad");
    }
    detail::update_view_history(*this);
    Tape::State* tape = detail::tape_of(impl());
    if (!tape) return;
    const std::lock_guard lock(detail::variable_mutex());
    detail::Variable& state = detail::variable(*this);
    if (!state.retains_grad) tape->retained[impl().slot.node].push_back(*this);
    state.retains_grad = true;
}

std::int64_t Tensor::add_hook(std::function<Tensor(const Tensor&)> hook) const {
    static std::atomic<std::int64_t> next_number = 0;
    if (!requires_grad()) {
        fail<AutogradError>("register_hook: the tensor of shape ", sizes(), " does not require grad");
    }
    detail::update_view_history(*this);
    const std::int64_t number = next_number.fetch_add(1, std::memory_order_relaxed);
    Tape::State* tape = detail::tape_of(impl());
    if (const auto* run = detail::second_run) {
        if (tape != run->tape || static_cast<std::size_t>(impl().slot.node) < run->first) return number;
    }
    const std::lock_guard lock(detail::variable_mutex());
    auto& hooks = tape ? tape->hooks[impl().slot.node] : detail::variable(*this).hooks;
    hooks.emplace_back(number, std::move(hook));
    return number;
}

void Tensor::remove_hook(std::int64_t number) const {
    detail::Hook removed;  // goes when the mutex is free
    const auto remove_from = [&](auto& hooks) {
        const auto found = std::find_if(hooks.begin(), hooks.end(),
                                        [number](const auto& hook) { return hook.first == number; });
        if (found == hooks.end()) return;
        removed = std::move(found->second);
        hooks.erase(found);
    };
    const std::lock_guard lock(detail::variable_mutex());
    if (impl().meta) remove_from(detail::variable(*this).hooks);
    // A node of a value that this tensor no longer has may hold it.
    for (Tape::State* tape = detail::innermost; tape; tape = tape->outer) {
        for (auto& [node, hooks] : tape->hooks) remove_from(hooks);
    }
}

}  // namespace reel
