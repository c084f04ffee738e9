#include "examine.hpp"

#include <algorithm>
#include <cmath>

#include "looks.hpp"

namespace reel::check::detail {

namespace {

constexpr std::size_t kMostElements = 2048;  // more are looked at by directions first
constexpr std::size_t kMostFound = 16;       // elements looked for where a direction fails
constexpr int kDirections = 2;               // looked at where elements are not
constexpr int kAcrossKinks = 4;              // looked at where elements are kinked
constexpr std::size_t kTangents = 4;         // pairs of them that are moved together

/// What to look at, in which order.
class Examination : Looks {
public:
    Examination(const Subject& subject, const Options& options) : Looks(subject, options) {}

    Examined run() {
        const std::size_t columns = subject_.x.size();
        std::vector<Group> groups = subject_.groups;
        if (groups.empty()) groups.push_back({0, columns});
        const bool directions_first = !subject_.elements || columns > kMostElements ||
                                      (options_.budget != 0 && options_.budget < 20 * columns + 20);
        if (!directions_first) {
            for (std::size_t i = 0; i < columns && !exhausted_; ++i) {
                look_at({{i, 1.0}});
                tell(i + 1, columns);
            }
            confirm();
            for (const Group& group : groups) across_kinks(group);
        } else {
            by_directions(groups);
        }
        return finish();
    }

private:
    void tell(std::size_t done, std::size_t all) const {
        if (options_.progress) options_.progress(done, all);
    }

    /// Directions along which several elements move at once where some are kinked: at random; and, of the kinked ones, each
    /// with its neighbour by the inverse of what their slopes jump by, to either side. Where both kinks are one, as in
    /// amax, the function has none along one of these two.
    std::vector<Direction> directions_across(const Group& group) {
        std::vector<Look> kinked;
        for (const Look& look : looks_) {
            const std::size_t column = look.direction[0].first;
            if (look.finding.verdict == Verdict::kKink && column >= group.begin && column < group.end)
                kinked.push_back(look);
        }
        std::vector<Direction> directions;
        if (kinked.empty() || group.end - group.begin < 2) return directions;
        for (int n = 0; n < kAcrossKinks; ++n) {
            Direction& direction = directions.emplace_back();
            for (std::size_t i = group.begin; i < group.end; ++i) {
                const double share = random_.weight() * scales_[i];
                direction.emplace_back(i, n == 0 ? std::abs(share) : share);
            }
        }
        const auto by = [&](const Look& look) {  // its scale, over what the slope jumps by on it
            const auto [column, share] = look.direction[0];
            const Derivative& d = look.finding.numeric;
            return std::pair(column, std::abs(share / (d.right.value - d.left.value)));
        };
        for (std::size_t k = 1; k < std::min<std::size_t>(kinked.size(), kTangents + 1); ++k) {
            if (kinked[k - 1].direction[0].first == kinked[k].direction[0].first) continue;
            const auto [i, u] = by(kinked[k - 1]);
            const auto [j, v] = by(kinked[k]);
            const double unit = std::min(scales_[i] / u, scales_[j] / v);
            for (const double sign : {1.0, -1.0}) directions.push_back({{i, u * unit}, {j, sign * v * unit}});
        }
        return directions;
    }

    /// An element may lie between the slopes of a kink while the whole does not: amax of [3, 3] with gradient 0.
    void across_kinks(const Group& group) {
        const std::vector<Direction> directions = directions_across(group);
        if (directions.empty()) return;
        std::vector<Look> elements;
        elements.swap(looks_);
        for (const Direction& direction : directions) {
            if (!exhausted_) look_at(direction);
        }
        confirm();
        // What passes says nothing new.
        std::erase_if(looks_, [](const Look& look) { return look.finding.verdict != Verdict::kWrong; });
        for (Look& look : looks_) look.hint = "along a direction across the kinks";
        elements.insert(elements.end(), looks_.begin(), looks_.end());
        looks_ = std::move(elements);
    }

    Direction part_of(const Direction& direction, std::size_t begin, std::size_t end) const {
        return {direction.begin() + static_cast<std::ptrdiff_t>(begin),
                direction.begin() + static_cast<std::ptrdiff_t>(end)};
    }

