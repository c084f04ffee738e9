// The rewind: what is accumulated where, what is freed, what is refused.
#include <doctest/doctest.h>

#include <cmath>

#include "reel.hpp"
#include "tests/messages.hpp"

using namespace reel;
using reel::testing::contains;
using reel::testing::message_of;

namespace {

using List = std::vector<Tensor>;

Tensor leaf(const TensorData& data) { return tensor(data, kFloat64).set_requires_grad(); }

std::vector<double> values(const Tensor& t) { return t.to_vector<double>(); }

void check_close(const Tensor& actual, const std::vector<double>& expected) {
    const std::vector<double> got = values(actual);
    REQUIRE(got.size() == expected.size());
    for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == doctest::Approx(expected[i]).epsilon(1e-12));
}

}  // namespace

TEST_CASE("gradients of the first three orders agree with PyTorch") {
    const Tensor x = leaf({{0.3, -1.2, 0.8}, {1.9, -0.4, 0.07}});
    const Tensor w = leaf({0.5, 2.0, -1.5});
    Tape tape;
    const Tensor y = tanh(x * w) / (1.0 + exp(x).sum({1}, true));
    const Tensor loss = (y * y).mean() + log(w * w).sum();
    CHECK(loss.item<double>() == doctest::Approx(0.8246108080394481).epsilon(1e-14));
    const List g = grad({loss}, {x, w}, {.create_graph = true});
    check_close(g[0], {-0.0055163550456577915, -0.002351533159668197, -0.005430861007386848,
                       -0.0020286698460984134, -0.003050218343453554, 0.00015579853238079463});
    check_close(g[1], {4.002998136807016, 1.00109257896203, -1.3362118373611003});
    const Tensor second = (g[0] * g[0]).sum() + (g[1] * w).sum();
    const List h = grad({second}, {x, w}, {.create_graph = true});
    check_close(h[0], {-0.001223562890694363, 0.0025343865086884768, -0.008054145417313032,
                       -0.003249348569077118, -0.0020396703215937416, 0.0006115343539036233});
    check_close(h[1], {0.0015885488041080921, -0.001601426400593263, 0.0014786126981280881});
    const List t = grad({h[0].sum() * h[1].sum()}, {x, w});
    check_close(t[0], {-7.178618481933362e-05, 4.691281862312883e-05, -0.00013229218195616804,
                       5.905625827232146e-05, -4.969922166871382e-05, 4.053997570254957e-05});
    check_close(t[1], {0.00013832866417225567, -2.4700062856874617e-05, 6.682182455878754e-05});
}

TEST_CASE("derivatives of any order") {
    const Tensor x = leaf(0.75);
    Tape tape;
    Tensor y = exp(2.0 * x) + x * x * x * x;
    const double powers[] = {4 * 0.421875, 12 * 0.5625, 24 * 0.75, 24, 0, 0};
    double factor = 1;
    for (const double power : powers) {
        y = grad({y}, {x}, {.create_graph = true})[0];
        factor *= 2;
        CHECK(y.item<double>() == doctest::Approx(factor * std::exp(1.5) + power).epsilon(1e-13));
    }
}

TEST_CASE("backward accumulates into memory of each leaf's own") {
    const Tensor a = leaf({1.0, 2.0});
    const Tensor b = leaf({3.0, 4.0});
    for (int time = 1; time <= 2; ++time) {
        Tape tape;
        (a + b).sum().backward();
        CHECK(values(a.grad()) == std::vector<double>(2, time));
        CHECK_FALSE(a.grad().shares_storage(b.grad()));
        CHECK(a.grad().is_contiguous());
    }
    const Tensor held = a.grad();
    {
        Tape tape;
        a.sum().backward();
    }
    CHECK(values(a.grad()) == std::vector<double>(2, 3));
    CHECK(values(held) == std::vector<double>(2, 2));  // what was handed out does not change
}

