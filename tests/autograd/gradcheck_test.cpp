// The gradient checker, checked: right pullbacks pass, wrong ones do not, kinks are no errors.
#include "autograd/gradcheck.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <sstream>

#include "reel.hpp"

using namespace reel;

namespace {

using List = std::vector<Tensor>;

Tensor doubles(const TensorData& data) { return tensor(data, kFloat64); }

Tensor some() { return doubles({{0.3, -1.2, 0.8}, {1.9, -0.4, 0.07}}); }

Tensor composed_softmax(const Tensor& x) {
    const Tensor e = exp(x - x.amax({-1}, true).detach());
    return e / e.sum({-1}, true);
}

/// exp with a pullback that is `error` times too large.
auto scaled_exp(double error) {
    return [error](const Tensor& x) {
        return record("scaled_exp", exp(x.detach()),
                      {{x, [error](const Tensor& g, const Tensor& y) { return g * y * error; }}});
    };
}

void check_verdict(const GradcheckReport& report, Verdict verdict) {
    INFO(report);
    CHECK(report.verdict() == verdict);
    CHECK(report.passed == (verdict == Verdict::kMatch || verdict == Verdict::kKink));
}

/// What was said of each element.
std::vector<Verdict> verdicts_of(const GradcheckInput& input) {
    std::vector<Verdict> all;
    for (const verdicts::Element& e : input.report.elements) all.push_back(e.verdict);
    return all;
}

constexpr GradcheckMode kModes[] = {GradcheckMode::kElements, GradcheckMode::kFullJacobian,
                                    GradcheckMode::kProjection};

}  // namespace

TEST_CASE("gradcheck passes right gradients in every mode, at 1e-9 or better") {
    const std::vector<std::pair<const char*, TensorFunction>> functions = {
        {"exp", [](const Tensor& x) { return exp(x); }},
        {"tanh", [](const Tensor& x) { return tanh(x); }},
        {"softmax", composed_softmax},
        {"log", [](const Tensor& x) { return log(x * x + 1.0); }},
        {"steep", [](const Tensor& x) { return exp(10.0 * x) / (1.0 + exp(10.0 * x)); }},
        {"close pole", [](const Tensor& x) { return reciprocal(x); }},
        {"mean", [](const Tensor& x) { return x.mean({0}); }},
        {"transposed", [](const Tensor& x) { return x.t().contiguous(); }},
        {"constant", [](const Tensor& x) { return zeros_like(x); }},
        {"far from 0", [](const Tensor& x) { return sigmoid(x) + 100.0; }},
    };
    for (const auto& [name, f] : functions) {
        for (const GradcheckMode mode : kModes) {
            const GradcheckReport report = gradcheck(f, some(), {.mode = mode, .name = name});
            check_verdict(report, Verdict::kMatch);
            const verdicts::Element& worst = *report.inputs[0].report.worst();
            CHECK(worst.error <= 1e-9 * std::max(1.0, std::abs(worst.analytic)));
            check_verdict(gradgradcheck(f, some(), {.mode = mode, .name = name}), Verdict::kMatch);
        }
    }
}

TEST_CASE("gradcheck catches a pullback that is wrong by one part in a million") {
    for (const GradcheckMode mode : kModes) {
        check_verdict(gradcheck(scaled_exp(1.0), some(), {.mode = mode}), Verdict::kMatch);
        check_verdict(gradcheck(scaled_exp(1 + 1e-6), some(), {.mode = mode}), Verdict::kWrong);
        check_verdict(gradcheck(scaled_exp(1 - 1e-8), some(), {.mode = mode}), Verdict::kWrong);
        check_verdict(gradcheck(scaled_exp(-1), some(), {.mode = mode}), Verdict::kWrong);
        check_verdict(gradcheck(scaled_exp(0), some(), {.mode = mode}), Verdict::kWrong);
    }
}

