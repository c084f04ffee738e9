/// \file
/// The parts of cross-entropy that `linear_cross_entropy` is made of, too.
#pragma once

#include "ops/softmax/cross_entropy.hpp"
#include "ops/softmax/cross_entropy_driver.hpp"

namespace reel {

/// Throws unless logits, targets and options fit together; the targets' values are looked at later.
ClassLoss class_loss_problem(const char* name, const Tensor& logits, const Tensor& targets,
                             const CrossEntropyOptions& options);

// The gradient for the logits, an operation; `rows` are those of the loss.
Tensor cross_entropy_backward(const ClassLoss& problem, const Tensor& rows, const Tensor& y_bar);

/// The gradient for target probabilities, composed of operations.
Tensor class_probabilities_gradient(const ClassLoss& problem, const Tensor& y_bar);

}  // namespace reel
