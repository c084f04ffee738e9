#include "tests/check/corpus.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "tests/check/collector.hpp"

namespace reel::testing {

namespace {

constexpr std::array<Mutation, 9> kMutations = {{
    {"1 + 1e-3", 1e-3,
     [](Numbers g) {
         for (double& e : g) e *= 1 + 1e-3;
         return g;
     }},
    {"1 + 1e-6", 1e-6,
     [](Numbers g) {
         for (double& e : g) e *= 1 + 1e-6;
         return g;
     }},
    {"1 + 1e-8", 1e-8,
     [](Numbers g) {
         for (double& e : g) e *= 1 + 1e-8;
         return g;
     }},
    {"sign", 2,
     [](Numbers g) {
         for (double& e : g) e = -e;
         return g;
     }},
    {"zero", 1,
     [](Numbers g) {
         for (double& e : g) e = 0;
         return g;
     }},
    {"one element by 1 %", 1e-2,
     [](Numbers g) {
         g[g.size() / 2] *= 1.01;
         return g;
     }},
    {"permuted", 1,
     [](Numbers g) {
         std::rotate(g.begin(), g.begin() + 1, g.end());
         return g;
     }},
    {"missing factor", 1,
     [](Numbers g) {
         for (double& e : g) e *= g.size() > 1 ? static_cast<double>(g.size()) : 0.5;
         return g;
     }},
    {"dropped 1 % term", 1e-2,
     [](Numbers g) {
         g.back() *= 0.99;
         return g;
     }},
}};

}  // namespace

std::vector<Case> corpus() {
    Collector c;
    add_smooth(c);
    add_rough(c);
    add_numerical(c);
    add_programs(c);
    add_limits(c);
    return std::move(c.cases);
}

std::span<const Mutation> mutations() { return kMutations; }

bool hidden(const Case& c, const Numbers& right, const Numbers& wrong) {
    constexpr double kNoises = 20;
    double seen = 0;
    for (std::size_t i = 0; i < right.size(); ++i) {
        const double size = c.x[i] == 0 ? 1 : std::abs(c.x[i]);
        seen = std::max(seen, std::abs(right[i] - wrong[i]) * size * c.length);
    }
    return seen <= kNoises * c.noise;
}

}  // namespace reel::testing
