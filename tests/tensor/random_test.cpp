// Random tensors: the published vectors of the generator, the same bits as a second implementation, and
// statistics whose bounds are five standard deviations or more (the seeds are fixed).
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <numeric>
#include <set>
#include <sstream>
#include <thread>

#include "files.hpp"

using namespace reel;
using namespace reel::testing;

namespace {

/// The lines of `fixtures/random.txt` by their first words.
std::map<std::string, std::vector<double>> fixture() {
    std::map<std::string, std::vector<double>> cases;
    for (const std::string& line : fixture_lines("random.txt")) {
        std::istringstream words(line);
        std::string name, word;
        words >> name;
        while (words >> word) {
            const char* start = word.c_str();
            char* end = nullptr;
            const double value = std::strtod(start, &end);
            if (*end == '\0') {
                cases[name].push_back(value);
            } else {
                name += " " + word;
            }
        }
    }
    return cases;
}

double mean_of(const std::vector<double>& x) {
    return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

/// The mean of (x − shift)^power.
double moment(const std::vector<double>& x, int power, double shift = 0) {
    double sum = 0;
    for (const double value : x) sum += std::pow(value - shift, power);
    return sum / static_cast<double>(x.size());
}

/// √n · the largest distance between the empirical and the expected distribution; above 2.2 with probability
/// 1e-4 (Kolmogorov).
template <class Cdf>
double kolmogorov(std::vector<double> x, const Cdf& cdf) {
    std::sort(x.begin(), x.end());
    const auto n = static_cast<double>(x.size());
    double distance = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double expected = cdf(x[i]);
        distance = std::max(
            {distance, expected - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - expected});
    }
    return std::sqrt(n) * distance;
}

/// How many standard deviations χ² is from its mean.
double chi_square_deviation(const std::vector<double>& counts, const std::vector<double>& expected) {
    double chi = 0;
    double freedom = -1;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (expected[i] == 0) {
            CHECK(counts[i] == 0);
            continue;
        }
        chi += (counts[i] - expected[i]) * (counts[i] - expected[i]) / expected[i];
        ++freedom;
    }
    return (chi - freedom) / std::sqrt(2 * freedom);
}

std::vector<double> histogram(const Tensor& t, std::size_t bins) {
    std::vector<double> counts(bins);
    for (const std::int64_t value : t.to_vector<std::int64_t>()) ++counts.at(static_cast<std::size_t>(value));
    return counts;
}

}  // namespace

