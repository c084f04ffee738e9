#include "ops/softmax/cross_entropy_driver.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "ops/softmax/class_targets_driver.hpp"
#include "tensor/factory.hpp"

namespace reel {

namespace {

using kernels::ConstPanel;
using kernels::kMaxFibres;
using kernels::Panel;
using std::int64_t;

constexpr const char* kName = "cross_entropy";

/// x or 0, without a branch: whether a row counts cannot be foreseen.
double where_true(bool condition, double x) {
    return std::bit_cast<double>(std::bit_cast<std::uint64_t>(x) & -static_cast<std::uint64_t>(condition));
}

/// A problem's targets, which have been checked.
class Targets {
public:
    Targets(const char* name, const ClassLoss& problem, const Fibres& fibres)
        : weights_(name, problem.weight, fibres.length()), share_(1 - problem.smoothing) {
        if (problem.has_labels()) labels_.emplace(fibres, problem.targets, problem.ignore_index);
        if (problem.smoothing == 0 || fibres.length() == 0) return;
        floor_ = problem.smoothing / static_cast<double>(fibres.length());
        floor_mass_ = problem.smoothing * weights_.mean();
    }

    bool counts(int64_t fibre) const { return !labels_ || labels_->counts(fibre); }
    int64_t label(int64_t fibre) const { return (*labels_)[fibre] & -static_cast<int64_t>(counts(fibre)); }
    /// The weight of a fibre's label; 0 where it does not count.
    double weight(int64_t fibre) const { return where_true(counts(fibre), weights_[label(fibre)]); }
    kernels::HardTargets labels_from(int64_t first) const { return labels_->from(first, weights_); }
    double total(int64_t counted) const {
        return labels_ ? labels_->total_weight(weights_, counted) : static_cast<double>(counted);
    }
    /// Σ q of a fibre with a label.
    double mass(int64_t fibre) const { return floor_mass_ + share_ * weight(fibre); }
    /// What a fibre's label has above the others.
    double excess(int64_t fibre) const { return share_ * weight(fibre); }
    /// As kernels take them, without probabilities or labels.
    kernels::SoftTargets floor() const {
        return {{nullptr, 0}, weights_.data(), share_, floor_, nullptr, nullptr};
    }

private:
    ClassWeights weights_;
    double share_;
    std::optional<ClassLabels> labels_;
    double floor_ = 0;
    double floor_mass_ = 0;
};

/// Reads targets by groups of fibres, where every class has a share in the loss. Each thread needs its own.
class SoftReader {
public:
    SoftReader(const Targets& targets, const ClassLoss& problem, const Fibres& fibres) : targets_(targets) {
        if (!problem.has_labels()) probabilities_.emplace(fibres, problem.targets, problem.compute());
    }
    /// The targets of a group as kernels take them; valid until the next call.
    kernels::SoftTargets read(int64_t first, int64_t count) {
        kernels::SoftTargets q = targets_.floor();
        if (probabilities_) {
            q.probability = probabilities_->read(first, count);
            return q;
        }
        for (int64_t f = 0; f < count; ++f) {
            classes_[f] = targets_.label(first + f);
            excess_[f] = targets_.excess(first + f);
        }
        q.classes = classes_;
        q.excess = excess_;
        return q;
    }

private:
    const Targets& targets_;
    std::optional<FibreReader> probabilities_;
    int64_t classes_[kMaxFibres];
    double excess_[kMaxFibres];
};

/// The rows' two numbers, of type `N`, from fibre `first` on.
template <class N>
struct RowNumbers {
    N* max;
    N* rest;

    RowNumbers(const Tensor& rows, int64_t first)
        : max(rows.data_ptr<N>() + first), rest(max + rows.size(1)) {}

