/// \file
/// How the corpus is written: a function of `double`s and of duals alike, by kind. Its parts are
/// `corpus_smooth.cpp`, `corpus_rough.cpp`, `corpus_numerical.cpp`, `corpus_programs.cpp` and `corpus_limits.cpp`.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "tests/check/corpus.hpp"
#include "tests/check/dual.hpp"

namespace reel::testing {

using std::abs, std::atan, std::cos, std::erf, std::exp, std::expm1, std::log, std::log1p, std::pow, std::sin,
    std::sqrt, std::tanh;

class Collector {
public:
    std::vector<Case> cases;

    /// A function of `double`s and of duals alike.
    template <class F>
    void add(const char* kind, const std::string& name, Numbers x, F f, double length = 1, double noise = 0) {
        Case c;
        c.kind = kind;
        c.name = name;
        c.f = [f](Span at) { return f(Numbers(at.begin(), at.end())); };
        c.g = [f](Span at) { return dual_gradient(f, at); };
        c.h = [f](Span at) { return dual_hessian(f, at); };
        c.x = std::move(x);
        c.length = length;
        c.noise = std::max(noise, 4 * std::numeric_limits<double>::epsilon() * std::abs(c.f(c.x)));
        cases.push_back(std::move(c));
    }
    /// The same with values that are spoilt: the gradient is that of the clean function.
    template <class F, class S>
    void spoilt(const char* kind, const std::string& name, Numbers x, F f, S spoil, double noise) {
        add(kind, name, std::move(x), f, 1, noise);
        cases.back().f = [f, spoil](Span at) {
            return spoil(Numbers(at.begin(), at.end()), f(Numbers(at.begin(), at.end())));
        };
    }
};

inline std::string at(const char* name, double x) {
    char text[64];
    std::snprintf(text, sizeof text, "%s at %g", name, x);
    return text;
}

constexpr auto kSigmoid = [](auto x) { return 1.0 / (1.0 + exp(-x)); };

void add_smooth(Collector& c);
void add_rough(Collector& c);
void add_numerical(Collector& c);
void add_programs(Collector& c);
void add_limits(Collector& c);

}  // namespace reel::testing