TEST_CASE("backward leaves the cotangent, and what pullbacks return, as they are") {
    const Tensor x = leaf({1.0, 2.0});
    const Tensor seed = tensor({1.0, 1.0}, kFloat64);
    const Tensor constant = tensor({5.0, 5.0}, kFloat64);
    Tape tape;
    const Tensor y =
        record("constant", x.detach().clone(), {{x, [constant](const Tensor&) { return constant; }}});
    (x + x + y + x).backward(seed);
    CHECK(values(x.grad()) == std::vector<double>{8, 8});
    CHECK(values(seed) == std::vector<double>{1, 1});
    CHECK(values(constant) == std::vector<double>{5, 5});
}

TEST_CASE("a leaf is its own output") {
    const Tensor x = leaf(2.0);
    Tape tape;
    x.backward();
    CHECK(x.grad().item<double>() == 1);
    CHECK(grad({x}, {x})[0].item<double>() == 1);
}

TEST_CASE("a rewind frees what it used; a second one throws, unless it was retained") {
    const Tensor x = leaf({1.0, 2.0});
    Tape tape;
    const Tensor y = exp(x);
    const Tensor z = y.sum();
    z.backward({}, true);
    z.backward();
    CHECK(values(x.grad())[0] == doctest::Approx(2 * std::exp(1.0)));
    const std::string message = message_of<AutogradError>([&] { z.backward(); });
    CHECK(contains(message, "sum"));
    CHECK(contains(message, "retain_graph"));
    // What the freed nodes share with others is no obstacle, what they made is.
    const Tensor other = (x * 2.0).sum();
    other.backward();
    CHECK(contains(message_of<AutogradError>([&] { (y * 2.0).sum().backward(); }), "exp"));
}

TEST_CASE("grad frees only what lies between outputs and inputs") {
    const Tensor x = leaf({1.0, 2.0});
    Tape tape;
    const Tensor y = exp(x);
    const Tensor z = exp(y).sum();
    grad({z}, {y});
    CHECK(contains(message_of<AutogradError>([&] { z.backward(); }), "freed"));
    y.sum().backward();
    CHECK(x.grad().defined());
}

TEST_CASE("grad: inputs of every kind") {
    const Tensor x = leaf(3.0);
    const Tensor unused = leaf(1.0);
    Tape tape;
    const Tensor y = x * x;
    const Tensor z = y * y;
    const GradOptions keep{.retain_graph = true};
    CHECK(grad({z}, {y}, keep)[0].item<double>() == 18);
    CHECK(grad({z}, {x}, keep)[0].item<double>() == 108);
    const List both = grad({z}, {x, y}, keep);
    CHECK(both[0].item<double>() == 108);
    CHECK(both[1].item<double>() == 18);
    const List twice = grad({z}, {x, x}, keep);
    CHECK(twice[0].item<double>() == 108);
    CHECK(twice[1].item<double>() == 108);
    CHECK(grad({z, y}, {y}, keep)[0].item<double>() == 19);
    CHECK(grad({z}, {z}, keep)[0].item<double>() == 1);
    CHECK(grad({z, z}, {x}, keep)[0].item<double>() == 216);
    CHECK_FALSE(grad({z}, {unused}, {.retain_graph = true, .allow_unused = true})[0].defined());
    CHECK(contains(message_of<AutogradError>([&] { grad({z}, {x, unused}, keep); }), "input 1"));
    CHECK(
        contains(message_of<AutogradError>([&] { grad({y}, {z}, keep); }), "input 0"));  // against the order
    CHECK_FALSE(x.grad().defined());
    CHECK(grad({z}, {}, keep).empty());
}

TEST_CASE("grad: cotangents") {
    const Tensor x = leaf({1.0, 2.0});
    Tape tape;
    const Tensor y = x * x;
    const Tensor s = y.sum();
    const Tensor v = tensor({10.0, 1.0}, kFloat64);
    const List g = grad({y, s}, {x}, {.grad_outputs = {v, Tensor()}, .retain_graph = true});
    CHECK(values(g[0]) == std::vector<double>{22, 8});
    CHECK(contains(message_of<AutogradError>([&] { grad({y}, {x}); }), "[2]"));
    CHECK(contains(message_of<AutogradError>([&] {
                       grad({y, s}, {x}, {.grad_outputs = {v}});
                   }),
                   "1 grad_outputs for 2"));
    CHECK_THROWS_AS(grad({y}, {x}, {.grad_outputs = {ones({3})}}), ShapeError);
    CHECK_THROWS_AS(y.backward(ones({1})), ShapeError);
    // A cotangent of another type is converted; one that wants a gradient gets it.
    CHECK(grad({y}, {x}, {.grad_outputs = {v.to(kFloat32)}, .retain_graph = true})[0].dtype() == kFloat64);
    const Tensor u = leaf({10.0, 1.0});
    const List h = grad({y}, {x}, {.grad_outputs = {u}, .create_graph = true});
    CHECK(values(grad({h[0].sum()}, {u})[0]) == std::vector<double>{2, 4});
}

