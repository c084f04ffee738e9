// What gradcheck asks beside numeric derivatives, and of which callables: exactness in the cotangent, float32, many elements,
// functions of several tensors.
#include <doctest/doctest.h>

#include <sstream>

#include "reel.hpp"

using namespace reel;

namespace {

Tensor doubles(const TensorData& data) { return tensor(data, kFloat64); }

Tensor some() { return doubles({{0.3, -1.2, 0.8}, {1.9, -0.4, 0.07}}); }

std::string text_of(const GradcheckReport& report) {
    std::ostringstream out;
    out << report;
    return out.str();
}

void check_verdict(const GradcheckReport& report, Verdict verdict) {
    INFO(report);
    CHECK(report.verdict() == verdict);
    CHECK(report.passed == (verdict <= Verdict::kKink));
}

/// exp, whose pullback is made by `spoil` of the right gradient.
template <class Spoil>
auto spoilt_exp(Spoil spoil) {
    return [spoil](const Tensor& x) {
        return record("spoilt_exp", exp(x.detach()),
                      {{x, [spoil](const Tensor& g, const Tensor& y) { return spoil(g * y); }}});
    };
}

}  // namespace

TEST_CASE("gradcheck sees a constant of 1e-12 that a pullback adds, and one that is not linear") {
    const auto added = spoilt_exp([](const Tensor& x_bar) { return x_bar + 1e-12; });
    check_verdict(gradcheck(added, some()), Verdict::kWrong);
    CHECK(text_of(gradcheck(added, some())).find("cotangent 0") != std::string::npos);
    const auto even =
        spoilt_exp([](const Tensor& x_bar) { return abs(x_bar) * (x_bar.detach() > 0).to(kFloat64); });
    check_verdict(gradcheck(even, some()), Verdict::kWrong);
    const auto clipped = spoilt_exp([](const Tensor& x_bar) { return x_bar.clamp(-1.0, 1.0); });
    check_verdict(gradcheck(clipped, some()), Verdict::kWrong);
    CHECK(text_of(gradcheck(clipped, some())).find("linear") != std::string::npos);
}

TEST_CASE("gradcheck checks a function that computes in float32, and says what could hide") {
    const auto narrow = [](const Tensor& x) { return (x.to(kFloat32) * 0.7).to(kFloat64); };
    check_verdict(gradcheck(narrow, some()), Verdict::kMatch);
    const auto wrong = [narrow](const Tensor& x) {
        return record("narrow", narrow(x.detach()), {{x, [](const Tensor& g) { return g * 0.71; }}});
    };
    check_verdict(gradcheck(wrong, some()), Verdict::kWrong);
    // It is called with float64, unless it refuses that.
    check_verdict(gradcheck(reel::exp, some().to(kFloat32)), Verdict::kMatch);
    const auto strict = [](const Tensor& x) {
        if (x.dtype() != kFloat32) throw DTypeError("float32 alone");
        return exp(x);
    };
    const GradcheckReport own = gradcheck(strict, some().to(kFloat32));
    check_verdict(own, Verdict::kMatch);
    CHECK(own.in_float32);
    CHECK_THROWS_AS(gradcheck(strict, some()), DTypeError);
    const auto strictly_wrong = [strict](const Tensor& x) {
        return record("strict", strict(x.detach()),
                      {{x, [](const Tensor& g, const Tensor& y) { return g * y * 1.01; }}});
    };
    check_verdict(gradcheck(strictly_wrong, some().to(kFloat32)), Verdict::kWrong);
}

TEST_CASE("gradcheck looks at thousands of elements together, and finds the one that is wrong") {
    manual_seed(3);
    const Tensor x = randn({60, 50}, kFloat64);
    int calls = 0;
    const auto right = [&calls](const Tensor& t) {
        ++calls;
        return (t.sin() * t).sum();
    };
    check_verdict(gradcheck(right, x), Verdict::kMatch);
    CHECK(calls < 120);
    const auto one_off = [](const Tensor& t) {
        Tensor weight = ones({60, 50}, kFloat64);
        weight.index_put_({41, 7}, 1.01);
        return record("one_off", (t.detach() * t.detach()).sum(),
                      {{t, [t, weight](const Tensor& g) { return 2 * g * t * weight; }}});
    };
    const GradcheckReport report = gradcheck(one_off, x);
    check_verdict(report, Verdict::kWrong);
    CHECK(report.inputs[0].worst() == Shape{41, 7});
}

TEST_CASE("gradcheck takes callables of one tensor, of several, and of a vector") {
    const auto two = [](const Tensor& a, const Tensor& b) { return a * exp(b); };
    check_verdict(gradcheck(two, {some(), some() * 0.3}), Verdict::kMatch);
    check_verdict(gradgradcheck(two, {some(), some() * 0.3}), Verdict::kMatch);
    const auto three = [](const Tensor& a, const Tensor& b, const Tensor& c) {
        return a * b + c.detach() * c;
    };
    const GradcheckReport report = gradcheck(three, {some(), some(), some()});
    CHECK(report.inputs[0].verdict == Verdict::kMatch);
    CHECK(report.inputs[2].verdict == Verdict::kWrong);
    CHECK_THROWS_AS(gradcheck(two, {some()}), Error);
}

TEST_CASE("gradgradcheck says when the first derivative is right and the second alone is wrong") {
    const auto captured = [](const Tensor& x) {
        const Tensor y = exp(x.detach());
        return record("captured", y, {{x, [y](const Tensor& g) { return g * y.detach(); }}});
    };
    const GradcheckReport report = gradgradcheck(captured, some());
    check_verdict(report, Verdict::kWrong);
    CHECK(text_of(report).find("second order alone") != std::string::npos);
    // A function that takes a gradient itself needs a tape, and has one.
    const auto slope = [](const Tensor& x) {
        return grad({exp(x * 0.5)}, {x}, {.grad_outputs = {ones_like(x)}, .create_graph = true})[0];
    };
    check_verdict(gradcheck(slope, some()), Verdict::kMatch);
}

TEST_CASE("gradcheck calls wrong what is wrong only where a tensor is not contiguous, whatever it is given") {
    const auto strided = [](const Tensor& x) {
        const double error = x.is_contiguous() ? 1 : 1.001;
        return record("strided", exp(x.detach()),
                      {{x, [error](const Tensor& g, const Tensor& y) { return g * y * error; }}});
    };
    check_verdict(gradcheck(strided, some()), Verdict::kWrong);
    CHECK(text_of(gradcheck(strided, some())).find("not contiguous") != std::string::npos);
    check_verdict(gradcheck(strided, some().t()), Verdict::kWrong);
    // One that takes a cotangent's elements for neighbours.
    const auto neighbours = [](const Tensor& x) {
        return record("neighbours", exp(x.detach()),
                      {{x, [](const Tensor& g, const Tensor& y) {
                            return from_blob(g.data_ptr<double>(), g.sizes(), kFloat64).clone() * y;
                        }}});
    };
    check_verdict(gradcheck(neighbours, some()), Verdict::kWrong);
    // Who reads memory himself, or refuses what is not contiguous, is left alone.
    const auto reads = [](const Tensor& x) { return exp(x.as_strided({2, 2}, {1, 2})); };
    check_verdict(gradcheck(reads, some()), Verdict::kMatch);
    const auto asks = [](const Tensor& x) { return exp(x.view({6})); };
    check_verdict(gradcheck(asks, some()), Verdict::kMatch);
}
