/// \file
/// The function that is examined, along straight lines through x: evaluated within its bounds and its budget, on the
/// scales of its arguments, with the noise of its values. Not a public header.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "derivative.hpp"
#include "examine.hpp"
#include "random.hpp"

namespace reel::check::detail {

/// A straight move: so much of each column.
using Direction = std::vector<std::pair<std::size_t, double>>;

class Lines {
protected:
    Lines(const Subject& subject, const Options& options);

    double unit() const { return subject_.single ? 0x1p-23 : kEpsilon; }
    std::size_t rows() const { return subject_.analytic.size(); }
    bool spent() const { return options_.budget != 0 && evaluations_ >= options_.budget; }

    /// The noise along a line may be more than along all of them together: where a factor is flat, say, as 1 − tanh² is.
    Numbers noise_along(const Direction& direction);
    /// Where larger steps speak for a claim the values may lie on wide stairs.
    void look_for_stairs(const Direction& direction);

    struct Room {
        Sides sides;
        double largest;
    };
    /// How far the line may go without leaving the bounds, and on which sides; turns shares inwards where one
    /// side alone has room.
    Room fit(Direction& direction) const;
    /// f along a direction. What it throws is no number.
    Line line(const Direction& direction);
    static double along(const Numbers& gradient, const Direction& direction);
    /// The derivatives of all rows along a direction, from a ladder of its own; where outputs are weighed, of each output
    /// apart, or of them together.
    std::vector<Derivative> slopes(Direction direction, const Numbers& noise, bool thorough, bool apart);
    /// The size of a row at x.
    double magnitude(std::size_t row) const;
    double far_change(Direction direction, std::size_t row);

    const Subject& subject_;
    const Options& options_;
    Random random_;
    Numbers centre_;
    Numbers noise_;
    Numbers scales_;
    double change_ = 0;  ///< of the rows, the largest seen anywhere
    std::size_t evaluations_ = 0;
    bool exhausted_ = false;
    std::string failure_;  ///< where a value was not finite, and why

private:
    /// The size of each column: as declared, or its own; where it is 0 that of a typical other one.
    void set_scales();
    void set_noise();
    /// What is known of the noise that outputs are made of is theirs where it does not show, since they are the same all
    /// around as their column is moved. Where they are not it shows in part. It drowns nothing.
    void heed_floor();
    /// All columns move, by numbers of so few bits that the points are equally spaced after rounding.
    Line noise_line(double spacing);
    /// How much f changes where all columns move far: where that is much, noise that exceeds a single derivative
    /// drowns nothing.
    void note_change();
    /// The direction on the scale of what is moved, inwards where there are bounds.
    Direction scaled(Direction direction) const;
    /// Turned to the side that has room, and no longer than it.
    Direction inwards(Direction direction) const;
    void evaluate(Sample& sample);
    void note_failure(const Sample& sample, std::size_t column);
    /// The weighed sum of what the outputs differ by from those at x, as one function. It is fast, and sees all but the
    /// kinks of several outputs at once, whose slopes may lie on either side of what each of them allows.
    Line together(const Direction& direction);
    double least_spacing() const { return subject_.single ? 0x1p-18 : 0x1p-48; }

    Numbers at_;  // where f is evaluated
    std::string thrown_;
};

}  // namespace reel::check::detail
