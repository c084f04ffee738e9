/// \file
/// Numeric derivatives that know how far they may be off. Plain functions of one variable; nothing here knows
/// a tensor. `gradcheck.cpp` compares them with what the tape says. Not a public header.
#pragma once

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

namespace reel::detail {

/// A number, and how far it may be off.
struct Estimate {
    double value = 0;
    double error = std::numeric_limits<double>::infinity();
};

/// Richardson's extrapolation to h = 0 of T(h) = T(0) + c₁hᵖ + c₂hᵖ⁺² + …, known at h, h/2, h/4, …
///
/// Note [The error bar]
/// Each new row of the tableau removes one more power of h. An entry's error is taken as its distance to the
/// two entries it was made of, plus the rounding noise that they carry (C. Ridders, "Accurate computation of
/// F'(x) and F'(x)F''(x)", Adv. Eng. Softw. 4, 1982). A derivative is taken twice from each row: the slope
/// between both sides, and the gap between the slopes of either side, which is 0 where there is no kink. The
/// error bar is the slope's error and half the gap, and the row with the smallest bar is the result. So the
/// step finds itself: large where the function is smooth, for the noise's sake; small where it is not; and a
/// large step across a pole or a kink nearby is not believed, since there is a gap.
class Extrapolation {
public:
    explicit Extrapolation(int first_power) : first_power_(first_power) {}
    /// Takes the value at the next h, and its rounding noise; returns the best entry of the new row. A value
    /// that is not finite starts the tableau anew.
    Estimate add(double value, double noise);

private:
    int first_power_;
    std::vector<double> row_;
};

enum class Smoothness {
    kSmooth,
    kKink,       ///< the derivatives from the left and from the right differ
    kJump,       ///< the values do
    kNonFinite,  ///< the function has no number here, or next to here
};

/// A derivative. The error covers both one-sided derivatives where they differ.
struct Derivative {
    Estimate slope;
    Smoothness smoothness = Smoothness::kNonFinite;
};

/// The derivative at 0 of a function, from its values at 0 and at pairs ±h.
///
/// T(h) = (φ(h) − φ(−h)) / 2h tends to the derivative, with even powers of h; the gap between the one-sided
/// quotients, (φ(h) − 2φ(0) + φ(−h)) / h, tends to 0 with odd powers, or to what a kink makes of it.
class Differentiator {
public:
    Differentiator(double centre, double noise) : centre_(centre), noise_(noise) {}
    /// The next pair, at half the distance. The distances are given as rounding left them.
    void add(double h_below, double below, double h_above, double above);
    /// Whether the error is small beside the derivative or beside `scale`, or smaller steps cannot better it.
    bool settled(double scale) const;
    Derivative result() const;

private:
    /// Covers both one-sided derivatives, which lie half the gap away.
    static double bar(const Estimate& slope, const Estimate& gap) {
        return slope.error + (std::abs(gap.value) + gap.error) / 2;
    }

    double centre_;
    double noise_;
    double noise_of_slope_ = 0;
    Extrapolation slopes_{2};
    Extrapolation gaps_{1};
    Estimate slope_;  // of the best row, as is the gap
    Estimate gap_;
    std::vector<double> rises_;  // how far the values at ±h lie from the one at 0
    bool finite_ = false;
};

/// The values of several functions at one point of a line, and where rounding put the point.
struct Point {
    double t;
    std::vector<double> values;
};
using Line = std::function<Point(double t)>;

/// The derivatives at t = 0 of all functions along the line. `centre` are their values there, `noise` their
/// rounding noise, `scale` the size of derivatives that matter.
std::vector<Derivative> differentiate(const Line& line, double first_step, const std::vector<double>& centre,
                                      const std::vector<double>& noise, double scale);

/// The rounding noise of the functions near t = 0: what is left in high differences of values at close
/// points, where a smooth function leaves nothing (J. Moré and S. Wild, "Estimating computational noise",
/// SIAM J. Sci. Comput. 33, 2011). The points lie on one side, so that a kink at 0 does not count. The wider
/// the spacing, the coarser the steps of a rounded function that it sees, and the higher the differences must
/// be.
std::vector<double> rounding_noise(const Line& line, std::size_t first_order);

}  // namespace reel::detail
