// Rows of ops/softmax/cross_entropy.cpp, ops/softmax/linear_cross_entropy.cpp, ops/softmax/nll_loss.cpp and ops/nn/losses.cpp.
#include "tests/gradients/rows.hpp"

namespace reel::testing {

namespace {

using Inputs = std::vector<Tensor>;

Tensor all_labels() { return tensor({2, 0, 4, 1}); }
Tensor some_ignored() { return tensor({2, -100, 4, -100}); }
Tensor class_weights() { return numbers({5}, 0.5, 2, 7); }

/// cross_entropy on 4 rows of 5 classes.
Row labelled(const char* variant, const Tensor& targets, const CrossEntropyOptions& options) {
    return {"cross_entropy",
            variant,
            [targets, options](const Inputs& x) { return cross_entropy(x[0], targets, options); },
            {numbers({4, 5})}};
}

/// The same against probabilities.
Row against_probabilities(const char* variant, const CrossEntropyOptions& options) {
    return {"cross_entropy",
            variant,
            [options](const Inputs& x) { return cross_entropy(x[0], x[1], options); },
            {numbers({4, 5}), numbers({4, 5}, 0.1, 1, 3)}};
}

/// linear_cross_entropy of 4 rows of 3 features, against 5 classes.
Row of_linear(const char* variant, const Tensor& targets, const CrossEntropyOptions& options) {
    return {
        "linear_cross_entropy",
        variant,
        [targets, options](const Inputs& x) { return linear_cross_entropy(x[0], x[1], targets, options); },
        {numbers({4, 3}), numbers({5, 3}, -1, 1, 3)}};
}

/// The gradient as an operation: its second derivative is the loss's third.
Row backward_of(const char* variant, const Tensor& targets, const CrossEntropyOptions& options) {
    return {"cross_entropy_backward",
            variant,
            [targets, options](const Inputs& x) {
                const Tensor z = x[0] * 1;
                const Tensor loss = cross_entropy(z, targets, options);
                return grad({loss}, {z},
                            {.grad_outputs = {x[1].reshape(loss.sizes())}, .create_graph = true})[0];
            },
            {numbers({4, 5}), options.reduction == kNone ? numbers({4}, 1, 2, 3) : numbers({1}, 1, 2, 3)}};
}

}  // namespace

Rows loss_rows() {
    const Tensor w = class_weights();
    Rows rows = {
        labelled("labels", all_labels(), {}),
        labelled("sum", all_labels(), {.reduction = kSum}),
        labelled("each", all_labels(), {.reduction = kNone}),
        labelled("weights", all_labels(), {.weight = w}),
        labelled("weights, each", all_labels(), {.weight = w, .reduction = kNone}),
        labelled("ignored rows", some_ignored(), {.weight = w}),
        labelled("smoothing", all_labels(), {.label_smoothing = 0.2}),
        labelled("everything", some_ignored(), {.weight = w, .label_smoothing = 0.2}),
        labelled("everything, each", some_ignored(),
                 {.weight = w, .reduction = kNone, .label_smoothing = 0.2}),
        {"cross_entropy",
         "classes along dimension 1",
         [](const Inputs& x) {
             return cross_entropy(x[0], tensor({{0, 2}, {1, 1}}), {.dim = 1});
         },
         {numbers({2, 3, 2})}},
        against_probabilities("probabilities", {}),
        against_probabilities("probabilities, each", {.reduction = kNone}),
        against_probabilities("probabilities, everything",
                              {.weight = w, .reduction = kSum, .label_smoothing = 0.2}),
        of_linear("labels", all_labels(), {}),
        of_linear("each", all_labels(), {.reduction = kNone}),
        of_linear("everything", some_ignored(), {.weight = w, .label_smoothing = 0.2}),
        {"linear_cross_entropy",
         "probabilities",
         [](const Inputs& x) { return linear_cross_entropy(x[0], x[1], x[2]); },
         {numbers({2, 2, 3}), numbers({5, 3}, -1, 1, 3), numbers({2, 2, 5}, 0.1, 1, 3)}},
        backward_of("labels", all_labels(), {}),
        backward_of("each", all_labels(), {.reduction = kNone}),
        backward_of("everything", some_ignored(), {.weight = w, .label_smoothing = 0.2}),
        backward_of("probabilities", numbers({4, 5}, 0.1, 1, 3), {.weight = w}),
        {"nll_loss",
         "",
         [](const Inputs& x) { return nll_loss(x[0], all_labels()); },
         {numbers({4, 5})},
         false},
        {"nll_loss",
         "everything",
         [w](const Inputs& x) { return nll_loss(x[0], some_ignored(), {.weight = w, .reduction = kNone}); },
         {numbers({4, 5})},
         false},
        {"nll_loss_backward",
         "",
         [](const Inputs& x) {
             const Tensor y = numbers({4, 5}) * x[0].sum();
             const Tensor loss = nll_loss(y, all_labels());
             return grad({loss}, {y}, {.grad_outputs = {x[0].sum()}, .create_graph = true})[0];
         },
         {numbers({3})},
         false},
    };
    for (const auto& [variant, reduction] :
         {std::pair{"mean", kMean}, std::pair{"sum", kSum}, std::pair{"each", kNone}}) {
        rows.push_back({"mse_loss",
                        variant,
                        [reduction](const Inputs& x) { return mse_loss(x[0], x[1], reduction); },
                        {numbers({3, 4}), numbers({3, 4}, -2, 2, 2)}});
    }
    const auto add = [&rows](const char* operation, const char* variant, Tensor (*f)(const Inputs&),
                             double low = -2, double high = 2) {
        rows.push_back({operation, variant, f, {numbers({3, 4}, low, high), numbers({3, 4}, low, high, 2)}});
    };
    add("l1_loss", "mean", [](const Inputs& x) { return l1_loss(x[0], x[1]); });
    add("l1_loss", "each", [](const Inputs& x) { return l1_loss(x[0], x[1], kNone); });
    add("huber_loss", "mean", [](const Inputs& x) { return huber_loss(x[0], x[1]); });
    add("huber_loss", "sum, delta", [](const Inputs& x) { return huber_loss(x[0], x[1], kSum, 0.7); });
    add("binary_cross_entropy_with_logits", "mean",
        [](const Inputs& x) { return binary_cross_entropy_with_logits(x[0], x[1]); });
    add("binary_cross_entropy_with_logits", "weights, sum", [](const Inputs& x) {
        return binary_cross_entropy_with_logits(
            x[0], x[1],
            {.weight = numbers({3, 4}, 0.5, 2, 3), .pos_weight = numbers({4}, 0.5, 2, 4), .reduction = kSum});
    });
    add(
        "kl_div", "probabilities", [](const Inputs& x) { return kl_div(x[0], x[1]); }, 0.2, 2);
    add("kl_div", "logarithms, sum", [](const Inputs& x) { return kl_div(x[0], x[1], kSum, true); });
    return rows;
}

}  // namespace reel::testing
