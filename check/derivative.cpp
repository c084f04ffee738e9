#include "derivative.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "track.hpp"

namespace reel::check::detail {

namespace {

constexpr std::size_t kLeastSteps = 4;  // agreement of fewer may be a coincidence
constexpr int kStride = 4;              // halvings at a time, while nothing agrees
constexpr int kDeepest = 46;            // halvings of the first step
constexpr int kHighest = 14;            // doublings

class Ladder {
public:
    Ladder(const Line& line, const LadderOptions& options) : line_(line), options_(options) {}

    std::vector<Derivative> run() {
        first_ = start();
        const int first = first_;
        for (smallest_ = first; possible(smallest_ + 1);) ++smallest_;
        descend(first);
        heed_noise();
        climb(first);
        probe();
        std::vector<Derivative> results;
        for (const Track& track : tracks_) results.push_back(track.result());
        for (const auto& [k, pair] : pairs_) {
            widen(results, pair);
            for (std::size_t c = 0; c < options_.claims.size() && k < last_; ++c) {
                const double claim = options_.claims[c];
                const double there = slope(pair, c);
                if (std::abs(there - claim) < std::abs(there - results[c].slope.value))
                    results[c].supported = true;
            }
        }
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

    /// Where pairs are to confirm what was found: far below the last; where a claim would show that is right after all, or
    /// a kink; and as deep as can be where 0 is claimed, which cancelling slopes make as well.
    std::vector<int> probes() const {
        constexpr int kFar = 6;
        std::vector<int> steps;
        for (int i = 1; i <= (options_.thorough ? 4 : 1) && !drowned(); ++i)
            steps.push_back(last_ + kFar * i);
        for (std::size_t c = 0; c < options_.claims.size(); ++c) {
            if (options_.claims[c] == 0 && !tracks_[c].constant()) steps.push_back(smallest_);
            const double h = tracks_[c].telling_step(options_.claims[c]);
            if (h > 0 && options_.thorough)
                steps.push_back(std::min(kDeepest, std::ilogb(options_.first_step / h)));
        }
        std::erase_if(steps, [&](int k) { return k <= last_ || !possible(k); });
        std::sort(steps.begin(), steps.end());
        return steps;
    }

    /// Where such a pair does not agree, the ladder goes down to it and beyond, and is confirmed anew.
    void probe() {
        constexpr int kTimes = 4;
        for (int n = 0; n < kTimes; ++n) {
            const std::vector<int> steps = probes();
            const auto k =
                std::find_if(steps.begin(), steps.end(), [&](int step) { return contradicts(step); });
            if (k == steps.end()) return;
            begin();
            for (int row = last_; possible(row); ++row) {
                append(row);
                if (row > *k && (settled() || drowned())) break;
            }
            heed_noise();
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
            const double centre = options_.centre[c];
            if (tracks_[c].is_no_kink((pair.above.y[c] - centre) / pair.above.t,
                                      (pair.below.y[c] - centre) / pair.below.t, noise))
                return true;
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
    int smallest_ = 0;
};

}  // namespace

std::vector<Derivative> differentiate(const Line& line, const LadderOptions& options) {
    return Ladder(line, options).run();
}

}  // namespace reel::check::detail
