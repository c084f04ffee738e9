#include "optim/optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <unordered_set>

#include "autograd/tape.hpp"
#include "ops/pointwise/dense_driver.hpp"
#include "ops/pointwise/pointwise_driver.hpp"
#include "optim/flat.hpp"
#include "tensor/factory.hpp"
#include "tensor/parallel.hpp"

namespace reel {

namespace {

constexpr std::int64_t kUpdateBlock = 4096;

/// Runs an update kernel over the parameter, its gradient and its state.
void run(kernels::Update kernel, const Tensor& p, const Tensor& g, std::span<const Tensor> state,
         const kernels::UpdateNumbers& numbers) {
    const std::int64_t size = p.itemsize();
    parallel_for(p.numel(), kUpdateBlock, 1, [&](std::int64_t begin, std::int64_t end) {
        void* slots[2] = {};
        for (std::size_t i = 0; i < state.size(); ++i) slots[i] = state[i].raw() + begin * size;
        kernel(end - begin, p.raw() + begin * size, g.raw() + begin * size, slots, numbers);
    });
}

/// The number under `key`, which is not negative.
double number_in(const char* name, const std::map<std::string, Tensor>& state, const std::string& key) {
    const auto found = state.find(key);
    if (found == state.end()) {
        fail<Error>(name, ": load_state: \"", key,
                    "\" is missing; was this state made by another optimizer?");
    }
    if (found->second.numel() != 1) {
        fail<ShapeError>(name, ": load_state: \"", key, "\" has shape ", found->second.sizes(),
                         "; it must be one number");
    }
    const double number = found->second.item<double>();
    if (!(number >= 0 && std::isfinite(number))) {
        fail<Error>(name, ": load_state: \"", key, "\" is ", number, "; it must be finite and not negative");
    }
    return number;
}

/// The integer under `key`.
std::int64_t count_in(const char* name, const std::map<std::string, Tensor>& state, const std::string& key) {
    constexpr double kMost = 0x1p53;  // up to here doubles hold every integer
    const double number = number_in(name, state, key);
    if (number != std::floor(number) || number > kMost) {
        fail<Error>(name, ": load_state: \"", key, "\" is ", number, "; it must be a count");
    }
    return static_cast<std::int64_t>(number);
}

void check_positive(const char* name, const char* what, double value) {
    if (!(value >= 0)) fail<Error>(name, ": ", what, " must be non-negative, not ", value);
}

}  // namespace

Optimizer::Optimizer(const char* name, std::vector<Tensor> params, double lr, std::vector<std::string> slots)
    : name_(name),
      params_(std::move(params)),
      lr_(lr),
      slots_(std::move(slots)),
      counts_(params_.size()),
      values_(slots_.size(), std::vector<Tensor>(params_.size())) {
    check_positive(name, "lr", lr);
    std::unordered_set<const detail::TensorImpl*> seen;
    for (const Tensor& p : params_) {
        if (!p.is_floating_point())
            fail<DTypeError>(name, ": a parameter is ", p.dtype(), "; it must be floating");
        if (!p.is_leaf()) fail<AutogradError>(name, ": a parameter of shape ", p.sizes(), " is not a leaf");
        if (!p.requires_grad()) {
            fail<AutogradError>(
                name, ": a parameter of shape ", p.sizes(),
                " does not require grad and would never change; set_requires_grad() it first");
        }
        if (!seen.insert(&p.impl()).second) {
            fail<Error>(name, ": a parameter of shape ", p.sizes(),
                        " is given twice; each step would change it twice");
        }
    }
}

void Optimizer::check_gradients() const {
    if (std::any_of(params_.begin(), params_.end(), [](const Tensor& p) { return p.grad().defined(); }))
        return;
    fail<AutogradError>(name_, ": no parameter has a gradient; call backward() on the loss before step()");
}

void Optimizer::zero_grad() {
    for (const Tensor& p : params_) p.zero_grad();
}

void Optimizer::set_lr(double lr) {
    check_positive(name_, "lr", lr);
    lr_ = lr;
}

std::string Optimizer::slot_name(std::size_t slot, std::size_t parameter) const {
    return slots_[slot] + "." + std::to_string(parameter);
}

std::map<std::string, Tensor> Optimizer::state() const {
    std::map<std::string, Tensor> state = {{"lr", full({}, lr_, kFloat64)},
                                           {"step", full({}, steps_, kInt64)}};
    for (std::size_t i = 0; i < params_.size(); ++i) {
        state["step." + std::to_string(i)] = full({}, counts_[i], kInt64);
    }
    for (std::size_t s = 0; s < slots_.size(); ++s) {
        for (std::size_t i = 0; i < params_.size(); ++i) {
            if (values_[s][i].defined()) state[slot_name(s, i)] = values_[s][i].clone();
        }
    }
    return state;
}

Tensor Optimizer::slot_of(const std::map<std::string, Tensor>& state, std::size_t slot,
                          std::size_t parameter) const {
    const auto found = state.find(slot_name(slot, parameter));
    if (found == state.end()) return {};
    const auto& [name, value] = *found;
    const Tensor& p = params_[parameter];
    if (value.sizes() != p.sizes()) {
        fail<ShapeError>(name_, ": load_state: \"", name, "\" has shape ", value.sizes(), ", its parameter ",
                         p.sizes());
    }
    if (!value.is_floating_point()) {
        fail<DTypeError>(name_, ": load_state: \"", name, "\" is ", value.dtype(), "; it must be floating");
    }
    if (value.isnan().any().item<bool>()) fail<Error>(name_, ": load_state: \"", name, "\" has a NaN");
    return dense_copy(value.detach(), compute_dtype(p.dtype()));
}

std::vector<std::int64_t> Optimizer::steps_of(const std::map<std::string, Tensor>& state,
                                              const std::vector<std::vector<Tensor>>& values) const {
    const bool counted = state.contains("step.0");
    const std::int64_t all = count_in(name_, state, "step");
    std::vector<std::int64_t> counts;
    for (std::size_t i = 0; i < params_.size(); ++i) {
        std::size_t present = 0;
        for (std::size_t s = 0; s < slots_.size(); ++s) present += values[s][i].defined();
        if (counted) {
            counts.push_back(count_in(name_, state, "step." + std::to_string(i)));
        } else {
            counts.push_back(present > 0 || slots_.empty() ? all : 0);
        }
        if (present == (counts[i] > 0 ? slots_.size() : 0)) continue;
        std::size_t s = 0;
        while (values[s][i].defined() == (counts[i] > 0)) ++s;
        fail<Error>(name_, ": load_state: \"", slot_name(s, i), "\" is ",
                    counts[i] > 0 ? "missing" : "present, but its parameter has made no step",
                    "; was this state made by another optimizer?");
    }
    return counts;
}

void Optimizer::load_state(const std::map<std::string, Tensor>& state) {
    if (!state.contains("lr") || !state.contains("step")) {
        fail<Error>(name_,
                    ": load_state: \"lr\" or \"step\" is missing; was this state made by another optimizer?");
    }
    const double lr = number_in(name_, state, "lr");
    auto values = std::vector(slots_.size(), std::vector<Tensor>(params_.size()));
    std::size_t used = state.contains("step.0") ? 2 + params_.size() : 2;
    for (std::size_t s = 0; s < slots_.size(); ++s) {
        for (std::size_t i = 0; i < params_.size(); ++i) {
            values[s][i] = slot_of(state, s, i);
            used += values[s][i].defined();
        }
    }
    std::vector<std::int64_t> counts = steps_of(state, values);
    if (used != state.size()) {
        fail<Error>(name_, ": load_state: ", state.size() - used, " of the ", state.size(),
                    " entries belong to no parameter of this optimizer");
    }
    steps_ = count_in(name_, state, "step");
    lr_ = lr;
    counts_ = std::move(counts);
    values_ = std::move(values);
}

namespace {

/// What one parameter's update reads and writes, all of it dense: nothing of it needs memory any more.
struct Prepared {
    std::size_t number;
    detail::Flat parameter;
    Tensor p;  ///< in the type that is computed in: the parameter's row itself, or a copy of it
    Tensor g;
    Tensor state[2];
};

}  // namespace

void Optimizer::update_all(const auto& update) {
    const NoGradGuard quiet;
    std::vector<Prepared> all;
    all.reserve(params_.size());
    for (std::size_t i = 0; i < params_.size(); ++i) {
        Tensor g = params_[i].grad();
        if (!g.defined()) continue;
        const DType compute = compute_dtype(params_[i].dtype());  // also the state's type
        detail::Flat parameter(params_[i]);
        Tensor p = dense(parameter.row(), compute);
        Prepared& one = all.emplace_back(
            Prepared{i, std::move(parameter), std::move(p), dense(std::move(g), compute), {}});
        for (std::size_t s = 0; s < slots_.size(); ++s) {
            const Tensor& value = values_[s][i];
            one.state[s] = value.defined() ? value : zeros(params_[i].sizes(), compute);
        }
    }
    // From here on nothing fails: see Note [Whole or not at all].
    ++steps_;
    for (Prepared& one : all) {
        update(one.p, one.g, std::span(one.state, slots_.size()), ++counts_[one.number]);
        if (!one.p.shares_storage(one.parameter.row())) one.parameter.assign(one.p);
        one.parameter.write_back("step");
        for (std::size_t s = 0; s < slots_.size(); ++s) values_[s][one.number] = std::move(one.state[s]);
    }
}

SGD::SGD(std::vector<Tensor> params, const SGDOptions& options)
    : Optimizer("SGD", std::move(params), options.lr,
                options.momentum != 0 ? std::vector<std::string>{"momentum"} : std::vector<std::string>{}),
      options_(options) {
    check_positive("SGD", "momentum", options.momentum);
    check_positive("SGD", "weight_decay", options.weight_decay);
    if (options.nesterov && options.momentum == 0) fail<Error>("SGD: nesterov needs a momentum above 0");
}

void SGD::step() {
    check_gradients();
    update_all([&](const Tensor& p, const Tensor& g, std::span<const Tensor> state, std::int64_t step) {
        kernels::UpdateNumbers numbers;
        numbers.lr = lr();
        numbers.weight_decay = options_.weight_decay;
        numbers.beta1 = options_.momentum;
        numbers.fresh = step == 1;
        numbers.nesterov = options_.nesterov;
        run(kernels::update(state.empty() ? kernels::Rule::kSgd : kernels::Rule::kMomentum, p.dtype()), p, g,
            state, numbers);
    });
}

AdamBase::AdamBase(const char* name, std::vector<Tensor> params, const AdamOptions& options, bool decoupled)
    : Optimizer(name, std::move(params), options.lr, {"exp_avg", "exp_avg_sq"}),
      options_(options),
      decoupled_(decoupled) {
    check_positive(name, "eps", options.eps);
    check_positive(name, "weight_decay", options.weight_decay);
    for (double beta : {options.betas.first, options.betas.second}) {
        if (!(beta >= 0 && beta < 1)) fail<Error>(name, ": betas must lie in [0, 1), not ", beta);
    }
}

void AdamBase::step() {
    check_gradients();
    kernels::UpdateNumbers numbers;
    numbers.lr = lr();
    numbers.weight_decay = options_.weight_decay;
    numbers.beta1 = options_.betas.first;
    numbers.beta2 = options_.betas.second;
    numbers.eps = options_.eps;
    numbers.decoupled = decoupled_;
    update_all([&](const Tensor& p, const Tensor& g, std::span<const Tensor> state, std::int64_t step) {
        const auto t = static_cast<double>(step);
        numbers.correction1 = 1 - std::pow(options_.betas.first, t);
        numbers.correction2 = 1 - std::pow(options_.betas.second, t);
        run(kernels::update(kernels::Rule::kAdam, p.dtype()), p, g, state, numbers);
    });
}

Adam::Adam(std::vector<Tensor> params, const AdamOptions& options)
    : AdamBase("Adam", std::move(params), options, false) {}

AdamW::AdamW(std::vector<Tensor> params, const AdamWOptions& options)
    : AdamBase("AdamW", std::move(params), {options.lr, options.betas, options.eps, options.weight_decay},
               true) {}

double clip_grad_norm_(const std::vector<Tensor>& params, double max_norm) {
    check_positive("clip_grad_norm_", "max_norm", max_norm);
    const NoGradGuard quiet;
    std::vector<double> norms;
    for (const Tensor& p : params) {
        if (p.grad().defined()) norms.push_back(p.grad().detach().to(kFloat64).norm().item<double>());
    }
    const double norm = tensor(norms, kFloat64).norm().item<double>();
    const double scale = max_norm / (norm + 1e-6);
    if (scale >= 1) return norm;
    struct Scaled {
        detail::Flat gradient;
        Tensor product;  ///< where it cannot be computed in place: a 16-bit type's
    };
    std::vector<Scaled> all;
    for (const Tensor& p : params) {
        if (!p.grad().defined()) continue;
        const Tensor row = all.emplace_back(Scaled{detail::Flat(p.grad()), {}}).gradient.row();
        if (compute_dtype(row.dtype()) != row.dtype()) all.back().product = row.mul(scale);
    }
    // From here on nothing fails: see Note [Whole or not at all].
    for (const auto& [gradient, product] : all) {
        if (product.defined()) {
            gradient.assign(product);
        } else {
            gradient.row().mul_(scale);
        }
        gradient.write_back("clip_grad_norm_");
    }
    return norm;
}

}  // namespace reel
