// What a report says: to a person, and as JSON.
#include <algorithm>
#include <cmath>
#include <iomanip>
#include <limits>
#include <ostream>
#include <sstream>

#include "check.hpp"

namespace reel::verdicts {

namespace {

constexpr const char* kNames[] = {"match",           "kink", "jump", "unresolved", "wrong", "non-finite",
                                  "nondeterministic"};

double miss(const Element& e) {
    const double difference = std::abs(e.analytic - e.numeric);
    return difference == 0 ? 0 : difference / e.error;
}

void print_element(std::ostream& out, const Report& report, const Element& e) {
    constexpr int kDigits = 12;
    out << "  ";
    const bool matrix = std::any_of(report.elements.begin(), report.elements.end(),
                                    [](const Element& other) { return other.row > 0; });
    if (e.column == kDirection) {
        out << "along a direction";
        if (matrix) out << ", output " << e.row;
    } else {
        if (matrix) out << '(' << e.row << ", " << e.column << ')';
        if (!matrix) out << '[' << e.column << ']';
        out << "  x = " << std::setprecision(kDigits) << e.x;
    }
    out << "  " << e.verdict;
    print_derivatives(out, e);
    out << '\n';
}

void json_string(std::ostream& out, const std::string& text) {
    out << '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out << '\\' << c;
        } else if (static_cast<unsigned char>(c) < ' ') {
            constexpr char kHex[] = "0123456789abcdef";
            out << "\\u00" << kHex[c >> 4] << kHex[c & 15];
        } else {
            out << c;
        }
    }
    out << '"';
}

/// JSON has no NaN and no infinity: they are text.
void json_number(std::ostream& out, double number) {
    if (std::isfinite(number)) {
        out << number;
    } else {
        out << (std::isnan(number) ? "\"nan\"" : number > 0 ? "\"inf\"" : "\"-inf\"");
    }
}

}  // namespace

const char* to_string(Verdict verdict) { return kNames[static_cast<std::size_t>(verdict)]; }

std::ostream& operator<<(std::ostream& out, Verdict verdict) { return out << to_string(verdict); }

Verdict Report::verdict() const {
    Verdict worst = Verdict::kMatch;
    for (const Element& e : elements) worst = std::max(worst, e.verdict);
    return worst;
}

double Report::could_hide() const {
    double most = 0;
    for (const Element& e : elements) {
        const double size = std::max(std::abs(e.analytic), std::abs(e.numeric));
        if (e.verdict == Verdict::kMatch && size > e.error)
            most = std::max(most, (e.error + std::abs(e.analytic - e.numeric)) / size);
    }
    return most;
}

void print_counts(std::ostream& out, const Report& report) {
    const char* separator = "";
    for (std::size_t verdict = 0; verdict < std::size(kNames); ++verdict) {
        const std::size_t count = report.count(static_cast<Verdict>(verdict));
        if (count == 0) continue;
        out << separator << count << ' ' << kNames[verdict];
        separator = ", ";
    }
    if (report.elements.empty()) out << "no elements";
}

void print_derivatives(std::ostream& out, const Element& e) {
    // Some make NaN with a sign, which says nothing.
    const auto plain = [](double x) { return std::isnan(x) ? std::numeric_limits<double>::quiet_NaN() : x; };
    constexpr int kDigits = 12;
    if (e.verdict != Verdict::kNondeterministic) {
        out << ": analytic " << std::setprecision(kDigits) << plain(e.analytic) << ", numeric "
            << plain(e.numeric) << " +- " << std::setprecision(2) << plain(e.error);
        if (e.verdict == Verdict::kWrong && e.numeric != 0)
            out << ", ratio " << std::setprecision(6) << e.analytic / e.numeric;
    }
    if (!e.hint.empty()) out << "  (" << e.hint << ')';
}

void print_could_hide(std::ostream& out, double part) {
    constexpr double kWorthALine = 1e-8;
    if (part <= kWorthALine) return;
    out << "  a mistake of up to " << std::setprecision(1) << part
        << " of a derivative could hide in the noise of f\n";
}

std::size_t Report::count(Verdict which) const {
    return static_cast<std::size_t>(std::count_if(elements.begin(), elements.end(),
                                                  [&](const Element& e) { return e.verdict == which; }));
}

const Element* Report::worst() const {
    const auto better = [](const Element& a, const Element& b) {
        return a.verdict != b.verdict ? a.verdict < b.verdict : miss(a) < miss(b);
    };
    const auto found = std::max_element(elements.begin(), elements.end(), better);
    return found == elements.end() ? nullptr : &*found;
}

std::ostream& operator<<(std::ostream& out, const Report& report) {
    constexpr std::size_t kMost = 10;
    std::ostringstream text;
    std::size_t shown = 0;
    for (std::size_t verdict = std::size(kNames) - 1; verdict > 0; --verdict) {  // all but what matches
        for (const Element& e : report.elements) {
            if (e.verdict == static_cast<Verdict>(verdict) && shown++ < kMost) print_element(text, report, e);
        }
    }
    if (shown > kMost) text << "  and " << shown - kMost << " more\n";
    text << report.name << ": " << (report.passed ? "passed" : "FAILED") << " (";
    print_counts(text, report);
    text << "; seed " << report.seed << ", " << report.evaluations << " evaluations)\n";
    if (!report.hint.empty()) text << "  " << report.hint << '\n';
    if (report.passed) print_could_hide(text, report.could_hide());
    if (!report.passed && !report.call.empty()) text << "  again: " << report.call << '\n';
    return out << text.str() << report.steps;
}

std::string Report::to_json() const {
    std::ostringstream out;
    out << std::setprecision(17) << "{\"name\": ";
    json_string(out, name);
    out << ", \"passed\": " << (passed ? "true" : "false") << ", \"verdict\": \"" << verdict()
        << "\", \"seed\": " << seed << ", \"evaluations\": " << evaluations << ", \"hint\": ";
    json_string(out, hint);
    out << ", \"again\": ";
    json_string(out, call);
    out << ", \"elements\": [";
    for (std::size_t i = 0; i < elements.size(); ++i) {
        const Element& e = elements[i];
        out << (i == 0 ? "" : ", ") << "{\"row\": " << e.row << ", \"column\": ";
        if (e.column == kDirection) {
            out << "null";
        } else {
            out << e.column;
        }
        const std::pair<const char*, double> numbers[] = {
            {"x", e.x}, {"analytic", e.analytic}, {"numeric", e.numeric}, {"error", e.error}};
        for (const auto& [key, number] : numbers) {
            out << ", \"" << key << "\": ";
            json_number(out, number);
        }
        out << ", \"verdict\": \"" << e.verdict << "\", \"hint\": ";
        json_string(out, e.hint);
        out << '}';
    }
    out << "]}";
    return out.str();
}

}  // namespace reel::verdicts
