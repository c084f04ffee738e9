// Richardson's extrapolation: Note [The error bar] in derivative.hpp.
#include <algorithm>
#include <cmath>
#include <utility>

#include "derivative.hpp"

namespace reel::check::detail {

void Extrapolation::add(double value, double noise) {
    if (!std::isfinite(value) || rows_ == kRows) {
        columns_ = values_ = 0;
        accelerated_ = {};
        return;
    }
    Estimate best;
    Estimate coarse = {value, kInfinity, noise};
    std::size_t columns = 1;
    double factor = std::ldexp(1.0, first_power_);
    const double growth = std::ldexp(1.0, increment_);
    for (std::size_t column = 0; column < columns_; ++column, ++columns) {
        const Estimate before = std::exchange(row_[column], coarse);
        const Estimate better = {coarse.value + (coarse.value - before.value) / (factor - 1), kInfinity,
                                 (factor * coarse.noise + before.noise) / (factor - 1)};
        const double error =
            std::max(std::abs(better.value - coarse.value), std::abs(better.value - before.value));
        if (error + better.noise < best.error) best = {better.value, error + better.noise, better.noise};
        coarse = better;
        if (columns == kOrders) break;
        factor *= growth;
    }
    if (columns_ < kOrders) row_[columns_] = coarse;
    columns_ = std::min(columns, kOrders);
    aitken(value, noise, best);
    bests_[rows_++] = best;
}

/// T(h) = T(0) + c hᵅ at h, h/2, h/4: the differences shrink by a constant ratio, which gives the limit. It is
/// believed where the ratio stays what it is.
void Extrapolation::aitken(double value, double noise, Estimate& best) {
    constexpr double kLeastRatio = 0.05;
    constexpr double kMostRatio = 0.95;
    constexpr double kSteady = 0.02;
    const double last = value - before_[1];
    const double before = before_[1] - before_[0];
    before_ = {before_[1], value};
    if (++values_ < 3) return;
    const double ratio = before == 0 ? 0 : last / before;
    Estimate now;
    if (ratio > kLeastRatio && ratio < kMostRatio) {
        now.value = value + last * ratio / (1 - ratio);
        now.noise = noise * (1 + ratio) / ((1 - ratio) * (1 - ratio));
        now.error = 0;
        if (accelerated_.error < kInfinity && std::abs(ratio - ratio_) < kSteady * ratio) {
            const double error = 2 * std::abs(now.value - accelerated_.value) + now.noise;
            if (error < best.error) best = {now.value, error, now.noise};
        }
    }
    accelerated_ = now;
    ratio_ = ratio;
}

Estimate Extrapolation::best() const {
    Estimate chosen;
    for (std::size_t i = 0; i < rows_; ++i) {
        const Estimate& candidate = bests_[i];
        if (candidate.error >= chosen.error) continue;
        bool stands = true;
        for (std::size_t j = i + 1; j < rows_ && stands; ++j) {
            stands = std::abs(candidate.value - bests_[j].value) <= candidate.error + bests_[j].error;
        }
        if (stands) chosen = candidate;
    }
    return chosen;
}

}  // namespace reel::check::detail
