// The corpus as operations on the tape: gradgradcheck on right and on spoilt second derivatives, and the mistakes that only
// tensors can make. The suite looks at each fifth function; all of them, and the numbers in docs/checking.md:
//   REEL_CASES=1000 build/release/tests/reel_tests -tc="check: *on tensors*"
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <sstream>

#include "reel.hpp"
#include "tests/check/corpus.hpp"

using namespace reel;
using namespace reel::testing;

namespace {

/// What is wrong with an operation.
enum class Mistake {
    kNone,
    kHessian,     // by 1e-3
    kSign,        // of the Hessian
    kElement,     // of the Hessian, by 1 %
    kCaptured,    // a gradient that has no history
    kConstant,    // 1e-12, added to the gradient
    kContiguous,  // by 1 %, where the input or the cotangent is not contiguous
};
constexpr std::pair<Mistake, const char*> kSecond[] = {{Mistake::kHessian, "second derivative by 1 + 1e-3"},
                                                       {Mistake::kSign, "its sign"},
                                                       {Mistake::kElement, "one element of it by 1 %"},
                                                       {Mistake::kCaptured, "wrong only at second order"}};
constexpr std::pair<Mistake, const char*> kFirst[] = {
    {Mistake::kConstant, "+1e-12"}, {Mistake::kContiguous, "wrong only when not contiguous"}};

Numbers hessian_of(const Case& c, Mistake mistake, const Numbers& at) {
    Numbers h = c.h(at);
    const double factor = mistake == Mistake::kHessian ? 1 + 1e-3 : mistake == Mistake::kSign ? -1 : 1;
    for (double& e : h) e *= factor;
    if (mistake == Mistake::kElement) h[h.size() / 2] *= 1.01;
    return h;
}

Tensor doubles(const Numbers& numbers, const Shape& sizes) { return tensor(numbers, kFloat64).view(sizes); }

/// The gradient at x as an operation, whose pullback is the Hessian.
Tensor gradient(const Case& c, Mistake mistake, const Tensor& x) {
    const Numbers at = x.detach().to_vector<double>();
    const auto n = static_cast<std::int64_t>(at.size());
    const Tensor g = doubles(c.g(at), x.sizes());
    if (mistake == Mistake::kCaptured) return g;
    return record("gradient", g, {{x, [h = doubles(hessian_of(c, mistake, at), {n, n})](const Tensor& g_bar) {
                                       return h.matmul(g_bar.reshape({-1})).view(g_bar.sizes());
                                   }}});
}

auto operation(const Case& c, Mistake mistake) {
    return [c, mistake](const Tensor& x) {
        const double value = c.f(x.detach().to_vector<double>());
        return record("corpus", tensor(value, kFloat64),
                      {{x, [c, mistake, x](const Tensor& y_bar) {
                            const Tensor g = y_bar * gradient(c, mistake, x);
                            if (mistake == Mistake::kConstant) return g + 1e-12;
                            return mistake == Mistake::kContiguous && !x.is_contiguous() ? g * 1.01 : g;
                        }}});
    };
}

/// The size of a difference of Hessians, as a change of the gradient.
double change_by(const Case& c, const Numbers& a, const Numbers& b) {
    double most = 0;
    for (std::size_t k = 0; k < a.size(); ++k) {
        const double x = c.x[k % c.x.size()];
        most = std::max(most, std::abs(a[k] - b[k]) * (x == 0 ? 1 : std::abs(x)) * c.length);
    }
    return most;
}

/// Whether the second derivative is less than the rounding of numbers that make up the function, so that 0 would be as
/// right as a tape can often be: silu'' at 40 is.
bool saturated(const Case& c) {
    const double change = std::abs(c.f(c.x) - c.f(Numbers(c.x.size())));
    const Numbers h = c.h(c.x);
    constexpr double kUnits = 64 * std::numeric_limits<double>::epsilon();
    return change_by(c, h, Numbers(h.size())) < kUnits * change;
}

/// Whether the mistake shows beside the rounding of the gradient, as that in the second derivative of a sine at 0 does
/// not. At a kink of the gradient the second derivative of either side is right.
bool visible(const Case& c, Mistake mistake) {
    constexpr double kNear = 1e-5;
    const Numbers g = c.g(c.x);
    const Numbers right = c.h(c.x);
    const Numbers wrong = mistake == Mistake::kCaptured ? Numbers(right.size()) : hessian_of(c, mistake, c.x);
    double first = 0;
    for (std::size_t i = 0; i < c.x.size(); ++i) {
        const double size = c.x[i] == 0 ? 1 : std::abs(c.x[i]);
        first = std::max(first, std::abs(g[i]) + c.noise / (size * c.length));
    }
    const double seen = change_by(c, wrong, right);
    Numbers units = c.x;  // x is known to: a Hessian that moves as much with these is no better known
    for (double& e : units) e *= 1 + 4 * std::numeric_limits<double>::epsilon();
    if (change_by(c, right, c.h(units)) > 0.01 * seen) return false;
    for (const double side : {1 - kNear, 1 + kNear}) {
        Numbers beside = c.x;
        for (double& e : beside) e *= side;
        if (change_by(c, wrong, c.h(beside)) < 0.01 * seen) return false;
    }
    return seen > std::max(1e-13 * first, std::numeric_limits<double>::min());
}

std::vector<Case> cases() {
    std::vector<Case> all = corpus();
    if (std::getenv("REEL_CASES") != nullptr) return all;
    std::vector<Case> some;
    for (std::size_t i = 0; i < all.size(); i += 5) some.push_back(all[i]);
    return some;
}

std::string name_of(const Case& c, const char* mistake) { return c.kind + ": " + c.name + ", " + mistake; }

/// A row of the table in docs/checking.md, of what was counted over all functions.
void check_row(const std::string& name, std::size_t times, std::size_t passed) {
    std::ostringstream row;
    row << "| " << name << " | " << times << " | " << passed << " |";
    MESSAGE(row.str());
    if (std::getenv("REEL_CASES") == nullptr) return;
    std::ifstream page(REEL_TESTS "/../docs/checking.md");
    std::ostringstream text;
    text << page.rdbuf();
    CHECK_MESSAGE(text.str().find(row.str()) != std::string::npos, row.str());
}

}  // namespace

