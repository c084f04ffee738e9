/// \file
/// What can be differentiated from outside: a callable of one tensor or of several, which returns one or
/// several.
#pragma once

#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>
#include <vector>

#include "../tensor/tensor.hpp"

#pragma GCC visibility push(default)
namespace reel {

namespace detail {

template <class F, class Numbers>
struct TakesTensors;
template <class F, std::size_t... I>
struct TakesTensors<F, std::index_sequence<I...>>
    : std::is_invocable<F&, decltype(static_cast<void>(I), std::declval<const Tensor&>())...> {};

/// How many tensors `F` takes, one by one: the least number that will do, 0 where none up to 8 does.
template <class F, std::size_t N = 1>
constexpr std::size_t tensors_taken() {
    if constexpr (TakesTensors<F, std::make_index_sequence<N>>::value) {
        return N;
    } else if constexpr (N < 8) {
        return tensors_taken<F, N + 1>();
    } else {
        return 0;
    }
}

}  // namespace detail

/// A function of tensors in any of its forms: `Tensor(const Tensor&)`, `Tensor(const Tensor&, const Tensor&)` and
/// so on, `Tensor(const std::vector<Tensor>&)`, or one of them returning `std::vector<Tensor>`. What accepts the
/// vector gets the vector.
class TensorFunction {
public:
    template <class F>
    static constexpr bool kTakesList = std::is_invocable_v<F&, const std::vector<Tensor>&>;

    template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, TensorFunction> &&
             (kTakesList<F> || detail::tensors_taken<F>() > 0)) TensorFunction(F f)
        : call_([f = std::move(f)](const std::vector<Tensor>& inputs) mutable {
              if constexpr (kTakesList<F>) {
                  return list(f(inputs));
              } else {
                  return spread(f, inputs, std::make_index_sequence<detail::tensors_taken<F>()>());
              }
          }) {}

    std::vector<Tensor> operator()(const std::vector<Tensor>& inputs) const { return call_(inputs); }

private:
    static std::vector<Tensor> list(Tensor output) { return {std::move(output)}; }
    static std::vector<Tensor> list(std::vector<Tensor> outputs) { return outputs; }
    template <class F, std::size_t... I>
    static std::vector<Tensor> spread(F& f, const std::vector<Tensor>& inputs, std::index_sequence<I...>) {
        check_count(sizeof...(I), inputs.size());
        return list(f(inputs[I]...));
    }
    static void check_count(std::size_t wanted, std::size_t given) {
        if (given == wanted) return;
        fail<Error>("a function of ", wanted,
                    wanted == 1 ? " tensor is called with " : " tensors is called with ", given);
    }

    std::function<std::vector<Tensor>(const std::vector<Tensor>&)> call_;
};

}  // namespace reel
#pragma GCC visibility pop
