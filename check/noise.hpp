/// \file
/// What rounding does to a function's values. Not a public header.
#pragma once

#include <functional>
#include <vector>

#include "derivative.hpp"

namespace reel::check::detail {

/// The noise σ in values at equally spaced points: that of the first three successive columns of the table of
/// their differences which agree about it, with differences of either sign among them. A smooth function
/// leaves nothing there; nothing is returned where it still does (the spacing is too wide), or where half of
/// the values are equal (too narrow: it does not see the steps of a rounded function).
/// (J. Moré and S. Wild, "Estimating computational noise", SIAM J. Sci. Comput. 33, 2011.)
enum class Spacing { kRight, kTooNarrow, kTooWide };
struct Noise {
    double deviation = 0;
    Spacing spacing = Spacing::kRight;
};
Noise difference_noise(std::vector<double> values);

/// A bound of the noise of each function near t = 0: three measured deviations, and half a unit in the last
/// place at the least. Noise is what values differ by however near their points are: where a kink between the
/// points may have been taken for it, an interval is halved until that is known. t counts in units of the size of the argument; `draw` gives a line on which points of this
/// spacing are equally spaced after rounding. The points lie on one side, so that a kink at 0 does not count.
std::vector<double> measure_noise(const std::function<Line(double spacing)>& draw,
                                  const std::vector<double>& centre, double least_spacing);

/// Raises the noise of a function whose values lie on stairs wider than the spacings above, as 1 + erf(x) does at −5:
/// where steps remain in each of four intervals up to t = 1/4 that are halved again and again, they are no jumps beside
/// x but how f is rounded.
void heed_stairs(const Line& line, std::size_t output, double least_spacing, double& noise);

}  // namespace reel::check::detail
