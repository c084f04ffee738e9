/// \file
/// Numbers that carry a derivative along: the corpus's right gradients, by other means than the checker's.
#pragma once

#include <cmath>
#include <span>
#include <vector>

namespace reel::testing {

struct Dual {
    double v = 0;
    double d = 0;
    Dual() = default;
    Dual(double value, double slope = 0) : v(value), d(slope) {}
};

inline Dual operator+(Dual a, Dual b) { return {a.v + b.v, a.d + b.d}; }
inline Dual operator-(Dual a, Dual b) { return {a.v - b.v, a.d - b.d}; }
inline Dual operator-(Dual a) { return {-a.v, -a.d}; }
inline Dual operator*(Dual a, Dual b) { return {a.v * b.v, a.d * b.v + a.v * b.d}; }
inline Dual operator/(Dual a, Dual b) { return {a.v / b.v, (a.d - a.v / b.v * b.d) / b.v}; }
inline bool operator<(Dual a, Dual b) { return a.v < b.v; }
inline bool operator>(Dual a, Dual b) { return a.v > b.v; }

inline Dual sin(Dual a) { return {std::sin(a.v), std::cos(a.v) * a.d}; }
inline Dual cos(Dual a) { return {std::cos(a.v), -std::sin(a.v) * a.d}; }
inline Dual exp(Dual a) { return {std::exp(a.v), std::exp(a.v) * a.d}; }
inline Dual expm1(Dual a) { return {std::expm1(a.v), std::exp(a.v) * a.d}; }
inline Dual log(Dual a) { return {std::log(a.v), a.d / a.v}; }
inline Dual log1p(Dual a) { return {std::log1p(a.v), a.d / (1 + a.v)}; }
inline Dual sqrt(Dual a) { return {std::sqrt(a.v), a.d == 0 ? 0 : a.d / (2 * std::sqrt(a.v))}; }
inline Dual cbrt(Dual a) { return {std::cbrt(a.v), a.d / (3 * std::cbrt(a.v) * std::cbrt(a.v))}; }
inline Dual atan(Dual a) { return {std::atan(a.v), a.d / (1 + a.v * a.v)}; }
inline Dual erf(Dual a) { return {std::erf(a.v), 1.1283791670955126 * std::exp(-a.v * a.v) * a.d}; }
inline Dual tanh(Dual a) {
    const double c = 1 / std::cosh(a.v);
    return {std::tanh(a.v), c * c * a.d};
}
inline Dual pow(Dual a, double p) { return {std::pow(a.v, p), p * std::pow(a.v, p - 1) * a.d}; }
/// With the derivative 0 at 0, a choice between −1 and 1.
inline Dual abs(Dual a) { return {std::abs(a.v), a.v == 0 ? 0 : a.v < 0 ? -a.d : a.d}; }
inline Dual floor(Dual a) { return {std::floor(a.v), 0}; }

/// The gradient of a function of duals.
template <class F>
std::vector<double> dual_gradient(const F& f, std::span<const double> x) {
    std::vector<double> g;
    std::vector<Dual> at(x.begin(), x.end());
    for (Dual& element : at) {
        element.d = 1;
        g.push_back(f(at).d);
        element.d = 0;
    }
    return g;
}

}  // namespace reel::testing
