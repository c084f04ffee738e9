#include "examine.hpp"

#include <algorithm>
#include <cmath>
#include <exception>
#include <numeric>
#include <sstream>

#include "noise.hpp"

namespace reel::check::detail {

namespace {

constexpr std::size_t kMostElements = 2048;  // more are looked at by directions first
constexpr std::size_t kMostFound = 16;       // elements looked for where a direction fails
constexpr int kDirections = 2;               // looked at where elements are not
constexpr int kAcrossKinks = 4;              // looked at where elements are kinked
constexpr std::size_t kTangents = 4;         // pairs of them that are moved together
constexpr double kFirstStep = 0.125;         // of the scale

/// A straight move: so much of each column.
using Direction = std::vector<std::pair<std::size_t, double>>;

std::string text_of(double number) {
    if (std::isnan(number)) return "nan";  // without the sign that some have
    std::ostringstream out;
    out.precision(6);
    out << number;
    return out.str();
}

class Examination {
public:
    Examination(const Subject& subject, const Options& options)
        : subject_(subject), options_(options), random_(options.seed * 2 + 1), at_(subject.x) {}

    Examined run() {
        centre_ = subject_.f(subject_.x);
        ++evaluations_;
        set_scales();
        set_noise();
        note_change();
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
    /// What was found along an axis or a direction, for one row.
    struct Look {
        std::size_t row;
        Direction direction;
        Finding finding;
        std::string hint;
    };

    double unit() const { return subject_.single ? 0x1p-23 : kEpsilon; }
    std::size_t rows() const { return subject_.analytic.size(); }
    bool spent() const { return options_.budget != 0 && evaluations_ >= options_.budget; }
    void tell(std::size_t done, std::size_t all) const {
        if (options_.progress) options_.progress(done, all);
    }

    /// The size of each column: as declared, or its own; where it is 0 that of a typical other one.
    void set_scales() {
        Numbers sizes;
        for (const double x : subject_.x) {
            if (x != 0 && std::isfinite(x)) sizes.push_back(std::abs(x));
        }
        double typical = 1;
        if (!sizes.empty()) {
            std::nth_element(sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2),
                             sizes.end());
            typical = sizes[sizes.size() / 2];
        }
        for (std::size_t i = 0; i < subject_.x.size(); ++i) {
            const double x = std::abs(subject_.x[i]);
            const bool given = i < options_.scale.size() && options_.scale[i] > 0;
            scales_.push_back(given ? options_.scale[i] : x != 0 && std::isfinite(x) ? x : typical);
        }
    }

    void set_noise() {
        noise_.assign(centre_.size(), 0);
        if (!subject_.x.empty() && !centre_.empty()) {
            const double least = subject_.single ? 0x1p-18 : 0x1p-48;
            noise_ = measure_noise([&](double spacing) { return noise_line(spacing); }, centre_, least);
        }
        for (std::size_t c = 0; c < noise_.size(); ++c) {
            noise_[c] = std::max({noise_[c], options_.accuracy * std::abs(centre_[c]),
                                  subject_.single ? 0x1p-24 * std::abs(centre_[c]) : 0});
            if (c >= subject_.floor.size()) continue;
            // Such noise is no drowning: it is nothing beside what the outputs are made of.
            constexpr double kNothing = 1e-6;
            noise_[c] = std::max(noise_[c], subject_.floor[c]);
            change_ = std::max(change_, subject_.floor[c] / kNothing *
                                            (subject_.weights.empty() ? 1 : std::abs(subject_.weights[c])));
        }
    }

    /// All columns move, by numbers of so few bits that the points are equally spaced after rounding.
    Line noise_line(double spacing) {
        constexpr double kWide = 0x1p-28;
        const double bits = spacing >= kWide && !subject_.single ? 0x1p19 : 0x1p4;
        Random random(options_.seed ^ 0x9015e);
        Direction direction;
        for (std::size_t i = 0; i < subject_.x.size(); ++i) {
            direction.emplace_back(
                i, std::round(random.weight() * bits) / bits * std::exp2(std::ilogb(scales_[i])));
        }
        const Room room = fit(direction);
        const double side = room.sides == Sides::kDown ? -1 : 1;
        for (auto& [column, share] : direction) {
            share *= side * std::exp2(std::floor(std::log2(std::min(1.0, room.largest * 2))));
        }
        return line(direction);
    }

    /// How much f changes where all columns move far: where that is much, noise that exceeds a single derivative
    /// drowns nothing.
    void note_change() {
        constexpr double kFar = 0.28125;
        if (subject_.x.empty() || centre_.empty()) return;
        const Numbers y = noise_line(1)(kFar).y;
        double sum = 0;
        for (std::size_t c = 0; c < centre_.size(); ++c) {
            const double change = std::abs(y[c] - centre_[c]);
            if (!std::isfinite(change)) return;
            sum = subject_.weights.empty() ? std::max(sum, change)
                                           : sum + std::abs(subject_.weights[c]) * change;
        }
        change_ = std::max(change_, sum);
    }

