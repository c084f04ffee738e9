#include "lines.hpp"

#include <algorithm>
#include <cmath>
#include <exception>
#include <sstream>

#include "judge.hpp"

namespace reel::check::detail {

namespace {

constexpr double kFirstStep = 0.125;  // of the scale

std::string text_of(double number) {
    if (std::isnan(number)) return "nan";  // without the sign that some have
    std::ostringstream out;
    out.precision(6);
    out << number;
    return out.str();
}

}  // namespace

Lines::Lines(const Subject& subject, const Options& options)
    : subject_(subject), options_(options), random_(options.seed * 2 + 1), at_(subject.x) {
    centre_ = subject_.f(subject_.x);
    ++evaluations_;
    set_scales();
    set_noise();
    note_change();
}

Lines::Room Lines::fit(Direction& direction) const {
    constexpr double kNarrow = 1e-3;
    if (options_.lower.empty() && options_.upper.empty()) return {Sides::kBoth, kInfinity};
    double both = kInfinity;
    double one = kInfinity;
    Direction inwards = direction;
    for (auto& [column, share] : inwards) {
        const double x = subject_.x[column];
        const double size = std::abs(share);
        const double above = column < options_.upper.size() ? (options_.upper[column] - x) / size : kInfinity;
        const double below = column < options_.lower.size() ? (x - options_.lower[column]) / size : kInfinity;
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

Line Lines::line(const Direction& direction) {
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

void Lines::evaluate(Sample& sample) {
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

void Lines::note_failure(const Sample& sample, std::size_t column) {
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

Line Lines::together(const Direction& direction) {
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

double Lines::along(const Numbers& gradient, const Direction& direction) {
    double sum = 0;
    for (const auto& [column, share] : direction) sum += gradient[column] * share;
    return sum;
}

std::vector<Derivative> Lines::slopes(Direction direction, const Numbers& noise, bool thorough, bool apart) {
    const bool as_one = !subject_.weights.empty() && !apart;
    LadderOptions ladder;
    ladder.centre = as_one ? Numbers{0} : centre_;
    ladder.noise = as_one ? Numbers{0} : noise;
    for (std::size_t c = 0; as_one && c < noise.size(); ++c)
        ladder.noise[0] = std::hypot(ladder.noise[0], subject_.weights[c] * noise[c]);
    ladder.thorough = thorough;
    if (rows() == ladder.centre.size()) {
        for (const Numbers& row : subject_.analytic) ladder.claims.push_back(along(row, direction));
    }
    const Room room = fit(direction);
    ladder.sides = room.sides;
    ladder.largest_step = room.largest;
    const bool axis = direction.size() == 1;
    const double scale = axis ? scales_[direction[0].first] : 1;
    // Noise that is known of the numbers that f is made of is known of those here, and grows with them.
    if (!subject_.floor.empty()) ladder.largest_step = std::min(ladder.largest_step, scale);
    // A step of few bits, so that x + h is exact; no round number, and another one each time, lest it fits a
    // period.
    const double parts = thorough ? 8 : 512;
    const double factor = std::round((0.7 + 0.7 * random_()) * parts) / parts;
    ladder.first_step = factor * kFirstStep * (axis ? std::exp2(std::ilogb(scale)) : 1);
    ladder.smallest_step = axis ? 8 * unit() * std::abs(subject_.x[direction[0].first]) : 8 * unit();
    std::vector<Derivative> found = differentiate(as_one ? together(direction) : line(direction), ladder);
    if (subject_.weights.empty() || as_one) return found;
    return {combine(found, subject_.weights)};
}

double Lines::magnitude(std::size_t row) const {
    if (subject_.weights.empty()) return std::abs(centre_[row]);
    double sum = 0;
    for (std::size_t c = 0; c < centre_.size(); ++c) sum += std::abs(subject_.weights[c] * centre_[c]);
    return sum;
}

double Lines::far_change(Direction direction, std::size_t row) {
    const Room room = fit(direction);
    const double scale = direction.size() == 1 ? scales_[direction[0].first] : 1;
    const double far = std::min(scale, room.largest);
    double most = 0;
    for (const double t : {far, -far}) {
        if ((t > 0 ? Sides::kDown : Sides::kUp) == room.sides) continue;
        const Numbers y = line(direction)(t).y;
        double change = 0;
        for (std::size_t c = 0; c < y.size(); ++c) {
            const double rise = std::abs(y[c] - centre_[c]);
            if (!std::isfinite(rise) || (subject_.weights.empty() && c != row)) continue;
            change += subject_.weights.empty() ? rise : rise * std::abs(subject_.weights[c]);
        }
        most = std::max(most, change);
    }
    return most;
}

}  // namespace reel::check::detail
