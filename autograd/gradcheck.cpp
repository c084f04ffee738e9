// The check: the tape's gradient beside the numeric one, element by element. What is examined is in
// `function_under_test.cpp`, the numeric derivative in `numeric.cpp`, the printed report in `report.cpp`.
#include "autograd/gradcheck.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/function_under_test.hpp"
#include "autograd/tape.hpp"
#include "tensor/factory.hpp"

namespace reel {

namespace {

using detail::Derivative;
using detail::FunctionUnderTest;
using detail::Numbers;
using detail::Point;
using detail::Smoothness;
using detail::Weights;

constexpr double kFirstStep = 0.2137;  // of the reach; no round number, lest it fits a period

/// Both derivatives of one element, and what is to be thought of them.
struct Finding {
    Verdict verdict = Verdict::kMatch;
    double analytic = 0;
    double numeric = 0;
    double error = 0;

    /// How much worse than another this is.
    bool worse_than(const Finding& other) const {
        const auto miss = [](const Finding& f) {
            const double difference = std::abs(f.analytic - f.numeric);
            return difference == 0 ? 0 : difference / f.error;
        };
        return verdict != other.verdict ? verdict > other.verdict : miss(*this) > miss(other);
    }
};

/// What counts as large: the largest derivative that the tape says, and the largest size of the function.
struct Scale {
    double gradient = 0;
    double function = 0;
};

Verdict judge(const Finding& found, Smoothness smoothness, Scale scale) {
    constexpr double kCoarse = 1e-6;
    constexpr double kNegligible = 1e-9;
    if (!std::isfinite(found.analytic) || smoothness == Smoothness::kNonFinite) return Verdict::kNonFinite;
    if (std::abs(found.analytic - found.numeric) > found.error) return Verdict::kWrong;
    if (smoothness != Smoothness::kSmooth) return Verdict::kKink;
    const double size = std::max(scale.gradient, std::abs(found.numeric));
    return found.error <= kCoarse * size + kNegligible * scale.function ? Verdict::kMatch
                                                                        : Verdict::kTooCoarse;
}

/// The largest finite size.
double largest(const Numbers& numbers) {
    double most = 0;
    for (const double number : numbers) {
        if (std::isfinite(number)) most = std::max(most, std::abs(number));
    }
    return most;
}

/// A straight move: so much of each element.
using Direction = std::vector<std::pair<std::size_t, double>>;

/// What was found along a direction, and in which part of the function.
struct Look {
    Finding finding;
    std::size_t part = 0;
};

/// Looks at the k-th checked input along a direction, in every part of the function, and returns the worst.
Look look(const FunctionUnderTest& function, std::size_t k, const Direction& direction) {
    const detail::PerturbedInput& perturbed = function.perturbed(k);
    const auto go = [&](double t) {
        for (const auto& [element, share] : direction) {
            const double moved = perturbed.move(element, t * share);
            if (direction.size() == 1) t = moved / share;
        }
        return t;
    };
    double longest = 0;
    for (const auto& [element, share] : direction) longest = std::max(longest, std::abs(share));
    Scale scale;
    scale.gradient = std::numeric_limits<double>::min() * longest;  // below it rounding does not shrink
    for (std::size_t part = 0; part < function.parts(); ++part) {
        scale.gradient = std::max(scale.gradient, largest(function.gradient(part, k)) * longest);
        scale.function = std::max(scale.function, function.magnitudes()[part]);
    }
    const detail::Line line = [&](double t) {
        const double went = go(t);
        return Point{went, function.values()};
    };
    const std::vector<Derivative> numeric =
        differentiate(line, kFirstStep, function.centre(), function.noise(), scale.gradient);
    go(0);
    // The tape's own rounding, in sums as large as the largest element of the gradient.
    constexpr double kRounding = 32 * std::numeric_limits<double>::epsilon();
    Look worst;
    for (std::size_t part = 0; part < numeric.size(); ++part) {
        Finding found;
        for (const auto& [element, share] : direction) {
            found.analytic += function.gradient(part, k)[element] * share;
        }
        found.numeric = numeric[part].slope.value;
        found.error = numeric[part].slope.error + kRounding * scale.gradient;
        found.verdict = judge(found, numeric[part].smoothness, scale);
        if (part == 0 || found.worse_than(worst.finding)) worst = {found, part};
    }
    return worst;
}

class Check {
public:
    Check(const FunctionUnderTest& function, const GradcheckOptions& options)
        : function_(function), mode_(options.mode), directions_(~options.seed) {}

    GradcheckInput input(std::size_t k) {
        if (!function_.deterministic()) {
            GradcheckInput result = fresh(k);
            result.elements.assign(function_.perturbed(k).size(), Verdict::kNondeterministic);
            result.verdict = Verdict::kNondeterministic;
            return result;
        }
        if (mode_ != GradcheckMode::kProjection || function_.perturbed(k).size() == 0) return by_element(k);
        const GradcheckInput along = by_direction(k);
        if (along.verdict <= Verdict::kKink) return along;
        const GradcheckInput where = by_element(k);
        return where.verdict > Verdict::kKink ? where : along;
    }

private:
    GradcheckInput fresh(std::size_t k) const {
        GradcheckInput result;
        result.input = function_.number(k);
        result.sizes = function_.perturbed(k).leaf().sizes();
        return result;
    }

