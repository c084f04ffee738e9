/// \file
/// What `cross_entropy` and `nll_loss` have in common: class labels and class weights, checked before
/// anything is computed, and the reduction of one loss per row.
#pragma once

#include "ops/softmax/fibre_driver.hpp"
#include "ops/softmax/reduction.hpp"
#include "tensor/tensor.hpp"

namespace reel {

/// The weights of C classes.
class ClassWeights {
public:
    /// Throws unless `weight` is undefined (all 1) or floating and of shape [classes].
    ClassWeights(const char* name, const Tensor& weight, std::int64_t classes);
    double operator[](std::int64_t c) const { return values_ ? values_[c] : 1; }
    /// Null where all are 1.
    const double* data() const { return values_; }
    double mean() const;

private:
    Tensor weight_;
    const double* values_ = nullptr;
};

/// The class of each fibre, in the fibres' order.
class ClassLabels {
public:
    /// `targets` have been checked.
    ClassLabels(const Fibres& fibres, const Tensor& targets, std::int64_t ignored);
    /// The same as a dense list.
    ClassLabels(const Tensor& list, std::int64_t ignored);
    std::int64_t operator[](std::int64_t fibre) const { return values_[fibre]; }
    bool counts(std::int64_t fibre) const { return values_[fibre] != ignored_; }
    /// Of a fibre's class; 0 where it does not count.
    double weight(std::int64_t fibre, const ClassWeights& weights) const {
        return counts(fibre) ? weights[values_[fibre]] : 0;
    }
    /// Of the fibres that count, so many.
    double total_weight(const ClassWeights& weights, std::int64_t counted) const;
    /// Those from `first` on as kernels take them.
    kernels::HardTargets from(std::int64_t first, const ClassWeights& weights) const {
        return {values_ + first, ignored_, weights.data()};
    }

private:
    Tensor list_;
    const std::int64_t* values_;
    std::int64_t count_;
    std::int64_t ignored_;
};

/// Throws unless `targets` is int64, has the shape of `x` without `dim`, and each is a class or `ignored`. Returns how many
/// count.
std::int64_t check_labels(const char* name, const Tensor& x, std::int64_t dim, const Fibres& fibres,
                          const Tensor& targets, std::int64_t ignored);

/// One loss per fibre, listed in double precision, as the result: of the shape without `dim`, or divided by
/// `total` and added up.
Tensor reduce_rows(const Fibres& fibres, const Tensor& losses, Reduction reduction, double total,
                   DType result);
/// The reverse for a gradient: what each fibre's own gradient is multiplied with, listed in double precision, or where that is the
/// same for all. Zero where `total` is.
double row_factor(const Tensor& y_bar, double total);
Tensor row_factors(const Fibres& fibres, const Tensor& y_bar, Reduction reduction, double total);

}  // namespace reel
