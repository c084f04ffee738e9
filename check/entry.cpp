// What is asked for, made into a subject for `examine.cpp`, and its findings made into a report.
#include <algorithm>
#include <cmath>
#include <exception>
#include <iomanip>
#include <sstream>
#include <stdexcept>

#include "check.hpp"
#include "examine.hpp"
#include "hints.hpp"
#include "judge.hpp"

namespace reel::check::detail {

namespace {

std::string call_of(const char* function, Span x, const Options& options) {
    constexpr std::size_t kMost = 12;
    std::ostringstream out;
    out << std::setprecision(17) << "check::" << function << ", ";
    if (x.size() <= kMost) {
        out << "std::vector<double>{";
        for (std::size_t i = 0; i < x.size(); ++i) out << (i == 0 ? "" : ", ") << x[i];
        out << "}";
    } else {
        out << "x";
    }
    out << ", {.seed = " << options.seed << "})";
    return out.str();
}

Report fresh(const char* function, Span x, const Options& options) {
    Report report;
    report.seed = options.seed;
    report.call = call_of(function, x, options);
    const std::string text(function);
    report.name = options.name.empty() ? text.substr(0, text.find('(')) : options.name;
    return report;
}

void check_options(Span x, const Options& options) {
    const auto fits = [&](const Numbers& numbers, const char* what) {
        if (numbers.empty() || numbers.size() == x.size()) return;
        throw std::invalid_argument("check: " + std::string(what) + " has " + std::to_string(numbers.size()) +
                                    " elements, x has " + std::to_string(x.size()) +
                                    "; leave it empty or give one for each");
    };
    fits(options.scale, "scale");
    fits(options.lower, "lower");
    fits(options.upper, "upper");
    if (!(options.accuracy >= 0)) throw std::invalid_argument("check: accuracy must be 0 or more");
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (!options.lower.empty() && !(options.lower[i] <= x[i]))
            throw std::invalid_argument("check: x[" + std::to_string(i) + "] is below its lower bound");
        if (!options.upper.empty() && !(x[i] <= options.upper[i]))
            throw std::invalid_argument("check: x[" + std::to_string(i) + "] is above its upper bound");
    }
}

/// One verdict on all, where there is nothing to compare.
Report refuse(Report report, Verdict verdict, const std::string& hint) {
    report.passed = false;
    report.hint = hint;
    report.elements.push_back({0, kDirection, 0, 0, 0, kInfinity, verdict, hint});
    return report;
}

void take(Report& report, Examined found) {
    report.elements = std::move(found.elements);
    report.evaluations += found.evaluations;
    if (found.exhausted) {
        report.hint =
            report.elements.empty()
                ? "the budget of evaluations did not suffice for anything"
                : "the budget of evaluations was used up; not every element was looked at by itself";
        if (!found.covered) {
            report.elements.push_back({0, kDirection, 0, 0, 0, kInfinity, Verdict::kUnresolved, report.hint});
        }
    }
    report.passed = passes(report.verdict());
}

/// The claimed matrix as rows, and what of it was declared, where only that may be non-zero.
struct Claimed {
    std::vector<Numbers> rows;
    std::vector<std::vector<bool>> declared;
};
using Claim = std::function<Claimed(Span x, std::size_t rows)>;

Claim dense(const VectorFunction& j, const char* name) {
    return [j, name](Span x, std::size_t rows) {
        const Numbers all = j(x);
        if (all.size() != rows * x.size()) {
            throw std::invalid_argument("check::" + std::string(name) + ": the derivative has " +
                                        std::to_string(all.size()) + " elements, where " +
                                        std::to_string(rows) + " x " + std::to_string(x.size()) +
                                        " are wanted");
        }
        Claimed claimed;
        for (std::size_t row = 0; row < rows; ++row) {
            const auto begin = all.begin() + static_cast<std::ptrdiff_t>(row * x.size());
            claimed.rows.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(x.size()));
        }
        return claimed;
    };
}

