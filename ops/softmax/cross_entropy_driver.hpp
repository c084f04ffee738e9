/// \file
/// What cross-entropy computes, without the tape: the loss of every row and its gradient, for class labels
/// and for class probabilities. The operation is in `cross_entropy.cpp`.
#pragma once

#include "ops/softmax/fibre_driver.hpp"
#include "ops/softmax/reduction.hpp"

namespace reel {

/// One set of logits against one set of targets.
struct ClassLoss {
    Tensor logits;
    Tensor targets;  ///< int64 labels, or probabilities
    Tensor weight;
    std::int64_t dim;  ///< wrapped
    std::int64_t ignore_index;
    double smoothing;
    Reduction reduction;
    double total = 1;  ///< what the sum of the rows' losses is divided by

    bool has_labels() const { return !targets.is_floating_point(); }
    /// Whether each row has one class with a share in the loss, at most.
    bool is_hard() const { return has_labels() && smoothing == 0; }
    DType compute() const { return compute_dtype(logits.dtype()); }
};

/// The loss (of each row, listed in double precision, or all of it), and two numbers of each row for its
/// gradient: [2, rows], the maximum, and Σ e^(z − max) over all elements but one that attains it (NaN where
/// there is no finite maximum).
///
/// Note [Close probabilities]
/// Where every class has a share in the loss, its gradient Q p − q may be the difference of numbers that are
/// close, so it is computed in double precision from the logits on, in float32 too. The loss is a sum of positive
/// terms and needs no more digits than others. With one label there is nothing
/// to lose: p − 1 is either at least ½, or −rest / (1 + rest) where the label's logit leads.
struct LossAndRows {
    Tensor loss;
    Tensor rows;
};
/// Throws unless the targets and the weights fit the logits' shape, whose values are not looked at, and sets
/// `problem.total`.
void check_targets(const char* name, ClassLoss& problem);
/// Each row's loss. The targets have been checked.
LossAndRows class_losses(const ClassLoss& problem);
/// Checks the targets before anything is computed, and sets `problem.total`.
LossAndRows class_loss(ClassLoss& problem);

/// ȳ (Q softmax(z) − w q) / total, in the logits' type; zero in rows that do not count.
Tensor class_loss_gradient(const ClassLoss& problem, const Tensor& rows, const Tensor& y_bar);

}  // namespace reel