TEST_CASE("check: second derivatives of the corpus on tensors, right and spoilt") {
    const std::vector<Case> all = cases();
    std::size_t refused = 0;
    for (const Case& c : all) {
        const Tensor x = doubles(c.x, {static_cast<std::int64_t>(c.x.size())});
        const GradcheckReport report =
            gradgradcheck(operation(c, Mistake::kNone), x, {.name = name_of(c, "right")});
        if (report) continue;
        ++refused;
        MESSAGE(report);
    }
    check_row("right, refused by gradgradcheck", all.size(), refused);
    CHECK(100 * refused <= 3 * all.size());
    for (const auto& [mistake, name] : kSecond) {
        std::size_t times = 0;
        std::size_t passed = 0;
        for (const Case& c : all) {
            if (!visible(c, mistake)) continue;
            ++times;
            const Tensor x = doubles(c.x, {static_cast<std::int64_t>(c.x.size())});
            const GradcheckReport report =
                gradgradcheck(operation(c, mistake), x, {.seed = 1, .name = name_of(c, name)});
            if (!report) continue;
            ++passed;
            if (mistake != Mistake::kCaptured || !saturated(c)) FAIL_CHECK(report);
        }
        check_row(name, times, passed);
    }
}

TEST_CASE("check: mistakes of the corpus on tensors alone") {
    for (const auto& [mistake, name] : kFirst) {
        std::size_t times = 0;
        std::size_t passed = 0;
        for (const Case& c : cases()) {
            // What is one element alone, or 0, has no other layout.
            const Numbers g = c.g(c.x);
            const bool zero = std::all_of(g.begin(), g.end(), [](double e) { return e == 0; });
            if (mistake == Mistake::kContiguous && (c.x.size() < 2 || zero)) continue;
            ++times;
            const Tensor x = doubles(c.x, {static_cast<std::int64_t>(c.x.size())});
            const GradcheckReport report = gradcheck(operation(c, mistake), x, {.name = name_of(c, name)});
            if (!report) continue;
            ++passed;
            FAIL_CHECK(report);
        }
        check_row(name, times, passed);
    }
}
