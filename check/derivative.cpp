#include "derivative.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace reel::check::detail {

namespace {

constexpr std::size_t kLeastSteps = 4;  // agreement of fewer may be a coincidence
constexpr int kStride = 4;              // halvings at a time, while nothing agrees
constexpr int kDeepest = 46;            // halvings of the first step
constexpr int kHighest = 14;            // doublings
constexpr double kGoal = 1e-11;         // relative error at which to stop
constexpr double kFine = 1e-9;          // relative error that noise need not better
constexpr double kSureOfKink = 3;       // gap of the slopes, in bars
constexpr double kNoKink = 1e-6;        // and relative to them

double worse(double a, double b) { return std::max(std::abs(a), std::abs(b)); }

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
        if (!noise && unknown > kNoKink * std::max(std::abs(d.slope.value), steepness_))
            d.slope.error += unknown / 2;
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

class Ladder {
public:
    Ladder(const Line& line, const LadderOptions& options) : line_(line), options_(options) {}

    std::vector<Derivative> run() {
        first_ = start();
        const int first = first_;
        descend(first);
        heed_noise();
        climb(first);
        probe();
        std::vector<Derivative> results;
        for (const Track& track : tracks_) results.push_back(track.result());
        for (const auto& [k, pair] : pairs_) widen(results, pair);
        return results;
    }

private:
    struct Pair {
        Sample above, below;
    };

    double step(int k) const { return std::ldexp(options_.first_step, -k); }
    bool possible(int k) const {
        return k <= kDeepest && step(k) >= options_.smallest_step && step(k) <= options_.largest_step;
    }

    const Pair& at(int k) {
        const auto found = pairs_.find(k);
        if (found != pairs_.end()) return found->second;
        const double h = step(k);
        Pair pair{{h, options_.centre}, {-h, options_.centre}};
        if (options_.sides != Sides::kDown) pair.above = line_(h);
        if (options_.sides != Sides::kUp) pair.below = line_(-h);
        return pairs_.emplace(k, std::move(pair)).first->second;
    }

    double slope(const Pair& pair, std::size_t c) const {
        if (options_.sides == Sides::kUp) return (pair.above.y[c] - options_.centre[c]) / pair.above.t;
        if (options_.sides == Sides::kDown) return (pair.below.y[c] - options_.centre[c]) / pair.below.t;
        return (pair.above.y[c] - pair.below.y[c]) / (pair.above.t - pair.below.t);
    }

    /// Whether the slopes at k and at k + 1 are alike, as far as noise lets one tell.
    bool agree(int k) {
        constexpr double kAlike = 0.25;
        constexpr double kShrinks = 0.8;
        constexpr double kNoise = 8;
        const Pair& coarse = at(k);
        const Pair& fine = at(k + 1);
        for (std::size_t c = 0; c < options_.centre.size(); ++c) {
            const double a = slope(coarse, c);
            const double b = slope(fine, c);
            if (!std::isfinite(a) || !std::isfinite(b)) return false;
            const double centre = options_.centre[c];
            const double noise = kNoise * options_.noise[c];
            const double rise = worse(fine.above.y[c] - centre, fine.below.y[c] - centre);
            const double far = worse(coarse.above.y[c] - centre, coarse.below.y[c] - centre);
            if (rise > kShrinks * far + noise) return false;
            const double slack =
                std::max(kAlike * std::max(worse(a, b), rise / fine.above.t), noise / fine.above.t);
            if (std::abs(a - b) > slack) return false;
        }
        return true;
    }

    int start() {
        int k = 0;
        while (!possible(k) && k <= kDeepest) ++k;
        while (possible(k + kStride + 1)) {
            if (agree(k)) return k;
            k += kStride;
        }
        return std::max(0, k - 2 * kStride);  // nowhere: the smallest steps will tell a jump
    }

    void begin() {
        tracks_.clear();
        for (std::size_t c = 0; c < options_.centre.size(); ++c) {
            tracks_.emplace_back(options_.centre[c], options_.noise[c], options_.sides);
        }
    }

    void append(int k) {
        const Pair& pair = at(k);
        for (std::size_t c = 0; c < tracks_.size(); ++c) {
            tracks_[c].add(-pair.below.t, pair.below.y[c], pair.above.t, pair.above.y[c], k < 0,
                           std::max(pair.above.growth, pair.below.growth));
        }
        last_ = k;
    }

    bool settled() const {
        return std::all_of(tracks_.begin(), tracks_.end(),
                           [](const Track& track) { return track.settled(); });
    }
    /// Nothing is to be seen at smaller steps: the noise of a slope exceeds the slopes. Of a constant nothing was seen yet.
    bool drowned() const {
        constexpr double kDrowned = 30;
        return std::all_of(tracks_.begin(), tracks_.end(), [](const Track& track) {
            const Estimate slope = track.slope();
            return track.finite() && !track.constant() && slope.error < kInfinity &&
                   track.noise_of_slope() > kDrowned * std::max(std::abs(slope.value), slope.error);
        });
    }

    void descend(int first) {
        begin();
        std::size_t steps = 0;
        for (int k = first; possible(k); ++k) {
            append(k);
            if (++steps >= kLeastSteps && (settled() || drowned())) break;
        }
    }

