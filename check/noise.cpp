#include "noise.hpp"

#include <algorithm>
#include <cmath>

namespace reel::check::detail {

namespace {

constexpr std::size_t kPoints = 7;
constexpr double kDeviations = 3;
constexpr double kUniform = 0.2887;  // deviation of what is rounded to multiples of 1

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

/// How much values differ at neighbouring points as near as one likes, at the most, and whether they do so everywhere.
struct Step {
    double size = kInfinity;
    bool persists = false;
};

/// What has been seen of one function's noise at several spacings.
class Seen {
public:
    void add(double spacing, const std::vector<double>& values) {
        Look look{spacing, difference_noise(values), 0, 0, 0};
        constexpr double kComparable = 0.1;
        std::vector<double> steps;
        for (std::size_t i = 1; i < values.size(); ++i) steps.push_back(std::abs(values[i] - values[i - 1]));
        const auto most = std::max_element(steps.begin(), steps.end());
        look.step = *most;
        look.where = static_cast<std::size_t>(most - steps.begin()) + 1;
        look.steps = static_cast<std::size_t>(std::count_if(
            steps.begin(), steps.end(), [&](double step) { return step > kComparable * *most; }));
        for (const double value : values) largest_ = std::max(largest_, std::abs(value));
        looks_.push_back(look);
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
        return !too_narrow() && (!known() || doubted(looks_.back().found.deviation, centre));
    }

    /// Where a look may have taken a kink for noise, the spacing and the interval whose ends differ most: the values are
    /// steady at smaller spacings, or they differ by more than rounding makes.
    std::pair<double, std::size_t> doubtful(double centre) const {
        const Look* most = nullptr;
        const bool steady = looks_.front().found.spacing == Spacing::kTooNarrow;
        for (const Look& look : looks_) {
            const bool doubt = steady || doubted(look.found.deviation, centre);
            if (doubt && look.step > 0 && (!most || look.found.deviation > most->found.deviation))
                most = &look;
        }
        return most ? std::pair(most->spacing, most->where) : std::pair(0.0, std::size_t{0});
    }
    /// Whether values that are steady at small spacings step now and then: those are jumps beside x, and no noise.
    bool jumps() const {
        constexpr std::size_t kFew = 2;
        return looks_.front().found.spacing == Spacing::kTooNarrow &&
               std::all_of(looks_.begin(), looks_.end(), [](const Look& look) { return look.steps <= kFew; });
    }
    /// How much the values differ at neighbouring points as near as one likes: all that noise can be. Where no more
    /// than two such steps were seen at a time, they are jumps beside x, and the noise is what is seen without them.
    void limit(Step found) {
        jumps_beside_ = jumps();
        const double step = found.size;
        constexpr std::size_t kFew = 2;
        constexpr double kAlike = 0.25;
        const auto jumps = [&](const Look& look) { return look.step >= kAlike * step && look.steps <= kFew; };
        const auto shows = [&](const Look& look) { return look.step >= kAlike * step; };
        if (found.persists && std::any_of(looks_.begin(), looks_.end(), jumps) &&
            std::all_of(looks_.begin(), looks_.end(), [&](const Look& l) { return !shows(l) || jumps(l); })) {
            std::erase_if(looks_, jumps);
            jumps_beside_ = true;
        } else {
            step_ = found;
        }
    }

    /// Whether steps were taken for jumps.
    bool jumps_beside() const { return jumps_beside_; }

    double deviation(double centre) const {
        double noise = 0;
        double least = kInfinity;
        for (const Look& look : looks_) {
            const double deviation = std::min(look.found.deviation, 2 * step_.size);
            if (look.found.spacing == Spacing::kTooNarrow || is_noise(look)) {
                if (!suspicious(deviation, centre) || !vanishes(look)) noise = std::max(noise, deviation);
            } else {
                least = std::min(least, deviation);
            }
        }
        if (!known() && std::isfinite(least)) noise = std::max(noise, least);
        const bool plain =
            looks_.front().found.spacing == Spacing::kTooNarrow || suspicious(step_.size, centre);
        return step_.persists && plain ? std::max(noise, kUniform * step_.size) : noise;
    }

private:
    struct Look {
        double spacing;
        Noise found;
        double step;        // the largest between neighbours,
        std::size_t where;  // the number of the point where it ends,
        std::size_t steps;  // and how many are about as large
    };

    bool exceeds(double part, double deviation, double centre) const {
        return deviation > part * std::max(std::abs(centre), largest_);
    }
    /// More than a few roundings make.
    bool doubted(double deviation, double centre) const { return exceeds(1e-13, deviation, centre); }
    /// More than rounding makes that is alike at neighbouring points, as that of 3.7 x inside a cosine is.
    bool suspicious(double deviation, double centre) const { return exceeds(1e-7, deviation, centre); }
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

