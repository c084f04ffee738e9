// Cross-entropy: one tape entry, whose backward pass is an operation of its own. What each row costs is in
// `kernels/softmax.cpp` (class labels) and `kernels/soft_targets.cpp` (probabilities, smoothing).
#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/tape.hpp"
#include "ops/apply.hpp"
#include "ops/class_targets.hpp"
#include "ops/compare.hpp"
#include "ops/fibres.hpp"
#include "ops/losses.hpp"
#include "ops/pointwise.hpp"
#include "ops/reduce.hpp"
#include "ops/softmax.hpp"
#include "tensor/factory.hpp"

namespace reel {

namespace {

using kernels::kMaxFibres;
using std::int64_t;

constexpr const char* kName = "cross_entropy";

void check(const Tensor& logits, const Tensor& targets, const CrossEntropyOptions& options) {
    if (!logits.is_floating_point()) {
        fail<DTypeError>(kName, ": logits must be floating, not ", logits.dtype(),
                         "; convert them with to(kFloat32)");
    }
    if (logits.dim() == 0) fail<ShapeError>(kName, ": logits need a dimension of classes; these are 0-d");
    if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1)) {
        fail<Error>(kName, ": label_smoothing is ", options.label_smoothing, ", not in [0, 1]");
    }
    if (targets.is_floating_point() && targets.sizes() != logits.sizes()) {
        fail<ShapeError>(kName, ": class probabilities of shape ", targets.sizes(), " for logits of shape ",
                         logits.sizes(), "; the shapes must be equal (class labels are int64)");
    }
}

/// The loss of one set of logits against one set of targets: everything but the numbers.
struct Problem {
    Tensor logits;
    Tensor targets;
    Tensor weight;
    int64_t dim;
    int64_t ignore_index;
    double smoothing;
    Reduction reduction;
    double total = 1;  ///< what the sum of the rows' losses is divided by

    bool has_labels() const { return !targets.is_floating_point(); }
    DType compute() const { return compute_dtype(logits.dtype()); }
    /// Whether each row has a single class with a share in the loss.
    bool is_hard() const { return has_labels() && smoothing == 0; }
};

/// A problem's targets by groups of fibres.
class Targets {
public:
    Targets(const Problem& problem, const Fibres& fibres)
        : weights_(kName, problem.weight, fibres.length()), smoothing_(problem.smoothing) {
        if (problem.has_labels()) {
            labels_.emplace(kName, problem.logits, problem.dim, fibres, problem.targets,
                            problem.ignore_index);
        } else {
            probabilities_.emplace(fibres, problem.targets, problem.compute());
        }
        floor_ = fibres.length() > 0 ? smoothing_ / static_cast<double>(fibres.length()) : 0;
    }

    bool counts(int64_t fibre) const { return !labels_ || labels_->counts(fibre); }
    int64_t label(int64_t fibre) const { return counts(fibre) ? (*labels_)[fibre] : 0; }
    /// The weight of a fibre's class; 0 where it does not count.
    double weight(int64_t fibre) const { return counts(fibre) ? weights_[(*labels_)[fibre]] : 0; }
    double total(int64_t fibres) const {
        return labels_ ? labels_->total_weight(weights_) : static_cast<double>(fibres);
    }

    /// The targets of a group as kernels take them; valid until the next call.
    kernels::SoftTargets read(int64_t first, int64_t count) {
        kernels::SoftTargets q{{nullptr, 0}, weights_.data(), 1 - smoothing_, floor_, nullptr, nullptr};
        if (probabilities_) {
            q.probability = probabilities_->read(first, count);
            return q;
        }
        for (int64_t f = 0; f < count; ++f) {
            classes_[f] = label(first + f);
            excess_[f] = (1 - smoothing_) * weight(first + f);
        }
        q.classes = classes_;
        q.excess = excess_;
        return q;
    }

private:
    ClassWeights weights_;
    std::optional<ClassLabels> labels_;
    std::optional<FibreReader> probabilities_;
    double smoothing_;
    double floor_;
    int64_t classes_[kMaxFibres];
    double excess_[kMaxFibres];
};

/// Element `c` of fibre `f` of a group.
template <class T>
T& element(const Fibres& fibres, kernels::Panel panel, int64_t f, int64_t c) {
    const bool rows = fibres.grouping() == kernels::kRows;
    return static_cast<T*>(panel.data)[rows ? f * panel.stride + c : c * panel.stride + f];
}
template <class T>
T element(const Fibres& fibres, kernels::ConstPanel panel, int64_t f, int64_t c) {
    const bool rows = fibres.grouping() == kernels::kRows;
    return static_cast<const T*>(panel.data)[rows ? f * panel.stride + c : c * panel.stride + f];
}

template <class F>
void with_floating(DType dtype, const F& f) {
    dtype == kFloat64 ? f(double{}) : f(float{});
}

