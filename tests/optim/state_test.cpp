// What an optimizer saves and takes back; and that each parameter counts its own steps.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "reel.hpp"
#include "tests/messages.hpp"

using namespace reel;
using reel::testing::contains;
using reel::testing::message_of;

namespace {

using State = std::map<std::string, Tensor>;

Tensor parameter(double value) { return tensor({value}, kFloat64).set_requires_grad(); }

/// Everything that `state` holds, for comparisons.
std::vector<double> numbers(const State& state) {
    std::vector<double> all;
    for (const auto& [name, value] : state) {
        for (const double x : value.to_vector<double>()) all.push_back(x);
    }
    return all;
}

}  // namespace

TEST_CASE("Adam counts the steps of each parameter for itself") {
    const Tensor a = parameter(1);
    const Tensor b = parameter(1);
    const auto run = [&](auto&& optimizer) {
        for (int step = 0; step < 999; ++step) {
            a.set_grad(ones({1}, kFloat64));
            optimizer.step();
        }
        b.set_grad(tensor({3.0}, kFloat64));
        const double before = b.item<double>();
        optimizer.step();
        CHECK(before - b.item<double>() == doctest::Approx(0.1));
        b.zero_grad();
    };
    run(Adam({a, b}, {.lr = 0.1}));
    run(AdamW({a, b}, {.lr = 0.1, .weight_decay = 0}));
}

TEST_CASE("a state that was saved goes on with the counts of each parameter") {
    const auto run = [](bool reload) {
        const Tensor a = parameter(1);
        const Tensor b = parameter(2);
        Adam optimizer({a, b}, {.lr = 0.1});
        for (int step = 0; step < 6; ++step) {
            a.set_grad(tensor({0.5 + step}, kFloat64));
            if (step > 2) b.set_grad(tensor({-1.5}, kFloat64));
            if (step == 4 && reload) {
                const State state = optimizer.state();
                optimizer = Adam({a, b}, {.lr = 7});
                optimizer.load_state(state);
            }
            optimizer.step();
        }
        return std::pair(a.item<double>(), b.item<double>());
    };
    CHECK(run(true) == run(false));
}

TEST_CASE("a state of before each parameter was counted loads") {
    const Tensor a = parameter(1);
    const Tensor b = parameter(1);
    Adam optimizer({a, b});
    a.set_grad(ones({1}, kFloat64));
    optimizer.step();
    State old = optimizer.state();
    old.erase("step.0");
    old.erase("step.1");
    optimizer.load_state(old);
    CHECK(optimizer.state().at("step.0").item<std::int64_t>() == 1);
    CHECK(optimizer.state().at("step.1").item<std::int64_t>() == 0);
    old.erase("exp_avg_sq.0");
    CHECK(contains(message_of<Error>([&] { optimizer.load_state(old); }), "exp_avg_sq.0"));
}

TEST_CASE("a state that cannot be is refused by name, and nothing changes") {
    const Tensor a = parameter(1);
    const Tensor b = parameter(2);
    Adam optimizer({a, b}, {.lr = 0.5});
    a.set_grad(ones({1}, kFloat64));
    b.set_grad(ones({1}, kFloat64));
    optimizer.step();
    const State good = optimizer.state();
    const auto refuses = [&](const std::string& name, const auto& spoil) {
        State bad = good;
        bad["lr"] = full({}, 0.25, kFloat64);
        spoil(bad);
        CAPTURE(name);
        const std::string message = message_of<Error>([&] { optimizer.load_state(bad); });
        CHECK(contains(message, name));
        CHECK(optimizer.lr() == 0.5);
        CHECK(numbers(optimizer.state()) == numbers(good));
    };
    const double nan = std::numeric_limits<double>::quiet_NaN();
    refuses("\"step\"", [](State& s) { s["step"] = ones({2}, kInt64); });
    refuses("\"step\"", [](State& s) { s["step"] = full({}, -1); });
    refuses("\"step\"", [](State& s) { s["step"] = full({}, 1.5); });
    refuses("\"step\"", [&](State& s) { s["step"] = full({}, nan); });
    refuses("\"step\"", [](State& s) { s.erase("step"); });
    refuses("\"lr\"", [](State& s) { s.erase("lr"); });
    refuses("\"lr\"", [](State& s) { s["lr"] = full({}, -1.0); });
    refuses("\"lr\"", [&](State& s) { s["lr"] = full({}, nan); });
    refuses("\"lr\"", [](State& s) { s["lr"] = ones({3}); });
    refuses("\"step.1\"", [](State& s) { s.erase("step.1"); });
    refuses("\"step.1\"", [](State& s) { s["step.1"] = full({}, -3); });
    refuses("\"exp_avg.0\"", [](State& s) { s.erase("exp_avg.0"); });
    refuses("\"exp_avg_sq.1\"", [](State& s) { s.erase("exp_avg_sq.1"); });
    refuses("\"exp_avg.1\"", [](State& s) { s["exp_avg.1"] = ones({1}, kInt64); });
    refuses("\"exp_avg.1\"", [&](State& s) { s["exp_avg.1"] = full({1}, nan); });
    refuses("\"exp_avg.1\"", [](State& s) { s["exp_avg.1"] = ones({4}); });
    refuses("belong to no parameter", [](State& s) { s["exp_avg.2"] = ones({1}); });
    SGD sgd({a, b}, {.lr = 0.1});
    sgd.step();
    CHECK_THROWS_AS(optimizer.load_state(sgd.state()), Error);
    CHECK_THROWS_AS(sgd.load_state(good), Error);
    Adam fewer({a}, {.lr = 0.1});
    CHECK_THROWS_AS(fewer.load_state(good), Error);
    fewer.step();
    CHECK_THROWS_AS(optimizer.load_state(fewer.state()), Error);
}
