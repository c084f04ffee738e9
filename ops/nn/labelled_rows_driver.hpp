/// \file
/// Cross-entropy with class labels of rows whose logits come some classes at a time: once for the losses, once
/// more for the gradient.
#pragma once

#include <vector>

#include "ops/softmax/class_targets_driver.hpp"
#include "ops/softmax/cross_entropy_driver.hpp"

namespace reel {

/// A block of rows of a problem with a list of labels, which have been checked.
class LabelledRows {
public:
    explicit LabelledRows(const ClassLoss& problem);

    /// Goes on to the rows [first, first + count).
    void begin(std::int64_t first, std::int64_t count);
    /// Takes their logits z, dense, of classes `from` ….
    void add(const Tensor& z, std::int64_t from);
    /// After all classes: writes the rows' losses into the list of all rows' losses, in double precision.
    void conclude(const Tensor& losses);
    /// Turns logits into their gradient, where they are. `factors` lists what multiplies each row's, in double
    /// precision.
    void differentiate(const Tensor& z, std::int64_t from, const Tensor& factors) const;

private:
    /// As in `LossAndRows`, in double precision, and the logit at the label.
    struct Row {
        double max, rest, at_label;
        void add(double other_max, double other_rest);
    };
    template <class T>
    void add_group(const Tensor& z, std::int64_t from, std::int64_t row, std::int64_t count);
    template <class T>
    void differentiate_group(const Tensor& z, std::int64_t from, const double* factors, std::int64_t row,
                             std::int64_t count) const;

    ClassLabels labels_;
    ClassWeights weights_;
    std::int64_t first_ = 0;
    std::vector<Row> rows_;
};

}  // namespace reel
