// Gradients written by hand, checked without a tensor in sight: the energy of a chain of masses on springs in the field
// of gravity, as a simulation would have it. Three versions of the gradient hold a mistake each, of the kinds that
// happen: a sign, a factor, a term forgotten at the end of the chain. The checker finds and names them.
//
// Read `energy`, `forces`, `hessian_product`. In a program of your own `#include <reel/check.hpp>` and the CMake target
// reel::check are enough; they need nothing but the standard library. Next: 15_xtensor.cpp.
#include <cmath>
#include <iostream>
#include <reel/check.hpp>

using namespace reel;

namespace {

using Span = std::span<const double>;

constexpr double kStiffness = 40;  // N/m
constexpr double kLength = 0.25;   // m, of a spring at rest
constexpr double kMass = 0.1;      // kg
constexpr double kGravity = 9.81;  // m/s²

// Mass i is at (x[2i], x[2i + 1]); a spring leads to it from the one before it, the first one hangs at the origin.
//   E = Σ k/2 (|r| − L)² + m g y
double energy(Span x) {
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); i += 2) {
        const double dx = x[i] - (i > 0 ? x[i - 2] : 0);
        const double dy = x[i + 1] - (i > 0 ? x[i - 1] : 0);
        const double stretch = std::hypot(dx, dy) - kLength;
        sum += kStiffness / 2 * stretch * stretch + kMass * kGravity * x[i + 1];
    }
    return sum;
}

enum class Mistake { kNone, kSign, kFactor, kForgotten };

// Its gradient: a spring pulls at both its ends.
std::vector<double> gradient(Span x, Mistake mistake) {
    std::vector<double> g(x.size());
    for (std::size_t i = 0; i < x.size(); i += 2) {
        const double dx = x[i] - (i > 0 ? x[i - 2] : 0);
        const double dy = x[i + 1] - (i > 0 ? x[i - 1] : 0);
        const double r = std::hypot(dx, dy);
        const double pull = kStiffness * (r - kLength) / r;
        g[i] += pull * dx;
        g[i + 1] += pull * dy + kMass * kGravity;
        if (i > 0 && !(mistake == Mistake::kForgotten && i + 2 == x.size())) {
            g[i - 2] -= pull * dx;
            g[i - 1] -= pull * dy;
        }
    }
    if (mistake == Mistake::kSign) {
        for (double& e : g) e = -e;  // the force, not the gradient
    }
    if (mistake == Mistake::kFactor) {
        for (double& e : g) e *= 2;  // the half of k/2 overlooked
    }
    return g;
}

check::Report look(const char* name, Mistake mistake, Span x) {
    const auto g = [mistake](Span at) { return gradient(at, mistake); };
    check::Report report = check::gradient(energy, g, x, {.name = name});
    std::cout << report << "\n";
    return report;
}

}  // namespace

int main() {
    const std::vector<double> x = {0.1, -0.3, 0.25, -0.5, 0.2, -0.9};
    const check::Report right = look("by hand", Mistake::kNone, x);
    const check::Report sign = look("forces", Mistake::kSign, x);
    const check::Report factor = look("without the half", Mistake::kFactor, x);
    const check::Report forgotten = look("without the last reaction", Mistake::kForgotten, x);

    std::cout << "How well f(x) + h g.d describes f(x + h d): the second order is 2 where g is right.\n"
              << check::taylor(
                     energy, [](Span at) { return gradient(at, Mistake::kNone); }, x)
                     .steps;

    const bool named = sign.hint.find("sign") != std::string::npos &&
                       factor.hint.find("factor of 2") != std::string::npos &&
                       forgotten.count(check::Verdict::kWrong) == 2;
    std::cout << (right && !sign && !factor && !forgotten && named
                      ? "the right one passed, three mistakes were named\n"
                      : "the checker failed\n");
    return right && named ? 0 : 1;
}
