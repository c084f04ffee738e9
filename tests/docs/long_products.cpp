#include "tests/docs/long_products.hpp"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <random>
#include <sstream>
#include <utility>

#include "reel.hpp"

namespace reel::docs {

namespace {

/// The operands of a product. The second half of a cancelling sum is the first with its signs changed, but for one term
/// in a thousand of what is left.
std::pair<std::vector<float>, std::vector<float>> operands(Terms terms, std::int64_t k) {
    std::mt19937 random(static_cast<std::mt19937::result_type>(k));
    std::normal_distribution<float> normal;
    std::uniform_int_distribution<int> power(-20, 20);
    const auto draw = [&] {
        const float x = normal(random);
        if (terms == Terms::kPositive) return std::abs(x);
        return terms == Terms::kBadlyScaled ? std::ldexp(x, power(random)) : x;
    };
    std::vector<float> a(static_cast<std::size_t>(kSide * k)), b(static_cast<std::size_t>(k * kSide));
    std::generate(a.begin(), a.end(), draw);
    std::generate(b.begin(), b.end(), draw);
    if (terms != Terms::kCancelling) return {a, b};
    for (std::int64_t l = k / 2; l < k; ++l) {
        const bool left = l % 1000 == 0;
        for (std::int64_t i = 0; i < kSide && !left; ++i)
            a[static_cast<std::size_t>(i * k + l)] = -a[static_cast<std::size_t>(i * k + l - k / 2)];
        for (std::int64_t j = 0; j < kSide; ++j)
            b[static_cast<std::size_t>(l * kSide + j)] = b[static_cast<std::size_t>((l - k / 2) * kSide + j)];
    }
    return {a, b};
}

/// f(sum, a[i][l], b[l][j]) for each term of each element, from sum = 0.
template <class Sum, class F>
std::vector<Sum> sums(const std::vector<float>& a, const std::vector<float>& b, const F& f) {
    const std::size_t k = b.size() / kSide;
    std::vector<Sum> result;
    for (std::size_t i = 0; i < kSide; ++i) {
        for (std::size_t j = 0; j < kSide; ++j) {
            Sum sum = 0;
            for (std::size_t l = 0; l < k; ++l) f(sum, a[i * k + l], b[l * kSide + j]);
            result.push_back(sum);
        }
    }
    return result;
}

constexpr std::pair<Terms, const char*> kTerms[] = {{Terms::kPositive, "positive"},
                                                    {Terms::kOrdinary, "of either sign"},
                                                    {Terms::kCancelling, "that cancel"},
                                                    {Terms::kBadlyScaled, "times 2⁻⁴⁰ to 2⁴⁰"}};
constexpr std::int64_t kLengths[] = {1000, 30'000, 1'000'000};

std::string row_name(const char* terms, std::int64_t k) {
    return "| " + std::string(terms) + " | " + std::to_string(k) + " |";
}

/// In two digits.
std::string number(double error) {
    std::ostringstream text;
    text.precision(2);
    if (error < 10) {
        text << std::max(error, 0.1);  // less says nothing
    } else {
        const double unit = std::pow(10, std::floor(std::log10(error)) - 1);
        text << std::fixed << std::setprecision(0) << std::round(error / unit) * unit;
    }
    return text.str();
}

/// The numbers in a row behind its name.
std::vector<double> numbers_in(const std::string& cells) {
    std::vector<double> found;
    std::istringstream words(cells);
    for (std::string word; words >> word;) {
        if (word != "|") found.push_back(std::stod(word));
    }
    return found;
}

}  // namespace

double error_of(const LongProduct& product, Terms terms, std::int64_t k) {
    const auto [a, b] = operands(terms, k);
    const std::vector<float> found = product(a, b);
    const auto exact = sums<long double>(a, b, [](long double& sum, double x, double y) { sum += x * y; });
    const auto size = sums<double>(a, b, [](double& sum, double x, double y) { sum += std::abs(x * y); });
    double worst = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        const auto far = static_cast<double>(std::abs(static_cast<long double>(found[i]) - exact[i]));
        worst = std::max(worst, far / std::ldexp(size[i], -24));
    }
    return worst;
}

std::vector<float> multiplied(const std::vector<float>& a, const std::vector<float>& b) {
    const Tensor product = matmul(tensor(a).view({kSide, -1}), tensor(b).view({-1, kSide}));
    return product.to_vector<float>();
}

std::vector<float> running_sums(const std::vector<float>& a, const std::vector<float>& b) {
    return sums<float>(a, b, [](float& sum, float x, float y) { sum += x * y; });
}

std::string long_products(const std::vector<std::pair<std::string, LongProduct>>& products) {
    std::string table = "| terms | k |", line = "| --- | --- |";
    for (const auto& [name, product] : products) {
        table += " " + name + " |";
        line += " --- |";
    }
    table += "\n" + line + "\n";
    for (const auto& [terms, name] : kTerms) {
        for (const std::int64_t k : kLengths) {
            table += row_name(name, k);
            for (const auto& [of, product] : products)
                table += " " + number(error_of(product, terms, k)) + " |";
            table += "\n";
        }
    }
    return table;
}

std::string long_products_section(const std::string& previous) {
    std::string section = R"(
## Products with long sums

The largest error of an element of a float32 product, in units of u Σ \|a b\| with u = 2⁻²⁴, where the sums have k terms.
Blocks of at most 512 terms are summed, then their sums (`Note [Products and bits]` in `ops/linalg/gemm_driver.hpp`). Beside
that one running sum. `bench_products accuracy` measures the same of OpenBLAS.

)";
    std::istringstream lines(long_products({{"reel", multiplied}, {"running sum", running_sums}}));
    for (std::string line; std::getline(lines, line);) {
        const std::size_t name = line.find('|', line.find('|', 1) + 1) + 1;
        const std::size_t before = previous.find(line.substr(0, name));
        if (before != std::string::npos && line.find("---") == std::string::npos &&
            line.find("reel") == std::string::npos) {
            const std::string kept = previous.substr(before, previous.find('\n', before) - before);
            const std::vector<double> was = numbers_in(kept.substr(name)), is = numbers_in(line.substr(name));
            bool same = was.size() == is.size();
            for (std::size_t i = 0; same && i < is.size(); ++i)
                same = is[i] <= 2 * was[i] && was[i] <= 2 * is[i];
            if (same) line = kept;
        }
        section += line + "\n";
    }
    return section;
}

}  // namespace reel::docs
