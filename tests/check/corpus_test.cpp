// The checker on functions of every kind: right gradients pass with every seed, spoilt ones do not, unless the noise of
// the function itself hides what is wrong with them.
#include "tests/check/corpus.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "check/check.hpp"
#include "tests/check/compositions.hpp"

using namespace reel;
using namespace reel::testing;

TEST_CASE("check: right gradients of the corpus pass, with every seed") {
    const std::vector<Case> cases = corpus();
    CHECK(cases.size() > 600);
    for (const Case& c : cases) {
        for (std::uint64_t seed = 0; seed < 20; ++seed) {
            const check::Report report =
                check::gradient(c.f, c.g, c.x, {.seed = seed, .name = c.kind + ": " + c.name});
            if (!report) FAIL_CHECK(report);
        }
    }
}

namespace {

/// Of a kind of function, what the table in docs/checking.md says of reel.
struct Tally {
    std::size_t functions = 0, refused = 0, mistakes = 0, passed = 0;
    bool operator==(const Tally&) const = default;
};

std::map<std::string, Tally> written() {
    std::map<std::string, Tally> rows;
    std::ifstream page(REEL_TESTS "/../docs/checking.md");
    for (std::string line; std::getline(page, line);) {
        std::istringstream cells(line);
        std::string bar, kind;
        Tally t;
        std::size_t other = 0;
        cells >> bar >> kind >> bar >> t.functions >> bar >> t.refused >> bar >> other >> bar >> other >>
            bar >> t.mistakes >> bar >> t.passed;
        if (cells && kind != "all") rows[kind] = t;
    }
    return rows;
}

}  // namespace

TEST_CASE("check: spoilt gradients of the corpus do not pass, and docs/checking.md counts them") {
    std::map<std::string, Tally> tallies;
    for (const Case& c : corpus()) {
        const Numbers right = c.g(c.x);
        Tally& tally = tallies[c.kind];
        ++tally.functions;
        if (!check::gradient(c.f, c.g, c.x, {.seed = 1})) ++tally.refused;
        for (const Mutation& mutation : mutations()) {
            const Numbers wrong = mutation.of(right);
            if (wrong == right || hidden(c, right, wrong)) continue;
            ++tally.mistakes;
            const check::Report report = check::gradient(c.f, [&](Span x) { return mutation.of(c.g(x)); },
                                                         c.x, {.seed = 1, .name = c.kind + ": " + c.name});
            const std::string name = mutation.name;
            if (!report) continue;
            ++tally.passed;
            FAIL_CHECK(name, ": ", report);
        }
    }
    CHECK(tallies == written());
}

TEST_CASE("check: of second derivatives at most 3 % are refused, and none passes that is wrong by 1e-3") {
    const auto spoilt = [](Numbers h) {
        for (double& e : h) e *= 1 + 1e-3;
        return h;
    };
    std::size_t refused = 0;
    std::size_t mistakes = 0;
    const std::vector<Case> cases = corpus();
    for (const Case& c : cases) {
        const std::string name = c.kind + ": " + c.name;
        const check::Report report = check::hessian(c.g, c.h, c.x, {.seed = 1, .name = name});
        refused += report ? 0 : 1;
        // A second derivative that is nothing but the rounding of the first, as that of a sine where it is 0.
        double first = 0;
        double seen = 0;
        const Numbers g = c.g(c.x);
        const Numbers h = c.h(c.x);
        for (std::size_t i = 0; i < c.x.size(); ++i) {
            const double size = c.x[i] == 0 ? 1 : std::abs(c.x[i]);
            first = std::max(first, std::abs(g[i]) + c.noise / (size * c.length));
            for (std::size_t row = 0; row < c.x.size(); ++row)
                seen = std::max(seen, 1e-3 * std::abs(h[row * c.x.size() + i]) * size * c.length);
        }
        if (!(seen > 1e-13 * first)) continue;
        ++mistakes;
        const check::Report found =
            check::hessian(c.g, [&](Span x) { return spoilt(c.h(x)); }, c.x, {.seed = 2, .name = name});
        if (found && found.could_hide() < 1e-3) FAIL_CHECK(found);
    }
    MESSAGE(refused, " of ", cases.size(), " refused, ", mistakes, " spoilt");
    CHECK(100 * refused <= 3 * cases.size());
    CHECK(mistakes > 250);
}

TEST_CASE("check: kinks and jumps near x, several at once, neither hide a mistake nor make one") {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        for (const Case& c : near_kinks(3 * seed, 3)) {
            const check::Report report = check::gradient(c.f, c.g, c.x, {.seed = seed, .name = c.name});
            if (!report) FAIL_CHECK(report);
            const Numbers right = c.g(c.x);
            for (const Mutation& mutation : mutations()) {
                const Numbers wrong = mutation.of(right);
                if (wrong == right || hidden(c, right, wrong)) continue;
                for (const unsigned budget : {0U, 50U, 100U}) {
                    // What a short search leaves of the noise can hide as much.
                    if (budget != 0 && mutation.size < 1e-7) continue;
                    const check::Report found =
                        check::gradient(c.f, [&](Span x) { return mutation.of(c.g(x)); }, c.x,
                                        {.budget = budget, .seed = seed, .name = c.name});
                    if (found) FAIL_CHECK(mutation.name, ", budget ", budget, ": ", found);
                }
            }
        }
    }
}

TEST_CASE("check: a function of ten variables costs 150 evaluations or less, in the median") {
    std::vector<std::size_t> costs;
    for (const Case& c : corpus()) {
        if (c.x.size() == 10) costs.push_back(check::gradient(c.f, c.g, c.x).evaluations);
    }
    REQUIRE(!costs.empty());
    std::sort(costs.begin(), costs.end());
    CHECK(costs[costs.size() / 2] <= 150);
}

// REEL_CASES=1000000 build/release/tests/reel_tests -tc="check: right gradients of random compositions*" tries a million.
TEST_CASE("check: right gradients of random compositions are never wrong") {
    const char* cases = std::getenv("REEL_CASES");
    const std::uint64_t count = cases != nullptr ? std::strtoull(cases, nullptr, 10) : 3000;
    for (std::uint64_t seed = 0; seed < count; ++seed) {
        const Case c = composition(seed);
        const check::Report report = check::gradient(c.f, c.g, c.x, {.seed = seed, .name = c.name});
        if (!report) FAIL_CHECK(report);
    }
}
