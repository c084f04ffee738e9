/// \file
/// Smooth functions composed at random, over scales from 1e-12 to 1e12, with their right gradients: on none of
/// them may the checker say "wrong".
#pragma once

#include <cstdint>

#include "tests/check/corpus.hpp"

namespace reel::testing {

Case composition(std::uint64_t seed);

}  // namespace reel::testing
