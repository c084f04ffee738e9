/// \file
/// Properties: statements that hold for all shapes, values and layouts, tried on some 20,000 that are drawn.
///
/// The cases of a property have the seeds 1, 2, 3, …, so that every run tries the same ones; REEL_SEED names
/// another first seed and REEL_CASES another number of cases. A case that fails prints its seed, and
/// REEL_SEED=<seed> REEL_CASES=1 runs it alone.
#pragma once

#include <sstream>
#include <string>

#include "tests/property/draw.hpp"

namespace reel::property {

/// Tries a property, whose `statement` throws where it does not hold, up to its first failure.
void for_all(const std::string& property, int cases, const std::function<void(Draw&)>& statement,
             Draw::Size size = Draw::Size::kSmall);

/// The elements of `x` in row-major order, read from memory stride by stride without the library's help.
Tensor dense(const Tensor& x);

/// Shape, dtype and layout of tensors, for messages.
std::string describe(const std::vector<Tensor>& tensors);

/// Throws a `Failure` unless a statement holds.
struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};
template <class... Parts>
void demand(bool holds, const Parts&... parts) {
    if (holds) return;
    std::ostringstream text;
    (text << ... << parts);
    throw Failure(text.str());
}

/// Throws a `Failure` unless both have the same dtype, shape and bits (all NaN are alike).
void demand_same(const Tensor& a, const Tensor& b, const std::string& what);
/// Throws a `Failure` unless both have the same dtype and shape, and their elements differ by `ulps` units in
/// the last place of the larger one, or of `size`, at most.
void demand_close(const Tensor& a, const Tensor& b, double ulps, double size, const std::string& what);

}  // namespace reel::property
