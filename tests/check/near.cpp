// Sums of terms φ(u), where u is linear in x and φ has kinks, or jumps, that lie 1e-7 to 0.1 of x away: several at once,
// at different distances, on either side.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "tests/check/corpus.hpp"
#include "tests/check/dual.hpp"

namespace reel::testing {

namespace {

using std::abs, std::exp, std::sin, std::tanh;

/// u = distance + along · (x − x₀), and φ has kinks at u = 0 and u = width.
struct Term {
    double weight, distance, width;
    Numbers along;
};

struct Draw {
    Numbers x;
    std::vector<Term> terms;
    double nearest = 1;

    explicit Draw(std::uint64_t seed) : random_(seed), closest_(seed % 2 == 0 ? -3 : -7) {
        const std::size_t count = 1 + random_() % 4;
        const double unit = random_() % 2 == 0 ? 1 : std::pow(10, 16 * uniform() - 8);
        for (std::size_t i = 0; i < count; ++i) x.push_back(sign() * (0.3 + 2 * uniform()) * unit);
        const std::size_t kinks = 1 + random_() % 6;
        const bool axes = random_() % 2 == 0;
        for (std::size_t j = 0; j < kinks; ++j) {
            Numbers along;
            for (std::size_t k = 0; k < count; ++k)
                along.push_back(axes && k != j % count ? 0 : sign() * (0.3 + uniform()) / std::abs(x[k]));
            terms.push_back({sign() * (0.3 + uniform()), sign() * distance(), 0.1 + uniform(), along});
        }
    }

private:
    double uniform() { return std::ldexp(static_cast<double>(random_() >> 11), -53); }
    double sign() { return random_() % 2 == 0 ? 1 : -1; }
    double distance() {
        const double d = std::pow(10, closest_ + 2 * uniform());
        nearest = std::min(nearest, d / 4);
        return d;
    }
    std::mt19937_64 random_;
    double closest_;  // a power of ten
};

class Near {
public:
    std::vector<Case> cases;

    /// Σ weight · φ(u, width), and besides it smooth(x / x₀).
    template <class Phi, class Smooth>
    void add(const char* name, const Draw& draw, Phi phi, Smooth smooth) {
        const auto f = [=](const auto& x) {
            auto sum = smooth(x[0] / draw.x[0]);
            for (const Term& term : draw.terms) {
                auto u = term.distance + 0.0 * x[0];
                for (std::size_t k = 0; k < x.size(); ++k) u = u + term.along[k] * (x[k] - draw.x[k]);
                sum = sum + term.weight * phi(u, term.width);
            }
            return sum;
        };
        Case c;
        c.kind = "near";
        c.name = name;
        c.f = [f](Span at) { return f(Numbers(at.begin(), at.end())); };
        c.g = [f](Span at) { return dual_gradient(f, at); };
        c.x = draw.x;
        c.length = draw.nearest;
        c.noise = 4 * std::numeric_limits<double>::epsilon() * (1 + std::abs(c.f(c.x)));
        cases.push_back(std::move(c));
    }
};

constexpr auto kRamp = [](const auto& u, double) { return u > 0.0 ? u : 0.0 * u; };
constexpr auto kClamp = [](const auto& u, double width) {
    return u < 0.0 ? 0.0 * u : u > width ? 0.0 * u + width : u;
};
constexpr auto kAbs = [](const auto& u, double width) { return abs(u) - 0.5 * abs(u - width); };
constexpr auto kHuber = [](const auto& u, double width) {  // its second derivative has the kinks
    const auto v = u - width;
    return abs(v) > width ? width * (abs(v) - 0.5 * width) : 0.5 * v * v;
};
constexpr auto kStep = [](const auto& u, double) { return 0.0 * u + (u > 0.0 ? 1.0 : 0.0); };

}  // namespace

std::vector<Case> near_kinks(std::uint64_t first, std::uint64_t count) {
    const auto nothing = [](auto u) { return 0.0 * u; };
    const auto wave = [](auto u) { return sin(u) + 0.3 * exp(0.5 * u); };
    Near near;
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        const Draw draw(seed);
        near.add("ramps", draw, kRamp, nothing);
        near.add("ramps and a wave", draw, kRamp, wave);
        near.add("clamps", draw, kClamp, nothing);
        near.add("clamps and a wave", draw, kClamp, wave);
        near.add("abs", draw, kAbs, nothing);
        if (seed % 2 == 0) near.add("huber", draw, kHuber, nothing);  // nearer, nobody can tell by 1e-8
        near.add("steps and a wave", draw, kStep, wave);
        near.add(
            "activations", draw, [](const auto& u, double w) { return tanh(kRamp(u, w) * (1.0 + u)); },
            nothing);
        near.add(
            "offset ramps", draw, [](const auto& u, double w) { return kRamp(u, w) + 100.0; }, nothing);
    }
    return std::move(near.cases);
}

}  // namespace reel::testing
