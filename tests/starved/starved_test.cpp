// When memory runs out at any moment, everything is as before the call, and the call can be made again.
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>

#include "tests/starved/allocations.hpp"
#include "tests/starved/scenarios.hpp"

using namespace reel;
using namespace reel::testing;

namespace {

// What is tried at the moment, for whoever calls `std::terminate`.
const char* current_scenario = "";
std::int64_t current_allocation = 0;

[[noreturn]] void report_and_abort() {
    stop_starving();
    std::fprintf(stderr, "terminated in scenario '%s', allocation %lld\n", current_scenario,
                 static_cast<long long>(current_allocation));
    std::abort();
}

/// An undisturbed run.
struct Reference {
    explicit Reference(const Scenario& scenario) {
        World world = scenario.make();
        before = observe(world);
        scenario.call(world);
        after = observe(world);
    }
    Observation before;
    Observation after;
};

/// Makes the call while memory lacks. Returns "" where that did no harm, else what was wrong.
std::string harm(const Scenario& scenario, const Reference& expected, Shortage shortage, bool& failed) {
    World world = scenario.make();
    if (const std::string other = difference(observe(world), expected.before); !other.empty())
        return "a new world differs in " + other;
    bool thrown = false;
    starve(current_allocation, shortage);
    try {
        scenario.call(world);
    } catch (const std::bad_alloc&) {
        thrown = true;
    } catch (const Error&) {
        thrown = true;
    } catch (const std::exception& error) {
        failed = stop_starving();
        return std::string("a foreign exception: ") + error.what();
    }
    failed = stop_starving();
    if (thrown) {
        const std::string_view but = scenario.uses_tape_up ? "tape" : "";
        if (const std::string changed = difference(observe(world), expected.before, but); !changed.empty())
            return "the failed call has changed " + changed;
        world.results.clear();
        try {
            scenario.call(world);
        } catch (const AutogradError& error) {
            return scenario.uses_tape_up ? "" : std::string("the second call: ") + error.what();
        }
    }
    if (const std::string other = difference(observe(world), expected.after); !other.empty())
        return (thrown ? "the second call differs in " : "the call differs in ") + other;
    return "";
}

/// Lets every allocation of the scenario fail, one after the other.
void starve_at_every_allocation(const Scenario& scenario, Shortage shortage) {
    current_scenario = scenario.name;
    const Reference expected(scenario);
    static_cast<void>(Reference(scenario));  // what is made once is made now
    int shown = 0;
    bool failed = true;
    for (current_allocation = 1; failed && shown < 3; ++current_allocation) {
        failed = false;
        const std::int64_t live = live_allocations();
        const std::int64_t storages = memory_stats().live_storages;
        std::string wrong = harm(scenario, expected, shortage, failed);
        if (wrong.empty() && memory_stats().live_storages != storages) wrong = "storages leak";
        if (wrong.empty() && live_allocations() != live) wrong = "blocks leak";
        if (wrong.empty()) continue;
        ++shown;
        const char* lack = shortage == Shortage::kOnce ? "once" : "lasting";
        MESSAGE(detail::concat(scenario.name, ", ", lack, ", allocation ", current_allocation, ": ", wrong));
    }
    CHECK(shown == 0);
    CHECK(current_allocation > 2);  // it has allocated
}

}  // namespace

TEST_CASE("starved: at every allocation of every scenario") {
    const std::terminate_handler before = std::set_terminate(report_and_abort);
    CHECK(scenarios().size() >= 60);
    set_num_threads(1);
    for (const Scenario& scenario : scenarios()) {
        INFO(std::string(scenario.name));
        for (const Shortage shortage : {Shortage::kOnce, Shortage::kLasting}) {
            starve_at_every_allocation(scenario, shortage);
        }
    }
    std::set_terminate(before);
}
