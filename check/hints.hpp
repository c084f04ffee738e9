/// \file
/// What may be the matter: guesses from the numbers of a report. Not a public header.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "check.hpp"

namespace reel::check::detail {

/// Gives the elements that are wrong, and the report, a hint where one fits: sign, a factor, zero, transposed
/// or permuted, one input alone. `analytic` is the whole claim, row by row.
void guess(Report& report, const std::vector<std::vector<double>>& analytic);

/// Names the elements that are not zero, and were not declared.
void name_undeclared(Report& report, const std::vector<std::vector<bool>>& declared);

/// A Hessian that is not symmetric, beyond its rounding, is wrong.
void check_symmetry(Report& report, const std::vector<std::vector<double>>& analytic,
                    const std::vector<std::vector<double>>& rounding);

/// The table of Taylor remainders of φ at 0, whose slope there is said to be `slope`.
std::string remainders(const std::function<double(double)>& f, double slope);

}  // namespace reel::check::detail
