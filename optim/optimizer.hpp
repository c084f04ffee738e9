/// \file
/// Optimizers: what a training step does to the parameters after the rewind. Each `step()` is one fused pass
/// over a parameter, its gradient and its state, and is never recorded. Learning-rate schedules are in
/// `schedule.hpp`.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "../tensor/tensor.hpp"

#pragma GCC visibility push(default)
namespace reel {

/// What all optimizers have: parameters, a learning rate, and a state by name.
class Optimizer {
public:
    /// Forgets the parameters' gradients.
    void zero_grad();
    double lr() const { return lr_; }
    void set_lr(double lr);
    /// All that is needed to carry on bit for bit: "lr", "step", and for parameter i "step.<i>", which counts
    /// the steps that had a gradient for it, and, after the first of these, "<what>.<i>". The tensors are
    /// copies.
    std::map<std::string, Tensor> state() const;
    /// Continues from what `state()` gave. Throws an `Error` that names a missing, unknown, misshapen or
    /// impossible entry, and then changes nothing. A state without "step.<i>", as reel wrote it up to 0.1, has
    /// "step" for each parameter that it has something of.
    void load_state(const std::map<std::string, Tensor>& state);

protected:
    /// Throws unless every parameter is a floating leaf that requires grad, and is given once.
    Optimizer(const char* name, std::vector<Tensor> params, double lr, std::vector<std::string> slots);

    /// Throws where no parameter has a gradient: a step would do nothing.
    void check_gradients() const;
    /// Counts a step, and calls `update(parameter, gradient, slots, step)` for each parameter that has a gradient; all are dense
    /// and of the state's type. `step` counts the parameter's own, from 1: its slots are zeros then.
    void update_all(const auto& update);

    std::int64_t steps_ = 0;

private:
    /// "momentum.3"
    std::string slot_name(std::size_t slot, std::size_t parameter) const;
    /// What `state` has for a slot, checked; undefined where it has nothing.
    Tensor slot_of(const std::map<std::string, Tensor>& state, std::size_t slot, std::size_t parameter) const;
    std::vector<std::int64_t> steps_of(const std::map<std::string, Tensor>& state,
                                       const std::vector<std::vector<Tensor>>& values) const;

    const char* name_;
    std::vector<Tensor> params_;
    double lr_;
    std::vector<std::string> slots_;
    std::vector<std::int64_t> counts_;         ///< by parameter: the steps that had a gradient for it
    std::vector<std::vector<Tensor>> values_;  ///< by slot, then parameter; undefined before the first step
};

struct SGDOptions {
    double lr = 1e-3;
    double momentum = 0;
    double weight_decay = 0;  ///< added to the gradient as weight_decay · p
    bool nesterov = false;
};

/// Stochastic gradient descent. g ← g + λ p; b ← μ b + g (b ← g at first); p ← p − lr (g + μ b if nesterov,
/// else b). Sutskever, Martens, Dahl, Hinton, "On the importance of initialization and momentum in deep
/// learning", ICML 2013, in PyTorch's form.
class SGD : public Optimizer {
public:
    explicit SGD(std::vector<Tensor> params, const SGDOptions& options = {});
    void step();

private:
    SGDOptions options_;
};

struct AdamOptions {
    double lr = 1e-3;
    std::pair<double, double> betas = {0.9, 0.999};
    double eps = 1e-8;
    double weight_decay = 0;  ///< added to the gradient as weight_decay · p
};

/// What Adam and AdamW share.
class AdamBase : public Optimizer {
public:
    void step();

protected:
    AdamBase(const char* name, std::vector<Tensor> params, const AdamOptions& options, bool decoupled);

private:
    AdamOptions options_;
    bool decoupled_;
};

/// Adam: m ← β₁ m + (1 − β₁) g; v ← β₂ v + (1 − β₂) g²; p ← p − lr m̂ / (√v̂ + ε), m̂ = m / (1 − β₁ᵗ), v̂ = v /
/// (1 − β₂ᵗ), where t counts the steps that had a gradient for p. Kingma, Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015.
class Adam : public AdamBase {
public:
    explicit Adam(std::vector<Tensor> params, const AdamOptions& options = {});
};

struct AdamWOptions {
    double lr = 1e-3;
    std::pair<double, double> betas = {0.9, 0.999};
    double eps = 1e-8;
    double weight_decay = 1e-2;  ///< p ← (1 − lr · weight_decay) p before the step
};

/// Adam with decoupled weight decay. Loshchilov, Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.
class AdamW : public AdamBase {
public:
    explicit AdamW(std::vector<Tensor> params, const AdamWOptions& options = {});
};

/// Scales all gradients by min(1, max_norm / (n + 1e-6)), n the 2-norm of all of them together; returns n. If
/// one has a NaN, all become NaN. Throws for a negative `max_norm`.
double clip_grad_norm_(const std::vector<Tensor>& params, double max_norm);

}  // namespace reel
#pragma GCC visibility pop