TEST_CASE("gradcheck catches a gradient that is transposed, lacks 1/N, or is lost") {
    const auto transposed = [](const Tensor& x) {
        return record("transposed", x.detach().t().clone(), {{x, [](const Tensor& g) { return g; }}});
    };
    const auto sum_for_mean = [](const Tensor& x) {
        return record("sum_for_mean", x.detach().mean(),
                      {{x, [sizes = x.sizes()](const Tensor& g) { return g.expand(sizes); }}});
    };
    // Σ softmax is 1: with a cotangent of ones this gradient of 0 would pass.
    const auto no_softmax = [](const Tensor& x) {
        return record("no_softmax", composed_softmax(x.detach()),
                      {{x, [](const Tensor& g) { return g * 0.0; }}});
    };
    const auto lost = [](const Tensor& x) { return x * x.detach(); };
    const Tensor square = doubles({{0.3, -1.2}, {0.8, 0.5}});
    for (const GradcheckMode mode : kModes) {
        check_verdict(gradcheck(transposed, square, {.mode = mode}), Verdict::kWrong);
        check_verdict(gradcheck(sum_for_mean, some(), {.mode = mode}), Verdict::kWrong);
        check_verdict(gradcheck(no_softmax, some(), {.mode = mode}), Verdict::kWrong);
        check_verdict(gradcheck(lost, some(), {.mode = mode}), Verdict::kWrong);
    }
}

TEST_CASE("gradgradcheck catches a captured raw forward value, which gradcheck cannot see") {
    const auto captured = [](const Tensor& x) {
        const Tensor y = exp(x.detach());
        return record("captured", y, {{x, [y](const Tensor& g) { return g * y.detach(); }}});
    };
    for (const GradcheckMode mode : kModes) {
        check_verdict(gradcheck(captured, some(), {.mode = mode}), Verdict::kMatch);
        check_verdict(gradgradcheck(captured, some(), {.mode = mode}), Verdict::kWrong);
        check_verdict(gradgradcheck(scaled_exp(1.0), some(), {.mode = mode}), Verdict::kMatch);
    }
}

TEST_CASE("gradgradcheck catches a second-order pullback that is wrong") {
    // The gradient of x³ is right, the gradient of that is not.
    const auto cube = [](const Tensor& x) {
        return record("cube", x.detach() * x.detach() * x.detach(),
                      {{x, [x](const Tensor& g) {
                            const Tensor slope = record("cube_slope", 3.0 * x.detach() * x.detach(),
                                                        {{x, [x](const Tensor& h) { return 3.0 * h * x; }}});
                            return g * slope;
                        }}});
    };
    check_verdict(gradcheck(cube, some()), Verdict::kMatch);
    check_verdict(gradgradcheck(cube, some()), Verdict::kWrong);
}

TEST_CASE("gradcheck calls a kink a kink, in the middle of matches") {
    const Tensor x = doubles({-1.0, 0.0, 2.0});
    const TensorFunction leaky = [](const Tensor& t) { return maximum(t, 0.01 * t); };
    for (const TensorFunction& f : {TensorFunction(relu), TensorFunction(reel::abs), leaky}) {
        const GradcheckReport report = gradcheck(f, x);
        check_verdict(report, Verdict::kKink);
        CHECK(verdicts_of(report.inputs[0]) ==
              std::vector<Verdict>{Verdict::kMatch, Verdict::kKink, Verdict::kMatch});
        CHECK(report.inputs[0].worst() == Shape{1});
        check_verdict(gradcheck(f, x, {.mode = GradcheckMode::kFullJacobian}), Verdict::kKink);
        check_verdict(gradcheck(f, x, {.mode = GradcheckMode::kProjection}), Verdict::kKink);
        check_verdict(gradgradcheck(f, x), Verdict::kJump);  // as the gradient does
    }
    const auto largest = [](const Tensor& t) { return t.amax({1}); };
    check_verdict(gradcheck(largest, doubles({{2.0, 2.0, 1.0}, {0.0, 1.0, 3.0}})), Verdict::kKink);
    const auto larger = [](const List& t) { return maximum(t[0], t[1]); };
    check_verdict(gradcheck(larger, List{x, x.clone()}), Verdict::kKink);
    // A kink nearby is none here.
    check_verdict(gradcheck(relu, doubles({1e-3, -1e-5, 0.05})), Verdict::kMatch);
}

