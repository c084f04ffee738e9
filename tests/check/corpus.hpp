/// \file
/// Functions with right gradients, of all kinds that a checker meets, and the ways to spoil a gradient. The
/// checker must pass the ones and refuse the others: `corpus_test.cpp`.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace reel::testing {

using Numbers = std::vector<double>;
using Span = std::span<const double>;

struct Case {
    std::string
        kind;  ///< smooth, scaled, saturating, oscillating, kinked, jumping, singular, noisy, float32, offset, layer
    std::string name;
    std::function<double(Span)> f;
    std::function<Numbers(Span)> g;
    std::function<Numbers(Span)> h = {};  ///< the Hessian, row by row, where there is one
    Numbers x;
    double noise;   ///< in f, absolute: what no difference can see
    double length;  ///< over which f varies, of the size of x
};
std::vector<Case> corpus();
/// Piecewise functions, drawn, with kinks and jumps near x but not at it.
std::vector<Case> near_kinks(std::uint64_t first, std::uint64_t count);

/// A way to spoil a gradient; `least` is how large the mistake is, relative to the element it is made in.
struct Mutation {
    const char* name;
    double size;
    Numbers (*of)(Numbers g);
};
std::span<const Mutation> mutations();

/// Whether f's own noise hides the difference between two gradients at x.
bool hidden(const Case& c, const Numbers& right, const Numbers& wrong);

}  // namespace reel::testing