TEST_CASE("backward without a tape, or from what is on none, says so") {
    const Tensor x = leaf(1.0);
    CHECK(contains(message_of<AutogradError>([&] { (x * 2.0).backward(); }), "reel::Tape"));
    CHECK(contains(message_of<AutogradError>([&] { grad({x}, {x}); }), "reel::Tape"));
    Tensor y;
    {
        Tape ended;
        y = x * 2.0;
    }
    CHECK_FALSE(y.requires_grad());
    CHECK(y.is_leaf());
    Tape tape;
    CHECK(contains(message_of<AutogradError>([&] { y.backward(); }), "does not require grad"));
    CHECK(contains(message_of<AutogradError>([&] { grad({x * 2.0}, {y}); }), "does not require grad"));
    CHECK(contains(message_of<AutogradError>([&] { (x * tensor({1.0, 2.0})).backward(); }), "[2]"));
}

TEST_CASE("pullbacks may return nothing, another type, or what broadcasts to the input") {
    const Tensor x = leaf({1.0, 2.0});
    const auto with = [&](const auto& pullback) { return record("mine", x.detach() * 2.0, {{x, pullback}}); };
    Tape tape;
    with([](const Tensor&) { return Tensor(); }).sum().backward();
    CHECK_FALSE(x.grad().defined());
    with([](const Tensor& g) { return g.to(kFloat32); }).sum().backward();
    CHECK(x.grad().dtype() == kFloat64);
    x.zero_grad();
    with([](const Tensor& g) { return g.expand({3, 2}); }).sum().backward();
    CHECK(values(x.grad()) == std::vector<double>{3, 3});
    x.zero_grad();
    const std::string message =
        message_of<AutogradError>([&] { with([](const Tensor&) { return ones({5}); }).sum().backward(); });
    CHECK(contains(message, "mine"));
    CHECK(contains(message, "[5]"));
    CHECK(contains(message, "[2]"));
    CHECK_FALSE(x.grad().defined());
}

TEST_CASE("a pullback that throws leaves every .grad() alone, and the tape usable") {
    const Tensor x = leaf({1.0, 2.0});
    const Tensor w = leaf({1.0, 2.0});
    Tape tape;
    const Tensor y = x * 1.0;
    y.retain_grad();
    const Tensor bad = record("bad", y.detach().clone(),
                              {{y, [](const Tensor&) -> Tensor { throw std::logic_error("no"); }}});
    const Tensor loss = (bad * w + y).sum();
    CHECK_THROWS_AS(loss.backward({}, true), std::logic_error);
    CHECK_FALSE(x.grad().defined());
    CHECK_FALSE(w.grad().defined());
    CHECK_FALSE(y.grad().defined());
    CHECK_NOTHROW((x * w).sum().backward());
    CHECK(values(x.grad()) == std::vector<double>{1, 2});
}

TEST_CASE("values overwritten since they were saved are refused, by name") {
    const Tensor x = leaf({1.0, 2.0});
    const Tensor c = tensor({3.0, 4.0}, kFloat64);
    Tape tape;
    SUBCASE("an output") {
        const Tensor y = exp(x);
        y.add_(1.0);
        const std::string message = message_of<AutogradError>([&] { y.sum().backward(); });
        CHECK(contains(message, "exp"));
        CHECK(contains(message, "add_"));
    }
    SUBCASE("a captured input, through a view") {
        const Tensor y = x * c;
        c.slice(0, 1).mul_(2.0);
        const std::string message = message_of<AutogradError>([&] { y.sum().backward(); });
        CHECK(contains(message, "mul"));
        CHECK(contains(message, "mul_"));
    }
    SUBCASE("what nobody kept may change") {
        const Tensor y = x + c;
        c.mul_(2.0);
        y.mul_(2.0);
        y.sum().backward();
        CHECK(values(x.grad()) == std::vector<double>{2, 2});
    }
    SUBCASE("what the gradient does not need may change") {
        const Tensor y = exp(x);
        const Tensor z = x * c;
        c.mul_(2.0);
        grad({(y + z).sum()}, {y});
    }
    SUBCASE("nothing has been changed when it throws") {
        const Tensor w = leaf({1.0, 1.0});
        const Tensor y = exp(x);
        const Tensor loss = (y * w).sum();
        y.add_(1.0);
        CHECK_THROWS_AS(loss.backward(), AutogradError);
        CHECK_FALSE(w.grad().defined());
        CHECK_FALSE(tape[tape.size() - 3].freed);
    }
}

