// After an error everything is as before: a recording, a write in place and a rewind that fail midway.
#include <doctest/doctest.h>

#include <cmath>
#include <stdexcept>

#include "reel.hpp"
#include "tests/messages.hpp"

using namespace reel;
using reel::testing::contains;
using reel::testing::message_of;

namespace {

using List = std::vector<Tensor>;
using Values = std::vector<double>;

Tensor leaf(const TensorData& data) { return tensor(data, kFloat64).set_requires_grad(); }
Values values(const Tensor& t) { return t.defined() ? t.to_vector<double>() : Values{}; }

/// A pullback that cannot be copied to the tape.
struct Uncopyable {
    Uncopyable() = default;
    Uncopyable(const Uncopyable&) { throw std::runtime_error("no copy"); }
    Tensor operator()(const Tensor& g) const { return g * 100.0; }
};

}  // namespace

TEST_CASE("a recording that fails midway leaves nothing on the tape") {
    const Tensor a = leaf({1.0});
    const Tensor b = leaf({1.0});
    for (const bool watch : {false, true}) {
        a.zero_grad();
        Tape tape({.watch = watch});
        const Tensor y = a * 2.0;
        const Uncopyable bad;
        const auto good = [](const Tensor& g) { return g * 100.0; };
        CHECK_THROWS_AS(record("half", ones({1}, kFloat64), {{a, good}, {b, bad}}), std::runtime_error);
        CHECK_THROWS_AS(record("half", ones({1}, kFloat64), {{b, good}, {a, bad}}), std::runtime_error);
        CHECK(tape.size() == 1);
        y.sum().backward();
        CHECK(values(a.grad()) == Values{2});
        CHECK(!b.grad().defined());
    }
}

TEST_CASE("calls that are refused leave nothing on the tape") {
    const Tensor x = leaf({{1.0, 2.0}, {3.0, 4.0}});
    Tape tape;
    const Tensor y = x * 2.0;
    const Tensor number = y.sum();
    const Tensor whole = tensor({1, 2});
    const Tensor matrix = ones({2, 2}, kInt64);
    const std::size_t before = tape.size();
    CHECK_THROWS_AS(whole.add_(number, 2), DTypeError);
    CHECK_THROWS_AS(matrix.add_(y, 2), DTypeError);
    CHECK_THROWS_AS(matrix.sub_(y, 2), DTypeError);
    CHECK_THROWS_AS(number.index_select(0, tensor({5})), IndexError);
    CHECK_THROWS_AS(y.index({Slice(0, 1), tensor({7})}), IndexError);
    CHECK_THROWS_AS(y.index({None, 0, 9}), IndexError);
    CHECK_THROWS_AS(y.index_put_({Slice(0, 1), tensor({7})}, 1), IndexError);
    CHECK_THROWS_AS(y.index_put_({Slice(0, 1)}, ones({3, 3}, kFloat64)), ShapeError);
    CHECK(tape.size() == before);
    CHECK(values(y) == Values{2, 4, 6, 8});
    y.sum().backward();
    CHECK(values(x.grad()) == Values{2, 2, 2, 2});
}

TEST_CASE("a refused call does not move a view whose base was written") {
    const auto check = [](const auto& refused) {
        const Tensor x = leaf({1.0, 2.0, 3.0, 4.0});
        const Tensor other = leaf({5.0});
        Tape tape;
        const Tensor y = x * 1.0;
        const Tensor v = y.view({2, 2});
        const Tensor wide = y.view({1, 2, 2}).expand({3, 2, 2});
        v.retain_grad();
        y.mul_(10.0);
        const std::size_t before = tape.size();
        CHECK_THROWS_AS(refused(v, wide), Error);
        CHECK(tape.size() == before);
        const Tensor z = other * 3.0 * 1.0;  // takes the places that the call had taken
        (v.sum() + z.sum()).backward();
        CHECK(values(x.grad()) == Values{10, 10, 10, 10});
        CHECK(values(v.grad()) == Values{1, 1, 1, 1});
        CHECK(values(other.grad()) == Values{3});
    };
    check([](const Tensor& v, const Tensor&) { v.index({Slice(0, 1), tensor({7})}); });
    check([](const Tensor& v, const Tensor&) { v.index_put_({Slice(0, 1), tensor({7})}, 1.0); });
    check([](const Tensor& v, const Tensor&) { v.split({1, 5}); });
    check([](const Tensor& v, const Tensor&) { v.backward(); });
    check([](const Tensor& v, const Tensor&) { v.backward(ones({3})); });
    check([](const Tensor& v, const Tensor& wide) { wide.mul_(v); });
    check([](const Tensor& v, const Tensor& wide) { wide.div_(v); });
    check([](const Tensor&, const Tensor& wide) { wide.clamp_(0.0, 1.0); });
    check([](const Tensor&, const Tensor& wide) { wide.masked_fill_(wide.detach() > 0, 1.0); });
}

