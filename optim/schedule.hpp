/// \file
/// Learning rates as plain functions of the step: `optimizer.set_lr(cosine_lr(step, total, base))`.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

#pragma GCC visibility push(default)
namespace reel {

/// Half a cosine from `base` at step 0 down to `floor` at step `total`, and `floor` from there on.
inline double cosine_lr(std::int64_t step, std::int64_t total, double base, double floor = 0) {
    const double part = std::clamp(
        static_cast<double>(step) / static_cast<double>(std::max<std::int64_t>(total, 1)), 0.0, 1.0);
    return floor + (base - floor) * (1 + std::cos(std::numbers::pi * part)) / 2;
}

/// `base`, multiplied by `gamma` after every `every` steps.
inline double step_lr(std::int64_t step, std::int64_t every, double gamma, double base) {
    return base * std::pow(gamma, static_cast<double>(step / std::max<std::int64_t>(every, 1)));
}

/// A straight line from 0 at step 0 to `base` at step `warmup`, and `base` from there on.
inline double warmup_lr(std::int64_t step, std::int64_t warmup, double base) {
    if (step >= warmup) return base;
    return base * static_cast<double>(step) / static_cast<double>(warmup);
}

}  // namespace reel
#pragma GCC visibility pop
