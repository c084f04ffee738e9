// Cross-entropy of a linear layer's results, which are never held all at once: one tape node.
//
// Wijmans et al., "Cut Your Losses in Large-Vocabulary Language Models", 2024, have the idea; here a block is
// some rows with all of their classes, which class labels let come in parts.
#include "autograd/shared_pullback.hpp"
#include "autograd/tape.hpp"
#include "ops/linalg/matmul.hpp"
#include "ops/nn/linear_cross_entropy_driver.hpp"
#include "ops/nn/losses.hpp"
#include "ops/pointwise/arithmetic.hpp"
#include "ops/shape/views.hpp"
#include "ops/softmax/cross_entropy_parts.hpp"
#include "tensor/factory.hpp"

namespace reel {

namespace {

constexpr const char* kName = "linear_cross_entropy";

/// The operands as they are given; the problem's logits have their shape and no values.
struct Layer {
    Tensor x;       ///< (…, features)
    Tensor weight;  ///< (classes, features)
    ClassLoss problem;
};

void check(const Tensor& x, const Tensor& weight, const CrossEntropyOptions& options) {
    if (!x.is_floating_point() || x.dtype() != weight.dtype()) {
        fail<DTypeError>(kName, ": x and weight must be floating, of one dtype, not ", x.dtype(), " and ",
                         weight.dtype(), "; convert one with to(…)");
    }
    if (x.dim() == 0 || weight.dim() != 2 || x.size(-1) != weight.size(1)) {
        fail<ShapeError>(kName, ": x of shape ", x.sizes(), " and a weight of shape ", weight.sizes(),
                         " do not fit; (…, features) and (classes, features) are needed");
    }
    if (options.dim != -1 && options.dim != x.dim() - 1) {
        fail<ShapeError>(kName, ": dim is ", options.dim,
                         "; the classes of a linear layer are its last dimension");
    }
}

/// The loss and, where asked for, the gradients, of all rows in blocks.
LinearLoss in_blocks(const Layer& layer, const Tensor& y_bar, bool wants_loss) {
    const DType dtype = layer.problem.compute();
    const NoGradGuard quiet;
    LinearLoss found =
        linear_class_loss(rows_of(layer.x, dtype), layer.weight.to(dtype), layer.problem, y_bar, wants_loss);
    if (!y_bar.defined()) return found;
    found.x_bar = found.x_bar.view(layer.x.sizes()).to(layer.x.dtype());
    found.weight_bar = found.weight_bar.to(layer.weight.dtype());
    return found;
}

/// All logits and their gradient, recorded: for derivatives of the gradient.
Tensor logits_gradient(const Layer& layer, const Tensor& y_bar) {
    ClassLoss problem = layer.problem;
    const DType dtype = problem.compute();
    problem.logits = matmul(layer.x.to(dtype), layer.weight.to(dtype).t());
    return cross_entropy_backward(problem, class_losses(problem).rows, y_bar);
}

/// x̄ and the weight's gradient. The first derivative goes in blocks; where it is itself recorded, all logits
/// are held.
class Gradients {
public:
    /// With `ready`, the gradients for ȳ = 1.
    Gradients(const Layer& layer, const LinearLoss& ready) : layer_(layer), ready_(ready) {}

    Tensor x_bar(const Tensor& y_bar) const {
        if (needs_history(y_bar))
            return matmul(logits_gradient(layer_, y_bar), layer_.weight.to(layer_.problem.compute()));
        return ready_.x_bar.defined() ? times(ready_.x_bar, y_bar) : both(y_bar).x_bar;
    }
    Tensor weight_bar(const Tensor& y_bar) const {
        const DType dtype = layer_.problem.compute();
        if (needs_history(y_bar))
            return matmul(rows_of(logits_gradient(layer_, y_bar), dtype).t(), rows_of(layer_.x, dtype));
        return ready_.x_bar.defined() ? times(ready_.weight_bar, y_bar) : both(y_bar).weight_bar;
    }

private:
    bool needs_history(const Tensor& y_bar) const {
        return is_recorded(y_bar) || is_recorded(layer_.x) || is_recorded(layer_.weight);
    }
    static Tensor times(const Tensor& gradient, const Tensor& y_bar) {
        return y_bar.item<double>() == 1 ? gradient : gradient * y_bar;
    }
    LinearLoss both(const Tensor& y_bar) const {
        return *once_in_visit([&] { return in_blocks(layer_, y_bar, false); });
    }

    Layer layer_;
    LinearLoss ready_;
};

}  // namespace

Tensor linear_cross_entropy(const Tensor& x, const Tensor& weight, const Tensor& targets,
                            const CrossEntropyOptions& options) {
    check(x, weight, options);
    Shape sizes = x.sizes();
    sizes.back() = weight.size(0);
    const Tensor no_logits = zeros({}, x.dtype()).expand(sizes);
    Layer layer{x, weight, class_loss_problem(kName, no_logits, targets, options)};
    check_targets(kName, layer.problem);
    const bool at_once = options.reduction != kNone && (is_recorded(x) || is_recorded(weight));
    const LinearLoss found = in_blocks(layer, at_once ? ones({}, layer.problem.compute()) : Tensor(), true);
    const Gradients gradients(layer, {{}, found.x_bar, found.weight_bar});
    const auto pull_targets = [layer](const Tensor& y_bar) {
        ClassLoss problem = layer.problem;
        problem.logits = matmul(layer.x.to(problem.compute()), layer.weight.to(problem.compute()).t());
        return class_probabilities_gradient(problem, y_bar);
    };
    return record(kName, found.loss,
                  {{x, [gradients](const Tensor& y_bar) { return gradients.x_bar(y_bar); }},
                   {weight, [gradients](const Tensor& y_bar) { return gradients.weight_bar(y_bar); }},
                   {layer.problem.has_labels() ? Tensor() : targets, pull_targets}});
}

}  // namespace reel
