/// \file
/// What softmax and its kin compute, for any layout, without the tape. The operations are in `softmax.cpp`.
#pragma once

#include "tensor/tensor.hpp"

namespace reel {

/// e^x / Σ e^x along `dim`; `empty` where all elements are -inf.
Tensor probabilities(const Tensor& x, std::int64_t dim, double empty);
/// (x − max) − log Σ e^(x − max).
Tensor log_probabilities(const Tensor& x, std::int64_t dim);
/// log Σ e^x.
Tensor log_sums(const Tensor& x, std::int64_t dim, bool keepdim);

/// x̄ = y (ȳ − Σ ȳ y) for y = softmax(x).
Tensor softmax_backward(const Tensor& y_bar, const Tensor& y, std::int64_t dim);
/// x̄ = ȳ − e^y Σ ȳ for y = log softmax(x).
Tensor log_softmax_backward(const Tensor& y_bar, const Tensor& y, std::int64_t dim);

}  // namespace reel
