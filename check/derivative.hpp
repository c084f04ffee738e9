/// \file
/// Numeric derivatives that know how far they may be off, of functions along a line. Not a public header;
/// `noise.hpp` measures what rounding does to them, `judge.hpp` compares them with what a program claims.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <limits>
#include <vector>

namespace reel::check::detail {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

/// A number, how far it may be off, and how much of that is the noise of the values it was made of.
struct Estimate {
    double value = 0;
    double error = kInfinity;
    double noise = 0;
};

/// Richardson's extrapolation to h = 0 of T(h) = T(0) + c₁hᵖ + c₂hᵖ⁺ᵈ + …, known at h, h/2, h/4, …
///
/// Note [The error bar]
/// Each row of the tableau removes one more power of h. An entry's error is its distance to the two entries it
/// was made of, plus the noise that they carry (C. Ridders, "Accurate computation of F'(x) and F'(x)F''(x)",
/// Adv. Eng. Softw. 4, 1982). Where the power is unknown (|x|^1.5 at 0), Aitken's Δ² finds it. The best entry
/// of a row stands only if no later row, made at smaller steps, contradicts it: so a large step that jumped
/// over a period, a pole or a kink nearby is not believed, however well its neighbours agreed.
class Extrapolation {
public:
    Extrapolation(int first_power, int increment) : first_power_(first_power), increment_(increment) {}
    /// The value at the next h, and its noise. A value that is not finite starts the tableau anew.
    void add(double value, double noise);
    /// The row with the least error that no later row contradicts.
    Estimate best() const;

private:
    static constexpr std::size_t kOrders = 8;  // columns of a tableau
    static constexpr std::size_t kRows = 64;   // more than a ladder has

    void aitken(double value, double noise, Estimate& best);

    int first_power_;
    int increment_;
    std::array<Estimate, kOrders> row_;  // `noise` alone is used beside the value
    std::size_t columns_ = 0;
    std::array<Estimate, kRows> bests_;  // of each row
    std::size_t rows_ = 0;
    std::array<double, 2> before_ = {};  // the last two values,
    std::size_t values_ = 0;             // of how many
    Estimate accelerated_;               // Aitken's last
    double ratio_ = 0;
};

enum class Smoothness {
    kSmooth,
    kKink,       ///< the derivatives from the left and from the right differ
    kJump,       ///< the values do
    kNonFinite,  ///< the function has no number here, or next to here
};

/// A derivative, and what was seen on the way to it.
struct Derivative {
    Estimate slope;
    Estimate left, right;  ///< one-sided, at a kink or beside a jump
    Smoothness smoothness = Smoothness::kNonFinite;
    bool jumps_left = false, jumps_right = false;
    bool constant = false;   ///< no value differed from the one at 0
    bool supported = false;  ///< slopes at larger steps were nearer to the claim than to this one
    double steepness = 0;    ///< the largest |φ(t) − φ(0)| / |t| seen
    double change = 0;       ///< the largest |φ(t) − φ(0)| seen
    double noise = 0;        ///< of the values near 0
};

/// The values of several functions at one point of a line, and where rounding put the point.
struct Sample {
    double t = 0;
    std::vector<double> y;
    double growth = 0;  ///< how much larger its noise may be than at 0; 0: as the values are
};
using Line = std::function<Sample(double t)>;

/// On which sides of 0 the line may be sampled.
enum class Sides { kBoth, kUp, kDown };

/// What the ladder of steps is told: the values at 0, their noise, the first step, the largest one.
struct LadderOptions {
    std::vector<double> centre;
    std::vector<double> noise;
    double first_step = 0;
    double largest_step = kInfinity;
    double smallest_step = 0;  ///< below it the argument's own rounding is all that is left
    Sides sides = Sides::kBoth;
    bool thorough = false;  ///< look at small steps, too, however well the large ones agree
    std::vector<double> claims =
        {};  ///< of the slopes: where a claim would show, a thorough ladder looks; may be empty
};

/// The derivatives at t = 0 of all functions along the line.
///
/// Steps are h₀ 2⁻ᵏ. A first pass, four halvings at a time, finds where differences begin to agree; the ladder
/// goes down from there until every error is small or noise, climbs while noise is what limits it, and at the
/// end looks at one step far below, which must not contradict.
std::vector<Derivative> differentiate(const Line& line, const LadderOptions& options);

}  // namespace reel::check::detail