TEST_CASE("gradcheck calls a derivative wrong that lies outside a kink") {
    const auto doubled = [](const Tensor& x) {
        return record("doubled", relu(x.detach()),
                      {{x, [x](const Tensor& g) { return where(x >= 0, g, 0) * 2.0; }}});
    };
    const GradcheckReport report = gradcheck(doubled, doubles({0.0}));
    check_verdict(report, Verdict::kWrong);
}

TEST_CASE("gradcheck calls a jump a jump, and does not pass it") {
    const auto floor = [](const Tensor& x) {
        Tensor y = x.detach().clone();
        for (std::int64_t i = 0; i < y.numel(); ++i) {
            y.data_ptr<double>()[i] = std::floor(y.data_ptr<double>()[i]);
        }
        return record("floor", y, {{x, [](const Tensor& g) { return g * 0.0; }}});
    };
    const GradcheckReport report = gradcheck(floor, doubles({3.0, 2.5, -0.99}));
    check_verdict(report, Verdict::kJump);
    CHECK(verdicts_of(report.inputs[0]) ==
          std::vector<Verdict>{Verdict::kJump, Verdict::kMatch, Verdict::kMatch});
}

TEST_CASE("gradcheck says when it cannot tell") {
    SUBCASE("not finite") {
        check_verdict(gradcheck(reel::log, doubles({1.0, 0.0})), Verdict::kNonFinite);
        check_verdict(gradcheck(reel::log, doubles({1.0, -2.0})), Verdict::kNonFinite);
        check_verdict(gradcheck(reel::sqrt, doubles({0.0})), Verdict::kNonFinite);
        const auto nan_gradient = [](const Tensor& x) {
            return record("nan_gradient", exp(x.detach()),
                          {{x, [](const Tensor& g) { return g * std::nan(""); }}});
        };
        check_verdict(gradcheck(nan_gradient, some()), Verdict::kNonFinite);
    }
    SUBCASE("a domain that ends nearby is no obstacle") {
        check_verdict(gradcheck(reel::log, doubles({1e-6, 3.0})), Verdict::kMatch);
        check_verdict(gradcheck(reel::sqrt, doubles({1e-4, 1e4})), Verdict::kMatch);
    }
    SUBCASE("unresolved") {
        const auto drowned = [](const Tensor& x) { return sin(x) + 1e18; };
        check_verdict(gradcheck(drowned, doubles({0.3, -1.2})), Verdict::kUnresolved);
        // As long as something of the function is left, the right gradient passes and the wrong one does not.
        const auto noisy = [](const Tensor& x) { return (x + 1e9) - 1e9; };
        check_verdict(gradcheck(noisy, some()), Verdict::kMatch);
        check_verdict(gradcheck([&](const Tensor& x) { return noisy(x) + x.detach(); }, some()),
                      Verdict::kWrong);
    }
    SUBCASE("nondeterministic values") {
        int calls = 0;
        const auto counting = [&calls](const Tensor& x) { return x * (1.0 + 1e-15 * ++calls); };
        const GradcheckReport report = gradcheck(counting, some());
        check_verdict(report, Verdict::kNondeterministic);
        CHECK(report.inputs[0].count(Verdict::kNondeterministic) == 6);
    }
    SUBCASE("nondeterministic gradients") {
        int calls = 0;
        const auto counting = [&calls](const Tensor& x) {
            return record("counting", exp(x.detach()), {{x, [&calls](const Tensor& g, const Tensor& y) {
                                                             return g * y * (1.0 + 1e-15 * ++calls);
                                                         }}});
        };
        check_verdict(gradcheck(counting, some()), Verdict::kNondeterministic);
    }
    SUBCASE("another number of outputs, or of elements, at every call") {
        int calls = 0;
        const auto more = [&calls](const Tensor& x) { return List(static_cast<std::size_t>(++calls), x); };
        check_verdict(gradcheck(more, some()), Verdict::kNondeterministic);
        check_verdict(gradgradcheck(more, some()), Verdict::kNondeterministic);
        const auto longer = [&calls](const Tensor& x) { return x.repeat({++calls, 1}); };
        check_verdict(gradcheck(longer, some()), Verdict::kNondeterministic);
        // Only once it has been taken for deterministic.
        calls = 0;
        const auto late = [&calls](const Tensor& x) { return List(++calls > 2 ? 3 : 1, x); };
        CHECK_FALSE(gradcheck(late, some()));
        calls = 0;
        CHECK_FALSE(gradcheck(late, some(), {.mode = GradcheckMode::kFullJacobian}));
    }
}

