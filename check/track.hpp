/// \file
/// One function along the ladder of steps: its slopes at each, their extrapolation, and what kind of point it is. Not a
/// public header.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "derivative.hpp"

namespace reel::check::detail {

inline constexpr double kGoal = 1e-11;    // relative error at which to stop
inline constexpr double kFine = 1e-9;     // relative error that noise need not better
inline constexpr double kSureOfKink = 3;  // gap of the slopes, in bars
inline constexpr double kNoKink = 1e-6;   // and relative to them

inline double worse(double a, double b) { return std::max(std::abs(a), std::abs(b)); }

/// The last seven of the numbers that were added.
class Recent {
public:
    static constexpr std::size_t kKept = 7;
    void add(double number) {
        std::shift_left(kept_.begin(), kept_.end(), 1);
        kept_.back() = number;
        ++count_;
    }
    bool full() const { return count_ >= kKept; }
    const std::array<double, kKept>& kept() const { return kept_; }

private:
    std::array<double, kKept> kept_ = {};
    std::size_t count_ = 0;
};

/// One function along the ladder.
class Track {
public:
    Track(double centre, double noise, Sides sides) : centre_(centre), noise_(noise), sides_(sides) {}

    /// The values at ±h; on a side that is not sampled the centre. Far away, where the values may be larger, so
    /// may their noise.
    void add(double h_below, double below, double h_above, double above, bool far, double growth) {
        finite_ = std::isfinite(below) && std::isfinite(above);
        double local = std::max(noise_, kEpsilon / 2 * worse(above, below));
        if (far && growth == 0 && centre_ != 0) growth = worse(above, below) / std::abs(centre_);
        if (far) local = std::max(local, noise_ * growth);
        const double rise = above - centre_;
        const double fall = centre_ - below;
        right_.add(rise / h_above, 2 * local / h_above);
        left_.add(fall / h_below, 2 * local / h_below);
        if (sides_ == Sides::kBoth) {
            noise_of_slope_ = 2 * local / (h_above + h_below);
            const double slope = (above - below) / (h_above + h_below);
            if (finite_ && !std::isnan(last_slope_)) observed_.add(std::abs(slope - last_slope_) * h_above);
            last_slope_ = slope;
            central_.add((above - below) / (h_above + h_below), noise_of_slope_);
            gap_.add(rise / h_above - fall / h_below, 2 * noise_of_slope_);
        } else {
            noise_of_slope_ = 2 * local / (sides_ == Sides::kUp ? h_above : h_below);
        }
        note(rise, h_above, rises_);
        note(fall, h_below, falls_);
    }

    bool settled() const {
        if (!finite_) return false;
        if (constant_) return true;
        const Estimate slope = this->slope();
        const double goal = kGoal * std::abs(slope.value);
        if (sides_ != Sides::kBoth) return done(slope, goal);
        // The gap need not be known as well as the slope: a kink of this size is none that matters.
        const Estimate gap = gap_.best();
        const double size = std::max(std::abs(slope.value), steepness_);
        if (!done(slope, goal) || !done(gap, 1e-8 * size)) return false;
        if (std::abs(gap.value) <= std::max(kSureOfKink * gap.error, kNoKink * size)) return true;
        const auto fine = [](const Estimate& side) { return done(side, kFine * std::abs(side.value)); };
        return fine(right_.best()) && fine(left_.best());
    }
    Estimate slope() const {
        return sides_ == Sides::kBoth ? central_.best() : sides_ == Sides::kUp ? right_.best() : left_.best();
    }
    double noise_of_slope() const { return noise_of_slope_; }
    /// The step at which noise still leaves no doubt whether the slope is this one or `claim`; at a kink, whether it is one.
    double telling_step(double claim) const {
        constexpr double kNoises = 32;
        const double gap = std::abs(right_.best().value - left_.best().value);
        const double difference = kinked() ? gap : std::abs(claim - slope().value);
        return difference > 0 && finite_ ? kNoises * noise_ / difference : 0;
    }
    bool kinked() const { return sides_ == Sides::kBoth && result().smoothness == Smoothness::kKink; }
    /// Whether a kink was found, and slopes to the right and left of 0 are clearly not as far apart as there.
    bool is_no_kink(double right, double left, double noise) const {
        const double gap = std::abs(right_.best().value - left_.best().value);
        return kinked() && std::abs(right - left) + noise < 0.5 * gap;
    }
    /// The noise that the slopes of the smallest steps show: what they differ by, times the step. Where there is
    /// none that shrinks with the step.
    double observed_noise() const {
        constexpr double kConstant = 0.1;
        if (!observed_.full() || jumps(rises_) || jumps(falls_)) return 0;
        std::array<double, Recent::kKept> seen = observed_.kept();
        std::sort(seen.end() - 3, seen.end());
        const double most = *std::max_element(seen.begin(), seen.end() - 3);
        return *(seen.end() - 2) > kConstant * most ? std::max(most, seen.back()) : 0;
    }
    void set_noise(double noise) { *this = Track(centre_, noise, sides_); }
    double noise() const { return noise_; }
    bool finite() const { return finite_; }
    bool constant() const { return constant_; }

