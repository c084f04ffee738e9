/// \file
/// The loss of a linear layer by blocks of rows, without the tape. The operation is in
/// `linear_cross_entropy.cpp`.
#pragma once

#include "ops/softmax/cross_entropy_driver.hpp"

namespace reel {

struct LinearLoss {
    Tensor loss;
    Tensor x_bar;       ///< [rows, features]
    Tensor weight_bar;  ///< [classes, features]
};

/// x as a matrix [rows, features] of this type.
Tensor rows_of(const Tensor& x, DType dtype);

/// The loss of z = x weightᵀ, where it is wanted, and the gradients for x and the weight, where `y_bar` is
/// defined. `problem` has the targets, checked, and the logits' shape. A block's logits are made, used and
/// overwritten: what is held beside operands and results does not grow with the number of rows. Blocks and
/// their order depend on shapes alone, and so do the bits.
LinearLoss linear_class_loss(const Tensor& x, const Tensor& weight, const ClassLoss& problem,
                             const Tensor& y_bar, bool wants_loss);

}  // namespace reel