/// What the backward pass needs of each fibre: its maximum, and Σ e^(z − max) over all elements but one that
/// attains it (NaN where there is no finite maximum). [2, fibres].
struct State {
    Tensor numbers;

    State(int64_t fibres, DType dtype) : numbers(Tensor::empty({2, fibres}, dtype)) {}
    template <class T>
    T* max() const {
        return numbers.data_ptr<T>();
    }
    template <class T>
    T* rest() const {
        return numbers.data_ptr<T>() + numbers.sizes()[1];
    }
};

/// The loss of every fibre, in the fibres' order, in double precision; fills the state.
Tensor row_losses(const Problem& problem, const Fibres& fibres, const Targets& targets, const State& state) {
    const Tensor losses = zeros({fibres.count()}, kFloat64);
    auto* loss = losses.data_ptr<double>();
    with_floating(problem.compute(), [&](auto zero) {
        using T = decltype(zero);
        const kernels::Softmax& kernel = kernels::softmax(dtype_of<T>());
        fibres.for_each_group([&, reader = FibreReader(fibres, problem.logits, dtype_of<T>()), own = targets](
                                  int64_t first, int64_t count) mutable {
            const kernels::ConstPanel z = reader.read(first, count);
            T* max = state.max<T>() + first;
            T* rest = state.rest<T>() + first;
            double log_sum[kMaxFibres];
            kernel.statistics[fibres.grouping()](fibres.length(), count, z, max, rest, log_sum);
            for (int64_t f = 0; f < count; ++f) {
                if (std::isfinite(max[f])) continue;
                rest[f] = std::numeric_limits<T>::quiet_NaN();
                log_sum[f] = std::numeric_limits<double>::quiet_NaN();
            }
            double mass[kMaxFibres];
            double distance[kMaxFibres];
            if (problem.is_hard()) {
                for (int64_t f = 0; f < count; ++f) {
                    const T at_label = element<T>(fibres, z, f, own.label(first + f));
                    mass[f] = own.weight(first + f);
                    distance[f] = mass[f] * (static_cast<double>(max[f]) - static_cast<double>(at_label));
                }
            } else {
                kernel.expectations[fibres.grouping()](fibres.length(), count, z, max, own.read(first, count),
                                                       mass, distance);
            }
            for (int64_t f = 0; f < count; ++f) {
                const bool absent = !own.counts(first + f) || (problem.is_hard() && mass[f] == 0);
                loss[first + f] = absent ? 0 : mass[f] * log_sum[f] + distance[f];
            }
        });
    });
    return losses;
}

/// ȳ (Q softmax(z) − w q) / total for every row, zero for rows that do not count.
Tensor gradient(const Problem& problem, const State& state, const Tensor& g) {
    const Fibres fibres(problem.logits, problem.dim);
    const Targets targets(problem, fibres);
    const Tensor factors = row_factors(fibres, g, problem.reduction, problem.total);
    Tensor z_bar = fibres.like(problem.logits.dtype());
    with_floating(problem.compute(), [&](auto zero) {
        using T = decltype(zero);
        const kernels::Softmax& kernel = kernels::softmax(dtype_of<T>());
        fibres.for_each_group([&, reader = FibreReader(fibres, problem.logits, dtype_of<T>()),
                               writer = FibreWriter(fibres, z_bar, dtype_of<T>()),
                               own = targets](int64_t first, int64_t count) mutable {
            const kernels::ConstPanel z = reader.read(first, count);
            const kernels::Panel to = writer.place(first, count);
            const T* max = state.max<T>() + first;
            const T* rest = state.rest<T>() + first;
            double* factor = factors.data_ptr<double>() + first;
            if (problem.is_hard()) {
                for (int64_t f = 0; f < count; ++f) factor[f] *= own.weight(first + f);
                kernel.exponentials[fibres.grouping()](fibres.length(), count, z, max, rest, factor, to);
                for (int64_t f = 0; f < count; ++f) {
                    const int64_t label = own.label(first + f);
                    T& at_label = element<T>(fibres, to, f, label);
                    const auto others = static_cast<double>(rest[f]);
                    const bool leads = element<T>(fibres, z, f, label) == max[f];
                    at_label = static_cast<T>(leads ? -factor[f] * (others / (1 + others))
                                                    : static_cast<double>(at_label) - factor[f]);
                }
            } else {
                double mass[kMaxFibres];
                double distance[kMaxFibres];
                const kernels::SoftTargets q = own.read(first, count);
                kernel.expectations[fibres.grouping()](fibres.length(), count, z, max, q, mass, distance);
                kernel.residuals[fibres.grouping()](fibres.length(), count, z, max, rest, q, mass, factor,
                                                    to);
            }
            for (int64_t f = 0; f < count; ++f) {
                if (own.counts(first + f) && !(problem.is_hard() && factor[f] == 0)) continue;
                for (int64_t c = 0; c < fibres.length(); ++c) element<T>(fibres, to, f, c) = 0;
            }
            writer.finish(first, count);
        });
    });
    return z_bar;
}

