// What the checker says: each verdict, each entry, bounds, budgets, failures, and the report.
#include "check/check.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "tests/directory.hpp"

using namespace reel;

namespace {

using Numbers = std::vector<double>;
using Span = std::span<const double>;

std::string text_of(const check::Report& report) {
    std::ostringstream out;
    out << report;
    return out.str();
}

void check_verdict(const check::Report& report, check::Verdict verdict) {
    INFO(report);
    CHECK(report.verdict() == verdict);
    CHECK(report.passed == (verdict <= check::Verdict::kKink));
    CHECK(static_cast<bool>(report) == report.passed);
}

double product(Span x) { return x[0] * x[0] * x[1]; }
Numbers product_gradient(Span x) { return {2 * x[0] * x[1], x[0] * x[0]}; }
Numbers product_hessian(Span x) { return {2 * x[1], 2 * x[0], 2 * x[0], 0}; }

const Numbers kAt = {1.5, -0.7};

}  // namespace

TEST_CASE("check: a kink passes only where the gradient lies between its slopes, along directions too") {
    const auto largest = [](Span x) { return std::max(x[0], x[1]); };
    const Numbers tie = {3, 3};
    check_verdict(check::gradient(
                      largest,
                      [](Span) {
                          return Numbers{0.5, 0.5};
                      },
                      tie),
                  check::Verdict::kKink);
    check_verdict(check::gradient(
                      largest,
                      [](Span) {
                          return Numbers{1, 0};
                      },
                      tie),
                  check::Verdict::kKink);
    check_verdict(check::gradient(
                      largest,
                      [](Span) {
                          return Numbers{0, 0};
                      },
                      tie),
                  check::Verdict::kWrong);
    const auto relu = [](Span x) { return std::max(x[0], 0.0); };
    for (const double slope : {0.0, 0.5, 1.0}) {
        check_verdict(check::gradient(
                          relu, [=](Span) { return Numbers{slope}; }, Numbers{0}),
                      check::Verdict::kKink);
    }
    for (const double slope : {-0.01, 1.01, -1.0}) {
        check_verdict(check::gradient(
                          relu, [=](Span) { return Numbers{slope}; }, Numbers{0}),
                      check::Verdict::kWrong);
    }
}

TEST_CASE("check: no kink hides a mistake where the function is smooth along it, or one beyond its slopes") {
    const auto larger = [](Span x) { return std::max(x[0] * x[0], x[1] * x[1]); };
    const auto with = [](double a, double b) { return [=](Span) { return Numbers{a, b}; }; };
    const Numbers tie = {1, 1};
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const check::Options options = {.seed = seed};
        check_verdict(check::gradient(larger, with(0, 2), tie, options), check::Verdict::kKink);
        check_verdict(check::gradient(larger, with(0, 1.98), tie, options), check::Verdict::kWrong);
        check_verdict(check::gradient(larger, with(1.02, 1), tie, options), check::Verdict::kWrong);
        const auto bent = [](Span x) { return std::min(x[0], 1.0) + std::sin(x[0]); };
        const auto slope = [](double s) { return [s](Span x) { return Numbers{s + std::cos(x[0])}; }; };
        check_verdict(check::gradient(bent, slope(1), Numbers{1}, options), check::Verdict::kKink);
        check_verdict(check::gradient(bent, slope(1 + 1e-6), Numbers{1}, options), check::Verdict::kWrong);
        check_verdict(check::gradient(bent, slope(-1e-6), Numbers{1}, options), check::Verdict::kWrong);
    }
}

TEST_CASE("check: a jump is judged from the side that does not jump") {
    const auto floor = [](Span x) { return std::floor(x[0]) + x[0]; };
    check_verdict(check::gradient(
                      floor, [](Span) { return Numbers{1}; }, Numbers{2}),
                  check::Verdict::kJump);
    check_verdict(check::gradient(
                      floor, [](Span) { return Numbers{7}; }, Numbers{2}),
                  check::Verdict::kWrong);
    check_verdict(check::gradient(
                      floor, [](Span) { return Numbers{1}; }, Numbers{2.3}),
                  check::Verdict::kMatch);
}

TEST_CASE("check: noise that drowns a function is no verdict, neither right nor wrong") {
    const auto sine = [](double offset) { return [offset](Span x) { return std::sin(x[0]) + offset; }; };
    const auto right = [](Span x) { return Numbers{std::cos(x[0])}; };
    const auto flipped = [](Span x) { return Numbers{-std::cos(x[0])}; };
    check_verdict(check::gradient(sine(1e18), right, Numbers{0.8}), check::Verdict::kUnresolved);
    check_verdict(check::gradient(sine(1e18), flipped, Numbers{0.8}), check::Verdict::kUnresolved);
    CHECK(!check::gradient(sine(1e15), flipped, Numbers{0.8}));
    check_verdict(check::gradient(sine(1e12), right, Numbers{0.8}), check::Verdict::kMatch);
    CHECK(text_of(check::gradient(sine(1e12), right, Numbers{0.8})).find("could hide") != std::string::npos);
}

