// Making tensors: braces and vectors, and the counting factories against PyTorch.
#include "tensor/factory.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <sstream>

#include "files.hpp"

using namespace reel;
using namespace reel::testing;

namespace {

/// "3" is whole, "3.0" floating.
Scalar number(const std::string& text) {
    if (text.find_first_of(".e") == std::string::npos) return std::stoll(text);
    return std::stod(text);
}

std::optional<DType> optional_dtype(const std::string& text) {
    return text == "none" ? std::nullopt : std::optional(dtype_named(text));
}

Tensor made(const std::string& line) {
    std::istringstream words(line);
    std::string kind, a, b, c, dtype;
    words >> kind >> a >> b >> c >> dtype;
    if (kind == "arange") return arange(number(a), number(b), number(c), optional_dtype(dtype));
    if (kind == "linspace") return linspace(number(a), number(b), std::stoll(c), dtype_named(dtype));
    if (kind == "eye") return eye(std::stoll(a), std::stoll(b));
    return {};
}

}  // namespace

TEST_CASE("factory: arange, linspace and eye are PyTorch's") {
    Tensor result;
    std::string made_by;
    int cases = 0;
    for (const std::string& line : fixture_lines("basics.txt")) {
        if (!line.starts_with("=")) {
            result = made(line);
            made_by = line;
            continue;
        }
        CAPTURE(made_by);
        std::istringstream words(line);
        std::string word;
        words >> word >> word;
        REQUIRE(result.defined());
        CHECK(result.dtype() == dtype_named(word));
        const std::vector<double> values = result.to_vector<double>();
        std::vector<double> expected;
        while (words >> word) expected.push_back(std::strtod(word.c_str(), nullptr));
        REQUIRE(values.size() == expected.size());
        // PyTorch steps in float32 where we step in float64 and round once.
        double largest = 0;
        for (const double value : expected) largest = std::max(largest, std::abs(value));
        const double ulp = result.dtype() == kFloat64   ? std::numeric_limits<double>::epsilon()
                           : result.dtype() == kFloat32 ? std::numeric_limits<float>::epsilon()
                                                        : 0;
        for (std::size_t i = 0; i < values.size(); ++i)
            CHECK(std::abs(values[i] - expected[i]) <= 2 * ulp * largest);
        ++cases;
    }
    CHECK(cases == 106);
}

TEST_CASE("factory: linspace meets both ends exactly, and is symmetric") {
    for (const std::int64_t steps : {2, 3, 7, 1000, 1001}) {
        const std::vector<double> x = linspace(-0.1, 0.1, steps, kFloat64).to_vector<double>();
        CHECK(x.front() == -0.1);
        CHECK(x.back() == 0.1);
        for (std::size_t i = 0; i < x.size(); ++i) CHECK(x[i] == -x[x.size() - 1 - i]);
    }
    CHECK_THROWS_AS(linspace(0, 1, -1), ShapeError);
}

TEST_CASE("factory: arange refuses what does not arrive") {
    CHECK_THROWS_WITH_AS(arange(0, 5, -1),
                         doctest::Contains("from 0 to 5 by -1 in int64: the step has the wrong sign"), Error);
    CHECK_THROWS_AS(arange(5, 0), Error);
    CHECK_THROWS_AS(arange(0, 5, 0), Error);
    CHECK_THROWS_AS(arange(0, HUGE_VAL), Error);
    CHECK_THROWS_AS(arange(0, 1, std::nan("")), Error);
    CHECK_THROWS_AS(arange(0, 1e300, 1e-10), Error);
    const std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
    const std::int64_t highest = std::numeric_limits<std::int64_t>::max();
    CHECK_THROWS_AS(arange(lowest, highest), Error);
    CHECK(arange(highest - 2, highest).to_vector<std::int64_t>() == std::vector{highest - 2, highest - 1});
    CHECK(arange(lowest, highest, highest).to_vector<std::int64_t>() ==
          std::vector<std::int64_t>{lowest, -1, highest - 1});
}

