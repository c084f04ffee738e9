#include "noise.hpp"

#include <algorithm>
#include <cmath>

namespace reel::check::detail {

namespace {

constexpr std::size_t kPoints = 7;

}  // namespace

Noise difference_noise(std::vector<double> values) {
    // k-th differences of independent noise σ have the variance σ² (2k)! / (k!)².
    constexpr double kVariance[kPoints] = {1, 2, 6, 20, 70, 252, 924};
    constexpr double kAlike = 4;
    double deviations[kPoints] = {};
    bool both_signs[kPoints] = {};
    std::vector<double> sorted = values;
    std::sort(sorted.begin(), sorted.end());
    const auto different = std::unique(sorted.begin(), sorted.end()) - sorted.begin();
    for (std::size_t k = 1; k < kPoints; ++k) {
        double squares = 0;
        bool up = false;
        bool down = false;
        for (std::size_t i = 0; i + 1 < values.size(); ++i) {
            values[i] = values[i + 1] - values[i];
            squares += values[i] * values[i];
            up = up || values[i] > 0;
            down = down || values[i] < 0;
        }
        values.pop_back();
        deviations[k] = std::sqrt(squares / static_cast<double>(values.size()) / kVariance[k]);
        both_signs[k] = up && down;
        if (!std::isfinite(deviations[k])) return {0, Spacing::kTooWide};
    }
    if (different <= static_cast<std::ptrdiff_t>(kPoints / 2)) {
        return {*std::max_element(deviations, deviations + kPoints), Spacing::kTooNarrow};
    }
    for (std::size_t k = 1; k + 2 < kPoints; ++k) {
        const auto [least, most] = std::minmax_element(deviations + k, deviations + k + 3);
        if (*most <= kAlike * *least && both_signs[k]) return {deviations[k], Spacing::kRight};
    }
    // The last column or two may already be noise, which a smaller spacing will tell.
    return {deviations[kPoints - 1], Spacing::kTooWide};
}

namespace {

/// What has been seen of one function's noise at several spacings.
class Seen {
public:
    void add(double spacing, const std::vector<double>& values) {
        constexpr double kAlike = 0.95;
        const Noise found = difference_noise(values);
        looks_.push_back({spacing, found});
        for (const double value : values) largest_ = std::max(largest_, std::abs(value));
        std::vector<double> steps;
        for (std::size_t i = 1; i < values.size(); ++i) steps.push_back(std::abs(values[i] - values[i - 1]));
        const auto [least, most] = std::minmax_element(steps.begin(), steps.end());
        if (*most == 0) flat_ = std::max(flat_, spacing);
        for (const double step : steps) {
            if (step > 0 && step < least_step_) {
                least_step_ = step;
                at_ = spacing;
            }
        }
        // Where all are alike the function is seen, and they say nothing about the unit of its values.
        if (*least < kAlike * *most) steps_.insert(steps_.end(), steps.begin(), steps.end());
    }

    bool known() const {
        return std::any_of(looks_.begin(), looks_.end(), [&](const Look& look) { return is_noise(look); });
    }
    bool too_narrow() const {
        return !known() && std::all_of(looks_.begin(), looks_.end(), [](const Look& look) {
            return look.found.spacing == Spacing::kTooNarrow;
        });
    }
    /// Whether smaller spacings may tell more: what was seen is the function, or more than rounding makes (one that
    /// oscillates faster than the points lie looks like noise, too, as does a pole among them).
    bool too_wide(double centre) const {
        return !too_narrow() &&
               (!known() || (suspicious(looks_.back().found.deviation, centre) && quantum(centre) == 0));
    }

    double deviation(double centre) const {
        constexpr double kUniform = 0.2887;  // deviation of what is rounded to multiples of 1
        double noise = 0;
        double least = kInfinity;
        for (const Look& look : looks_) {
            const double deviation = look.found.deviation;
            if (look.found.spacing == Spacing::kTooNarrow || is_noise(look)) {
                if (!suspicious(deviation, centre) || !vanishes(look)) noise = std::max(noise, deviation);
            } else {
                least = std::min(least, deviation);
            }
        }
        if (!known() && std::isfinite(least)) noise = std::max(noise, least);
        return std::max(noise, kUniform * quantum(centre));
    }

private:
    struct Look {
        double spacing;
        Noise found;
    };

