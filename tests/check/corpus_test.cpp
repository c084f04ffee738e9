// The checker on functions of every kind: right gradients pass with every seed, spoilt ones do not, unless the noise of
// the function itself hides what is wrong with them.
#include "tests/check/corpus.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "check/check.hpp"
#include "tests/check/compositions.hpp"

using namespace reel;
using namespace reel::testing;

TEST_CASE("check: right gradients of the corpus pass, with every seed") {
    const std::vector<Case> cases = corpus();
    CHECK(cases.size() > 450);
    for (const Case& c : cases) {
        for (std::uint64_t seed = 0; seed < 20; ++seed) {
            const check::Report report =
                check::gradient(c.f, c.g, c.x, {.seed = seed, .name = c.kind + ": " + c.name});
            if (!report) FAIL_CHECK(report);
        }
    }
}

TEST_CASE("check: spoilt gradients of the corpus do not pass") {
    std::size_t spoilt = 0;
    for (const Case& c : corpus()) {
        const Numbers right = c.g(c.x);
        for (const Mutation& mutation : mutations()) {
            const Numbers wrong = mutation.of(right);
            if (wrong == right || hidden(c, right, wrong)) continue;
            ++spoilt;
            const check::Report report = check::gradient(c.f, [&](Span x) { return mutation.of(c.g(x)); },
                                                         c.x, {.seed = 1, .name = c.kind + ": " + c.name});
            const std::string name = mutation.name;
            if (report) FAIL_CHECK(name, ": ", report);
        }
    }
    CHECK(spoilt > 2500);
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

TEST_CASE("check: right gradients of random compositions are never wrong") {
    for (std::uint64_t seed = 0; seed < 3000; ++seed) {
        const Case c = composition(seed);
        const check::Report report = check::gradient(c.f, c.g, c.x, {.seed = seed, .name = c.name});
        if (!report) FAIL_CHECK(report);
    }
}
