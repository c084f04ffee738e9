// What can be told of a claimed derivative without a difference: whether it is the same twice, and how much of it is rounding.
#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include "examine.hpp"

namespace reel::check::detail {

bool deterministic(const Numbers& first, const Numbers& second, double accuracy, std::string& hint) {
    if (first.size() != second.size()) {
        hint = "a second call returned another number of outputs";
        return false;
    }
    for (std::size_t i = 0; i < first.size(); ++i) {
        const double a = first[i];
        const double b = second[i];
        if (a == b || (std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= 2 * accuracy * std::abs(a))
            continue;
        std::ostringstream out;
        out.precision(17);
        out << "a second call gave " << b << " for " << a
            << "; where that is how exact it is, say so with .accuracy";
        hint = out.str();
        return false;
    }
    return true;
}

std::pair<Numbers, Numbers> nearby(std::span<const double> x, Random& random, double unit) {
    std::pair<Numbers, Numbers> moved;
    for (const double v : x) {
        const double step = v * unit * (random() < 0.5 ? -2 : 2);
        moved.first.push_back(v + step);
        moved.second.push_back(v - step);
    }
    return moved;
}

std::vector<Numbers> rounding_of(const std::vector<Numbers>& at, const std::vector<Beside>& beside) {
    constexpr double kRelative =
        2e-11;  // of the element itself: of 10⁶ right ones, none was off by more beyond its bar
    constexpr double kDeviations = 4;
    constexpr double kSystematic = 2;   // rounding that moves with x is a part of what moves
    constexpr double kLittle = 1e-4;    // of the element
    constexpr double kNothing = 1e-12;  // of the largest in the row
    std::vector<Numbers> rounding;
    for (std::size_t row = 0; row < at.size(); ++row) {
        double largest = 0;
        for (const double a : at[row]) {
            if (std::isfinite(a)) largest = std::max(largest, std::abs(a));
        }
        Numbers& result = rounding.emplace_back();
        for (std::size_t i = 0; i < at[row].size(); ++i) {
            const double a = at[row][i];
            double varies = 0;
            double rough = 0;
            for (const auto& [above, below] : beside) {
                varies = std::max({varies, std::abs(above[row][i] - a), std::abs(below[row][i] - a)});
                rough = std::max(rough, std::abs(above[row][i] - 2 * a + below[row][i]));
            }
            const bool little = varies <= std::max(kLittle * std::abs(a), kNothing * largest);
            result.push_back(kRelative * std::abs(a) + std::numeric_limits<double>::denorm_min() +
                             (little ? kDeviations * rough + varies / kSystematic : 0));
        }
    }
    return rounding;
}

}  // namespace reel::check::detail
