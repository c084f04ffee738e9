#include "judge.hpp"

#include <algorithm>
#include <cmath>

namespace reel::check::detail {

bool Finding::noisy() const { return numeric.slope.noise + rounding >= 0.1 * error(); }

Verdict judge(const Finding& finding, double change) {
    constexpr double kFine = 1e-7;   // a bar of this part of the derivative
    constexpr double kSmall = 1e-9;  // and for 0, of the slopes nearby
    constexpr double kDrowned = 8;   // times the noise is all that f changes
    constexpr double kVisible = 16;
    constexpr double kSure = 3;  // bars, where noise exceeds the derivative
    constexpr double kTells =
        0.75;  // noise of this part of the derivative hides neither sign nor factor nor a claim of 0
    constexpr double kHidden = 1e-5;  // noise that is nothing beside the changes of f
    const Derivative& numeric = finding.numeric;
    const double a = finding.analytic;
    if (!std::isfinite(a) || numeric.smoothness == Smoothness::kNonFinite) return Verdict::kNonFinite;
    const auto outside = [&](const Estimate& low, const Estimate& high) {
        return a < low.value - low.error - finding.rounding || a > high.value + high.error + finding.rounding;
    };
    if (numeric.smoothness == Smoothness::kJump) {
        // From the side without a jump there is a slope to be held to.
        const bool left = !numeric.jumps_left && outside(numeric.left, numeric.left);
        const bool right = !numeric.jumps_right && outside(numeric.right, numeric.right);
        return left || right ? Verdict::kWrong : Verdict::kJump;
    }
    if (numeric.smoothness == Smoothness::kKink) {
        const bool rising = numeric.left.value <= numeric.right.value;
        const Estimate& low = rising ? numeric.left : numeric.right;
        const Estimate& high = rising ? numeric.right : numeric.left;
        return outside(low, high) ? Verdict::kWrong : Verdict::kKink;
    }
    const double error = finding.error();
    if (!std::isfinite(error)) return Verdict::kUnresolved;
    if (std::abs(a - numeric.slope.value) > error) {
        const double seen = std::max(numeric.change, std::abs(a) * finding.scale / kVisible);
        const bool just_outside = finding.noisy() && std::abs(a - numeric.slope.value) < kSure * error &&
                                  error > kTells * std::abs(numeric.slope.value);
        return just_outside || seen < kDrowned * numeric.noise ? Verdict::kUnresolved : Verdict::kWrong;
    }
    const double value = std::max(std::abs(a), std::abs(numeric.slope.value));
    if (error <= kFine * value) return Verdict::kMatch;
    if (a == 0 && (numeric.constant || error <= kSmall * numeric.steepness)) return Verdict::kMatch;
    if (!finding.noisy()) return Verdict::kUnresolved;
    if (error < kTells * value) return Verdict::kMatch;
    return numeric.noise <= kHidden * std::max(change, numeric.change) ? Verdict::kMatch
                                                                       : Verdict::kUnresolved;
}

Derivative combine(const std::vector<Derivative>& parts, const std::vector<double>& weights) {
    Derivative sum;
    sum.smoothness = Smoothness::kSmooth;
    sum.constant = true;
    sum.slope = sum.left = sum.right = {0, 0, 0};
    double noise = 0;
    double slope_noise = 0;
    double one_sided_noise = 0;
    const auto one_sided = [&](const Derivative& part) {
        return part.smoothness == Smoothness::kKink || part.smoothness == Smoothness::kJump;
    };
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const Derivative& part = parts[i];
        const double w = weights[i];
        const double size = std::abs(w);
        if (w == 0) continue;
        sum.smoothness = std::max(sum.smoothness, part.smoothness);
        sum.constant = sum.constant && part.constant;
        sum.jumps_left = sum.jumps_left || part.jumps_left;
        sum.jumps_right = sum.jumps_right || part.jumps_right;
        sum.steepness += size * part.steepness;
        sum.change += size * part.change;
        noise = std::hypot(noise, w * part.noise);
        sum.slope.value += w * part.slope.value;
        sum.slope.error += size * std::max(0.0, part.slope.error - part.slope.noise);
        slope_noise = std::hypot(slope_noise, w * part.slope.noise);
        // The interval of what each part may claim, added up: kinks of several parts need not lean one way.
        const bool swap = part.smoothness == Smoothness::kKink && w * part.left.value > w * part.right.value;
        const Estimate& low = !one_sided(part) ? part.slope : swap ? part.right : part.left;
        const Estimate& high = !one_sided(part) ? part.slope : swap ? part.left : part.right;
        sum.left.value += w * low.value;
        sum.right.value += w * high.value;
        sum.left.error += size * std::max(0.0, std::max(low.error, high.error) - part.slope.noise);
        one_sided_noise = std::hypot(one_sided_noise, w * std::max(low.noise, high.noise));
    }
    sum.noise = noise;
    sum.slope.noise = slope_noise;
    sum.slope.error += slope_noise;
    sum.left.error += one_sided_noise;
    sum.right.error = sum.left.error;
    sum.left.noise = sum.right.noise = one_sided_noise;
    return sum;
}

}  // namespace reel::check::detail