    /// A row without a finite maximum has no probabilities.
    void settle(int64_t count, double* log_sum) const {
        for (int64_t f = 0; f < count; ++f) {
            const N lacking = max[f] - max[f];  // 0, or NaN
            rest[f] += lacking;
            log_sum[f] += static_cast<double>(lacking);
        }
    }
};

/// A group of fibres of type `T`: the rows [first, first + count).
template <class T>
struct Group {
    const Fibres& fibres;
    const Targets& targets;
    const kernels::Softmax& kernel;
    int64_t first;
    int64_t count;

    /// Element `c` of its fibre `f`.
    T& get(Panel z, int64_t f, int64_t c) const {
        const int64_t at = fibres.grouping() == kernels::kRows ? f * z.stride + c : c * z.stride + f;
        return static_cast<T*>(z.data)[at];
    }

    void hard_losses(ConstPanel z, const Tensor& rows, double* loss) const {
        const RowNumbers<T> row(rows, first);
        kernel.hard_losses[fibres.grouping()](fibres.length(), count, z, targets.labels_from(first), row.max,
                                              row.rest, loss);
    }

    void soft_losses(ConstPanel z, const kernels::SoftTargets& q, const Tensor& rows, double* loss) const {
        const RowNumbers<T> row(rows, first);
        double log_sum[kMaxFibres];
        double mass[kMaxFibres];
        double distance[kMaxFibres];
        kernel.statistics[fibres.grouping()](fibres.length(), count, z, row.max, row.rest, log_sum);
        row.settle(count, log_sum);
        kernel.expectations[fibres.grouping()](fibres.length(), count, z, row.max, q, mass, distance);
        for (int64_t f = 0; f < count; ++f)
            loss[f] = targets.counts(first + f) ? mass[f] * log_sum[f] + distance[f] : 0;
    }

    /// Weights the factors.
    void hard_gradient(ConstPanel z, const Tensor& rows, double* factor, Panel z_bar) const {
        const RowNumbers<T> row(rows, first);
        kernel.hard_gradient[fibres.grouping()](fibres.length(), count, z, targets.labels_from(first),
                                                row.max, row.rest, factor, z_bar);
    }

    void soft_gradient(ConstPanel z, const kernels::SoftTargets& q, const Tensor& rows, const double* factor,
                       void* scratch, Panel z_bar) const {
        const RowNumbers<T> row(rows, first);
        double mass[kMaxFibres];
        for (int64_t f = 0; f < count && q.classes; ++f) mass[f] = targets.mass(first + f);
        kernel.residuals[fibres.grouping()](fibres.length(), count, z, row.max, row.rest, q,
                                            q.classes ? mass : nullptr, factor, scratch, z_bar);
    }