    /// The noise along a line may be more than along all of them together: where a factor is flat, say, as 1 − tanh² is.
    Numbers noise_along(const Direction& direction) {
        Direction moved = direction;
        if (direction.size() == 1)
            moved[0].second = std::exp2(std::ilogb(scales_[direction[0].first])) * 0.8125;
        const Room room = fit(moved);
        const double side = room.sides == Sides::kDown ? -1 : 1;
        for (auto& [column, share] : moved)
            share *= side * std::exp2(std::floor(std::log2(std::min(1.0, room.largest * 2))));
        Numbers noise =
            measure_noise([&](double) { return line(moved); }, centre_, subject_.single ? 0x1p-18 : 0x1p-48);
        for (std::size_t c = 0; c < noise.size(); ++c) noise[c] = std::max(noise[c], noise_[c]);
        return noise;
    }

    struct Room {
        Sides sides;
        double largest;
    };

    /// How far the line may go without leaving the bounds, and on which sides; turns shares inwards where one
    /// side alone has room.
    Room fit(Direction& direction) const {
        constexpr double kNarrow = 1e-3;
        if (options_.lower.empty() && options_.upper.empty()) return {Sides::kBoth, kInfinity};
        double both = kInfinity;
        double one = kInfinity;
        Direction inwards = direction;
        for (auto& [column, share] : inwards) {
            const double x = subject_.x[column];
            const double size = std::abs(share);
            const double above =
                column < options_.upper.size() ? (options_.upper[column] - x) / size : kInfinity;
            const double below =
                column < options_.lower.size() ? (x - options_.lower[column]) / size : kInfinity;
            both = std::min({both, above, below});
            one = std::min(one, std::max(above, below));
            share = above >= below ? size : -size;
        }
        if (both >= kNarrow * std::min(one, direction.size() == 1 ? scales_[direction[0].first] : 1)) {
            return {Sides::kBoth, both};
        }
        if (direction.size() == 1) return {inwards[0].second > 0 ? Sides::kUp : Sides::kDown, one};
        direction = inwards;
        return {Sides::kUp, one};
    }

    /// f along a direction. What it throws is no number.
    Line line(const Direction& direction) {
        return [this, direction](double t) {
            Sample sample{t, {}};
            for (const auto& [column, share] : direction) {
                const double home = subject_.x[column];
                double moved = home + t * share;
                if (column < options_.lower.size()) moved = std::max(moved, options_.lower[column]);
                if (column < options_.upper.size()) moved = std::min(moved, options_.upper[column]);
                if (subject_.single) moved = static_cast<float>(moved);
                at_[column] = moved;
                if (direction.size() == 1) sample.t = (moved - home) / share;
            }
            evaluate(sample);
            if (direction.size() == 1) note_failure(sample, direction[0].first);
            for (const auto& [column, share] : direction) at_[column] = subject_.x[column];
            return sample;
        };
    }

    void evaluate(Sample& sample) {
        const double nan = std::numeric_limits<double>::quiet_NaN();
        thrown_.clear();
        if (spent()) {
            exhausted_ = true;
        } else {
            ++evaluations_;
            try {
                sample.y = subject_.f(at_);
                if (sample.y.size() != centre_.size()) thrown_ = "f returned another number of outputs";
            } catch (const std::exception& error) {
                thrown_ = std::string("f threw: ") + error.what();
            }
        }
        if (sample.y.size() != centre_.size()) sample.y.assign(centre_.size(), nan);
    }

    void note_failure(const Sample& sample, std::size_t column) {
        for (std::size_t c = 0; c < sample.y.size(); ++c) {
            if (std::isfinite(sample.y[c])) continue;
            const double step = at_[column] - subject_.x[column];
            failure_ =
                "non-finite at x[" + std::to_string(column) + "] " + (step < 0 ? "- " : "+ ") +
                text_of(std::abs(step)) + ": " +
                (thrown_.empty() ? "output " + std::to_string(c) + " is " + text_of(sample.y[c]) : thrown_);
            return;
        }
    }

    /// The weighed sum of what the outputs differ by from those at x, as one function. It is fast, and sees all but the
    /// kinks of several outputs at once, whose slopes may lie on either side of what each of them allows.
    Line together(const Direction& direction) {
        return [this, along = line(direction)](double t) {
            const Sample sample = along(t);
            double sum = 0;
            double size = 0;
            for (std::size_t c = 0; c < centre_.size(); ++c) {
                sum += subject_.weights[c] * (sample.y[c] - centre_[c]);
                size += std::abs(subject_.weights[c] * sample.y[c]);
            }
            const double here = magnitude(0);
            return Sample{sample.t, {sum}, here > 0 ? std::max(1.0, size / here) : 1};
        };
    }