TEST_CASE("check: what is not finite, is thrown, or changes is said with its place") {
    const auto log = [](Span x) { return std::log(x[0]); };
    const auto slope = [](Span x) { return Numbers{1 / x[0]}; };
    check_verdict(check::gradient(log, slope, Numbers{0}), check::Verdict::kNonFinite);
    const auto root = [](Span x) {
        if (x[0] < 1) throw std::domain_error("below 1");
        return std::sqrt(x[0] - 1);
    };
    const check::Report thrown = check::gradient(
        root, [](Span) { return Numbers{0}; }, Numbers{1});
    check_verdict(thrown, check::Verdict::kNonFinite);
    CHECK(text_of(thrown).find("x[0] - ") != std::string::npos);
    CHECK(text_of(thrown).find("below 1") != std::string::npos);
    int calls = 0;
    const auto drifting = [&calls](Span x) { return x[0] * (1 + 1e-14 * ++calls); };
    const auto one = [](Span) { return Numbers{1}; };
    check_verdict(check::gradient(drifting, one, Numbers{1}), check::Verdict::kNondeterministic);
    check_verdict(check::gradient(drifting, one, Numbers{1}, {.accuracy = 1e-9}), check::Verdict::kMatch);
}

TEST_CASE("check: bounds are never left") {
    const auto f = [](Span x) {
        for (const double e : x) {
            if (e < 0 || e > 1) throw std::domain_error("out of bounds");
        }
        return std::sqrt(x[0] + 1) * (1 - x[1]) + x[2] * x[2];
    };
    const auto g = [](Span x) {
        return Numbers{(1 - x[1]) / (2 * std::sqrt(x[0] + 1)), -std::sqrt(x[0] + 1), 2 * x[2]};
    };
    const auto wrong = [g](Span x) {
        Numbers all = g(x);
        all[1] *= 1.001;
        return all;
    };
    for (const Numbers& x : {Numbers{0, 1, 0.5}, Numbers{1e-9, 0.3, 1}, Numbers{0.5, 0.5, 0.5}}) {
        const check::Options options = {.lower = {0, 0, 0}, .upper = {1, 1, 1}};
        check_verdict(check::gradient(f, g, x, options), check::Verdict::kMatch);
        check_verdict(check::gradient(f, wrong, x, options), check::Verdict::kWrong);
        check_verdict(check::taylor(f, g, x, options), check::Verdict::kMatch);
    }
}

TEST_CASE("check: a budget is kept, and large gradients are looked at along directions") {
    const std::size_t n = 3000;
    Numbers x(n);
    for (std::size_t i = 0; i < n; ++i) x[i] = 1 + static_cast<double>(i % 7);
    std::size_t calls = 0;
    const auto f = [&calls](Span at) {
        ++calls;
        double sum = 0;
        for (const double e : at) sum += e * e / 2;
        return sum;
    };
    const auto g = [](Span at) { return Numbers(at.begin(), at.end()); };
    const auto wrong = [](Span at) {
        Numbers all(at.begin(), at.end());
        all[1234] *= 1.01;
        return all;
    };
    check_verdict(check::gradient(f, g, x), check::Verdict::kMatch);
    CHECK(calls < 100);
    const check::Report found = check::gradient(f, wrong, x);
    check_verdict(found, check::Verdict::kWrong);
    REQUIRE(found.worst() != nullptr);
    CHECK(found.worst()->column == 1234);
    calls = 0;
    CHECK(!check::gradient(f, wrong, x, {.budget = 60}));
    CHECK(calls <= 60);
}

TEST_CASE("check: value_and_gradient, jacobian, hessian, hvp and taylor") {
    const auto fg = [](Span x, std::span<double> gradient) {
        if (!gradient.empty()) std::ranges::copy(product_gradient(x), gradient.begin());
        return product(x);
    };
    check_verdict(check::value_and_gradient(fg, kAt), check::Verdict::kMatch);
    const auto r = [](Span x) { return Numbers{std::sin(x[0]), x[0] * x[1], x[1]}; };
    const auto j = [](Span x) { return Numbers{std::cos(x[0]), 0, x[1], x[0], 0, 1}; };
    check_verdict(check::jacobian(r, j, kAt), check::Verdict::kMatch);
    using Triplets = std::vector<check::Triplet>;
    const auto sparse = [](Span x) {
        return Triplets{{0, 0, std::cos(x[0])}, {1, 0, x[1]}, {1, 1, x[0]}, {2, 1, 1}};
    };
    check_verdict(check::jacobian(r, sparse, kAt), check::Verdict::kMatch);
    const auto missing = [](Span x) { return Triplets{{0, 0, std::cos(x[0])}, {1, 0, x[1]}, {2, 1, 1}}; };
    const check::Report undeclared = check::jacobian(r, missing, kAt);
    check_verdict(undeclared, check::Verdict::kWrong);
    CHECK(text_of(undeclared).find("(1, 1)") != std::string::npos);
    CHECK(text_of(undeclared).find("not among the triplets") != std::string::npos);

    check_verdict(check::hessian(product_gradient, product_hessian, kAt), check::Verdict::kMatch);
    const auto crooked = [](Span x) { return Numbers{2 * x[1], 2 * x[0], 2 * x[0] * (1 + 1e-9), 0}; };
    const check::Report skew = check::hessian(product_gradient, crooked, kAt);
    check_verdict(skew, check::Verdict::kWrong);
    const auto hv = [](Span x, Span v) {
        const Numbers h = product_hessian(x);
        return Numbers{h[0] * v[0] + h[1] * v[1], h[2] * v[0] + h[3] * v[1]};
    };
    check_verdict(check::hvp(product_gradient, hv, kAt), check::Verdict::kMatch);
    check_verdict(check::hvp(
                      product_gradient,
                      [hv](Span x, Span v) {
                          Numbers h = hv(x, v);
                          h[1] *= 1 + 1e-6;
                          return h;
                      },
                      kAt),
                  check::Verdict::kWrong);
    const check::Report right = check::taylor(product, product_gradient, kAt);
    check_verdict(right, check::Verdict::kMatch);
    CHECK(right.steps.find(" 2.0") != std::string::npos);  // the order of the second remainder
    check_verdict(check::taylor(
                      product,
                      [](Span x) {
                          return Numbers{2 * x[0] * x[1], x[0]};
                      },
                      kAt),
                  check::Verdict::kWrong);
}