    std::vector<Look> looks_;
    bool jumps_beside_ = false;
    double largest_ = 0;
    Step step_;
};

/// Halves an interval again and again, and keeps the half whose ends differ more. Noise, and the steps of what is
/// rounded, differ as much in the end. A function that is continuous, kinks and all, differs ever less: then noise is no
/// more than what the values bend in the last intervals. At a pole they differ ever more, which tells nothing.
Step step_within(const Line& line, std::size_t output, double from, double to, double least, int halvings) {
    constexpr std::size_t kLast = 6;
    constexpr double kPersists = 0.25;
    constexpr double kGrows = 4;
    double low = line(from).y[output];
    double high = line(to).y[output];
    std::vector<double> steps;
    std::vector<double> bends;
    for (int i = 0; i < halvings && to - from > least; ++i) {
        const double middle = (from + to) / 2;
        const double value = line(middle).y[output];
        bends.push_back(std::abs(low - 2 * value + high));
        if (std::abs(value - low) > std::abs(high - value)) {
            to = middle;
            high = value;
        } else {
            from = middle;
            low = value;
        }
        steps.push_back(std::abs(high - low));
        if (!std::isfinite(steps.back())) return {};
        if (steps.back() <= 4 * kEpsilon * std::max(std::abs(low), std::abs(high)))
            return {steps.back(), true};
    }
    if (steps.size() < kLast) return {};
    const double grown = steps.back() / steps[steps.size() - kLast];
    if (grown > kGrows) return {};
    return grown > kPersists ? Step{steps.back(), true}
                             : Step{*std::max_element(bends.end() - kLast, bends.end()), false};
}

}  // namespace

void heed_stairs(const Line& line, std::size_t output, double least_spacing, double& noise) {
    constexpr double kMuch = 4;  // more noise than was measured
    constexpr int kHalvings = 48;
    constexpr int kIntervals = 4;
    constexpr double kAlike = 100;
    double least = kInfinity;
    double most = 0;
    int found = 0;
    double to = 0x1p-2;
    for (int i = 0; i < kIntervals; ++i, to /= 2) {
        const Step step = step_within(line, output, to / 2, to, least_spacing, kHalvings);
        if (step.size == 0) continue;  // the interval lies within one step
        if (!step.persists || kDeviations * kUniform * step.size <= kMuch * noise) return;
        least = std::min(least, step.size);
        most = std::max(most, step.size);
        ++found;
    }
    if (found > 1 && most <= kAlike * least) noise = kDeviations * kUniform * least;
}

std::vector<double> measure_noise(const std::function<Line(double spacing)>& draw,
                                  const std::vector<double>& centre, double least_spacing) {
    constexpr double kFirst = 0x1p-27;
    constexpr double kSecond =
        5.375;  // times the first: steps of a rounded function may fit one spacing, not both
    constexpr double kStep = 128;
    constexpr double kWidest = 0x1p-6;
    constexpr int kHalvings = 16;
    constexpr std::size_t kMostHalved = 64;  // functions whose noise is confirmed
    std::vector<Seen> seen(centre.size());
    const auto look = [&](double spacing, bool wide = false) {
        const Line line = draw(spacing);
        std::vector<std::vector<double>> columns(centre.size());
        for (std::size_t i = 1; i <= kPoints; ++i) {
            const Sample sample = line(spacing * static_cast<double>(i));
            for (std::size_t c = 0; c < centre.size(); ++c) columns[c].push_back(sample.y[c]);
        }
        for (std::size_t c = 0; c < centre.size(); ++c) {
            if (!wide || seen[c].too_narrow()) seen[c].add(spacing, columns[c]);
        }
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
    for (double spacing = first / kStep; spacing >= least_spacing && any(narrower); spacing /= kStep) {
        look(spacing);
        if (spacing / kStep < least_spacing) look(spacing * kSecond);
    }
    for (double spacing = first * kStep; spacing <= kWidest && any(wider); spacing *= kStep)
        look(spacing, true);
    std::size_t halved = 0;
    for (std::size_t c = 0; c < centre.size() && halved < kMostHalved; ++c) {
        const auto [spacing, where] = seen[c].doubtful(centre[c]);
        if (spacing == 0) continue;
        if (seen[c].jumps()) {
            seen[c].limit({0, false});
            continue;
        }
        const double to = spacing * static_cast<double>(where + 1);
        seen[c].limit(step_within(draw(spacing), c, to - spacing, to, least_spacing, kHalvings));
        ++halved;
    }
    std::vector<double> noise;
    for (std::size_t c = 0; c < centre.size(); ++c) {
        noise.push_back(
            std::max({kDeviations * seen[c].deviation(centre[c]), kEpsilon / 2 * std::abs(centre[c]),
                      std::numeric_limits<double>::denorm_min()}));
        if (seen[c].jumps_beside()) heed_stairs(draw(kWidest), c, least_spacing, noise.back());
    }
    return noise;
}

}  // namespace reel::check::detail
