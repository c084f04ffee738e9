/// \file
/// Random numbers for steps and directions. Not a public header.
#pragma once

#include <cstdint>

namespace reel::check::detail {

/// Random numbers that are the same everywhere (Steele, Lea, Flood: SplitMix64, 2014).
class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed) {}
    double operator()();  ///< uniform in [0, 1)
    double weight();      ///< ±[0.5, 1.5): of either sign, and never small

private:
    std::uint64_t state_;
};

}  // namespace reel::check::detail