Claim sparse(const TripletFunction& j, const char* name) {
    return [j, name](Span x, std::size_t rows) {
        Claimed claimed{std::vector<Numbers>(rows, Numbers(x.size())),
                        std::vector<std::vector<bool>>(rows, std::vector<bool>(x.size()))};
        for (const Triplet& t : j(x)) {
            if (t.row >= rows || t.column >= x.size()) {
                throw std::invalid_argument("check::" + std::string(name) + ": a triplet at (" +
                                            std::to_string(t.row) + ", " + std::to_string(t.column) +
                                            ") of a matrix of " + std::to_string(rows) + " x " +
                                            std::to_string(x.size()));
            }
            claimed.rows[t.row][t.column] += t.value;
            claimed.declared[t.row][t.column] = true;
        }
        return claimed;
    };
}

/// Fills in the subject's claims, from calls at x (twice) and beside it; the hint says why they cannot be used.
bool claim(Subject& subject, const Claim& j, std::size_t rows, std::uint64_t seed, double accuracy,
           Claimed& claimed, std::string& hint) {
    claimed = j(subject.x, rows);
    const Claimed again = j(subject.x, rows);
    for (std::size_t row = 0; row < rows; ++row) {
        if (!deterministic(claimed.rows[row], again.rows[row], accuracy, hint)) {
            hint = "the derivative: " + hint;
            return false;
        }
    }
    Random random(~seed);
    std::vector<Beside> beside;
    for (int i = 0; i < 2; ++i) {
        const auto [above, below] = nearby(subject.x, random, kEpsilon);
        try {
            beside.push_back({j(above, rows).rows, j(below, rows).rows});
        } catch (const std::exception&) {
            // Out of its domain already: rounding is taken to be a few units.
        }
    }
    subject.analytic = claimed.rows;
    subject.rounding = rounding_of(claimed.rows, beside);
    return true;
}

Report matrix_report(const char* call, const VectorFunction& r, const Claim& j, Span x,
                     const Options& options, bool symmetric) {
    check_options(x, options);
    Report report = fresh(call, x, options);
    Subject subject;
    subject.f = r;
    subject.x.assign(x.begin(), x.end());
    const Numbers first = r(x);
    std::string hint;
    if (!deterministic(first, r(x), options.accuracy, hint))
        return refuse(report, Verdict::kNondeterministic, "f: " + hint);
    report.evaluations = 2;
    Claimed claimed;
    if (!claim(subject, j, first.size(), options.seed, options.accuracy, claimed, hint)) {
        return refuse(report, Verdict::kNondeterministic, hint);
    }
    Options rest = options;
    if (options.budget != 0) {
        if (options.budget <= 2)
            return refuse(report, Verdict::kUnresolved, "a budget of 2 evaluations or less tells nothing");
        rest.budget = options.budget - 2;
    }
    take(report, examine(subject, rest));
    name_undeclared(report, claimed.declared);
    if (symmetric) check_symmetry(report, subject.analytic, subject.rounding);
    guess(report, subject.analytic);
    return report;
}

}  // namespace

Report gradient(const ScalarFunction& f, const VectorFunction& g, Span x, const Options& options,
                const char* call) {
    const VectorFunction r = [f](Span at) { return Numbers{f(at)}; };
    return matrix_report(call, r, dense(g, "gradient"), x, options, false);
}

Report jacobian(const VectorFunction& r, const VectorFunction& j, Span x, const Options& options) {
    return matrix_report("jacobian(r, j", r, dense(j, "jacobian"), x, options, false);
}
Report jacobian(const VectorFunction& r, const TripletFunction& j, Span x, const Options& options) {
    return matrix_report("jacobian(r, j", r, sparse(j, "jacobian"), x, options, false);
}
Report hessian(const VectorFunction& g, const VectorFunction& h, Span x, const Options& options) {
    return matrix_report("hessian(g, h", g, dense(h, "hessian"), x, options, true);
}
Report hessian(const VectorFunction& g, const TripletFunction& h, Span x, const Options& options) {
    return matrix_report("hessian(g, h", g, sparse(h, "hessian"), x, options, true);
}

