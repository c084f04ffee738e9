// Points on the arms of a spiral, a toy problem that no straight line solves.
#pragma once

#include <numbers>
#include <reel.hpp>

namespace examples {

inline constexpr std::int64_t kArms = 3;

struct Points {
    reel::Tensor x;  // (n, 2) in the unit disk
    reel::Tensor y;  // (n) int64, the arm
};

// `count` points on each arm, which turns by two thirds of a circle from the middle to the rim. Noise on the
// angle blurs it.
inline Points spiral(std::int64_t count, double noise = 0.2) {
    using namespace reel;
    constexpr double kCircle = 2 * std::numbers::pi;
    const Tensor arm = arange(kArms).repeat_interleave(count);
    const Tensor radius = rand({kArms * count});
    const Tensor angle = kCircle * (arm / kArms + 2.0 / 3 * radius) + noise * randn({kArms * count});
    return {stack({radius * cos(angle), radius * sin(angle)}, 1), arm};
}

}  // namespace examples
