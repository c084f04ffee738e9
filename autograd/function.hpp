/// \file
/// What can be differentiated from outside: a callable of one tensor or of several, which returns one or
/// several.
#pragma once

#include <functional>
#include <type_traits>
#include <utility>
#include <vector>

#include "../tensor/tensor.hpp"

#pragma GCC visibility push(default)
namespace reel {

/// A function of tensors in any of its forms: `Tensor(const Tensor&)`, `Tensor(const std::vector<Tensor>&)`,
/// or either returning `std::vector<Tensor>`.
class TensorFunction {
public:
    template <class F>
    static constexpr bool kTakesList = std::is_invocable_v<F&, const std::vector<Tensor>&>;

    template <class F>
        requires(!std::is_same_v<std::remove_cvref_t<F>, TensorFunction> &&
                 (kTakesList<F> || std::is_invocable_v<F&, const Tensor&>))
    TensorFunction(F f)
        : call_([f = std::move(f)](const std::vector<Tensor>& inputs) mutable {
              if constexpr (kTakesList<F>) {
                  return list(f(inputs));
              } else {
                  return list(f(only(inputs)));
              }
          }) {}

    std::vector<Tensor> operator()(const std::vector<Tensor>& inputs) const { return call_(inputs); }

private:
    static std::vector<Tensor> list(Tensor output) { return {std::move(output)}; }
    static std::vector<Tensor> list(std::vector<Tensor> outputs) { return outputs; }
    static const Tensor& only(const std::vector<Tensor>& inputs) {
        if (inputs.size() != 1) {
            fail<Error>("a function of one tensor is called with ", inputs.size(), " tensors");
        }
        return inputs[0];
    }

    std::function<std::vector<Tensor>(const std::vector<Tensor>&)> call_;
};

}  // namespace reel
#pragma GCC visibility pop