    /// A factor of 0 makes a gradient of 0 but for rows with an infinity or a NaN.
    void clear(const Tensor& rows, const double* factor, Panel z_bar) const {
        const RowNumbers<T> row(rows, first);
        const auto is_cleared = [&](int64_t f) {
            return static_cast<int>(factor[f] == 0) & static_cast<int>(!std::isfinite(row.rest[f]));
        };
        int any = 0;
        for (int64_t f = 0; f < count; ++f) any |= is_cleared(f);
        for (int64_t f = 0; any && f < count; ++f) {
            if (!is_cleared(f)) continue;
            for (int64_t c = 0; c < fibres.length(); ++c) get(z_bar, f, c) = 0;
        }
    }
};

/// The fibres of its logits, as its kernels take them.
Fibres fibres_of(const ClassLoss& problem) {
    return {problem.logits, problem.dim,
            problem.is_hard() ? &kernels::Softmax::long_row : &kernels::Softmax::long_soft_row};
}

/// Checks a problem's targets before any is used.
Targets checked(const char* name, ClassLoss& problem, const Fibres& fibres) {
    const int64_t counted = problem.has_labels() ? check_labels(name, problem.logits, problem.dim, fibres,
                                                                problem.targets, problem.ignore_index)
                                                 : fibres.count();
    Targets targets(name, problem, fibres);
    if (problem.reduction == Reduction::kMean) problem.total = targets.total(counted);
    return targets;
}

LossAndRows losses_of(const ClassLoss& problem, const Fibres& fibres, const Targets& targets) {
    const Tensor rows = Tensor::empty({2, fibres.count()}, problem.compute());
    const Tensor losses =
        fibres.length() == 0 ? zeros({fibres.count()}, kFloat64) : Tensor::empty({fibres.count()}, kFloat64);
    with_floating(problem.compute(), [&](auto zero) {
        using T = decltype(zero);
        fibres.for_each_group([&] {
            return [&, reader = FibreReader(fibres, problem.logits, dtype_of<T>()),
                    soft = SoftReader(targets, problem, fibres)](int64_t first, int64_t count) mutable {
                const Group<T> group{fibres, targets, kernels::softmax(dtype_of<T>()), first, count};
                const ConstPanel z = reader.read(first, count);
                double* loss = losses.data_ptr<double>() + first;
                if (problem.is_hard()) {
                    group.hard_losses(z, rows, loss);
                } else {
                    group.soft_losses(z, soft.read(first, count), rows, loss);
                }
            };
        });
    });
    return {losses, rows};
}

}  // namespace

void check_targets(const char* name, ClassLoss& problem) {
    const Fibres fibres = fibres_of(problem);
    checked(name, problem, fibres);
}

LossAndRows class_losses(const ClassLoss& problem) {
    const Fibres fibres = fibres_of(problem);
    return losses_of(problem, fibres, Targets(kName, problem, fibres));
}

LossAndRows class_loss(ClassLoss& problem) {
    const Fibres fibres = fibres_of(problem);
    const Targets targets = checked(kName, problem, fibres);
    const LossAndRows found = losses_of(problem, fibres, targets);
    return {reduce_rows(fibres, found.loss, problem.reduction, problem.total, problem.compute()), found.rows};
}

Tensor class_loss_gradient(const ClassLoss& problem, const Tensor& rows, const Tensor& y_bar) {
    const Fibres fibres(
        problem.logits, problem.dim,
        problem.is_hard() ? &kernels::Softmax::long_backward_row : &kernels::Softmax::long_soft_backward_row);
    const Targets targets(kName, problem, fibres);
    const bool by_row = problem.reduction == Reduction::kNone;
    const Tensor list = by_row ? fibres.listed(y_bar, kFloat64) : Tensor();
    const double same = by_row ? 0 : row_factor(y_bar, problem.total);
    Tensor z_bar = fibres.like(problem.logits.dtype());
    with_floating(problem.compute(), [&](auto zero) {
        using T = decltype(zero);
        fibres.for_each_group([&] {
            return [&, reader = FibreReader(fibres, problem.logits, dtype_of<T>()),
                    writer = FibreWriter(fibres, z_bar, dtype_of<T>()),
                    soft = SoftReader(targets, problem, fibres),
                    scratch = problem.is_hard()
                                  ? Tensor()
                                  : Tensor::empty(
                                        {kernels::room_for_exponentials(fibres.grouping(), fibres.length())},
                                        kFloat64)](int64_t first, int64_t count) mutable {
                const Group<T> group{fibres, targets, kernels::softmax(dtype_of<T>()), first, count};
                const ConstPanel z = reader.read(first, count);
                const Panel to = writer.place(first, count);
                double factor[kMaxFibres];
                std::fill_n(factor, count, same);
                if (by_row) std::copy_n(list.data_ptr<double>() + first, count, factor);
                if (problem.is_hard()) {
                    group.hard_gradient(z, rows, factor, to);
                } else {
                    for (int64_t f = 0; f < count; ++f)
                        factor[f] = where_true(targets.counts(first + f), factor[f]);
                    group.soft_gradient(z, soft.read(first, count), rows, factor, scratch.raw(), to);
                }
                group.clear(rows, factor, to);
                writer.finish(first, count);
            };
        });
    });
    return z_bar;
}

}  // namespace reel