    bool suspicious(double deviation, double centre) const {
        constexpr double kMuch = 1e-7;
        return deviation > kMuch * std::max(std::abs(centre), largest_);
    }
    /// A function would leave less by powers of the spacing.
    static constexpr double kNarrower = 16;
    bool is_noise(const Look& look) const {
        if (look.found.spacing == Spacing::kRight) return true;
        return look.found.spacing == Spacing::kTooWide &&
               std::any_of(looks_.begin(), looks_.end(), [&](const Look& other) {
                   return other.spacing * kNarrower < look.spacing &&
                          other.found.deviation * kNarrower > look.found.deviation;
               });
    }
    bool vanishes(const Look& look) const {
        return std::any_of(looks_.begin(), looks_.end(), [&](const Look& other) {
            return other.spacing * kNarrower < look.spacing &&
                   other.found.deviation * kNarrower < look.found.deviation &&
                   other.found.spacing != Spacing::kTooNarrow;
        });
    }

    /// The unit of which the values are multiples, where the function is rounded coarsely; otherwise 0. Either all
    /// steps are multiples of the least, or narrow points, where a step ought to be seen, are all alike.
    double quantum(double centre) const {
        constexpr double kUnits = 6;
        constexpr double kMost = 1e4;
        constexpr double kOff = 0.02;
        const double rounding = kUnits * kEpsilon * std::abs(centre);
        if (!std::isfinite(least_step_)) return 0;
        if (flat_ > 0 && flat_ < at_ && least_step_ * flat_ / at_ > rounding) return least_step_;
        double unit = kInfinity;
        for (const double step : steps_) {
            if (step > 0) unit = std::min(unit, step);
        }
        if (!std::isfinite(unit) || unit < rounding) return 0;
        for (const double step : steps_) {
            const double ratio = step / unit;
            if (!(ratio < kMost) || std::abs(ratio - std::round(ratio)) > kOff) return 0;
        }
        return unit;
    }

    std::vector<Look> looks_;
    std::vector<double> steps_;
    double largest_ = 0;
    double flat_ = 0;                // the widest spacing at which all values were the same
    double least_step_ = kInfinity;  // that is not 0,
    double at_ = 0;                  // and the spacing where it was seen
};

}  // namespace

std::vector<double> measure_noise(const std::function<Line(double spacing)>& draw,
                                  const std::vector<double>& centre, double least_spacing) {
    constexpr double kFirst = 0x1p-27;
    constexpr double kSecond =
        5.375;  // times the first: steps of a rounded function may fit one spacing, not both
    constexpr double kStep = 128;
    constexpr double kWidest = 0x1p-6;
    constexpr double kDeviations = 3;
    std::vector<Seen> seen(centre.size());
    const auto look = [&](double spacing) {
        const Line line = draw(spacing);
        std::vector<std::vector<double>> columns(centre.size());
        for (std::size_t i = 1; i <= kPoints; ++i) {
            const Sample sample = line(spacing * static_cast<double>(i));
            for (std::size_t c = 0; c < centre.size(); ++c) columns[c].push_back(sample.y[c]);
        }
        for (std::size_t c = 0; c < centre.size(); ++c) seen[c].add(spacing, columns[c]);
    };
    const auto any = [&](auto condition) {
        for (std::size_t c = 0; c < centre.size(); ++c) {
            if (condition(seen[c], centre[c])) return true;
        }
        return false;
    };
    const double first = std::max(kFirst, least_spacing);
    look(first);
    look(first * kSecond);
    const auto narrower = [](const Seen& s, double at) { return s.too_wide(at); };
    const auto wider = [](const Seen& s, double) { return s.too_narrow(); };
    for (double spacing = first / kStep; spacing >= least_spacing && any(narrower); spacing /= kStep)
        look(spacing);
    for (double spacing = first * kStep; spacing <= kWidest && any(wider); spacing *= kStep) look(spacing);
    std::vector<double> noise;
    for (std::size_t c = 0; c < centre.size(); ++c) {
        noise.push_back(
            std::max({kDeviations * seen[c].deviation(centre[c]), kEpsilon / 2 * std::abs(centre[c]),
                      std::numeric_limits<double>::denorm_min()}));
    }
    return noise;
}

}  // namespace reel::check::detail