    GradcheckInput by_element(std::size_t k) const {
        GradcheckInput result = fresh(k);
        const detail::PerturbedInput& perturbed = function_.perturbed(k);
        Finding worst;
        for (std::size_t i = 0; i < perturbed.size(); ++i) {
            const double reach = perturbed.reach(i);  // a power of two: to divide by it is exact
            auto [found, part] = look(function_, k, {{i, reach}});
            found.analytic /= reach;
            found.numeric /= reach;
            found.error /= reach;
            result.elements.push_back(found.verdict);
            if (i > 0 && !found.worse_than(worst)) continue;
            worst = found;
            note(found, part, result);
            result.worst = detail::index_of(i, result.sizes);
        }
        return result;
    }

    GradcheckInput by_direction(std::size_t k) {
        GradcheckInput result = fresh(k);
        const detail::PerturbedInput& perturbed = function_.perturbed(k);
        Direction direction;
        for (std::size_t i = 0; i < perturbed.size(); ++i)
            direction.emplace_back(i, directions_() * perturbed.reach(i));
        const auto [found, part] = look(function_, k, direction);
        result.elements = {found.verdict};
        note(found, part, result);
        return result;
    }

    void note(const Finding& found, std::size_t part, GradcheckInput& result) const {
        result.verdict = found.verdict;
        result.output = mode_ == GradcheckMode::kFullJacobian ? static_cast<std::int64_t>(part) : -1;
        result.analytic = found.analytic;
        result.numeric = found.numeric;
        result.error = found.error;
    }

    const FunctionUnderTest& function_;
    GradcheckMode mode_;
    Weights directions_;
};

/// The gradient of `f` as a function of its inputs and, after them, of the cotangents.
TensorFunction gradient_of(const TensorFunction& f, std::size_t count) {
    return [f, count](const std::vector<Tensor>& arguments) {
        const std::vector<Tensor> inputs(arguments.begin(),
                                         arguments.begin() + static_cast<std::ptrdiff_t>(count));
        const std::vector<Tensor> outputs = f(inputs);
        if (count + outputs.size() != arguments.size()) {
            fail<AutogradError>("gradgradcheck: the function returns ", outputs.size(),
                                " tensors, where it returned ", arguments.size() - count, " before");
        }
        std::vector<Tensor> wanted;
        std::vector<Tensor> recorded;
        GradOptions options{.create_graph = true, .allow_unused = true};
        for (const Tensor& input : inputs) {
            if (input.is_floating_point()) wanted.push_back(input);
        }
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            if (!outputs[i].requires_grad()) continue;
            recorded.push_back(outputs[i]);
            options.grad_outputs.push_back(arguments[count + i]);
        }
        std::vector<Tensor> gradients(wanted.size());
        if (!recorded.empty()) gradients = grad(recorded, wanted, options);
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            if (!gradients[i].defined()) gradients[i] = zeros_like(wanted[i]);
        }
        return gradients;
    };
}

GradcheckReport report_on(const FunctionUnderTest& function, const GradcheckOptions& options) {
    GradcheckReport report{true, function.name(), options.seed, {}};
    Check check(function, options);
    for (std::size_t k = 0; k < function.checked(); ++k) report.inputs.push_back(check.input(k));
    report.passed = report.verdict() <= Verdict::kKink;
    return report;
}

}  // namespace

GradcheckReport gradcheck(const TensorFunction& f, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options) {
    return report_on(FunctionUnderTest(f, inputs, options), options);
}

GradcheckReport gradcheck(const TensorFunction& f, const Tensor& input, const GradcheckOptions& options) {
    return gradcheck(f, std::vector<Tensor>{input}, options);
}

GradcheckReport gradgradcheck(const TensorFunction& f, const std::vector<Tensor>& inputs,
                              const GradcheckOptions& options) {
    // Where a function saturates, its gradient is small but made of numbers of the order of 1, as 1 − y² is.
    constexpr double kGradientGrain = 1;
    // One cotangent for each output, with other weights than those that the check draws.
    Weights weights(options.seed ^ 0xc07a6e47);
    std::vector<Tensor> arguments = inputs;
    GradcheckOptions named = options;
    {
        const FunctionUnderTest function(f, inputs, options);
        if (!function.deterministic()) return report_on(function, options);
        if (named.name.empty()) named.name = "gradient of " + function.name();
        for (const Shape& sizes : function.output_sizes()) {
            const Tensor cotangent = Tensor::empty(sizes, kFloat64);
            for (std::int64_t i = 0; i < cotangent.numel(); ++i) cotangent.data_ptr<double>()[i] = weights();
            arguments.push_back(cotangent);
        }
    }
    return report_on(FunctionUnderTest(gradient_of(f, inputs.size()), arguments, named, kGradientGrain),
                     named);
}

GradcheckReport gradgradcheck(const TensorFunction& f, const Tensor& input, const GradcheckOptions& options) {
    return gradgradcheck(f, std::vector<Tensor>{input}, options);
}

}  // namespace reel