TEST_CASE("random: Philox4x32-10 gives the published vectors") {
    // kat_vectors of Random123 (Salmon et al.), philox4x32 with 10 rounds.
    using Words = std::array<std::uint32_t, 4>;
    CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    constexpr std::uint32_t kAll = 0xffffffff;
    CHECK(philox4x32({kAll, kAll, kAll, kAll}, {kAll, kAll}) ==
          Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
          Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("random: every number is that of a second implementation, bit for bit") {
    const auto cases = fixture();
    const auto seed = static_cast<std::uint64_t>(81985529216486895);
    const Shape sizes = {64};
    const auto check = [&](const std::string& name, const auto& draw) {
        CAPTURE(name);
        manual_seed(seed);
        CHECK(draw().template to_vector<double>() == cases.at(name));
    };
    for (const DType dtype : {kFloat16, kBFloat16, kFloat32, kFloat64}) {
        check(std::string("rand ") + name(dtype), [&] { return rand(sizes, dtype); });
    }
    check("randn float32", [&] { return randn(sizes); });
    check("randn float64", [&] { return randn(sizes, kFloat64); });
    check("randperm", [&] { return randperm(64); });
    manual_seed(seed);
    auto integers = cases.at("randint");
    CHECK(integers.front() == 1000);  // the range, then the numbers
    integers.erase(integers.begin());
    CHECK(randint(1000, sizes).to_vector<double>() == integers);
}

TEST_CASE("random: a seed starts the sequence anew, a state continues it") {
    manual_seed(7);
    const Tensor first = rand({5});
    const GeneratorState between = generator_state();
    const Tensor second = randn({3, 3}, kFloat64);
    CHECK_FALSE(rand({5}).equal(first));
    manual_seed(7);
    CHECK(rand({5}).equal(first));
    set_generator_state(between);
    CHECK(randn({3, 3}, kFloat64).equal(second));
    manual_seed(8);
    CHECK_FALSE(rand({5}).equal(first));
}

TEST_CASE("random: a longer draw begins as a shorter one, at every thread count") {
    const int before = num_threads();
    const std::int64_t large = 300001;
    for (const int threads : {1, 2, 5}) {
        set_num_threads(threads);
        CAPTURE(threads);
        const auto begins = [&](const auto& draw) {
            manual_seed(3);
            const std::vector<double> few = draw(1001).template to_vector<double>();
            manual_seed(3);
            std::vector<double> many = draw(large).template to_vector<double>();
            std::vector<double> end(many.end() - 3, many.end());
            many.resize(few.size());
            CHECK(many == few);
            return end;
        };
        const auto ends = std::vector{begins([](std::int64_t n) { return rand({n}); }),
                                      begins([](std::int64_t n) { return rand({n}, kFloat64); }),
                                      begins([](std::int64_t n) { return randn({n}); }),
                                      begins([](std::int64_t n) { return randn({n}, kFloat64); }),
                                      begins([](std::int64_t n) { return randint(1000, {n}); })};
        static const auto expected = ends;
        CHECK(ends == expected);
    }
    set_num_threads(before);
}

TEST_CASE("random: each thread has a generator of its own") {
    manual_seed(5);
    const Tensor here = rand({4});
    manual_seed(5);
    Tensor there;
    std::thread([&] {
        manual_seed(5);
        there = rand({4});
        rand({100});
    }).join();
    CHECK(there.equal(here));
    CHECK(rand({4}).equal(here));
}

TEST_CASE("random: rand is uniform on [0, 1) and never 1") {
    manual_seed(11);
    for (const DType dtype : {kFloat16, kBFloat16, kFloat32, kFloat64}) {
        CAPTURE(dtype);
        const std::vector<double> x = rand({200000}, dtype).to_vector<double>();
        const auto [low, high] = std::minmax_element(x.begin(), x.end());
        CHECK(*low >= 0);
        CHECK(*high < 1);
        const double step = dtype == kBFloat16 ? 0x1p-8 : dtype == kFloat16 ? 0x1p-11 : 0;
        if (step > 0) CHECK(*high == 1 - step);
        CHECK(mean_of(x) == doctest::Approx((1 - step) / 2).epsilon(0.005));
        CHECK(moment(x, 2, mean_of(x)) == doctest::Approx(1 / 12.0).epsilon(0.01));
        if (step == 0) CHECK(kolmogorov(x, [](double u) { return u; }) < 2.2);
    }
}

TEST_CASE("random: randn is standard normal, neighbours are independent") {
    manual_seed(12);
    for (const DType dtype : {kFloat32, kFloat64}) {
        CAPTURE(dtype);
        const std::vector<double> x = randn({250000}, dtype).to_vector<double>();
        CHECK(std::abs(mean_of(x)) < 0.01);         // σ = 1 / 500
        CHECK(std::abs(moment(x, 2) - 1) < 0.015);  // √2 / 500
        CHECK(std::abs(moment(x, 3)) < 0.04);       // √15 / 500
        CHECK(std::abs(moment(x, 4) - 3) < 0.1);    // √96 / 500
        CHECK(kolmogorov(x, [](double z) { return std::erfc(-z / std::sqrt(2.0)) / 2; }) < 2.2);
        for (std::size_t lag = 1; lag <= 4; ++lag) {
            double product = 0;
            double squares = 0;
            for (std::size_t i = lag; i < x.size(); ++i) {
                product += x[i] * x[i - lag];
                squares += (x[i] * x[i] - 1) * (x[i - lag] * x[i - lag] - 1);
            }
            CHECK(std::abs(product) / 250000 < 0.01);
            CHECK(std::abs(squares) / 250000 < 0.02);
        }
        const auto beyond = std::count_if(x.begin(), x.end(), [](double z) { return std::abs(z) > 3.5; });
        CHECK(beyond > 60);  // 116 expected
        CHECK(beyond < 172);
    }
    CHECK(randn({3, 0, 2}).sizes() == Shape{3, 0, 2});
    CHECK(randn({}).dim() == 0);
}

TEST_CASE("random: randint is unbiased over any range and type") {
    manual_seed(13);
    CHECK(std::abs(
              chi_square_deviation(histogram(randint(10, {1000000}), 10), std::vector<double>(10, 1e5))) < 5);
    // 3 · 2^30 of 2^32: without rejection one result in three would come twice as often as the others.
    const std::int64_t wide = std::int64_t{3} << 30;
    std::vector<double> thirds(3);
    int outside = 0;
    for (const std::int64_t x : randint(wide, {300000}).to_vector<std::int64_t>()) {
        outside += x < 0 || x >= wide;
        ++thirds[static_cast<std::size_t>(x % 3)];
    }
    CHECK(std::abs(chi_square_deviation(thirds, {1e5, 1e5, 1e5})) < 5);
    // The same above 32 bits, where half of all words are drawn again or so.
    const std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
    const std::int64_t highest = std::numeric_limits<std::int64_t>::max();
    std::vector<double> halves(2);
    for (const std::int64_t x : randint(lowest / 2 - 1, highest, {100000}).to_vector<std::int64_t>()) {
        outside += x < lowest / 2 - 1;
        ++halves[x < highest / 4];
    }
    CHECK(std::abs(halves[1] - 50000) < 5 * 158.2);
    CHECK(outside == 0);
    const std::vector<std::int64_t> all = randint(lowest, highest, {1000}).to_vector<std::int64_t>();
    CHECK(*std::min_element(all.begin(), all.end()) < lowest / 2);
    CHECK(*std::max_element(all.begin(), all.end()) > highest / 2);

    const Tensor coins = randint(-1, 2, {3000}, kFloat16);
    CHECK(coins.dtype() == kFloat16);
    CHECK(coins.abs().amax().item<float>() == 1);
    CHECK(randint(0, 2, {10}, kBool).dtype() == kBool);
    CHECK(randint(5, 6, {4}).to_vector<int>() == std::vector<int>{5, 5, 5, 5});
    CHECK_THROWS_AS(randint(3, 3, {2}), Error);
    CHECK_THROWS_AS(randint(0, 3, {2}, kBool), DTypeError);
    CHECK_THROWS_AS(randint(0, 70000, {2}, kFloat16), DTypeError);
}

TEST_CASE("random: randperm is a permutation, each as likely as the others") {
    manual_seed(14);
    std::vector<std::int64_t> x = randperm(100000).to_vector<std::int64_t>();
    std::vector<std::int64_t> sorted = x;
    std::sort(sorted.begin(), sorted.end());
    CHECK(sorted == arange(100000).to_vector<std::int64_t>());
    CHECK_FALSE(x == sorted);
    std::map<std::vector<int>, double> seen;
    for (int i = 0; i < 24000; ++i) ++seen[randperm(4).to_vector<int>()];
    std::vector<double> counts;
    for (const auto& [order, count] : seen) counts.push_back(count);
    REQUIRE(counts.size() == 24);
    CHECK(std::abs(chi_square_deviation(counts, std::vector<double>(24, 1000))) < 5);
    CHECK(randperm(0).sizes() == Shape{0});
    CHECK(randperm(9, kFloat16).dtype() == kFloat16);
    CHECK_THROWS_AS(randperm(-1), ShapeError);
    CHECK_THROWS_AS(randperm(4000, kFloat16), DTypeError);
    CHECK_THROWS_AS(randperm(2, kBool), DTypeError);
}

TEST_CASE("random: the like forms take shape and type") {
    const Tensor like = zeros({2, 3}, kFloat64);
    CHECK(rand_like(like).sizes() == Shape{2, 3});
    CHECK(rand_like(like).dtype() == kFloat64);
    CHECK(randn_like(like, kFloat16).dtype() == kFloat16);
    CHECK_THROWS_AS(rand_like(zeros({2}, kInt64)), DTypeError);
    CHECK_THROWS_AS(randn({2}, kInt64), DTypeError);
    CHECK_THROWS_AS(rand({-1}), ShapeError);
}

TEST_CASE("random: multinomial draws by weight") {
    manual_seed(15);
    const Tensor weights = tensor({1.0, 0.0, 3.0, 6.0}).to(kFloat64);
    CHECK(std::abs(chi_square_deviation(histogram(multinomial(weights, 100000, true), 4),
                                        {10000, 0, 30000, 60000})) < 5);
    const Tensor rows = multinomial(weights.expand({20000, 4}), 3);
    CHECK(rows.sizes() == Shape{20000, 3});
    CHECK(rows.dtype() == kInt64);
    // Without replacement the first is drawn by weight, the second by weight among the others.
    std::vector<double> pairs(16);
    for (std::int64_t i = 0; i < 20000; ++i) {
        const std::vector<std::int64_t> row = rows[i].to_vector<std::int64_t>();
        REQUIRE(std::set(row.begin(), row.end()) == std::set<std::int64_t>{0, 2, 3});
        ++pairs[static_cast<std::size_t>(4 * row[0] + row[1])];
    }
    const double p[4] = {0.1, 0, 0.3, 0.6};
    std::vector<double> expected(16);
    for (std::size_t a = 0; a < 4; ++a) {
        for (std::size_t b = 0; b < 4; ++b) {
            if (a != b) expected[4 * a + b] = 20000 * p[a] * p[b] / (1 - p[a]);
        }
    }
    CHECK(std::abs(chi_square_deviation(pairs, expected)) < 5);
    CHECK(multinomial(zeros({0, 3}), 2, true).sizes() == Shape{0, 2});
    CHECK(multinomial(tensor({0.0, 5.0}), 1).item<int>() == 1);
}

TEST_CASE("random: multinomial refuses weights that are none, and draws nothing then") {
    manual_seed(16);
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK_THROWS_WITH_AS(multinomial(tensor({{1.0, 1.0}, {2.0, -1.0}}), 1),
                         "multinomial: weight 1 of row 1 is -1; weights are finite and not negative", Error);
    CHECK_THROWS_AS(multinomial(tensor({1.0, nan}), 1), Error);
    CHECK_THROWS_AS(multinomial(tensor({1.0, HUGE_VAL}), 1), Error);
    CHECK_THROWS_AS(multinomial(full({2}, 1e308, kFloat64), 1, true), Error);
    CHECK_THROWS_AS(multinomial(tensor({0.0, 0.0}), 1, true), Error);
    CHECK_THROWS_AS(multinomial(tensor({0.0, 1.0}), 2), Error);
    CHECK_THROWS_AS(multinomial(tensor({0.5, 0.5}), 0), Error);
    CHECK_THROWS_AS(multinomial(zeros({0}), 1, true), Error);
    CHECK_THROWS_AS(multinomial(tensor({1, 1}), 1), DTypeError);
    CHECK_THROWS_AS(multinomial(tensor(1.0), 1), ShapeError);
    CHECK_THROWS_AS(multinomial(ones({1, 1, 1}), 1), ShapeError);
    CHECK(generator_state().counter == 0);
}

TEST_CASE("random: bernoulli is 1 with the given probability") {
    manual_seed(17);
    const Tensor coins = bernoulli(full({100000}, 0.3));
    CHECK(coins.dtype() == kFloat32);
    CHECK(std::abs(coins.sum().item<double>() - 30000) < 5 * 145);
    CHECK(bernoulli(tensor({0.0, 1.0})).to_vector<int>() == std::vector<int>{0, 1});
    CHECK(bernoulli(ones({2, 3}, kBFloat16).transpose(0, 1)).sizes() == Shape{3, 2});
    CHECK_THROWS_AS(bernoulli(tensor({0.5, 1.5})), Error);
    CHECK_THROWS_AS(bernoulli(tensor({std::nan("")})), Error);
    CHECK_THROWS_AS(bernoulli(tensor({1})), DTypeError);
}
