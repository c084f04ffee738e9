// Anomaly detection: the first NaN or Inf that an operation makes out of finite numbers.
#include <doctest/doctest.h>

#include <cmath>

#include "reel.hpp"
#include "tests/messages.hpp"

using namespace reel;
using reel::testing::contains;
using reel::testing::message_of;

namespace {

Tensor leaf(const TensorData& data) { return tensor(data, kFloat64).set_requires_grad(); }

}  // namespace

TEST_CASE("anomaly detection names the operation, forward") {
    const Tensor x = leaf({1.0, -1.0});
    {
        Tape quiet;
        CHECK(std::isnan(log(x).sum().item<double>()));
    }
    Tape tape({.detect_anomaly = true});
    const std::string message = message_of<AutogradError>([&] { log(x); });
    CHECK(contains(message, "forward"));
    CHECK(contains(message, "log"));
    CHECK(contains(message, "[2]"));
    CHECK(tape.size() == 0);
    CHECK(contains(message_of<AutogradError>([&] { x / 0.0; }), "div"));
    CHECK(contains(message_of<AutogradError>([&] { exp(x * 1e6); }), "exp"));
    CHECK(contains(message_of<AutogradError>([&] { exp(x).mul_(1e308).mul_(1e308); }), "mul_"));
}

TEST_CASE("anomaly detection names the operation, backward") {
    const Tensor x = leaf({0.0, 4.0});
    Tape tape({.detect_anomaly = true});
    const Tensor y = sqrt(x).sum();
    const std::string message = message_of<AutogradError>([&] { y.backward(); });
    CHECK(contains(message, "backward"));
    CHECK(contains(message, "sqrt"));
    CHECK_FALSE(x.grad().defined());
}

TEST_CASE("anomaly detection passes on what was not finite before") {
    const double inf = INFINITY;
    const Tensor x = leaf({1.0, 2.0});
    const Tensor mask = tensor({0.0, -inf}, kFloat64);
    Tape tape({.detect_anomaly = true});
    const Tensor y = exp(x + mask);
    y.sum().backward({}, true);
    const Tensor z = (x * 1.0).add_(mask);
    z.add_(1.0);  // not the one that made it
    CHECK(x.grad().equal(y.detach()));
    // What was filled with infinity was asked for.
    const Tensor hidden = tensor({false, true});
    CHECK_NOTHROW(x.masked_fill(hidden, -inf));
    CHECK_NOTHROW((x * 1.0).masked_fill_(hidden, -inf));
    CHECK_NOTHROW((x * 1.0).fill_(-inf));
    CHECK_NOTHROW(where(hidden, -inf, x));
    CHECK_NOTHROW(where(hidden, x, inf));
    CHECK_NOTHROW(pad(x, {1, 0}, "constant", -inf));
}