TEST_CASE("a leaf that requires grad is not overwritten while a tape records") {
    const Tensor x = leaf({1.0, 2.0});
    Tape tape;
    CHECK(contains(message_of<AutogradError>([&] { x.add_(1.0); }), "leaf"));
    CHECK(contains(message_of<AutogradError>([&] { x.slice(0, 1).add_(1.0); }), "leaf"));
    CHECK(values(x) == std::vector<double>{1, 2});
    {
        const NoGradGuard quiet;
        x.add_(1.0);
    }
    x.detach().add_(1.0);
    CHECK(values(x) == std::vector<double>{3, 4});
    CHECK(tape.size() == 1);  // the slice
}

TEST_CASE("NoGradGuard pauses recording, and nests") {
    const Tensor x = leaf(2.0);
    Tape tape;
    {
        const NoGradGuard outer;
        {
            const NoGradGuard inner;
            CHECK_FALSE((x * x).requires_grad());
        }
        CHECK_FALSE((x * x).requires_grad());
    }
    const Tensor y = x * x;
    CHECK(y.requires_grad());
    const NoGradGuard quiet;
    y.backward();  // the rewind itself needs no recording
    CHECK(x.grad().item<double>() == 4);
}

TEST_CASE("only what wants a gradient is recorded, and integers never are") {
    const Tensor x = leaf({1.0, 2.0});
    const Tensor c = tensor({1.0, 2.0}, kFloat64);
    Tape tape;
    CHECK_FALSE((c * c).requires_grad());
    CHECK(tape.size() == 0);
    CHECK_FALSE((x > 1.0).requires_grad());
    CHECK_FALSE(x.to(kInt64).requires_grad());
    CHECK(tape.size() == 0);
    CHECK((x * c).requires_grad());
    CHECK_FALSE((x * c).detach().requires_grad());
    CHECK_THROWS_AS(tensor({1, 2}).set_requires_grad(), AutogradError);
    CHECK_THROWS_AS((x * c).set_requires_grad(), AutogradError);
    CHECK_THROWS_AS((x * c).grad(), AutogradError);
}

TEST_CASE("an operation of the user's own is like any other") {
    const Tensor x = leaf({0.5, -2.0});
    const auto cube = [](const Tensor& t) {
        return record(std::string("cube"), t.detach() * t.detach() * t.detach(),
                      {{t, [t](const Tensor& g) { return g * 3.0 * t * t; }}});
    };
    {
        Tape tape;
        const Tensor y = cube(x);
        CHECK(tape[0].operation == "cube");
        const Tensor slope = grad({y.sum()}, {x}, {.create_graph = true})[0];
        CHECK(values(slope) == std::vector<double>{0.75, 12});
        CHECK(values(grad({slope.sum()}, {x})[0]) == std::vector<double>{3, -12});
    }
    CHECK(gradgradcheck(cube, x));
    // What record is given is handed through where nothing wants a gradient.
    const Tensor y = tensor({1.0});
    CHECK(record("nothing", y, {{x, [](const Tensor& g) { return g; }}}).is_same(y));
    // A result that is one of the inputs does not take over its place.
    Tape tape;
    const Tensor same = record("same", x, {{x, [](const Tensor& g) { return g * 2.0; }}});
    CHECK_FALSE(same.is_same(x));
    same.sum().backward();
    CHECK(values(x.grad()) == std::vector<double>{2, 2});
}