TEST_CASE("gradcheck takes inputs of any layout and leaves them as they are") {
    const auto f = [](const List& x) { return exp(x[0]) * x[1] + x[0]; };
    const Tensor base = some();
    const Tensor other = doubles({{1.0, 2.0, -3.0}, {0.5, 0.1, 1.5}});
    const Tensor wide = doubles({{0.3, 9.0, -1.2, 9.0, 0.8, 9.0}, {1.9, 9.0, -0.4, 9.0, 0.07, 9.0}});
    const std::vector<std::pair<const char*, Tensor>> layouts = {
        {"contiguous", base},
        {"transposed", base.t().contiguous().t()},
        {"sliced", wide.slice(1, 0, None, 2)},
        {"flipped", base.flip({0, 1})},
        {"expanded row", doubles({0.3, -1.2, 0.8}).expand({2, 3})},
        {"expanded column", doubles({{0.3}, {-1.2}}).expand({2, 3})},
        {"overlapping", doubles({0.3, -1.2, 0.8, 0.5}).as_strided({2, 3}, {1, 1})},
        {"0-d", doubles(0.3)},
        {"empty", empty({0, 3}, kFloat64)},
    };
    for (const auto& [name, x] : layouts) {
        INFO(name);
        const std::vector<double> before = x.to_vector<double>();
        const std::uint32_t version = x.impl().storage->version;
        const List inputs = {x, std::string(name) == "empty" ? doubles({{1.0, 2.0, 3.0}}) : other};
        for (const GradcheckMode mode : kModes) {
            check_verdict(gradcheck(f, inputs, {.mode = mode}), Verdict::kMatch);
            check_verdict(gradgradcheck(f, inputs, {.mode = mode}), Verdict::kMatch);
        }
        CHECK(x.to_vector<double>() == before);
        CHECK(x.impl().storage->version == version);
        CHECK_FALSE(x.requires_grad());
        CHECK(gradcheck(f, inputs).inputs[0].report.elements.size() == before.size());
    }
}

TEST_CASE("gradcheck gives the function the layout that it was given") {
    const auto f = [](const Tensor& x) {
        const double error = x.stride(0) == 0 ? 2 : 1;
        return record("layout", exp(x.detach()),
                      {{x, [error](const Tensor& g, const Tensor& y) { return g * y * error; }}});
    };
    const Tensor row = doubles({{0.3, -1.2, 0.8}});
    check_verdict(gradcheck(f, row.expand({2, 3})), Verdict::kWrong);
    check_verdict(gradcheck(f, row.expand({2, 3}).clone()), Verdict::kMatch);
}