    /// One verdict on a direction: that of the worst row.
    Verdict verdict_along(const Direction& direction) {
        std::vector<Look> others;
        others.swap(looks_);
        look_at(direction);
        confirm();
        last_looks_ = std::move(looks_);
        looks_ = std::move(others);
        return worst_of(last_looks_);
    }

    static Verdict worst_of(const std::vector<Look>& looks) {
        Verdict worst = Verdict::kMatch;
        for (const Look& look : looks) worst = std::max(worst, look.finding.verdict);
        return worst;
    }

    void by_directions(const std::vector<Group>& groups) {
        std::size_t done = 0;
        for (const Group& group : groups) {
            if (group.begin == group.end) continue;
            const int count = subject_.elements ? kDirections : 1;
            bool fails = false;
            for (int n = 0; n < count && !fails && !exhausted_; ++n) {
                Direction direction;
                for (std::size_t i = group.begin; i < group.end; ++i) {
                    direction.emplace_back(i, random_.weight() * scales_[i]);
                }
                fails = verdict_along(direction) != Verdict::kMatch;
                const std::vector<Look> along = last_looks_;
                const std::size_t before = looks_.size();
                fault_known_ = worst_of(along) == Verdict::kWrong;
                if (fails && !exhausted_) search(direction);
                fault_known_ = false;
                // Where no element is at fault by itself, or not all could be looked at, the direction is what there is
                // to show.
                const bool found =
                    std::any_of(looks_.begin() + static_cast<std::ptrdiff_t>(before), looks_.end(),
                                [](const Look& look) { return !passes(look.finding.verdict); });
                const bool said = looks_.size() > before && !exhausted_ && worst_of(along) != Verdict::kWrong;
                if (!fails || !(found || said)) looks_.insert(looks_.end(), along.begin(), along.end());
                tell(++done, groups.size() * static_cast<std::size_t>(count));
            }
        }
    }

    /// The elements at fault: all are looked at where they are few, else halves of those that fail.
    void search(const Direction& direction) {
        constexpr std::size_t kFew = 64;
        const std::size_t before = looks_.size();
        if (direction.size() <= kFew) {
            std::vector<Look> others;
            others.swap(looks_);
            // Who asked for directions alone gets the first element that a fault shows at.
            const auto named = [&] {
                return !subject_.elements && fault_known_ && !looks_.empty() &&
                       plainly_wrong(looks_.back().finding);
            };
            for (std::size_t i = 0; i < direction.size() && !exhausted_ && !named(); ++i)
                look_at({{direction[i].first, 1.0}});
            if (named()) looks_.erase(looks_.begin(), looks_.end() - 1);
            confirm();
            across_kinks({direction.front().first, direction.back().first + 1});
            looks_.insert(looks_.begin(), others.begin(), others.end());
            return;
        }
        std::vector<Direction> failing = {direction};
        while (!failing.empty() && !exhausted_ && looks_.size() < before + kMostFound) {
            const Direction whole = failing.back();
            failing.pop_back();
            if (whole.size() <= 4) {
                search(whole);
                continue;
            }
            const std::size_t middle = whole.size() / 2;
            for (const Direction& half : {part_of(whole, middle, whole.size()), part_of(whole, 0, middle)}) {
                if (verdict_along(half) != Verdict::kMatch) failing.push_back(half);
            }
        }
    }

    Examined finish() {
        Examined result;
        result.evaluations = evaluations_;
        result.exhausted = exhausted_;
        std::vector<bool> covered(subject_.x.size());
        for (const Look& look : looks_) {
            const bool axis = look.direction.size() == 1;
            const Finding& finding = look.finding;
            const double share = axis ? look.direction[0].second : 1;
            const std::size_t column = axis ? look.direction[0].first : kDirection;
            result.elements.push_back({look.row, column, axis ? subject_.x[column] : 0,
                                       finding.analytic / share, finding.numeric.slope.value / share,
                                       finding.error() / std::abs(share), finding.verdict, look.hint});
            result.first.push_back(look.direction[0].first);
            for (const auto& [moved, by] : look.direction) covered[moved] = true;
        }
        result.covered = std::find(covered.begin(), covered.end(), false) == covered.end();
        return result;
    }

    std::vector<Look> last_looks_;
};

}  // namespace

Examined examine(const Subject& subject, const Options& options) {
    return Examination(subject, options).run();
}

}  // namespace reel::check::detail
