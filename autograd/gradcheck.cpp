// The check of tensors' gradients: the subject is made in `function_under_test.cpp`, examined in `check/examine.cpp`, and what was
// found is sorted by input here.
#include "autograd/gradcheck.hpp"

#include <algorithm>
#include <ostream>
#include <sstream>

#include "autograd/function_under_test.hpp"
#include "autograd/tape.hpp"
#include "check/hints.hpp"
#include "check/judge.hpp"
#include "tensor/factory.hpp"

namespace reel {

namespace {

using detail::FunctionUnderTest;
using detail::Weights;

check::Options options_of(const GradcheckOptions& options) {
    check::Options result;
    result.accuracy = options.accuracy;
    result.budget = options.budget;
    result.seed = options.seed;
    result.name = options.name;
    result.progress = options.progress;
    return result;
}

GradcheckInput fresh(const FunctionUnderTest& subject, std::size_t k, std::uint64_t seed) {
    GradcheckInput input;
    input.input = subject.number(k);
    input.sizes = subject.sizes(k);
    input.report.seed = seed;
    input.report.name = detail::concat(subject.name(), ", input ", input.input);
    return input;
}

/// One verdict on every element, where there is nothing to compare.
void refuse(GradcheckInput& input, std::size_t count, Verdict verdict, const std::string& hint) {
    for (std::size_t i = 0; i < count; ++i) {
        input.report.elements.push_back(
            {0, i, 0, 0, 0, check::detail::kInfinity, verdict, i == 0 ? hint : ""});
    }
}

void conclude(GradcheckInput& input, const FunctionUnderTest& subject, std::size_t k) {
    check::Report& report = input.report;
    const auto [begin, end] = subject.subject().groups[k];
    std::vector<detail::Numbers> analytic;
    bool all_zero = true;
    for (const detail::Numbers& row : subject.subject().analytic) {
        analytic.emplace_back(row.begin() + static_cast<std::ptrdiff_t>(begin),
                              row.begin() + static_cast<std::ptrdiff_t>(end));
        for (const double a : analytic.back()) all_zero = all_zero && a == 0;
    }
    const bool unreached = all_zero && !subject.reached(k);
    if (unreached)
        report.hint = "nothing on the tape leads from this input to the outputs: is `record` missing?";
    check::detail::guess(report, analytic);
    if (unreached && report.verdict() != Verdict::kWrong) report.hint.clear();
    input.verdict = report.verdict();
    report.passed = check::detail::passes(input.verdict);
}

GradcheckReport report_on(const FunctionUnderTest& subject, const GradcheckOptions& options) {
    GradcheckReport report{true, subject.name(), options.seed, {}, {}, subject.in_float32()};
    for (std::size_t k = 0; k < subject.checked(); ++k)
        report.inputs.push_back(fresh(subject, k, options.seed));
    const auto& groups = subject.subject().groups;
    if (subject.nondeterministic().empty()) {
        const check::detail::Examined found = check::detail::examine(subject.subject(), options_of(options));
        for (std::size_t i = 0; i < found.elements.size(); ++i) {
            std::size_t k = 0;
            while (found.first[i] >= groups[k].end) ++k;
            check::Element element = found.elements[i];
            if (element.column != check::kDirection) element.column -= groups[k].begin;
            report.inputs[k].report.elements.push_back(element);
        }
        report.inputs[0].report.evaluations = found.evaluations;
        if (found.exhausted)
            report.hint = "the budget of evaluations was used up; not every element was looked at";
    }
    for (std::size_t k = 0; k < subject.checked(); ++k) {
        GradcheckInput& input = report.inputs[k];
        if (!subject.nondeterministic().empty()) {
            refuse(input, groups[k].end - groups[k].begin, Verdict::kNondeterministic,
                   subject.nondeterministic());
        }
        conclude(input, subject, k);
    }
    report.passed = check::detail::passes(report.verdict());
    if (!subject.inexact().empty()) {
        report.hint = subject.inexact();
        if (report.passed) {
            check::Report& first = report.inputs[0].report;
            first.elements.push_back({0, check::kDirection, 0, 0, 0, 0, Verdict::kWrong, subject.inexact()});
            report.inputs[0].verdict = Verdict::kWrong;
            report.passed = first.passed = false;
        }
    }
    return report;
}

/// The gradient of `f` as a function of its inputs and, behind them, of the cotangents.
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
        std::vector<Tensor> cotangents;
        for (const Tensor& input : inputs) {
            if (input.is_floating_point()) wanted.push_back(input);
        }
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            cotangents.push_back(arguments[count + i].to(outputs[i].dtype()));
        }
        std::vector<Tensor> gradients = detail::grad_of_recorded(outputs, cotangents, wanted, true);
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            if (!gradients[i].defined()) gradients[i] = zeros_like(wanted[i]);
        }
        return gradients;
    };
}

/// A derivative without the weights of a cotangent in it: from each output by itself, where these are few.
constexpr std::size_t kFewDerivatives = 4096;

}  // namespace