// ---- The second derivative: composed, for it is rare ---------------------------------------------------

/// The class weights, along the classes' dimension.
Tensor weight_along(const Problem& problem) {
    Shape along = Shape::filled(problem.logits.sizes().size(), 1);
    along[static_cast<std::size_t>(problem.dim)] = problem.logits.size(problem.dim);
    return (problem.weight.defined() ? problem.weight.to(problem.compute())
                                     : ones({problem.logits.size(problem.dim)}, problem.compute()))
        .reshape(along);
}

/// w q for every class, 0 in rows that do not count; differentiable in q.
Tensor weighted_targets(const Problem& problem, const Tensor& targets) {
    const Tensor weight = weight_along(problem);
    const double floor = problem.smoothing / static_cast<double>(weight.numel());
    if (!problem.has_labels()) return weight * (targets.to(weight.dtype()) * (1 - problem.smoothing) + floor);
    const Tensor labels = problem.targets.unsqueeze(problem.dim);
    const Tensor is_label = eq(labels, arange(weight.numel()).reshape(weight.sizes())).to(weight.dtype());
    return where(ne(labels, problem.ignore_index), weight * (is_label * (1 - problem.smoothing) + floor), 0);
}

/// What multiplies each row's gradient, in a shape that broadcasts to the logits'; differentiable in ȳ.
Tensor row_scale(const Problem& problem, const Tensor& g) {
    if (problem.reduction == Reduction::kNone) return g.unsqueeze(problem.dim);
    return problem.total == 0 ? g * 0 : g / problem.total;
}

/// What multiplies the gradient for each target probability.
Tensor target_scale(const Problem& problem, const Tensor& g) {
    const Tensor scale = row_scale(problem, g) * (1 - problem.smoothing);
    return problem.weight.defined() ? scale * weight_along(problem) : scale;
}

/// Zero in rows that do not count, whatever stands there.
Tensor counted(const Problem& problem, const Tensor& x) {
    if (!problem.has_labels()) return x;
    return where(ne(problem.targets.unsqueeze(problem.dim), problem.ignore_index), x, 0);
}

/// The gradient for the logits, as an operation on ȳ, the logits and the targets. With s the rows' scale,
/// q the weighted targets, Q = Σ q, p = softmax(z): z̄ = s (Q p − q), and for a cotangent h
/// s̄ = Σ h (Q p − q),  its z̄ = s Q p (h − Σ h p),  q̄ = s (Σ h p − h).
Tensor cross_entropy_backward(const Problem& problem, const State& state, const Tensor& g) {
    const auto logits = [problem] { return problem.logits.to(problem.compute()); };
    return record("cross_entropy_backward", gradient(problem, state, g),
                  {{g,
                    [problem, logits](const Tensor& h) {
                        const Tensor q = weighted_targets(problem, problem.targets);
                        const Tensor p = softmax(logits(), problem.dim);
                        const Tensor rows =
                            counted(problem, h * (q.sum(problem.dim, true) * p - q)).sum(problem.dim, true);
                        if (problem.reduction == Reduction::kNone) return rows.squeeze(problem.dim);
                        return row_scale(problem, rows.sum());
                    }},
                   {problem.logits,
                    [problem, logits, g](const Tensor& h) {
                        const Tensor q = weighted_targets(problem, problem.targets);
                        const Tensor p = softmax(logits(), problem.dim);
                        const Tensor centred = p * (h - (h * p).sum(problem.dim, true));
                        return counted(problem, row_scale(problem, g) * (q.sum(problem.dim, true) * centred));
                    }},
                   {problem.has_labels() ? Tensor() : problem.targets, [problem, logits, g](const Tensor& h) {
                        const Tensor p = softmax(logits(), problem.dim);
                        return target_scale(problem, g) * ((h * p).sum(problem.dim, true) - h);
                    }}});
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& targets, const CrossEntropyOptions& options) {
    check(logits, targets, options);
    Problem problem{logits,
                    targets,
                    options.weight,
                    wrap_dim(options.dim, logits.dim(), kName),
                    options.ignore_index,
                    options.label_smoothing,
                    options.reduction};
    const Fibres fibres(logits, problem.dim);
    const Targets checked(problem, fibres);
    if (options.reduction == Reduction::kMean) problem.total = checked.total(fibres.count());
    const State state(fibres.count(), problem.compute());
    const Tensor loss = reduce_rows(fibres, row_losses(problem, fibres, checked, state), options.reduction,
                                    problem.total, problem.compute());
    return record(
        kName, loss,
        {{logits, [problem, state](const Tensor& g) { return cross_entropy_backward(problem, state, g); }},
         {problem.has_labels() ? Tensor() : targets, [problem](const Tensor& g) {
              return -target_scale(problem, g) * log_softmax(problem.logits, problem.dim);
          }}});
}

}  // namespace reel
