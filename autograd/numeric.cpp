#include "autograd/numeric.hpp"

#include <algorithm>
#include <cmath>

namespace reel::detail {

namespace {

constexpr double kUnit = std::numeric_limits<double>::epsilon();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::size_t kOrders = 8;      // columns of a tableau
constexpr std::size_t kLeastSteps = 4;  // agreement of fewer may be a coincidence
constexpr std::size_t kMostSteps = 30;  // from 0.2 |x| down to 4e-10 |x|
constexpr double kGoal = 1e-11;         // relative error at which to stop

}  // namespace

Estimate Extrapolation::add(double value, double noise) {
    // The weights of an entry, applied to noise that grows as 1/h, add up to less than this.
    constexpr double kAmplification = 3;
    Estimate best;
    if (!std::isfinite(value)) {
        row_.clear();
        return best;
    }
    std::vector<double> row = {value};
    double factor = std::exp2(first_power_);
    for (const double before : row_) {
        const double coarse = row.back();
        const double better = coarse + (coarse - before) / (factor - 1);
        const double error =
            std::max(std::abs(better - coarse), std::abs(better - before)) + kAmplification * noise;
        if (error < best.error) best = {better, error};
        if (row.size() == kOrders) break;
        row.push_back(better);
        factor *= 4;
    }
    row_ = std::move(row);
    return best;
}

void Differentiator::add(double h_below, double below, double h_above, double above) {
    const double h = (h_above + h_below) / 2;
    finite_ = std::isfinite(centre_) && std::isfinite(below) && std::isfinite(above);
    // A function that is large out there is noisy out there.
    noise_of_slope_ = std::max(noise_, kUnit * std::max(std::abs(above), std::abs(below))) / h;
    const Estimate slope = slopes_.add((above - below) / (2 * h), noise_of_slope_);
    const Estimate gap =
        gaps_.add((above - centre_) / h_above - (centre_ - below) / h_below, 4 * noise_of_slope_);
    if (bar(slope, gap) < bar(slope_, gap_)) {
        slope_ = slope;
        gap_ = gap;
    }
    rises_.push_back(std::max(std::abs(above - centre_), std::abs(centre_ - below)));
}

bool Differentiator::settled(double scale) const {
    if (!finite_) return false;
    const double error = slope_.error + gap_.error / 2;
    return error <= kGoal * std::max(scale, std::abs(slope_.value)) || error <= 4 * noise_of_slope_;
}

Derivative Differentiator::result() const {
    // Eight halvings of h shrink a rise by 256, by 16 where it goes with the root of h, a jump not at all.
    constexpr std::size_t kHalvings = 8;
    constexpr double kShrinks = 4;
    constexpr double kSure = 3;  // error bars
    if (!finite_) return {};
    const double rise = rises_.back();
    if (rises_.size() > kHalvings && rise > 1000 * noise_ &&
        rise * kShrinks > rises_[rises_.size() - 1 - kHalvings]) {
        return {{slope_.value, kInfinity}, Smoothness::kJump};
    }
    const bool kink = std::abs(gap_.value) > kSure * gap_.error;
    return {{slope_.value, bar(slope_, gap_)}, kink ? Smoothness::kKink : Smoothness::kSmooth};
}

std::vector<Derivative> differentiate(const Line& line, double first_step, const std::vector<double>& centre,
                                      const std::vector<double>& noise, double scale) {
    std::vector<Differentiator> parts;
    for (std::size_t c = 0; c < centre.size(); ++c) parts.emplace_back(centre[c], noise[c]);
    double h = first_step;
    for (std::size_t steps = 1; steps <= kMostSteps; ++steps, h /= 2) {
        const Point above = line(h);
        const Point below = line(-h);
        bool settled = steps >= kLeastSteps;
        for (std::size_t c = 0; c < parts.size(); ++c) {
            parts[c].add(-below.t, below.values[c], above.t, above.values[c]);
            settled = settled && parts[c].settled(scale);
        }
        if (settled) break;
    }
    std::vector<Derivative> derivatives;
    for (const Differentiator& part : parts) derivatives.push_back(part.result());
    return derivatives;
}

std::vector<double> rounding_noise(const Line& line, std::size_t first_order) {
    constexpr std::size_t kPoints = 8;
    // k-th differences of independent noise σ have the variance σ² (2k)! / (k!)².
    constexpr double kVariance[] = {1, 2, 6, 20, 70, 252, 924, 3432};
    std::vector<std::vector<double>> points;
    for (std::size_t i = 1; i <= kPoints; ++i) {
        points.push_back(line(static_cast<double>(i)).values);
    }
    std::vector<double> noise(points[0].size());
    for (std::size_t c = 0; c < noise.size(); ++c) {
        std::vector<double> differences;
        for (const auto& point : points) differences.push_back(point[c]);
        for (std::size_t k = 1; k < kPoints; ++k) {
            double squares = 0;
            for (std::size_t i = 0; i + 1 < differences.size(); ++i) {
                differences[i] = differences[i + 1] - differences[i];
                squares += differences[i] * differences[i];
            }
            differences.pop_back();
            const double count = static_cast<double>(differences.size());
            const double deviation = std::sqrt(squares / count / kVariance[k]);
            if (k >= first_order && std::isfinite(deviation)) noise[c] = std::max(noise[c], deviation);
        }
    }
    return noise;
}

}  // namespace reel::detail
