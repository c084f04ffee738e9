#include "tests/gradients/rows.hpp"

#include <cmath>

namespace reel::testing {

std::string name_of(const Row& row) { return row.operation + (row.variant.empty() ? "" : ' ' + row.variant); }

bool makes_several_calls(const Row& row) {
    const auto has = [&](const char* part) { return row.operation.find(part) != std::string::npos; };
    if (row.operation.ends_with('_') || has("_backward") || has("_gradient")) return true;
    for (const char* const name :
         {"fmod", "remainder", "masked_fill number", "masked_fill tensor", "matmul self",
          "pow negative exponents", "bernoulli", "linear_recurrence from the front"}) {
        if (name_of(row) == name) return true;
    }
    return false;
}

Tensor numbers(const Shape& sizes, double low, double high, std::uint64_t seed) {
    // The fractional parts of multiples of the golden ratio: spread evenly, and no two alike.
    constexpr double kGoldenRatio = 1.618033988749895;
    const double start = static_cast<double>(seed) * std::sqrt(2.0);
    const Tensor x = empty(sizes, kFloat64);
    for (std::int64_t i = 0; i < x.numel(); ++i) {
        const double turn = start + static_cast<double>(i + 1) * kGoldenRatio;
        x.data_ptr<double>()[i] = low + (high - low) * (turn - std::floor(turn));
    }
    return x;
}

Tensor gradient(const std::function<Tensor(const Tensor&)>& f, const Tensor& x, const Tensor& y_bar) {
    const Tensor at = x.requires_grad() ? x : x.detach().set_requires_grad();
    return grad({f(at)}, {at}, {.grad_outputs = {y_bar}, .create_graph = true})[0];
}

}  // namespace reel::testing
