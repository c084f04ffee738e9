/// \file
/// What is seen along lines: a verdict on each row, and its confirmation by other ladders. Not a public header.
#pragma once

#include <string>
#include <vector>

#include "judge.hpp"
#include "lines.hpp"

namespace reel::check::detail {

/// What was found along an axis or a direction, for one row.
struct Look {
    std::size_t row;
    Direction direction;
    Finding finding;
    std::string hint;
};

class Looks : protected Lines {
protected:
    using Lines::Lines;

    void look_at(const Direction& direction);
    /// "Wrong", "kink" and all else that is no match are said when another ladder says so, too.
    void confirm();
    /// Wrong by so many bars that no noise which was overlooked explains it.
    static bool plainly_wrong(const Finding& finding);

    std::vector<Look> looks_;
    bool fault_known_ =
        false;  ///< a direction is wrong, by two ladders: what is plainly wrong in it need no other

private:
    void fill(Look& look, const Derivative& numeric);
    /// A match within a bar that is wide for its noise may be a coincidence: another ladder tells, if it sees better.
    void look_again();
    /// How much f changes where the argument is doubled, or gone: the ladder may have stayed where it is flat. Where that
    /// is little, other arguments may tell what f is made of.
    void look_far(Look& look);
    /// Whether two ladders say the same, in words and in numbers; `finding` becomes the better of them.
    static bool agreed(const std::vector<Finding>& said, Finding& finding);
};

}  // namespace reel::check::detail
