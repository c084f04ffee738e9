/// \file
/// What is to be thought of two derivatives. Not a public header.
#pragma once

#include "check.hpp"
#include "derivative.hpp"

namespace reel::check::detail {

/// Whether a derivative of which this is said is taken for right.
constexpr bool passes(Verdict verdict) { return verdict <= Verdict::kKink; }

/// A claimed derivative beside the numeric one.
struct Finding {
    double analytic = 0;
    double rounding = 0;  ///< of the analytic one
    double scale = 1;     ///< of the argument
    Derivative numeric;
    Verdict verdict = Verdict::kUnresolved;

    double error() const { return numeric.slope.error + rounding; }
    /// Whether noise is what the error bar is made of.
    bool noisy() const;
};

/// Note [What passes]
/// A derivative outside the bar is wrong. One inside it passes where the bar means something: it is small
/// beside the derivative, or it is the noise of f and less than three quarters of the derivative, which neither
/// another sign nor a factor of 2 nor a claim of 0 survives. Where noise exceeds that, nobody can tell more than
/// that the derivative is small; that passes where f changes so much elsewhere (`change`, along this line or
/// another) that its noise is nothing beside it, as with sigmoid(40), and is unresolved where f is drowned, as
/// sin(x) + 1e17 is: there no claim is wrong either, unless it is so large that it would be seen. A derivative of
/// 0 is judged by the slopes seen nearby.
Verdict judge(const Finding& finding, double change);

/// The derivative of Σ wᵢ φᵢ.
Derivative combine(const std::vector<Derivative>& parts, const std::vector<double>& weights);

}  // namespace reel::check::detail