TEST_CASE("factory: arange of an integer type counts with fractions, and steps without") {
    using Wholes = std::vector<std::int64_t>;
    const auto wholes = [](const Tensor& x) { return x.to_vector<std::int64_t>(); };
    CHECK(wholes(arange(2.5, kInt64)) == Wholes{0, 1, 2});
    CHECK(wholes(arange(0, 2, 0.5, kInt64)) == Wholes{0, 0, 0, 0});
    CHECK(wholes(arange(1.5, 5, 1.5, kInt64)) == Wholes{1, 2, 3});
    CHECK(wholes(arange(2.7, -2.7, -0.9, kInt64)) == Wholes{2, 2, 2, 2, 2, 2});
    CHECK(wholes(arange(0, 5, 2.9, kInt64)) == Wholes{0, 2});
}

TEST_CASE("factory: braces nest, vectors fill, types follow the numbers") {
    CHECK(tensor(3).dtype() == kInt64);
    CHECK(tensor(3).dim() == 0);
    CHECK(tensor(3.0).dtype() == kFloat32);
    CHECK(tensor(3.0f, kFloat64).dtype() == kFloat64);
    CHECK(tensor(true).dtype() == kBool);
    CHECK(tensor({1, 2, 3}).sizes() == Shape{3});
    CHECK(tensor({1}).sizes() == Shape{1});
    CHECK(tensor({1, 2.5}).dtype() == kFloat32);
    CHECK(tensor({true, false}).dtype() == kBool);
    CHECK(tensor({{1, 2, 3}, {4, 5, 6}}).sizes() == Shape{2, 3});
    CHECK(tensor({{1.5, 2.0}}).sizes() == Shape{1, 2});
    CHECK(tensor({{1}, {2}}).sizes() == Shape{2, 1});
    CHECK(tensor({{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}}).sizes() == Shape{2, 2, 2});
    CHECK(tensor({{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}}).to_vector<int>() ==
          std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8});
    CHECK(tensor({}).sizes() == Shape{0});
    CHECK(tensor({}).dtype() == kFloat32);
    CHECK(tensor({1, 0, 2}, kBool).to_vector<int>() == std::vector<int>{1, 0, 1});
    CHECK(tensor({0.1}, kFloat64).item<double>() == 0.1);
    CHECK(tensor({std::int64_t{1} << 60}).item<std::int64_t>() == std::int64_t{1} << 60);
    CHECK(tensor(std::vector<float>{1, 2}).dtype() == kFloat32);
    CHECK(tensor(std::vector<double>{0.1}, kFloat64).item<double>() == 0.1);
    CHECK(tensor(std::vector<int>{1, 2}).dtype() == kInt64);
    CHECK(tensor(std::vector<bool>{true, false}).to_vector<bool>() == std::vector<bool>{true, false});
    CHECK(tensor(std::vector<int>{}).sizes() == Shape{0});
    CHECK(tensor(std::vector<int>{1, 2}, kFloat16).dtype() == kFloat16);
    CHECK_THROWS_WITH_AS(tensor({{1, 2}, {3}}), doctest::Contains("ragged"), ShapeError);
    CHECK_THROWS_AS(tensor({{1, 2}, 3}), ShapeError);
    CHECK_THROWS_AS(tensor({{{1}}, {{2, 3}}}), ShapeError);
}

TEST_CASE("factory: filled tensors and the like forms") {
    CHECK(full({2}, 3).dtype() == kInt64);
    CHECK(full({2}, 3.0).dtype() == kFloat32);
    CHECK(full({2}, true).dtype() == kBool);
    CHECK(full({2, 2}, 2.5, kBFloat16).sum().item<float>() == 10);
    CHECK(full({}, 4).item<int>() == 4);
    CHECK(full({0}, 4).numel() == 0);
    CHECK(zeros({2, 3}).to_vector<int>() == std::vector<int>(6, 0));
    CHECK(ones(3).sizes() == Shape{3});
    CHECK(ones({2}, kBool).to_vector<bool>() == std::vector<bool>{true, true});
    const Tensor like = zeros({2, 3}, kInt64).t();
    CHECK(ones_like(like).sizes() == Shape{3, 2});
    CHECK(ones_like(like).dtype() == kInt64);
    CHECK(zeros_like(like, kFloat16).dtype() == kFloat16);
    CHECK(full_like(like, 2.5).to_vector<int>() == std::vector<int>(6, 2));
    CHECK(full_like(like, 2.5, kFloat32).sum().item<float>() == 15);
    CHECK(empty_like(like).sizes() == Shape{3, 2});
    CHECK_THROWS_AS(eye(-1), ShapeError);
    CHECK_THROWS_AS(zeros({-2}), ShapeError);
}
