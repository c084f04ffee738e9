// Units of the last place.
#include "tests/battery/compare.hpp"

#include <cmath>
#include <cstdlib>
#include <limits>

namespace reel::testing {

namespace {

using nlohmann::json;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double rounded(double x, DType dtype) { return tensor(std::vector{x}, kFloat64).to(dtype).item<double>(); }

/// The distance in units of the last place at `size`; infinite where one is special and the other is not.
double ulps(double got, double wanted, double size, DType dtype) {
    if (got == wanted || (std::isnan(got) && std::isnan(wanted))) return 0;
    const int least = dtype == kFloat16 ? -14 : dtype == kFloat64 ? -1022 : -126;
    const double unit = std::ldexp(1.0, std::max(std::ilogb(size), least) - significand_bits(dtype) + 1);
    const double distance = std::abs(got - wanted) / unit;
    if (std::isfinite(distance)) return distance;
    return got == rounded(wanted, dtype) ? 0 : kInfinity;
}

/// Inputs and cotangents are near 1; where all results are smaller than this they are what sums have left
/// over.
constexpr double kLeastSize = 0x1p-2;

double largest_finite(const json& values) {
    double largest = kLeastSize;
    for (const json& value : values) {
        if (!value.is_string()) largest = std::max(largest, std::abs(number(value)));
    }
    return largest;
}

}  // namespace

double number(const json& value) {
    return value.is_string() ? std::strtod(value.get<std::string>().c_str(), nullptr) : value.get<double>();
}

std::ostream& operator<<(std::ostream& out, const Worst& worst) {
    return out << "element " << worst.at << " is " << worst.got << " instead of " << worst.wanted << ", "
               << worst.ulps << " ulp";
}

Worst worst_of(const Tensor& y, const json& wanted, DType dtype, bool by_size) {
    const std::vector<double> got = y.to_vector<double>();
    const double largest = by_size ? largest_finite(wanted) : 0;
    Worst worst;
    for (std::size_t i = 0; i < got.size(); ++i) {
        const double value = number(wanted[i]);
        const bool opposite = got[i] == 0 && value == 0 && std::signbit(got[i]) != std::signbit(value);
        const double distance = opposite && !by_size
                                    ? kInfinity
                                    : ulps(got[i], value, by_size ? largest : std::abs(value), dtype);
        if (!(distance <= worst.ulps)) worst = {distance, i, got[i], value};
    }
    return worst;
}

}  // namespace reel::testing
