/// \file
/// The calls that `starved_test.cpp` makes while memory runs out.
#pragma once

#include "tests/starved/world.hpp"

namespace reel::testing {

/// All scenarios of the three tables below.
const std::vector<Scenario>& scenarios();

void add_forward_scenarios(std::vector<Scenario>& all);   ///< operations, recorded and not
void add_backward_scenarios(std::vector<Scenario>& all);  ///< rewinds, hooks, derivatives, checkpoints
void add_training_scenarios(std::vector<Scenario>& all);  ///< optimizers, generators, files, pages

}  // namespace reel::testing
