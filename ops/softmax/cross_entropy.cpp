// Cross-entropy: one tape node, whose backward pass is an operation of its own. The numbers are computed in
// `cross_entropy_driver.cpp`.
#include "ops/softmax/cross_entropy.hpp"

#include "autograd/tape.hpp"
#include "ops/pointwise/compare.hpp"
#include "ops/pointwise/transcendental.hpp"
#include "ops/reduce/reduce.hpp"
#include "ops/softmax/cross_entropy_parts.hpp"
#include "ops/softmax/softmax.hpp"
#include "tensor/factory.hpp"

namespace reel {

namespace {

constexpr const char* kName = "cross_entropy";

// ---- The second derivative: composed, for it is rare

/// softmax(z), differentiable.
Tensor probabilities(const ClassLoss& problem) {
    return softmax(problem.logits.to(problem.compute()), problem.dim);
}

/// The class weights, along the classes' dimension.
Tensor weight_along(const ClassLoss& problem) {
    const std::int64_t classes = problem.logits.size(problem.dim);
    Shape along = Shape::filled(problem.logits.sizes().size(), 1);
    along[problem.dim] = classes;
    const DType dtype = problem.compute();
    const Tensor weight = problem.weight.defined() ? problem.weight.to(dtype) : ones({classes}, dtype);
    return weight.reshape(along);
}

/// w q for every class, 0 in rows that do not count; differentiable in q.
Tensor weighted_targets(const ClassLoss& problem) {
    const Tensor weight = weight_along(problem);
    const double share = 1 - problem.smoothing;
    const double floor = problem.smoothing / static_cast<double>(weight.numel());
    if (!problem.has_labels()) return weight * (problem.targets.to(weight.dtype()) * share + floor);
    const Tensor labels = problem.targets.unsqueeze(problem.dim);
    const Tensor is_label = eq(labels, arange(weight.numel()).reshape(weight.sizes())).to(weight.dtype());
    return where(ne(labels, problem.ignore_index), weight * (is_label * share + floor), 0);
}

/// What multiplies each row's gradient, in a shape that broadcasts to the logits'; differentiable in ȳ.
Tensor row_scale(const ClassLoss& problem, const Tensor& y_bar) {
    if (problem.reduction == Reduction::kNone) return y_bar.unsqueeze(problem.dim);
    return problem.total == 0 ? y_bar * 0 : y_bar / problem.total;
}

/// What multiplies the gradient for each target probability.
Tensor target_scale(const ClassLoss& problem, const Tensor& y_bar) {
    const Tensor scale = row_scale(problem, y_bar) * (1 - problem.smoothing);
    return problem.weight.defined() ? scale * weight_along(problem) : scale;
}

/// Zero in rows that do not count, whatever is there.
Tensor counted(const ClassLoss& problem, const Tensor& x) {
    if (!problem.has_labels()) return x;
    return where(ne(problem.targets.unsqueeze(problem.dim), problem.ignore_index), x, 0);
}

}  // namespace

ClassLoss class_loss_problem(const char* name, const Tensor& logits, const Tensor& targets,
                             const CrossEntropyOptions& options) {
    if (!logits.is_floating_point()) {
        fail<DTypeError>(name, ": logits must be floating, not ", logits.dtype(),
                         "; convert them with to(kFloat32)");
    }
    if (logits.dim() == 0) fail<ShapeError>(name, ": logits need a dimension of classes; these are 0-d");
    check_constant(name, "class weights", options.weight);
    if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1)) {
        fail<Error>(name, ": label_smoothing is ", options.label_smoothing, ", not in [0, 1]");
    }
    if (targets.is_floating_point() && targets.sizes() != logits.sizes()) {
        fail<ShapeError>(name, ": the targets are ", targets.dtype(), " ", targets.sizes(),
                         ", class probabilities for ", "logits of shape ", logits.sizes(),
                         ": the shapes must be equal; class labels are int64: to(kInt64)");
    }
    return {logits,
            targets,
            options.weight,
            wrap_dim(options.dim, logits.dim(), name),
            options.ignore_index,
            options.label_smoothing,
            options.reduction};
}

/// The gradient for the logits, as an operation on ȳ, the logits and the targets. With s the rows' scale,
/// q the weighted targets, Q = Σ q, p = softmax(z): z̄ = s (Q p − q), and for a cotangent v
/// s̄ = Σ v (Q p − q),  its z̄ = s Q p (v − Σ v p),  q̄ = s (Σ v p − v).
Tensor cross_entropy_backward(const ClassLoss& problem, const Tensor& rows, const Tensor& y_bar) {
    const std::int64_t dim = problem.dim;
    const auto pull_y_bar = [problem, dim](const Tensor& v) {
        const Tensor q = weighted_targets(problem);
        const Tensor residual = q.sum(dim, true) * probabilities(problem) - q;
        const Tensor s_bar = counted(problem, v * residual).sum(dim, true);
        return problem.reduction == Reduction::kNone ? s_bar.squeeze(dim) : row_scale(problem, s_bar.sum());
    };
    const auto pull_logits = [problem, dim, y_bar](const Tensor& v) {
        const Tensor p = probabilities(problem);
        const Tensor mass = weighted_targets(problem).sum(dim, true);
        return counted(problem, row_scale(problem, y_bar) * mass * (p * (v - (v * p).sum(dim, true))));
    };
    const auto pull_targets = [problem, dim, y_bar](const Tensor& v) {
        return target_scale(problem, y_bar) * ((v * probabilities(problem)).sum(dim, true) - v);
    };
    return record("cross_entropy_backward", class_loss_gradient(problem, rows, y_bar),
                  {{y_bar, pull_y_bar},
                   {problem.logits, pull_logits},
                   {problem.has_labels() ? Tensor() : problem.targets, pull_targets}});
}

Tensor class_probabilities_gradient(const ClassLoss& problem, const Tensor& y_bar) {
    return -target_scale(problem, y_bar) * log_softmax(problem.logits.to(problem.compute()), problem.dim);
}

Tensor cross_entropy(const Tensor& logits, const Tensor& targets, const CrossEntropyOptions& options) {
    ClassLoss problem = class_loss_problem(kName, logits, targets, options);
    const LossAndRows result = class_loss(problem);
    const auto pull_logits = [problem, rows = result.rows](const Tensor& y_bar) {
        return cross_entropy_backward(problem, rows, y_bar);
    };
    const auto pull_targets = [problem](const Tensor& y_bar) {
        return class_probabilities_gradient(problem, y_bar);
    };
    return record(kName, result.loss,
                  {{logits, pull_logits}, {problem.has_labels() ? Tensor() : targets, pull_targets}});
}

}  // namespace reel
