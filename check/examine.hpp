/// \file
/// The examination itself: a function at a point, whose arguments are moved one by one or together, and what
/// is claimed about it. Not a public header; `entry.cpp` fills in a `Subject`.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "check.hpp"
#include "random.hpp"

namespace reel::check::detail {

using Numbers = std::vector<double>;

/// Columns that are moved together when a direction is looked at: an input of several.
struct Group {
    std::size_t begin, end;
};

struct Subject {
    VectorFunction f;  ///< may throw, and may return no numbers
    Numbers x;
    Numbers weights = {};           ///< of the outputs, whose weighted sum is the one row; empty: a row each
    std::vector<Numbers> analytic;  ///< [row][column]
    std::vector<Numbers> rounding;  ///< how far those may be off by rounding
    std::vector<Group> groups;      ///< of columns; by themselves one
    Numbers floor = {};    ///< of the outputs' noise, where more is known than values show; may be empty
    bool single = false;   ///< x is rounded to float
    bool elements = true;  ///< otherwise directions, and elements only where one of them fails
};

struct Examined {
    std::vector<Element> elements;
    std::vector<std::size_t> first;  ///< of each of them the first column that was moved
    std::size_t evaluations = 0;
    bool exhausted = false;  ///< the budget was
    bool covered = true;     ///< every column was moved, by itself or with others
};

/// Looks at every element, or as the subject and the budget will have it. The values at x are not checked to
/// be the same at a second call: that is `deterministic`.
Examined examine(const Subject& subject, const Options& options);

/// Whether f gives the same at a second call (within the accuracy), which the hint explains where not.
bool deterministic(const Numbers& first, const Numbers& second, double accuracy, std::string& hint);

/// Two points around x, a few units in the last place away. `unit` is the relative size of one.
std::pair<Numbers, Numbers> nearby(std::span<const double> x, Random& random, double unit);

/// The analytic derivatives at two such points, [row][column].
using Beside = std::pair<std::vector<Numbers>, std::vector<Numbers>>;
/// How far rounding may have put them off at x: what is not smooth in how they vary, as long as they vary little.
/// At a kink, where they do not, some units.
std::vector<Numbers> rounding_of(const std::vector<Numbers>& at, const std::vector<Beside>& beside);

}  // namespace reel::check::detail