TEST_CASE("a write in which anomaly detection finds fault has not been") {
    const Tensor x = leaf({1.0, 2.0, 3.0});
    Tape tape({.detect_anomaly = true});
    const Tensor y = x * 2.0;
    const Tensor z = y.square();  // has saved y
    const std::size_t before = tape.size();
    SUBCASE("on the whole") {
        CHECK_THROWS_AS(y.div_(zeros({3}, kFloat64)), AutogradError);
        CHECK_THROWS_AS(y.div_(0), AutogradError);
    }
    SUBCASE("on a view") {
        const Tensor v = y.narrow(0, 1, 2);
        CHECK_THROWS_AS(v.div_(zeros({2}, kFloat64)), AutogradError);
        CHECK_THROWS_AS(v[0].mul_(tensor(1e200, kFloat64)).mul_(1e200), AutogradError);
        CHECK(values(y)[0] == 2);
        return;
    }
    CHECK(values(y) == Values{2, 4, 6});
    CHECK(tape.size() == before);
    (z + y).sum().backward();
    CHECK(values(x.grad()) == Values{10, 18, 26});
}

TEST_CASE("what can be checked is checked before a rewind uses anything up") {
    const Tensor x = leaf({1.0, 2.0});
    const Tensor unused = leaf({1.0});
    Tape tape;
    const Tensor y = x.exp().sum();
    CHECK_THROWS_AS(grad({y}, {unused}), AutogradError);
    CHECK_THROWS_AS(grad({y}, {x, unused}), AutogradError);
    const Tensor kept = x * 1.0;
    const Tensor z = kept.square().sum();
    kept.mul_(2.0);
    CHECK_THROWS_AS((y + z).backward(), AutogradError);
    y.backward();
    CHECK(x.grad().defined());
}

TEST_CASE("a rewind that fails midway changes no gradient, and the next one says why it cannot") {
    const Tensor x = leaf({1.0, 2.0});
    const Tensor start = tensor({5.0, 5.0}, kFloat64);
    x.set_grad(start.clone());
    bool fails = true;
    const auto run = [&](bool retain_graph, const auto& middle) {
        Tape tape;
        const Tensor early = x * 2.0;
        early.retain_grad();
        const Tensor y = middle(early).exp().sum();
        const std::size_t before = tape.size();
        fails = true;
        CHECK_THROWS_AS(y.backward({}, retain_graph), Error);
        fails = false;
        CHECK(values(x.grad()) == Values{5, 5});
        CHECK(values(early.grad()) == Values{});
        CHECK(tape.size() == before);
        if (retain_graph) {
            y.backward();
            CHECK(values(x.grad())[0] == doctest::Approx(5 + 2 * std::exp(2.0)));
            x.set_grad(start.clone());
        } else {
            const std::string message = message_of<AutogradError>([&] { y.backward(); });
            CHECK(contains(message, "failed"));
            CHECK(contains(message, "shape [7]"));
        }
    };
    for (const bool retain_graph : {false, true}) {
        run(retain_graph, [&](const Tensor& t) {
            const Tensor y = t * 1.0;
            y.register_hook([&](const Tensor& g) { return fails ? ones({7}, kFloat64) : g; });
            return y;
        });
        run(retain_graph, [&](const Tensor& t) {
            return record("mine", t.clone().detach(),
                          {{t, [&](const Tensor& g) { return fails ? ones({7}, kFloat64) : g; }}});
        });
        run(retain_graph, [&](const Tensor& t) {
            int runs = 0;
            return checkpoint(
                [&fails, runs](const Tensor& u) mutable {
                    if (runs++ == 1 && fails) throw Error("the second run fails with shape [7]");
                    return u * 1.0;
                },
                t);
        });
    }
}

TEST_CASE("a hook of a leaf that fails changes no gradient") {
    const Tensor a = leaf({1.0});
    const Tensor b = leaf({1.0});
    b.register_hook([](const Tensor&) { return ones({7}, kFloat64); });
    Tape tape;
    const Tensor y = (a * b).sum();
    CHECK_THROWS_AS(y.backward(), AutogradError);
    CHECK(!a.grad().defined());
    CHECK(contains(message_of<AutogradError>([&] { y.backward(); }), "hook"));
}