    /// The error that larger steps may better: noise, of a function that has no kink.
    static double noisy_error(const Derivative& d) {
        constexpr double kNothing = 1e-13;  // of the slopes nearby
        const bool fine = d.slope.error <= std::max(kFine * std::abs(d.slope.value), kNothing * d.steepness);
        const bool noisy = d.slope.noise > 0.1 * d.slope.error;
        return d.smoothness == Smoothness::kSmooth && noisy && !fine ? d.slope.error : 0;
    }

    void climb(int first) {
        constexpr int kPatience = 2;
        std::vector<Derivative> found;
        double least = 0;
        for (const Track& track : tracks_) {
            found.push_back(track.result());
            least += noisy_error(found.back());
        }
        std::vector<Track> best = tracks_;
        const int depth = last_;
        int worse_steps = 0;
        for (int k = first - 1; k >= -kHighest && least > 0 && possible(k) && worse_steps < kPatience; --k) {
            begin();
            for (int row = k; row <= std::min(k + 7, depth); ++row) append(row);
            double error = 0;
            for (std::size_t c = 0; c < tracks_.size(); ++c) {
                const Derivative now = tracks_[c].result();
                const Estimate& slope = found[c].slope;
                if (found[c].smoothness == Smoothness::kSmooth && now.smoothness == Smoothness::kSmooth &&
                    now.slope.error < slope.error &&
                    std::abs(now.slope.value - slope.value) <= now.slope.error + slope.error) {
                    best[c] = tracks_[c];
                    found[c] = now;
                }
                error += noisy_error(found[c]);
            }
            worse_steps = error < 0.8 * least ? 0 : worse_steps + 1;
            least = std::min(least, error);
        }
        tracks_ = std::move(best);
        last_ = depth;
    }

    /// A pair at a step far below the last must agree, or the ladder goes down to it and beyond.
    void probe() {
        constexpr int kFar = 6;
        const int steps = options_.thorough ? 4 : 1;
        for (int i = 1; i <= steps; ++i) {
            const int k = last_ + kFar * i;
            if (!possible(k) || drowned()) return;
            if (!contradicts(k)) continue;
            begin();
            for (int row = last_; possible(row); ++row) {
                append(row);
                if (row > k && (settled() || drowned())) break;
            }
            heed_noise();
            return;
        }
    }

    /// Whether slopes still differ by such noise at steps far below the last. Kinks beside 0 make slopes vary as noise
    /// does while the steps pass them, and leave nothing below.
    bool persists(std::size_t c, double deviation) {
        constexpr int kFar = 8;
        constexpr double kLeast = 0.1;
        double most = 0;
        for (int k = last_ + kFar; k < last_ + kFar + 2; ++k) {
            if (!possible(k + 1)) return true;
            const double between = std::abs(slope(at(k), c) - slope(at(k + 1), c));
            most = std::max(most, between * at(k).above.t);
        }
        return !(most <= kLeast * deviation);
    }

    /// Where the slopes at small steps show more noise than was measured, that is what it is.
    void heed_noise() {
        constexpr double kDeviations = 3;
        bool any = false;
        for (std::size_t c = 0; c < tracks_.size(); ++c) {
            Track& track = tracks_[c];
            const double seen = track.observed_noise();
            if (kDeviations * seen <= 2 * track.noise() || !persists(c, seen)) continue;
            track.set_noise(kDeviations * seen);
            any = true;
        }
        if (!any) return;
        std::vector<Track> quiet = tracks_;
        begin();
        for (std::size_t c = 0; c < tracks_.size(); ++c) tracks_[c].set_noise(quiet[c].noise());
        const int depth = last_;
        for (const auto& [row, pair] : std::map<int, Pair>(pairs_)) {
            if (row >= first_ && row <= depth) append(row);
        }
    }

    bool contradicts(int k) {
        constexpr double kNoise = 4;
        constexpr double kTruncation = 4;
        const Pair& pair = at(k);
        const Pair& last = at(last_);
        const double smaller = pair.above.t / last.above.t;
        for (std::size_t c = 0; c < tracks_.size(); ++c) {
            const Estimate best = tracks_[c].slope();
            const double value = slope(pair, c);
            if (!std::isfinite(value)) return true;
            const double truncation = kTruncation * smaller * std::abs(slope(last, c) - best.value);
            const double noise = kNoise * options_.noise[c] / pair.above.t;
            if (std::abs(value - best.value) > best.error + noise + truncation) return true;
            // And where the slopes cancel, the values must not jump.
            const double rise =
                worse(pair.above.y[c] - options_.centre[c], pair.below.y[c] - options_.centre[c]);
            const double far =
                worse(last.above.y[c] - options_.centre[c], last.below.y[c] - options_.centre[c]);
            if (rise > far / 2 + kNoise * options_.noise[c]) return true;
        }
        return false;
    }

    void widen(std::vector<Derivative>& results, const Pair& pair) const {
        for (std::size_t c = 0; c < results.size(); ++c) {
            const double rise =
                worse(pair.above.y[c] - options_.centre[c], pair.below.y[c] - options_.centre[c]);
            if (!std::isfinite(rise)) continue;
            results[c].change = std::max(results[c].change, rise);
            results[c].steepness = std::max(results[c].steepness, rise / pair.above.t);
            if (rise != 0) results[c].constant = false;
        }
    }

    const Line& line_;
    const LadderOptions& options_;
    std::map<int, Pair> pairs_;
    std::vector<Track> tracks_;
    int first_ = 0;
    int last_ = 0;
};

}  // namespace

std::vector<Derivative> differentiate(const Line& line, const LadderOptions& options) {
    return Ladder(line, options).run();
}

}  // namespace reel::check::detail
