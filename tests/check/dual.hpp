/// \file
/// Numbers that carry a derivative along: the corpus's right gradients, by other means than the checker's. Made of such
/// numbers themselves they carry a second one.
#pragma once

#include <cmath>
#include <span>
#include <vector>

namespace reel::testing {

inline double value_of(double x) { return x; }

template <class S>
struct DualOf {
    S v = 0.0;
    S d = 0.0;
    DualOf() = default;
    DualOf(double value) : v(value) {}
    DualOf(S value, S slope) : v(value), d(slope) {}

    friend double value_of(const DualOf& a) { return value_of(a.v); }
    friend DualOf operator+(DualOf a, DualOf b) { return {a.v + b.v, a.d + b.d}; }
    friend DualOf operator-(DualOf a, DualOf b) { return {a.v - b.v, a.d - b.d}; }
    friend DualOf operator-(DualOf a) { return {-a.v, -a.d}; }
    friend DualOf operator*(DualOf a, DualOf b) { return {a.v * b.v, a.d * b.v + a.v * b.d}; }
    friend DualOf operator/(DualOf a, DualOf b) { return {a.v / b.v, (a.d - a.v / b.v * b.d) / b.v}; }
    friend bool operator<(DualOf a, DualOf b) { return a.v < b.v; }
    friend bool operator>(DualOf a, DualOf b) { return a.v > b.v; }

    friend DualOf sin(DualOf a) { return {sin_(a.v), cos_(a.v) * a.d}; }
    friend DualOf cos(DualOf a) { return {cos_(a.v), -sin_(a.v) * a.d}; }
    friend DualOf exp(DualOf a) { return {exp_(a.v), exp_(a.v) * a.d}; }
    friend DualOf expm1(DualOf a) {
        using std::expm1;
        return {expm1(a.v), exp_(a.v) * a.d};
    }
    friend DualOf log(DualOf a) {
        using std::log;
        return {log(a.v), a.d / a.v};
    }
    friend DualOf log1p(DualOf a) {
        using std::log1p;
        return {log1p(a.v), a.d / (1.0 + a.v)};
    }
    friend DualOf sqrt(DualOf a) {
        using std::sqrt;
        const S root = sqrt(a.v);
        return {root, value_of(a.d) == 0 && value_of(a.v) == 0 ? 0.0 * a.d : a.d / (2.0 * root)};
    }
    friend DualOf cbrt(DualOf a) {
        using std::cbrt;
        return {cbrt(a.v), a.d / (3.0 * cbrt(a.v) * cbrt(a.v))};
    }
    friend DualOf atan(DualOf a) {
        using std::atan;
        return {atan(a.v), a.d / (1.0 + a.v * a.v)};
    }
    friend DualOf erf(DualOf a) {
        using std::erf;
        return {erf(a.v), 1.1283791670955126 * exp_(-a.v * a.v) * a.d};
    }
    friend DualOf tanh(DualOf a) {
        using std::cosh, std::tanh;
        const S c = 1.0 / cosh(a.v);
        return {tanh(a.v), c * c * a.d};
    }
    friend DualOf cosh(DualOf a) { return 0.5 * (exp(a) + exp(-a)); }
    friend DualOf pow(DualOf a, double p) {
        using std::pow;
        return {pow(a.v, p), p * pow(a.v, p - 1) * a.d};
    }
    /// With the derivative 0 at 0, a choice between −1 and 1.
    friend DualOf abs(DualOf a) {
        using std::abs;
        const double at = value_of(a.v);
        return {abs(a.v), at == 0 ? 0.0 * a.d : at < 0 ? -a.d : a.d};
    }
    friend DualOf floor(DualOf a) { return std::floor(value_of(a)); }

private:
    static S sin_(S x) {
        using std::sin;
        return sin(x);
    }
    static S cos_(S x) {
        using std::cos;
        return cos(x);
    }
    static S exp_(S x) {
        using std::exp;
        return exp(x);
    }
};
using Dual = DualOf<double>;

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

/// Its Hessian, row by row.
template <class F>
std::vector<double> dual_hessian(const F& f, std::span<const double> x) {
    std::vector<double> h;
    std::vector<DualOf<Dual>> at(x.begin(), x.end());
    for (auto& row : at) {
        row.d = 1.0;
        for (auto& column : at) {
            column.v.d = 1;
            h.push_back(f(at).d.d);
            column.v.d = 0;
        }
        row.d = 0.0;
    }
    return h;
}

}  // namespace reel::testing
