/// \file
/// Softmax and its kin along one dimension, or several. The loss made of them is in `losses.hpp`.
#pragma once

#include "../../tensor/tensor.hpp"

#pragma GCC visibility push(default)
namespace reel {

/// y = e^x / Σ e^x along `dim`, whatever the size of x: 4 ulp of the result. A row without a finite maximum
/// (all -inf, or some +inf) is NaN, as in PyTorch. x̄ = y (ȳ − Σ ȳ y). Throws a `DTypeError` for integers and
/// bools. 16-bit types are computed in float32.
Tensor softmax(const Tensor& x, std::int64_t dim);

/// log softmax(x) = (x − max) − log1p(Σ' e^(x − max)) along `dim`, where Σ' leaves one maximum out: nothing
/// is lost where logits are large or one of them leads. x̄ = ȳ − e^y Σ ȳ. Throws as `softmax` does.
Tensor log_softmax(const Tensor& x, std::int64_t dim);

/// log Σ e^x over `dims` (none: all of them). Where all x are -inf it is -inf, and the gradient 0.
/// x̄ = ȳ softmax(x). Integers and bools become float32.
Tensor logsumexp(const Tensor& x, const Shape& dims, bool keepdim = false);

/// The softmax along `dim` of the elements where `mask`, which broadcasts to x, is true; 0 elsewhere. A row
/// with nothing left is 0, and its gradient too. x̄ = y (ȳ − Σ ȳ y). Throws a `DTypeError` for a mask that is
/// not bool.
Tensor masked_softmax(const Tensor& x, const Tensor& mask, std::int64_t dim);

}  // namespace reel
#pragma GCC visibility pop
