/// \file
/// Pullbacks and the edges that carry them to `record` (`tape.hpp`).
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

#include "../tensor/tensor.hpp"

#pragma GCC visibility push(default)
namespace reel {

/// A pullback ȳ → x̄, or (ȳ, y) → x̄, held by value. Small closures are kept inside the object.
class Pullback {
public:
    Pullback() = default;
    template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, Pullback>) explicit Pullback(F&& f) {
        using Closure = std::decay_t<F>;
        if constexpr (sizeof(Closure) <= kInline && alignof(Closure) <= alignof(void*) &&
                      std::is_nothrow_move_constructible_v<Closure>) {
            new (&closure_) Closure(std::forward<F>(f));
            behaviour_ = &kInside<Closure>;
        } else {
            new (&closure_) Closure*(new Closure(std::forward<F>(f)));
            behaviour_ = &kOnHeap<Closure>;
        }
    }
    Pullback(const Pullback& other) : behaviour_(other.behaviour_) {
        if (behaviour_) behaviour_->copy(&closure_, &other.closure_);
    }
    Pullback(Pullback&& other) noexcept : behaviour_(std::exchange(other.behaviour_, nullptr)) {
        if (behaviour_) behaviour_->move(&closure_, &other.closure_);
    }
    Pullback& operator=(Pullback&& other) noexcept {
        if (this != &other) {
            reset();
            behaviour_ = std::exchange(other.behaviour_, nullptr);
            if (behaviour_) behaviour_->move(&closure_, &other.closure_);
        }
        return *this;
    }
    ~Pullback() { reset(); }

    explicit operator bool() const { return behaviour_ != nullptr; }
    Tensor operator()(const Tensor& y_bar, const Tensor& y) const {
        return behaviour_->call(&closure_, y_bar, y);
    }
    /// Whether it is called with the recorded output.
    bool takes_output() const { return behaviour_ && behaviour_->takes_output; }
    void reset() {
        if (behaviour_) std::exchange(behaviour_, nullptr)->destroy(&closure_);
    }

private:
    static constexpr std::size_t kInline = 48;

    struct Behaviour {
        Tensor (*call)(const void*, const Tensor&, const Tensor&);
        void (*copy)(void*, const void*);
        void (*move)(void*, void*);
        void (*destroy)(void*);
        bool takes_output;
    };

    template <class Closure>
    static constexpr bool kTakesOutput = std::is_invocable_v<const Closure&, const Tensor&, const Tensor&>;

    template <class Closure>
    static Tensor invoke(const Closure& f, const Tensor& y_bar, const Tensor& y) {
        if constexpr (kTakesOutput<Closure>) {
            return f(y_bar, y);
        } else {
            return f(y_bar);
        }
    }

    template <class Closure>
    static constexpr Behaviour kInside = {
        [](const void* at, const Tensor& y_bar, const Tensor& y) {
            return invoke(*static_cast<const Closure*>(at), y_bar, y);
        },
        [](void* to, const void* from) { new (to) Closure(*static_cast<const Closure*>(from)); },
        [](void* to, void* from) {
            new (to) Closure(std::move(*static_cast<Closure*>(from)));
            static_cast<Closure*>(from)->~Closure();
        },
        [](void* at) { static_cast<Closure*>(at)->~Closure(); },
        kTakesOutput<Closure>,
    };

    template <class Closure>
    static constexpr Behaviour kOnHeap = {
        [](const void* at, const Tensor& y_bar, const Tensor& y) {
            return invoke(**static_cast<Closure* const*>(at), y_bar, y);
        },
        [](void* to, const void* from) {
            new (to) Closure*(new Closure(**static_cast<Closure* const*>(from)));
        },
        [](void* to, void* from) { new (to) Closure*(*static_cast<Closure**>(from)); },
        [](void* at) { delete *static_cast<Closure**>(at); },
        kTakesOutput<Closure>,
    };

    const Behaviour* behaviour_ = nullptr;
    alignas(void*) std::byte closure_[kInline];
};

/// In the place of a pullback: the gradient is zero whatever ȳ is.
struct ZeroGradient {};
inline constexpr ZeroGradient zero_gradient;

/// An input of an operation with the pullback that sends the output's gradient to it. Lives only inside the
/// braces of a call of `record`: it refers to the closure, which is copied to the tape if, and only if, the
/// edge is kept.
class Edge {
public:
    template <class F>
    Edge(const Tensor& input, const F& pullback) : input_(input) {
        if constexpr (std::is_same_v<F, ZeroGradient>) {
            copy_ = [](const void*) { return Pullback(); };
        } else if constexpr (std::is_function_v<F>) {
            closure_ = reinterpret_cast<const void*>(&pullback);
            copy_ = [](const void* f) { return Pullback(reinterpret_cast<F*>(const_cast<void*>(f))); };
        } else {
            closure_ = &pullback;
            copy_ = [](const void* f) { return Pullback(*static_cast<const F*>(f)); };
        }
    }
    Edge(const Edge&) = delete;
    Edge& operator=(const Edge&) = delete;

    const Tensor& input() const { return input_; }
    Pullback pullback() const { return copy_(closure_); }

private:
    const Tensor& input_;
    const void* closure_ = nullptr;
    Pullback (*copy_)(const void*);
};

/// An edge that owns what it needs, for operations whose number of inputs is known only when they run.
using OwnedEdge = std::pair<Tensor, Pullback>;

}  // namespace reel
#pragma GCC visibility pop
