// What holds of a gradient to the last bits, or nearly, whatever the function is: no difference of values tells it.
#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/function_under_test.hpp"

namespace reel::detail {

/// A pullback is linear: 0 for 0, and −2 times as much for −2 times the cotangent, to the last bit but where numbers
/// are subnormal. No difference sees a constant of 1e-12 that is added.
void FunctionUnderTest::check_exactly(const std::vector<Tensor>& outputs, const std::vector<Tensor>& leaves) {
    const double unit = output_dtype_ == kFloat64 ? 0x1p-52 : 0x1p-8;
    const Rows zero = differentiate(outputs, leaves, 0);
    const Rows twice = differentiate(outputs, leaves, -2);
    for (std::size_t row = 0; row < zero.size(); ++row) {
        double largest = std::numeric_limits<double>::min() / unit;
        for (const double a : subject_.analytic[row]) {
            if (std::isfinite(a)) largest = std::max(largest, std::abs(a));
        }
        for (std::size_t i = 0; i < zero[row].size(); ++i) {
            const double a = subject_.analytic[row][i];
            if (!std::isfinite(a) || !std::isfinite(twice[row][i])) continue;
            if (zero[row][i] != 0 && std::isfinite(zero[row][i])) {
                inexact_ = concat("the gradient for the cotangent 0 is not 0 but ", zero[row][i],
                                  ": a pullback adds what does not come from the cotangent");
                return;
            }
            if (std::abs(twice[row][i] + 2 * a) <= 8 * unit * std::max(std::abs(a), 1e-3 * largest)) continue;
            inexact_ = concat("the gradient for -2 times a cotangent is ", twice[row][i], ", not -2 times ",
                              a, ": a pullback is not linear in it");
            return;
        }
    }
}

/// A gradient is the same wherever its inputs and cotangents lie in memory, up to the order of sums. Functions that read
/// memory themselves, or ask for neighbours, are left alone.
void FunctionUnderTest::check_layout(const Numbers& first) {
    const double unit =
        std::max(output_dtype_ == kFloat64 && dtype_ == kFloat64 ? 1e-8 : 1e-2, 4 * accuracy_);
    const auto differ = [&](const Numbers& a, const Numbers& b) {
        constexpr double kLeast = 1e-6;  // of the largest: sums of such numbers cancel
        double largest = 0;
        for (const double number : a) {
            if (std::isfinite(number)) largest = std::max(largest, std::abs(number));
        }
        for (std::size_t i = 0; i < a.size(); ++i) {
            if (std::abs(a[i] - b[i]) > unit * std::max(std::abs(a[i]), kLeast * largest)) return i;
        }
        return a.size();
    };
    Rows rows;
    try {
        const Tape tape;
        const std::vector<Tensor> leaves = leaves_at(subject_.x, Placing::kApart);
        const std::vector<Tensor> outputs = call(leaves);
        const Numbers values = elements_of(outputs);
        if (values.size() != first.size() || differ(first, values) < first.size()) return;
        rows = differentiate(outputs, leaves, 1, nullptr, Placing::kApart);
    } catch (const std::exception&) {
        return;
    }
    for (std::size_t row = 0; row < rows.size() && inexact_.empty(); ++row) {
        const Numbers& analytic = subject_.analytic[row];
        const std::size_t i = differ(analytic, rows[row]);
        if (i == analytic.size()) continue;
        inexact_ = concat("where inputs and cotangents are not contiguous the gradient is ", rows[row][i],
                          ", not ", analytic[i], ": a pullback reads memory in another order");
    }
}

}  // namespace reel::detail
