#include "ops/softmax/class_targets_driver.hpp"

#include <algorithm>

#include "ops/pointwise/dense_driver.hpp"
#include "ops/reduce/reduce_driver.hpp"
#include "tensor/factory.hpp"

namespace reel {

namespace {

using std::int64_t;

/// Where fibre number `fibre` is: its index where there are several dimensions, else its row.
std::string place(const Fibres& fibres, int64_t fibre) {
    const Shape index = fibres.index(fibre);
    return index.size() == 1 ? detail::concat("row ", index[0]) : detail::concat("row ", index);
}

Shape without(Shape sizes, std::int64_t dim) {
    sizes.erase(dim);
    return sizes;
}

/// What was probably meant by labels of the wrong shape.
std::string remedy(const Tensor& x, std::int64_t dim, const Tensor& targets) {
    if (targets.sizes() == x.sizes()) return " (class probabilities must be floating: to(kFloat32))";
    if (x.dim() > 1 && dim != 1 && targets.sizes() == without(x.sizes(), 1)) {
        return " (they fit dimension 1, libtorch's: pass {.dim = 1})";
    }
    return "";
}

double sum_of(const Tensor& list) {
    return reduce(kernels::ReduceOp::kSum, list, {0}, {.compute = kFloat64}).item<double>();
}

}  // namespace

ClassWeights::ClassWeights(const char* name, const Tensor& weight, int64_t classes) {
    if (!weight.defined()) return;
    if (!weight.is_floating_point()) {
        fail<DTypeError>(name, ": class weights must be floating, not ", weight.dtype());
    }
    if (weight.sizes() != Shape({classes})) {
        fail<ShapeError>(name, ": class weights of shape ", weight.sizes(), " for ", classes,
                         " classes; one for each is needed");
    }
    weight_ = dense(weight, kFloat64);
    values_ = weight_.data_ptr<double>();
}

double ClassWeights::mean() const {
    if (!values_) return 1;
    return sum_of(weight_) / static_cast<double>(weight_.numel());
}

ClassLabels::ClassLabels(const Fibres& fibres, const Tensor& targets, int64_t ignored)
    : ClassLabels(fibres.listed(targets, kInt64), ignored) {}

ClassLabels::ClassLabels(const Tensor& list, int64_t ignored)
    : list_(list), values_(list_.data_ptr<int64_t>()), count_(list.numel()), ignored_(ignored) {}

int64_t check_labels(const char* name, const Tensor& x, int64_t dim, const Fibres& fibres,
                     const Tensor& targets, int64_t ignored) {
    if (targets.dtype() != kInt64) {
        fail<DTypeError>(name, ": class labels must be int64, not ", targets.dtype(), "; convert them with ",
                         "to(kInt64)");
    }
    const Shape wanted = without(x.sizes(), dim);
    if (targets.sizes() != wanted) {
        fail<ShapeError>(name, ": targets of shape ", targets.sizes(), " for an input of shape ", x.sizes(),
                         " with its classes along dimension ", dim, "; the targets' shape must be ", wanted,
                         remedy(x, dim, targets));
    }
    const ClassLabels labels(fibres, targets, ignored);
    const auto classes = static_cast<std::uint64_t>(fibres.length());
    const auto is_class = [&](int64_t label) { return static_cast<std::uint64_t>(label) < classes; };
    std::uint64_t outside = 0;  // its sign: that of any label, or of how far any is below the last class
    for (int64_t f = 0; f < fibres.count(); ++f) {
        const auto label = static_cast<std::uint64_t>(labels[f]);
        outside |= label | (classes - 1 - label);
    }
    if (static_cast<int64_t>(outside) >= 0 && !is_class(ignored)) return fibres.count();
    const auto is_bad = [&](int64_t f) {
        return static_cast<int>(!is_class(labels[f])) & static_cast<int>(labels.counts(f));
    };
    int any = 0;
    int64_t counted = 0;
    for (int64_t f = 0; f < fibres.count(); ++f) {
        any |= is_bad(f);
        counted += labels.counts(f);
    }
    for (int64_t f = 0; any && f < fibres.count(); ++f) {
        if (!is_bad(f)) continue;
        fail<IndexError>(name, ": the target of ", place(fibres, f), " is ", labels[f],
                         ", which is none of the ", fibres.length(), " classes [0, ", fibres.length(),
                         ") and not ignore_index (", ignored, ")");
    }
    return counted;
}

double ClassLabels::total_weight(const ClassWeights& weights, int64_t counted) const {
    if (!weights.data()) return static_cast<double>(counted);
    double total = 0;
    for (int64_t f = 0; f < count_; ++f) total += weight(f, weights);
    return total;
}

Tensor reduce_rows(const Fibres& fibres, const Tensor& losses, Reduction reduction, double total,
                   DType result) {
    if (reduction == Reduction::kNone) return dense(fibres.unlisted(losses, false), result);
    const double loss = sum_of(losses) / total;
    // Beyond the result's type it is infinite, which a number given for that type may not become.
    return full({}, result == kFloat32 ? static_cast<double>(static_cast<float>(loss)) : loss, result);
}

double row_factor(const Tensor& y_bar, double total) { return total == 0 ? 0 : y_bar.item<double>() / total; }

Tensor row_factors(const Fibres& fibres, const Tensor& y_bar, Reduction reduction, double total) {
    if (reduction == Reduction::kNone) return fibres.listed(y_bar, kFloat64);
    return full({fibres.count()}, row_factor(y_bar, total), kFloat64);
}

}  // namespace reel
