#include "hints.hpp"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <map>
#include <sstream>

#include "judge.hpp"

namespace reel::check::detail {

namespace {

/// Whether a = b as far as the bar tells, or nearly.
bool alike(double a, double b, double error) {
    constexpr double kNearly = 1e-5;
    return std::abs(a - b) <= std::max(2 * error, kNearly * std::abs(b));
}

std::string number(double value) {
    std::ostringstream out;
    out << std::setprecision(4) << value;
    return out.str();
}

/// What one wrong element looks like. `count` is the number of elements.
std::string guess_one(const Element& e, std::size_t count) {
    if (e.numeric == 0 || e.error > 0.1 * std::abs(e.numeric)) return "";
    if (e.analytic == 0) return "the analytic derivative is zero";
    if (alike(e.analytic, -e.numeric, e.error)) return "the sign is wrong";
    if (alike(e.analytic, e.numeric, e.error))
        return "nearly right: a constant of too few digits, or float32 inside";
    const double ratio = e.analytic / e.numeric;
    const double bar = e.error / std::abs(e.numeric);
    const double n = static_cast<double>(count);
    if (count > 1 && alike(ratio, n, n * bar)) return "too large by the number of elements, " + number(n);
    if (count > 1 && alike(ratio, 1 / n, bar)) return "too small by the number of elements, " + number(n);
    for (int k = 2; k <= 16; ++k) {
        if (alike(ratio, k, k * bar)) return "too large by a factor of " + number(k);
        if (alike(ratio, 1.0 / k, bar)) return "too small by a factor of " + number(k);
    }
    return "";
}

/// Element (row, column) found by its place, for the numeric counterpart of another.
using Places = std::map<std::pair<std::size_t, std::size_t>, const Element*>;

bool transposed(const Places& places) {
    bool any = false;
    for (const auto& [place, element] : places) {
        const auto other = places.find({place.second, place.first});
        if (other == places.end() || !alike(element->analytic, other->second->numeric, other->second->error))
            return false;
        any = any || element->verdict == Verdict::kWrong;
    }
    return any;
}

/// The analytic derivatives are the numeric ones in another order.
bool permuted(const std::vector<Element>& elements) {
    std::vector<double> analytic;
    std::vector<std::pair<double, double>> numeric;
    for (const Element& e : elements) {
        if (e.column == kDirection) return false;
        analytic.push_back(e.analytic);
        numeric.emplace_back(e.numeric, e.error);
    }
    std::sort(analytic.begin(), analytic.end());
    std::sort(numeric.begin(), numeric.end());
    for (std::size_t i = 0; i < analytic.size(); ++i) {
        if (!alike(analytic[i], numeric[i].first, numeric[i].second)) return false;
    }
    return analytic.size() > 1;
}

void say_unresolved(Element& e) {
    if (!e.hint.empty()) return;
    e.hint = std::isfinite(e.error) && std::abs(e.numeric) < e.error
                 ? "the noise of f exceeds the derivative: subtract f's large constant part, rescale, or "
                   "state .scale"
                 : "f is too rough here for its derivative to be told: state .scale or .accuracy, or move "
                   "the point";
}

}  // namespace

void guess(Report& report, const std::vector<std::vector<double>>& analytic) {
    const std::size_t columns = analytic.empty() ? 0 : analytic[0].size();
    std::size_t wrong = 0;
    Places places;
    std::map<std::string, std::size_t> hints;
    for (Element& e : report.elements) {
        places[{e.row, e.column}] = &e;
        if (e.verdict == Verdict::kUnresolved) say_unresolved(e);
        if (e.verdict != Verdict::kWrong) continue;
        ++wrong;
        const std::string hint = guess_one(e, columns);
        if (e.hint.empty()) e.hint = hint;
        if (!hint.empty()) ++hints[hint];
    }
    if (wrong == 0 || !report.hint.empty()) return;
    const std::size_t measurable = static_cast<std::size_t>(
        std::count_if(report.elements.begin(), report.elements.end(),
                      [](const Element& e) { return std::abs(e.numeric) > e.error; }));
    for (const auto& [hint, count] : hints) {
        if (count == wrong && wrong > 1) report.hint = wrong >= measurable ? "everywhere " + hint : hint;
    }
    if (!report.hint.empty()) return;
    if (wrong > 1 && analytic.size() == columns && transposed(places)) {
        report.hint = "the matrix is transposed";
    } else if (wrong > 1 && permuted(report.elements)) {
        report.hint = "the numbers are right, their order is not (transposed, or permuted)";
    } else if (wrong == 1 && report.elements.size() > 1) {
        report.hint = "one element alone is wrong: a missing term, or an index";
    }
}

void name_undeclared(Report& report, const std::vector<std::vector<bool>>& declared) {
    if (declared.empty()) return;
    for (Element& e : report.elements) {
        if (e.verdict != Verdict::kWrong || e.column == kDirection || declared[e.row][e.column]) continue;
        e.hint = "not among the triplets, but not zero";
    }
}

void check_symmetry(Report& report, const std::vector<std::vector<double>>& analytic,
                    const std::vector<std::vector<double>>& rounding) {
    constexpr double kUnits = 1e-10;
    for (Element& e : report.elements) {
        if (e.column == kDirection || e.row == e.column || !passes(e.verdict)) continue;
        const double mirrored = analytic[e.column][e.row];
        const double slack =
            rounding[e.row][e.column] + rounding[e.column][e.row] + kUnits * std::abs(mirrored);
        if (std::abs(e.analytic - mirrored) <= slack) continue;
        e.verdict = Verdict::kWrong;
        e.hint = "not symmetric: the mirrored element is " + number(mirrored);
        report.passed = false;
    }
}

std::string remainders(const std::function<double(double)>& f, double slope) {
    std::ostringstream out;
    out << "      h    |f(x+hd) - f(x)|  order    |... - h g.d|  order\n";
    const double centre = f(0);
    double before[2] = {};
    double h = 0.1;
    for (int i = 0; i < 12; ++i, h /= 4) {
        const double rise = f(h) - centre;
        const double now[2] = {std::abs(rise), std::abs(rise - h * slope)};
        out << std::scientific << std::setprecision(1) << h;
        for (int k = 0; k < 2; ++k) {
            out << "    " << std::setprecision(6) << now[k] << "   ";
            if (i == 0 || now[k] == 0 || before[k] == 0) {
                out << "    -";
            } else {
                out << std::fixed << std::setprecision(2) << std::setw(5) << std::log2(before[k] / now[k]) / 2
                    << std::scientific;
            }
            before[k] = now[k];
        }
        out << '\n';
    }
    return out.str();
}

}  // namespace reel::check::detail
