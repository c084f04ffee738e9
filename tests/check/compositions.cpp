#include "tests/check/compositions.hpp"

#include <cmath>
#include <random>

#include "tests/check/dual.hpp"

namespace reel::testing {

namespace {

using std::atan, std::cos, std::exp, std::log1p, std::sin, std::sqrt, std::tanh;

/// A program of one register after the other: each of the results before.
struct Program {
    struct Step {
        int operation;
        std::size_t a, b;
        double constant;
    };
    Numbers units;  // of the arguments
    double unit;    // of the result
    std::vector<Step> steps;

    template <class T>
    T run(const std::vector<T>& x) const {
        std::vector<T> r;
        for (std::size_t i = 0; i < x.size(); ++i) r.push_back(x[i] / T(units[i]));
        for (const Step& step : steps) r.push_back(apply(step, r[step.a], r[step.b]));
        T sum = r.back();
        for (std::size_t i = 0; i < x.size(); ++i)
            sum = sum + r[i] * r[r.size() - 1 - i % steps.size()] / 3.0;
        return sum * T(unit);
    }

    template <class T>
    static T apply(const Step& step, const T& a, const T& b) {
        const T c = step.constant;
        switch (step.operation) {
            case 0:
                return a + c * b;
            case 1:
                return a - c * b;
            case 2:
                return a * b;
            case 3:
                return a / (1.0 + b * b);
            case 4:
                return sin(c * a);
            case 5:
                return cos(c * a);
            case 6:
                return exp(sin(a) * c);
            case 7:
                return tanh(c * a);
            case 8:
                return log1p(a * a);
            case 9:
                return sqrt(1.0 + a * a * c * c);
            default:
                return atan(c * a);
        }
    }
};

}  // namespace

Case composition(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    const auto uniform = [&] { return std::ldexp(static_cast<double>(random() >> 11), -53); };
    const auto unit = [&] { return std::pow(10.0, 24 * uniform() - 12); };
    Program program;
    const std::size_t count = 1 + random() % 4;
    Case c;
    c.kind = "composition";
    c.name = std::to_string(seed);
    for (std::size_t i = 0; i < count; ++i) {
        program.units.push_back(unit());
        c.x.push_back((uniform() < 0.5 ? -1 : 1) * (0.2 + 2 * uniform()) * program.units[i]);
    }
    program.unit = unit();
    const std::size_t steps = 2 + random() % 6;
    for (std::size_t i = 0; i < steps; ++i) {
        const std::size_t known = count + i;
        program.steps.push_back(
            {static_cast<int>(random() % 11), random() % known, random() % known, 0.3 + 2 * uniform()});
    }
    c.f = [program](Span x) { return program.run(Numbers(x.begin(), x.end())); };
    c.g = [program](Span x) { return dual_gradient([&](const auto& at) { return program.run(at); }, x); };
    c.noise = 0;
    c.length = 1;
    return c;
}

}  // namespace reel::testing
