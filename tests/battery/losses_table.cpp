// How the battery calls the softmax family and losses.
#include "tests/battery/battery.hpp"

namespace reel::testing {

namespace {

Reduction reduction(const Arguments& a) {
    const std::string wanted = a.value("reduction", "mean");
    return wanted == "none" ? kNone : wanted == "sum" ? kSum : kMean;
}

Outputs cross_entropy_case(const Inputs& x, const Arguments& a) {
    return cross_entropy(x[0], x[1],
                         {.weight = optional_input(x, 2),
                          .ignore_index = integer(a, "ignore_index").value_or(-100),
                          .reduction = reduction(a),
                          .label_smoothing = a.value("label_smoothing", 0.0),
                          .dim = integer(a, "dim").value_or(-1)});
}

Outputs linear_cross_entropy_case(const Inputs& x, const Arguments& a) {
    return linear_cross_entropy(x[0], x[1], x[2],
                                {.weight = optional_input(x, 3),
                                 .ignore_index = integer(a, "ignore_index").value_or(-100),
                                 .reduction = reduction(a),
                                 .label_smoothing = a.value("label_smoothing", 0.0)});
}

Outputs nll_loss_case(const Inputs& x, const Arguments& a) {
    return nll_loss(x[0], x[1],
                    {.weight = optional_input(x, 2),
                     .ignore_index = integer(a, "ignore_index").value_or(-100),
                     .reduction = reduction(a),
                     .dim = integer(a, "dim").value_or(-1)});
}

Outputs binary_cross_entropy_case(const Inputs& x, const Arguments& a) {
    BceWithLogitsOptions options = {.reduction = reduction(a)};
    if (a.contains("has")) (a["has"] == "weight" ? options.weight : options.pos_weight) = x[2];
    return binary_cross_entropy_with_logits(x[0], x[1], options);
}

}  // namespace

Table losses_table() {
    return {
        {"softmax", [](const Inputs& x, const Arguments& a) { return softmax(x[0], a["dim"]); }},
        {"log_softmax", [](const Inputs& x, const Arguments& a) { return log_softmax(x[0], a["dim"]); }},
        {"logsumexp",
         [](const Inputs& x, const Arguments& a) {
             return logsumexp(x[0], shape(a, "dim"), a.value("keepdim", false));
         }},
        {"masked_softmax",
         [](const Inputs& x, const Arguments& a) { return masked_softmax(x[0], x[1], a["dim"]); }},
        {"cross_entropy", cross_entropy_case},
        {"linear_cross_entropy", linear_cross_entropy_case},
        {"nll_loss", nll_loss_case},
        {"mse_loss", [](const Inputs& x, const Arguments& a) { return mse_loss(x[0], x[1], reduction(a)); }},
        {"l1_loss", [](const Inputs& x, const Arguments& a) { return l1_loss(x[0], x[1], reduction(a)); }},
        {"huber_loss",
         [](const Inputs& x, const Arguments& a) {
             return huber_loss(x[0], x[1], reduction(a), a.value("delta", 1.0));
         }},
        {"binary_cross_entropy_with_logits", binary_cross_entropy_case},
        {"kl_div",
         [](const Inputs& x, const Arguments& a) {
             return kl_div(x[0], x[1], reduction(a), a.value("log_target", false));
         }},
    };
}

}  // namespace reel::testing
