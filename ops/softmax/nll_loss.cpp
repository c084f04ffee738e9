// The loss of log-probabilities: it picks one number of each row. A linear operation, whose adjoint puts one
// number into each row; each is the other's pullback.
#include "autograd/tape.hpp"
#include "ops/pointwise/transcendental.hpp"
#include "ops/softmax/class_targets_driver.hpp"
#include "ops/softmax/cross_entropy.hpp"
#include "tensor/factory.hpp"

namespace reel {

namespace {

using std::int64_t;

constexpr const char* kName = "nll_loss";

/// Calls f(fibre, element at its class) for every fibre that counts.
template <class T, class F>
void for_each_label(const Fibres& fibres, const Tensor& x, const ClassLabels& labels, const F& f) {
    const StridedRuns starts = fibres.starts(x);
    const int64_t stride = fibres.element_stride(x);
    T* elements = reinterpret_cast<T*>(x.raw());
    for (int64_t first = 0; first < fibres.count();) {
        const StridedRuns::Run run = starts.run(first);
        const int64_t count = std::min(run.length, fibres.count() - first);
        for (int64_t i = 0; i < count; ++i) {
            if (!labels.counts(first + i)) continue;
            f(first + i, elements[run.offset + i * run.step + labels[first + i] * stride]);
        }
        first += count;
    }
}

/// The gradient for an input of this shape: −w_t ȳ / total at each row's class t. With g = ȳ, of a cotangent
/// v, ḡ = Σ −w_t v_t / total.
Tensor nll_loss_backward(const Tensor& y_bar, const Shape& sizes, DType dtype, const Tensor& targets,
                         const NllLossOptions& options, double total) {
    const Tensor x_bar = zeros(sizes, dtype);
    const Fibres fibres(x_bar, options.dim);
    const ClassWeights weights(kName, options.weight, fibres.length());
    const ClassLabels labels(fibres, targets, options.ignore_index);
    const Tensor factors = row_factors(fibres, y_bar, options.reduction, total);
    const auto* factor = factors.data_ptr<double>();
    dispatch(dtype, [&](auto zero) {
        using T = decltype(zero);
        for_each_label<T>(fibres, x_bar, labels, [&](int64_t f, T& element) {
            element = convert_element<T>(-weights[labels[f]] * factor[f]);
        });
    });
    return record("nll_loss_backward", x_bar, {{y_bar, [targets, options, total](const Tensor& v) {
                                                    const Tensor picked = nll_loss(v, targets, options);
                                                    return total == 0 ? zeros_like(picked) : picked;
                                                }}});
}

}  // namespace

Tensor nll_loss(const Tensor& log_probabilities, const Tensor& targets, const NllLossOptions& options) {
    const Tensor& x = log_probabilities;
    if (!x.is_floating_point()) {
        fail<DTypeError>(kName, ": log-probabilities must be floating, not ", x.dtype());
    }
    if (x.dim() == 0)
        fail<ShapeError>(kName, ": log-probabilities need a dimension of classes; these are 0-d");
    check_constant(kName, "class weights", options.weight);
    NllLossOptions own = options;
    own.dim = wrap_dim(options.dim, x.dim(), kName);
    const Fibres fibres(x, own.dim);
    const ClassWeights weights(kName, own.weight, fibres.length());
    const int64_t counted = check_labels(kName, x, own.dim, fibres, targets, own.ignore_index);
    const ClassLabels labels(fibres, targets, own.ignore_index);
    const double total = own.reduction == Reduction::kMean ? labels.total_weight(weights, counted) : 1;
    const Tensor losses = zeros({fibres.count()}, kFloat64);
    auto* loss = losses.data_ptr<double>();
    dispatch(x.dtype(), [&](auto zero) {
        using T = decltype(zero);
        for_each_label<T>(fibres, x, labels, [&](int64_t f, T element) {
            const double weight = weights[labels[f]];
            if (weight != 0) loss[f] = -weight * convert_element<double>(element);
        });
    });
    return record(kName, reduce_rows(fibres, losses, own.reduction, total, x.dtype()),
                  {{x, [sizes = x.sizes(), dtype = x.dtype(), targets, own, total](const Tensor& y_bar) {
                        return nll_loss_backward(y_bar, sizes, dtype, targets, own, total);
                    }}});
}

}  // namespace reel