    Derivative result() const {
        Derivative d;
        d.noise = noise_;
        d.steepness = steepness_;
        d.change = change_;
        d.constant = constant_;
        if (!finite_ || !std::isfinite(centre_)) return d;
        d.smoothness = Smoothness::kSmooth;
        d.left = left_.best();
        d.right = right_.best();
        d.slope = slope();
        d.jumps_right = sides_ != Sides::kDown && jumps(rises_);
        d.jumps_left = sides_ != Sides::kUp && jumps(falls_);
        if (d.jumps_left || d.jumps_right) {
            d.smoothness = Smoothness::kJump;
            d.slope.error = kInfinity;
        } else if (sides_ == Sides::kBoth) {
            look_for_kink(d);
        }
        return d;
    }

private:
    static bool done(const Estimate& e, double goal) {
        constexpr double kMostlyNoise = 4;
        return e.error <= goal || e.error <= kMostlyNoise * e.noise;
    }

    void note(double rise, double h, Recent& rises) {
        if (!std::isfinite(rise)) return;
        rises.add(std::abs(rise));
        change_ = std::max(change_, std::abs(rise));
        steepness_ = std::max(steepness_, std::abs(rise) / h);
        constant_ = constant_ && rise == 0;
    }

    /// Six halvings of the smallest steps leave a jump as it is, and shrink by eight what goes with the root of h.
    bool jumps(const Recent& rises) const {
        constexpr double kAlike = 1.5;
        constexpr double kSure = 30;  // times the noise
        if (!rises.full()) return false;
        const auto [least, most] = std::minmax_element(rises.kept().begin(), rises.kept().end());
        return *least > kSure * noise_ && *most < kAlike * *least;
    }

    void look_for_kink(Derivative& d) const {
        const Estimate gap = gap_.best();
        const double between = std::abs(d.right.value - d.left.value);
        const double bars = d.right.error + d.left.error;
        if (std::abs(gap.value) > kSureOfKink * gap.error && between > kSureOfKink * bars) {
            d.smoothness = Smoothness::kKink;
            d.slope = {(d.left.value + d.right.value) / 2, (between + bars) / 2,
                       (d.left.noise + d.right.noise) / 2};
            return;
        }
        const double unknown = std::min(std::abs(gap.value) + gap.error, between + bars);
        const bool noise = gap.noise > 0.2 * unknown;
        if (!noise && unknown > kNoKink * std::max(std::abs(d.slope.value), steepness_)) {
            d.slope.error += unknown / 2;
        } else if (std::abs(gap.value) > kSureOfKink * gap.error) {
            d.slope.error +=
                std::abs(gap.value) / 2;  // the slope has a kink beside 0, as that of a Huber loss
        }
    }

    double centre_ = 0;
    double noise_ = 0;
    Sides sides_ = Sides::kBoth;
    double noise_of_slope_ = 0;
    Extrapolation central_{2, 2};
    Extrapolation gap_{1, 2};
    Extrapolation right_{1, 1};
    Extrapolation left_{1, 1};
    Recent rises_, falls_;  // how far the values lie from the centre
    Recent observed_;       // noise
    double last_slope_ = std::numeric_limits<double>::quiet_NaN();
    double change_ = 0;
    double steepness_ = 0;
    bool constant_ = true;
    bool finite_ = false;
};

}  // namespace reel::check::detail