GradcheckReport gradcheck(const TensorFunction& f, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options) {
    std::size_t derivatives = 0;
    GradcheckReport report;
    {
        const FunctionUnderTest subject(f, inputs, options);
        report = report_on(subject, options);
        std::size_t outputs = 0;
        for (const Shape& sizes : subject.output_sizes()) outputs += static_cast<std::size_t>(numel(sizes));
        derivatives = outputs > 1 ? outputs * subject.subject().x.size() : 0;
    }
    if (report.verdict() != Verdict::kWrong || options.mode != GradcheckMode::kElements || derivatives == 0 ||
        derivatives > kFewDerivatives || options.budget != 0 || !report.hint.empty())
        return report;
    GradcheckOptions full = options;
    full.mode = GradcheckMode::kFullJacobian;
    const FunctionUnderTest subject(f, inputs, full);
    const GradcheckReport each = report_on(subject, full);
    return each.verdict() == Verdict::kWrong ? each : report;
}

GradcheckReport gradcheck(const TensorFunction& f, const Tensor& input, const GradcheckOptions& options) {
    return gradcheck(f, std::vector<Tensor>{input}, options);
}

GradcheckReport gradgradcheck(const TensorFunction& f, const std::vector<Tensor>& inputs,
                              const GradcheckOptions& options) {
    // One cotangent for each output, with other weights than those that the check draws.
    Weights weights(options.seed ^ 0xc07a6e47);
    std::vector<Tensor> arguments = inputs;
    GradcheckOptions named = options;
    detail::Numbers floor;
    {
        const FunctionUnderTest subject(f, inputs, options);
        if (!subject.nondeterministic().empty()) return report_on(subject, options);
        floor = subject.gradient_floor();
        if (named.name.empty()) named.name = "gradient of " + subject.name();
        for (const Shape& sizes : subject.output_sizes()) {
            const Tensor cotangent = Tensor::empty(sizes, kFloat64);
            for (std::int64_t i = 0; i < cotangent.numel(); ++i) cotangent.data_ptr<double>()[i] = weights();
            arguments.push_back(cotangent.to(subject.in_float32() ? kFloat32 : kFloat64));
        }
    }
    GradcheckReport report = [&] {
        const FunctionUnderTest subject(gradient_of(f, inputs.size()), arguments, named, floor);
        return report_on(subject, named);
    }();
    if (report.verdict() == Verdict::kWrong && report.hint.empty()) {
        GradcheckOptions quick = options;
        quick.mode = GradcheckMode::kProjection;
        const FunctionUnderTest subject(f, inputs, quick);
        if (report_on(subject, quick)) {
            report.hint =
                "the first derivative is right: what is wrong shows at second order alone, "
                "as a pullback does that captures a value off the tape";
        }
    }
    return report;
}

GradcheckReport gradgradcheck(const TensorFunction& f, const Tensor& input, const GradcheckOptions& options) {
    return gradgradcheck(f, std::vector<Tensor>{input}, options);
}

std::optional<Shape> GradcheckInput::worst() const {
    const check::Element* element = report.worst();
    if (element == nullptr || element->column == check::kDirection) return std::nullopt;
    return detail::index_of(element->column, sizes);
}

Verdict GradcheckReport::verdict() const {
    Verdict worst = Verdict::kMatch;
    for (const GradcheckInput& input : inputs) worst = std::max(worst, input.verdict);
    return worst;
}

std::string GradcheckReport::to_json() const {
    std::string text = "{\"passed\": " + std::string(passed ? "true" : "false") + ", \"inputs\": [";
    for (std::size_t k = 0; k < inputs.size(); ++k) text += (k == 0 ? "" : ", ") + inputs[k].report.to_json();
    return text + "]}";
}

namespace {

void print_input(std::ostream& out, const GradcheckInput& input) {
    out << "  input " << input.input << ' ' << input.sizes << ": ";
    verdicts::print_counts(out, input.report);
    const check::Element* worst = input.report.worst();
    if (worst == nullptr) {
        out << '\n';
        return;
    }
    if (const auto index = input.worst()) {
        out << "; worst at " << *index;
    } else {
        out << "; along a random direction";
    }
    const bool each = std::any_of(input.report.elements.begin(), input.report.elements.end(),
                                  [](const check::Element& e) { return e.row > 0; });
    if (each) out << ", output element " << worst->row;
    verdicts::print_derivatives(out, *worst);
    out << '\n';
    if (!input.report.hint.empty()) out << "    " << input.report.hint << '\n';
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const GradcheckReport& report) {
    std::ostringstream text;
    text << report.function << ": " << (report.passed ? "passed" : "FAILED") << " (" << report.verdict()
         << ", seed " << report.seed << (report.in_float32 ? ", in float32" : "") << ")\n";
    // What is wrong comes first.
    for (const bool passed : {false, true}) {
        for (const GradcheckInput& input : report.inputs) {
            if (check::detail::passes(input.verdict) == passed) print_input(text, input);
        }
    }
    if (!report.hint.empty()) text << "  " << report.hint << '\n';
    double hidden = 0;
    for (const GradcheckInput& input : report.inputs) hidden = std::max(hidden, input.report.could_hide());
    if (report.passed) verdicts::print_could_hide(text, hidden);
    return out << text.str();
}

}  // namespace reel
