// The scales of the arguments, the noise of the values along lines, and how much these change.
#include <algorithm>
#include <cmath>

#include "lines.hpp"
#include "noise.hpp"

namespace reel::check::detail {

void Lines::set_scales() {
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

void Lines::set_noise() {
    noise_.assign(centre_.size(), 0);
    if (!subject_.x.empty() && !centre_.empty()) {
        noise_ = measure_noise([&](double spacing) { return noise_line(spacing); }, centre_, least_spacing());
    }
    for (std::size_t c = 0; c < noise_.size(); ++c) {
        noise_[c] = std::max({noise_[c], options_.accuracy * std::abs(centre_[c]),
                              subject_.single ? 0x1p-24 * std::abs(centre_[c]) : 0});
    }
    if (!subject_.floor.empty()) heed_floor();
}

void Lines::heed_floor() {
    constexpr double kNear = 0x1p-20;
    constexpr double kNothing = 1e-6;
    constexpr double kShown = 1e-3;
    for (const Group& group : subject_.groups) {
        Direction direction;
        for (std::size_t i = group.begin; i < group.end; ++i) direction.emplace_back(i, scales_[i]);
        if (group.begin >= subject_.floor.size()) break;
        const Numbers beside = line(inwards(direction))(kNear).y;
        for (std::size_t c = group.begin; c < std::min(noise_.size(), group.end); ++c) {
            const double floor = subject_.floor[c];
            noise_[c] =
                std::max(noise_[c], beside[c] == centre_[c] ? floor : std::min(floor, noise_[c] / kShown));
            const double weight = subject_.weights.empty() ? 1 : std::abs(subject_.weights[c]);
            change_ = std::max(change_, floor / kNothing * weight);
        }
    }
}

Line Lines::noise_line(double spacing) {
    constexpr double kWide = 0x1p-28;
    const double bits = spacing >= kWide && !subject_.single ? 0x1p19 : 0x1p4;
    Random random(options_.seed ^ 0x9015e);
    Direction direction;
    for (std::size_t i = 0; i < subject_.x.size(); ++i) {
        direction.emplace_back(i,
                               std::round(random.weight() * bits) / bits * std::exp2(std::ilogb(scales_[i])));
    }
    return line(inwards(direction));
}

void Lines::note_change() {
    constexpr double kFar = 0.28125;
    if (subject_.x.empty() || centre_.empty()) return;
    const Numbers y = noise_line(1)(kFar).y;
    double sum = 0;
    for (std::size_t c = 0; c < centre_.size(); ++c) {
        const double change = std::abs(y[c] - centre_[c]);
        if (!std::isfinite(change)) return;
        sum = subject_.weights.empty() ? std::max(sum, change) : sum + std::abs(subject_.weights[c]) * change;
    }
    change_ = std::max(change_, sum);
}

Direction Lines::scaled(Direction direction) const {
    if (direction.size() == 1)
        direction[0].second = std::exp2(std::ilogb(scales_[direction[0].first])) * 0.8125;
    return inwards(direction);
}

Direction Lines::inwards(Direction direction) const {
    const Room room = fit(direction);
    const double side = room.sides == Sides::kDown ? -1 : 1;
    for (auto& [column, share] : direction)
        share *= side * std::exp2(std::floor(std::log2(std::min(1.0, room.largest * 2))));
    return direction;
}

Numbers Lines::noise_along(const Direction& direction) {
    const Line along = line(scaled(direction));
    Numbers noise = measure_noise([&](double) { return along; }, centre_, least_spacing());
    for (std::size_t c = 0; c < noise.size(); ++c) noise[c] = std::max(noise[c], noise_[c]);
    return noise;
}

void Lines::look_for_stairs(const Direction& direction) {
    constexpr std::size_t kMostOutputs = 4;
    if (noise_.size() > kMostOutputs) return;
    const Line along = line(scaled(direction));
    for (std::size_t c = 0; c < noise_.size(); ++c) heed_stairs(along, c, least_spacing(), noise_[c]);
}

}  // namespace reel::check::detail
