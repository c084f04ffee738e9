/// \file
/// Tapes, gradients and optimizers of `interop/libtorch.hpp`.
#pragma once

#include "../../optim/schedule.hpp"
#include "layers.hpp"

namespace reel {

/// libtorch records always; as in reel, it does here only while a tape lives.
class Tape {
public:
    Tape() = default;
    Tape(const Tape&) = delete;
    Tape& operator=(const Tape&) = delete;

private:
    torch::AutoGradMode recording_{true};
};
/// This thread's operations are not recorded until it makes a tape.
inline const bool starts_without_tape = [] {
    torch::GradMode::set_enabled(false);
    return true;
}();

using NoGradGuard = torch::NoGradGuard;

struct GradOptions {
    std::vector<Tensor> grad_outputs = {};
    std::optional<bool> retain_graph = None;
    bool create_graph = false;
    bool allow_unused = false;
};
inline std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                                const GradOptions& o = {}) {
    const auto gradients =
        torch::autograd::grad(detail::list(outputs), detail::list(inputs), detail::list(o.grad_outputs),
                              o.retain_graph.value_or(o.create_graph), o.create_graph, o.allow_unused);
    return {gradients.begin(), gradients.end()};
}

/// libtorch's optimizer, with the learning rate where reel has it.
template <class Made>
class Optimizer {
public:
    template <class Options>
    Optimizer(const std::vector<Tensor>& params, const Options& options)
        : optimizer_(detail::list(params), options) {}
    void step() { optimizer_.step(); }
    void zero_grad() { optimizer_.zero_grad(); }
    double lr() const { return optimizer_.param_groups()[0].options().get_lr(); }
    void set_lr(double lr) { optimizer_.param_groups()[0].options().set_lr(lr); }

private:
    Made optimizer_;
};

struct SGDOptions {
    double lr = 1e-3;
    double momentum = 0;
    double weight_decay = 0;
    bool nesterov = false;
};
class SGD : public Optimizer<torch::optim::SGD> {
public:
    explicit SGD(const std::vector<Tensor>& params, const SGDOptions& o = {})
        : Optimizer(params, torch::optim::SGDOptions(o.lr)
                                .momentum(o.momentum)
                                .weight_decay(o.weight_decay)
                                .nesterov(o.nesterov)) {}
};

struct AdamOptions {
    double lr = 1e-3;
    std::pair<double, double> betas = {0.9, 0.999};
    double eps = 1e-8;
    double weight_decay = 0;
};
class Adam : public Optimizer<torch::optim::Adam> {
public:
    explicit Adam(const std::vector<Tensor>& params, const AdamOptions& o = {})
        : Optimizer(params, torch::optim::AdamOptions(o.lr)
                                .betas({o.betas.first, o.betas.second})
                                .eps(o.eps)
                                .weight_decay(o.weight_decay)) {}
};

struct AdamWOptions {
    double lr = 1e-3;
    std::pair<double, double> betas = {0.9, 0.999};
    double eps = 1e-8;
    double weight_decay = 1e-2;
};
class AdamW : public Optimizer<torch::optim::AdamW> {
public:
    explicit AdamW(const std::vector<Tensor>& params, const AdamWOptions& o = {})
        : Optimizer(params, torch::optim::AdamWOptions(o.lr)
                                .betas({o.betas.first, o.betas.second})
                                .eps(o.eps)
                                .weight_decay(o.weight_decay)) {}
};

inline double clip_grad_norm_(const std::vector<Tensor>& params, double max_norm) {
    return torch::nn::utils::clip_grad_norm_(detail::list(params), max_norm);
}

}  // namespace reel
