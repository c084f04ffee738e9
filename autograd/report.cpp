// What `gradcheck` says, in words.
#include <algorithm>
#include <iomanip>
#include <ostream>

#include "autograd/gradcheck.hpp"

namespace reel {

namespace {

constexpr Verdict kVerdicts[] = {Verdict::kMatch, Verdict::kKink,      Verdict::kTooCoarse,
                                 Verdict::kWrong, Verdict::kNonFinite, Verdict::kNondeterministic};

void print_numbers(std::ostream& out, const GradcheckInput& input) {
    constexpr int kDigits = 17;
    out << "analytic " << std::setprecision(kDigits) << input.analytic << ", numeric " << input.numeric
        << " +- " << std::setprecision(2) << input.error;
}

void print_input(std::ostream& out, const GradcheckInput& input) {
    out << "  input " << input.input << ' ' << input.sizes << ": ";
    const char* separator = "";
    for (const Verdict verdict : kVerdicts) {
        const std::size_t count = input.count(verdict);
        if (count == 0) continue;
        out << separator << count << ' ' << verdict;
        separator = ", ";
    }
    if (input.elements.empty()) {
        out << "no elements\n";
        return;
    }
    if (input.worst) {
        out << "; worst at " << *input.worst;
    } else {
        out << "; along a random direction";
    }
    if (input.output >= 0) out << ", output element " << input.output;
    out << ": ";
    print_numbers(out, input);
    out << '\n';
}

}  // namespace

const char* to_string(Verdict verdict) {
    switch (verdict) {
        case Verdict::kMatch:
            return "match";
        case Verdict::kKink:
            return "kink";
        case Verdict::kTooCoarse:
            return "too coarse";
        case Verdict::kWrong:
            return "wrong";
        case Verdict::kNonFinite:
            return "non-finite";
        case Verdict::kNondeterministic:
            return "nondeterministic";
    }
    return "";
}

std::ostream& operator<<(std::ostream& out, Verdict verdict) { return out << to_string(verdict); }

std::size_t GradcheckInput::count(Verdict which) const {
    return static_cast<std::size_t>(std::count(elements.begin(), elements.end(), which));
}

Verdict GradcheckReport::verdict() const {
    Verdict worst = Verdict::kMatch;
    for (const GradcheckInput& input : inputs) worst = std::max(worst, input.verdict);
    return worst;
}

std::ostream& operator<<(std::ostream& out, const GradcheckReport& report) {
    const std::ios_base::fmtflags flags = out.flags();
    const std::streamsize precision = out.precision();
    out << report.function << ": " << (report.passed ? "passed" : "FAILED") << " (" << report.verdict()
        << ", seed " << report.seed << ")\n";
    for (const GradcheckInput& input : report.inputs) print_input(out, input);
    out.flags(flags);
    out.precision(precision);
    return out;
}

}  // namespace reel
