// Prints "right passed, wrong: the sign is wrong".
#include <cmath>
#include <iostream>
#include <reel/check.hpp>

using namespace reel;

int main() {
    const auto f = [](std::span<const double> x) { return std::sin(x[0]) * x[1]; };
    const auto g = [](std::span<const double> x, std::span<double> out) {
        out[0] = std::cos(x[0]) * x[1];
        out[1] = std::sin(x[0]);
    };
    const auto wrong = [g](std::span<const double> x, std::span<double> out) {
        g(x, out);
        out[0] = -out[0];
    };
    const std::vector<double> x = {0.7, -1.3};
    const check::Report right = check::gradient(f, g, x);
    const check::Report report = check::gradient(f, wrong, x);
    std::cout << "right " << (right ? "passed" : "failed") << ", wrong: " << report.elements[0].hint << "\n";
    return right && !report ? 0 : 1;
}