TEST_CASE("check: a gradient may write into its second argument, and x be an array") {
    const auto into = [](Span x, std::span<double> out) {
        std::ranges::copy(product_gradient(x), out.begin());
    };
    check_verdict(check::gradient(product, into, std::array{1.5, -0.7}), check::Verdict::kMatch);
}

TEST_CASE("check: the report guesses what is the matter") {
    const auto f = [](Span x) { return std::exp(x[0]) + x[1] * x[1] * x[2] - std::sin(x[2]); };
    const auto g = [](Span x) {
        return Numbers{std::exp(x[0]), 2 * x[1] * x[2], x[1] * x[1] - std::cos(x[2])};
    };
    const Numbers x = {0.3, 1.7, -0.6};
    const auto says = [&](auto spoil, const char* words) {
        const check::Report report = check::gradient(f,
                                                     [&](Span at) {
                                                         Numbers all = g(at);
                                                         spoil(all);
                                                         return all;
                                                     },
                                                     x, {.seed = 5});
        INFO(report);
        CHECK(text_of(report).find(words) != std::string::npos);
        CHECK(text_of(report).find(".seed = 5") != std::string::npos);
    };
    says(
        [](Numbers& all) {
            for (double& e : all) e = -e;
        },
        "sign is wrong");
    says(
        [](Numbers& all) {
            for (double& e : all) e = 0;
        },
        "is zero");
    says(
        [](Numbers& all) {
            for (double& e : all) e *= 3;
        },
        "too large by the number of elements");
    says(
        [](Numbers& all) {
            for (double& e : all) e /= 3;
        },
        "too small by the number of elements");
    says([](Numbers& all) { std::swap(all[0], all[2]); }, "their order is not");
    says([](Numbers& all) { all[1] += 0.2; }, "one element alone is wrong");
}

TEST_CASE("check: a report as JSON and as a page") {
    const check::Report report = check::gradient(product,
                                                 [](Span x) {
                                                     return Numbers{2 * x[0] * x[1], NAN};
                                                 },
                                                 kAt, {.name = "a \"name\" <b>"});
    const auto json = nlohmann::json::parse(report.to_json());
    CHECK(json["name"] == "a \"name\" <b>");
    CHECK(json["passed"] == false);
    CHECK(json["elements"].size() == 2);
    CHECK(json["elements"][0]["verdict"] == "match");
    CHECK(json["elements"][1]["analytic"] == "nan");
    const testing::Directory directory;
    const std::string path = directory / "report.html";
    report.to_html(path);
    std::ostringstream page;
    page << std::ifstream(path).rdbuf();
    CHECK(page.str().find("a \"name\" &lt;b&gt;") != std::string::npos);
    CHECK(page.str().find("<svg") != std::string::npos);
    CHECK(page.str().find("http") == std::string::npos);
    CHECK_THROWS_AS(report.to_html("/no/such/directory/report.html"), std::runtime_error);
}

TEST_CASE("check: misuse throws, and says what is wanted") {
    const auto message = [](auto call) {
        try {
            call();
        } catch (const std::invalid_argument& error) {
            return std::string(error.what());
        }
        return std::string("no error");
    };
    CHECK(message([] { check::gradient(product, product_gradient, kAt, {.scale = {1}}); }).find("scale") !=
          std::string::npos);
    CHECK(message([] {
              check::gradient(
                  product, [](Span) { return Numbers{1}; }, kAt);
          }).find("1 x 2") != std::string::npos);
    CHECK(message([] {
              check::gradient(product, product_gradient, kAt, {.lower = {2, 0}});
          }).find("x[0]") != std::string::npos);
}