TEST_CASE("gradcheck checks every float64 input and passes integers on") {
    const auto f = [](const List& x) { return where(x[1] > 1, x[0] * x[2], scaled_exp(1.5)(x[2])); };
    const Tensor which = tensor({0, 1, 2});
    const GradcheckReport report =
        gradcheck(f, List{doubles({1.0, 2.0, 3.0}), which, doubles({0.1, 0.2, 0.3})});
    REQUIRE(report.inputs.size() == 2);
    CHECK(report.inputs[0].input == 0);
    CHECK(report.inputs[0].verdict == Verdict::kMatch);
    CHECK(report.inputs[1].input == 2);
    CHECK(verdicts_of(gradcheck(f, List{doubles({1.0, 2.0, 3.0}), which, doubles({0.1, 0.2, 0.3})},
                                {.seed = 1, .budget = 1000})
                          .inputs[1]) ==
          std::vector<Verdict>{Verdict::kWrong, Verdict::kWrong, Verdict::kMatch});
    CHECK_FALSE(report);
}

TEST_CASE("gradcheck takes functions of several outputs") {
    const auto f = [](const Tensor& x) { return List{exp(x), x.sum({0}), x * x}; };
    for (const GradcheckMode mode : kModes) {
        check_verdict(gradcheck(f, some(), {.mode = mode}), Verdict::kMatch);
        const GradcheckReport report = gradgradcheck(f, some(), {.mode = mode});
        check_verdict(report, Verdict::kMatch);
        CHECK(report.inputs.size() == 4);
    }
    const auto wrong = [](const Tensor& x) { return List{exp(x), scaled_exp(1.1)(x)}; };
    const GradcheckReport report = gradcheck(wrong, some(), {.mode = GradcheckMode::kFullJacobian});
    check_verdict(report, Verdict::kWrong);
    CHECK(report.inputs[0].report.worst()->row >= 6);
}

TEST_CASE("gradcheck refuses what is not floating-point, and says so") {
    const auto message = [](const TensorFunction& f, const Tensor& x) {
        try {
            gradcheck(f, x);
        } catch (const DTypeError& error) {
            return std::string(error.what());
        }
        return std::string("no error");
    };
    CHECK(message(reel::exp, some().to(kInt64)).find("float64") != std::string::npos);
    const auto rounded = [](const Tensor& x) { return x.to(kInt64); };
    CHECK(message(rounded, some()).find("float64") != std::string::npos);
}

TEST_CASE("gradcheck disturbs no tape and needs none") {
    const auto w = doubles({1.0, 2.0, 3.0}).set_requires_grad();
    Tape tape;
    const Tensor y = exp(w);
    const auto f = [&y](const Tensor& x) { return x * y; };
    check_verdict(gradcheck(f, doubles({0.1, 0.2, 0.3})), Verdict::kMatch);
    {
        const NoGradGuard quiet;
        check_verdict(gradcheck(f, doubles({0.1, 0.2, 0.3})), Verdict::kMatch);
    }
    CHECK(tape.size() == 1);
    check_verdict(gradcheck(reel::exp, w), Verdict::kMatch);
    CHECK_FALSE(w.grad().defined());
    y.sum().backward();
    CHECK(w.grad().defined());
}

TEST_CASE("a gradcheck report names what it found, and its seed replays it") {
    const auto f = [](const Tensor& x) { return scaled_exp(1.5)(x) + x; };
    const auto print = [&](std::uint64_t seed) {
        std::ostringstream out;
        out << gradcheck(f, some(), {.mode = GradcheckMode::kFullJacobian, .seed = seed});
        return out.str();
    };
    const std::string text = print(7);
    CHECK(text.find("scaled_exp, add: FAILED (wrong, seed 7)") == 0);
    CHECK(text.find("input 0 [2, 3]: 30 match, 6 wrong; worst at [") != std::string::npos);
    CHECK(text.find("output element") != std::string::npos);
    CHECK(text.find("analytic ") != std::string::npos);
    CHECK(text == print(7));
    CHECK(text != print(8));
    CHECK(gradcheck(f, some(), {.name = "mine"}).function == "mine");
}