    /// The derivatives of all rows along a direction, from a ladder of its own; where outputs are weighed, of each output
    /// apart, or of them together.
    std::vector<Derivative> slopes(Direction direction, const Numbers& noise, bool thorough, bool apart) {
        const bool as_one = !subject_.weights.empty() && !apart;
        LadderOptions ladder;
        ladder.centre = as_one ? Numbers{0} : centre_;
        ladder.noise = as_one ? Numbers{0} : noise;
        for (std::size_t c = 0; as_one && c < noise.size(); ++c)
            ladder.noise[0] = std::hypot(ladder.noise[0], subject_.weights[c] * noise[c]);
        ladder.thorough = thorough;
        const Room room = fit(direction);
        ladder.sides = room.sides;
        ladder.largest_step = room.largest;
        const bool axis = direction.size() == 1;
        const double scale = axis ? scales_[direction[0].first] : 1;
        // Noise that is known of the numbers that f is made of is known of those here, and grows with them.
        if (!subject_.floor.empty()) ladder.largest_step = std::min(ladder.largest_step, scale);
        // A step of few bits, so that x + h is exact; no round number, and another one each time, lest it fits a
        // period.
        const double factor = std::round((0.7 + 0.7 * random_()) * 512) / 512;
        ladder.first_step = factor * kFirstStep * (axis ? std::exp2(std::ilogb(scale)) : 1);
        ladder.smallest_step = axis ? 8 * unit() * std::abs(subject_.x[direction[0].first]) : 8 * unit();
        std::vector<Derivative> found = differentiate(as_one ? together(direction) : line(direction), ladder);
        if (subject_.weights.empty() || as_one) return found;
        return {combine(found, subject_.weights)};
    }

    void look_at(const Direction& direction) {
        failure_.clear();
        const std::vector<Derivative> found = slopes(direction, noise_, false, false);
        if (exhausted_) return;
        for (std::size_t row = 0; row < std::min(rows(), found.size()); ++row) {
            Look look{row, direction, {}, ""};
            fill(look, found[row]);
            looks_.push_back(std::move(look));
        }
    }

    void fill(Look& look, const Derivative& numeric) {
        Finding& finding = look.finding;
        finding.analytic = finding.rounding = 0;
        finding.scale = look.direction.size() == 1 ? scales_[look.direction[0].first] : 1;
        for (const auto& [column, share] : look.direction) {
            finding.analytic += subject_.analytic[look.row][column] * share;
            finding.rounding += subject_.rounding[look.row][column] * std::abs(share);
        }
        // Who computes f to so many digits does not compute its derivative to more.
        const double here = magnitude(look.row);
        const double size = here >= 0.05 * numeric.change ? here : numeric.change;
        if (size > 0) finding.rounding += 2 * numeric.noise / size * std::abs(finding.analytic);
        finding.numeric = numeric;
        finding.verdict = judge(finding, 0);
        if (numeric.smoothness == Smoothness::kNonFinite) look.hint = failure_;
        change_ = std::max(change_, numeric.change);
    }

    /// The size of a row at x.
    double magnitude(std::size_t row) const {
        if (subject_.weights.empty()) return std::abs(centre_[row]);
        double sum = 0;
        for (std::size_t c = 0; c < centre_.size(); ++c) sum += std::abs(subject_.weights[c] * centre_[c]);
        return sum;
    }

    /// "Wrong", "kink" and all else that is no match are said when another ladder says so, too.
    void confirm() {
        constexpr int kLadders = 3;
        for (Look& look : looks_) {
            look.finding.verdict = judge(look.finding, change_);
            if (look.finding.verdict == Verdict::kUnresolved && look.finding.noisy()) look_far(look);
        }
        look_again();
        std::vector<std::size_t> doubtful;
        for (std::size_t i = 0; i < looks_.size(); ++i) {
            const Verdict verdict = looks_[i].finding.verdict;
            if (verdict != Verdict::kMatch && verdict != Verdict::kNonFinite) doubtful.push_back(i);
        }
        std::map<std::size_t, std::vector<std::vector<Derivative>>> again;  // by the first row's number
        std::map<std::size_t, Numbers> noises;
        for (const std::size_t i : doubtful) {
            Look& look = looks_[i];
            const bool clear = plainly_wrong(look.finding);
            if (clear && fault_known_) continue;
            const std::size_t first = i - i % rows();
            std::vector<Finding> said = {look.finding};
            for (int n = 0; n < kLadders; ++n) {
                auto& ladders = again[first];
                if (ladders.size() <= static_cast<std::size_t>(n)) {
                    if (!exhausted_ && n == 0) noises[first] = clear ? noise_ : noise_along(look.direction);
                    if (!exhausted_) ladders.push_back(slopes(look.direction, noises[first], true, !clear));
                    if (exhausted_) {  // what is not confirmed is not said
                        look.finding.verdict = Verdict::kUnresolved;
                        break;
                    }
                }
                Look other = look;
                fill(other, ladders[static_cast<std::size_t>(n)][look.row]);
                other.finding.verdict = judge(other.finding, change_);
                said.push_back(other.finding);
                if (agreed(said, look.finding)) break;
                if (n + 1 == kLadders) look.finding.verdict = Verdict::kUnresolved;
            }
        }
    }

