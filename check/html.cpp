// A report as one page for a browser: a picture of the errors, and a table. Nothing is fetched.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <iomanip>
#include <sstream>
#include <stdexcept>

#include "check.hpp"

namespace reel::verdicts {

namespace {

constexpr const char* kHead = R"(<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<style>
body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:70em;padding:0 1em;color:#222;background:#fff}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:.15em .6em;border-bottom:1px solid #ddd}th:last-child,td:last-child{text-align:left}
.match{color:#2a7a3b}.kink{color:#1c6dad}.jump,.unresolved{color:#a86200}.wrong,.non-finite,.nondeterministic{color:#b3202a}
svg{width:100%;height:auto}text{font:12px system-ui,sans-serif;fill:#555}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#161616}th,td{border-color:#383838}text{fill:#aaa}
.match{color:#6fc98a}.kink{color:#78b7ee}.jump,.unresolved{color:#e0a455}.wrong,.non-finite,.nondeterministic{color:#f0787f}}
</style>)";

std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
        out += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : std::string(1, c);
    }
    return out;
}

/// A relative error on a scale of decades, from 1e-16 to 1, as a height above the bottom.
double height(double relative) {
    constexpr double kDecades = 16;
    if (!(relative > 0)) return 0;
    return std::clamp((std::log10(relative) + kDecades) / kDecades, 0.0, 1.0);
}

/// For each element how far both derivatives lie apart (a dot), and how far the bar reaches (a line).
void draw(std::ostream& out, const Report& report) {
    constexpr double kWidth = 900;
    constexpr double kHeight = 240;
    constexpr double kLeft = 60;
    out << "<svg viewBox='0 0 " << kWidth + kLeft << ' ' << kHeight + 30
        << "' role='img' aria-label='relative errors'>\n";
    for (int decade = 0; decade >= -16; decade -= 4) {
        const double y = 10 + kHeight * (1 - height(std::pow(10.0, decade)));
        out << "<line x1='" << kLeft << "' x2='" << kWidth + kLeft << "' y1='" << y << "' y2='" << y
            << "' stroke='currentColor' opacity='.15'/><text x='" << kLeft - 8 << "' y='" << y + 4
            << "' text-anchor='end'>1e" << decade << "</text>\n";
    }
    const double step = kWidth / static_cast<double>(std::max<std::size_t>(1, report.elements.size()));
    for (std::size_t i = 0; i < report.elements.size(); ++i) {
        const Element& e = report.elements[i];
        const double size = std::max(std::abs(e.analytic), std::abs(e.numeric));
        const double x = kLeft + step * (static_cast<double>(i) + 0.5);
        const auto y = [&](double error) { return 10 + kHeight * (1 - height(size > 0 ? error / size : 0)); };
        out << "<g class='" << e.verdict << "'><title>" << e.verdict << "</title><line x1='" << x << "' x2='"
            << x << "' y1='" << 10 + kHeight << "' y2='" << y(e.error)
            << "' stroke='currentColor' opacity='.35' stroke-width='" << std::clamp(step / 3, 0.3, 6.0)
            << "'/><circle cx='" << x << "' cy='" << y(std::abs(e.analytic - e.numeric))
            << "' r='3' fill='currentColor'/></g>\n";
    }
    out << "</svg>\n<p>For each element: how far analytic and numeric derivative lie apart (dot), and how "
           "far the numeric "
           "one may be off (line), both relative to the derivative.</p>\n";
}

void tabulate(std::ostream& out, const Report& report) {
    std::vector<const Element*> sorted;
    for (const Element& e : report.elements) sorted.push_back(&e);
    std::sort(sorted.begin(), sorted.end(), [](const Element* a, const Element* b) {
        return a->verdict != b->verdict ? a->verdict > b->verdict : a < b;  // the worst first, then in order
    });
    out << "<table><tr><th>row</th><th>column</th><th>x</th><th>analytic</th><th>numeric</th><th>bar</"
           "th><th>verdict</th></tr>\n";
    for (const Element* e : sorted) {
        out << "<tr class='" << e->verdict << "'><td>" << e->row << "</td><td>";
        if (e->column == kDirection) {
            out << "direction";
        } else {
            out << e->column;
        }
        out << "</td><td>" << std::setprecision(9) << e->x << "</td><td>" << e->analytic << "</td><td>"
            << e->numeric << "</td><td>" << std::setprecision(2) << e->error << "</td><td>" << e->verdict
            << (e->hint.empty() ? "" : ": ") << escaped(e->hint) << "</td></tr>\n";
    }
    out << "</table>\n";
}

}  // namespace

void Report::to_html(const std::string& path) const {
    std::ostringstream out;
    out << kHead << "<title>" << escaped(name) << "</title></head><body>\n<h1>" << escaped(name)
        << ": <span class='" << verdict() << "'>" << (passed ? "passed" : "failed") << "</span></h1>\n";
    if (!hint.empty()) out << "<p>" << escaped(hint) << "</p>\n";
    draw(out, *this);
    tabulate(out, *this);
    out << "<p>" << evaluations << " evaluations, seed " << seed << ". <code>" << escaped(call)
        << "</code></p>\n";
    if (!steps.empty()) out << "<pre>" << escaped(steps) << "</pre>\n";
    out << "</body></html>\n";
    std::ofstream file(path, std::ios::binary);
    file << out.str();
    if (!file.flush()) throw std::runtime_error("check: cannot write " + path);
}

}  // namespace reel::verdicts
