// Every operation of the gradient table, recorded, and its rewind: when memory runs out at any moment the tape and the
// inputs are as before, and the call can be made again.
#include <doctest/doctest.h>

#include <new>
#include <optional>

#include "tests/gradients/rows.hpp"
#include "tests/starved/allocations.hpp"
#include "tests/starved/world.hpp"

using namespace reel;
using namespace reel::testing;

namespace {

/// The row's operation; in one where it is put together of several here, which is no operation's fault.
Tensor call(const Row& row, const World& w) {
    std::optional<Composite> whole;
    if (makes_several_calls(row)) whole.emplace();
    return row.f(w.x);
}

/// The inputs as leaves, and a tape.
World on_a_tape(const Row& row) {
    manual_seed(1);
    World w;
    for (const Tensor& x : row.inputs) w.x.push_back(x.clone().set_requires_grad());
    w.tape = std::make_unique<Tape>();
    return w;
}

/// Also its value on the tape, to be rewound.
World computed(const Row& row) {
    World w = on_a_tape(row);
    w.x.push_back(call(row, w));
    return w;
}

void rewind_last(World& w) {
    const Tensor& y = w.x.back();
    y.backward(ones(y.sizes(), y.dtype()), true);
}

struct Subject {
    std::function<World()> make;
    std::function<void(World&)> call;
};

/// Makes the call while its `kth` allocation fails. Returns "" where that did no harm, else what was wrong.
std::string harm(const Subject& subject, const Observation& expected, std::int64_t kth, bool& failed) {
    World world = subject.make();
    const Observation before = observe(world);
    bool thrown = false;
    starve(kth, Shortage::kOnce);
    try {
        subject.call(world);
    } catch (const std::bad_alloc&) {
        thrown = true;
    } catch (const Error&) {
        thrown = true;
    }
    failed = stop_starving();
    if (thrown) {
        if (const std::string changed = difference(observe(world), before); !changed.empty())
            return "the failed call has changed " + changed;
        world.results.clear();
        subject.call(world);
    }
    const std::string other = difference(observe(world), expected);
    return other.empty() ? "" : "the result differs in " + other;
}

void starve_at_every_allocation(const std::string& name, const Subject& subject) {
    World undisturbed = subject.make();
    subject.call(undisturbed);
    const Observation expected = observe(undisturbed);
    bool failed = true;
    std::string wrong;
    for (std::int64_t kth = 1; failed && wrong.empty(); ++kth) {
        const std::int64_t live = live_allocations();
        wrong = harm(subject, expected, kth, failed);
        if (wrong.empty() && live_allocations() != live) wrong = "blocks leak";
        if (!wrong.empty()) wrong += detail::concat(" (allocation ", kth, ')');
    }
    INFO(name, ": ", wrong);
    CHECK(wrong.empty());
}

}  // namespace

TEST_CASE("starved: every operation of the gradient table, and its rewind") {
    set_num_threads(1);
    for (const Row& row : all_rows()) {
        const std::string name = name_of(row);
        starve_at_every_allocation(name,
                                   {[&] { return on_a_tape(row); }, [&](World& w) { w.keep(call(row, w)); }});
        starve_at_every_allocation(name + ", rewound", {[&] { return computed(row); }, rewind_last});
    }
}