    /// Wrong by so many bars that no noise which was overlooked explains it.
    static bool plainly_wrong(const Finding& finding) {
        constexpr double kPart = 1e-4;  // of the derivative
        constexpr double kBars = 100;
        const double miss = std::abs(finding.analytic - finding.numeric.slope.value);
        return finding.verdict == Verdict::kWrong && finding.numeric.smoothness == Smoothness::kSmooth &&
               miss > kBars * finding.error() && miss > kPart * std::abs(finding.analytic);
    }

    /// A match within a bar that is wide for its noise may be a coincidence: another ladder tells, if it sees better.
    void look_again() {
        constexpr double kWide = 1e-6;
        std::size_t first = looks_.size();
        std::vector<Derivative> found;
        for (std::size_t i = 0; i < looks_.size() && !subject_.single; ++i) {
            Look& look = looks_[i];
            const double size = std::abs(look.finding.analytic);
            if (look.finding.verdict != Verdict::kMatch || look.finding.error() <= kWide * size) continue;
            if (look.finding.numeric.constant) continue;
            if (found.empty() || i - i % rows() != first)
                found = slopes(look.direction, noise_, false, false);
            if (exhausted_) return;
            first = i - i % rows();
            Look other = look;
            fill(other, found[look.row]);
            other.finding.verdict = judge(other.finding, change_);
            const bool tells = other.finding.verdict != Verdict::kUnresolved;
            if (tells && other.finding.error() < look.finding.error()) look.finding = other.finding;
        }
    }

    /// How much f changes where the argument is halved, doubled, or gone: the ladder may have stayed where it is flat.
    void look_far(Look& look) {
        Direction direction = look.direction;
        const Room room = fit(direction);
        const double scale = direction.size() == 1 ? scales_[direction[0].first] : 1;
        const double far = std::min(scale, room.largest);
        for (const double t : {far, -far}) {
            if ((t > 0 ? Sides::kDown : Sides::kUp) == room.sides) continue;
            const Numbers y = line(direction)(t).y;
            double change = 0;
            for (std::size_t c = 0; c < y.size(); ++c) {
                const double rise = std::abs(y[c] - centre_[c]);
                if (!std::isfinite(rise) || (subject_.weights.empty() && c != look.row)) continue;
                change += subject_.weights.empty() ? rise : rise * std::abs(subject_.weights[c]);
            }
            look.finding.numeric.change = std::max(look.finding.numeric.change, change);
        }
        look.finding.verdict = judge(look.finding, change_);
    }

    /// Whether two ladders say the same, in words and in numbers; `finding` becomes the better of them.
    static bool agreed(const std::vector<Finding>& said, Finding& finding) {
        const Finding& last = said.back();
        for (std::size_t i = 0; i + 1 < said.size(); ++i) {
            const Finding& other = said[i];
            if (other.verdict != last.verdict) continue;
            const bool alike = std::abs(other.numeric.slope.value - last.numeric.slope.value) <=
                               other.error() + last.error();
            if (last.verdict == Verdict::kWrong && !alike) continue;
            finding = last.error() < other.error() ? last : other;
            return true;
        }
        return false;
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

    const Subject& subject_;
    const Options& options_;
    Random random_;
    Numbers at_;  // where f is evaluated
    Numbers centre_;
    Numbers noise_;
    Numbers scales_;
    std::vector<Look> looks_;
    std::vector<Look> last_looks_;
    double change_ = 0;  // of the rows, the largest seen anywhere
    std::size_t evaluations_ = 0;
    bool exhausted_ = false;
    bool fault_known_ =
        false;  // a direction is wrong, by two ladders: what is plainly wrong in it need no other
    std::string thrown_;
    std::string failure_;
};

}  // namespace

Examined examine(const Subject& subject, const Options& options) {
    return Examination(subject, options).run();
}

}  // namespace reel::check::detail