namespace {

constexpr std::size_t kVectors = 4;

/// Random vectors of the size of x, which lead inwards where bounds are near.
std::vector<Numbers> vectors(Span x, const Options& options) {
    Random random(options.seed + 0x5eed);
    std::vector<Numbers> vectors(kVectors);
    for (Numbers& v : vectors) {
        for (std::size_t i = 0; i < x.size(); ++i) {
            const double scale = !options.scale.empty() ? options.scale[i] : x[i] != 0 ? std::abs(x[i]) : 1;
            double share = random.weight() * scale;
            const double above = options.upper.empty() ? kInfinity : options.upper[i] - x[i];
            const double below = options.lower.empty() ? kInfinity : x[i] - options.lower[i];
            if ((share > 0 ? above : below) < (share > 0 ? below : above)) share = -share;
            share = std::copysign(std::min(std::abs(share), std::max(above, below)), share);
            v.push_back(share);
        }
    }
    return vectors;
}

Numbers moved(Span x, const std::vector<Numbers>& vectors, Span by) {
    Numbers at(x.begin(), x.end());
    for (std::size_t k = 0; k < by.size(); ++k) {
        for (std::size_t i = 0; i < at.size(); ++i) at[i] += by[k] * vectors[k][i];
    }
    return at;
}

/// As functions of how far x is moved along each vector: at 0, on a scale of 1, and with a bound where x has.
Options along(const Options& options, std::size_t count) {
    Options result = options;
    result.scale.assign(count, 1);
    result.lower.clear();
    result.upper.clear();
    if (!options.lower.empty() || !options.upper.empty()) {
        result.lower.assign(count, 0);
        result.upper.assign(count, 0.9);
    }
    return result;
}

}  // namespace

Report hvp(const VectorFunction& g, const ProductFunction& hv, Span x, const Options& options) {
    check_options(x, options);
    const std::vector<Numbers> directions = vectors(x, options);
    const Numbers home(x.begin(), x.end());
    const VectorFunction r = [&](Span by) { return g(moved(home, directions, by)); };
    const VectorFunction j = [&](Span by) {
        const Numbers at = moved(home, directions, by);
        Numbers all(at.size() * kVectors);
        for (std::size_t k = 0; k < kVectors; ++k) {
            const Numbers product = hv(at, directions[k]);
            if (product.size() != at.size())
                throw std::invalid_argument("check::hvp: the product has " + std::to_string(product.size()) +
                                            " elements, x has " + std::to_string(at.size()));
            for (std::size_t i = 0; i < at.size(); ++i) all[i * kVectors + k] = product[i];
        }
        return all;
    };
    const Numbers origin(kVectors);
    Report report = matrix_report("hvp(g, hv", r, dense(j, "hvp"), origin, along(options, kVectors), false);
    report.call = call_of("hvp(g, hv", x, options);
    return report;
}

Report taylor(const ScalarFunction& f, const VectorFunction& g, Span x, const Options& options) {
    check_options(x, options);
    const std::vector<Numbers> directions = vectors(x, options);
    const Numbers home(x.begin(), x.end());
    const ScalarFunction r = [&](Span by) { return f(moved(home, directions, by)); };
    const VectorFunction j = [&](Span by) {
        const Numbers gradient = g(moved(home, directions, by));
        Numbers slopes(kVectors);
        for (std::size_t k = 0; k < kVectors; ++k) {
            for (std::size_t i = 0; i < gradient.size(); ++i) slopes[k] += gradient[i] * directions[k][i];
        }
        return slopes;
    };
    const Numbers origin(kVectors);
    Report report = gradient(r, j, origin, along(options, kVectors), "taylor(f, g");
    report.call = call_of("taylor(f, g", x, options);
    const double slope = j(origin)[0];
    report.steps = remainders([&](double h) { return r(Numbers{h, 0, 0, 0}); }, slope);
    return report;
}

}  // namespace reel::check::detail
