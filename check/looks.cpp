#include "looks.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace reel::check::detail {

void Looks::look_at(const Direction& direction) {
    failure_.clear();
    const std::vector<Derivative> found = slopes(direction, noise_, false, false);
    if (exhausted_) return;
    for (std::size_t row = 0; row < std::min(rows(), found.size()); ++row) {
        Look look{row, direction, {}, ""};
        fill(look, found[row]);
        looks_.push_back(std::move(look));
    }
}

void Looks::fill(Look& look, const Derivative& numeric) {
    Finding& finding = look.finding;
    finding.analytic = along(subject_.analytic[look.row], look.direction);
    finding.rounding = 0;
    finding.scale = look.direction.size() == 1 ? scales_[look.direction[0].first] : 1;
    for (const auto& [column, share] : look.direction) {
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

void Looks::confirm() {
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
                if (!exhausted_ && n == 0) {
                    if (look.finding.numeric.supported) look_for_stairs(look.direction);
                    noises[first] = clear ? noise_ : noise_along(look.direction);
                }
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

bool Looks::plainly_wrong(const Finding& finding) {
    constexpr double kPart = 1e-4;  // of the derivative
    constexpr double kBars = 100;
    const double miss = std::abs(finding.analytic - finding.numeric.slope.value);
    return finding.verdict == Verdict::kWrong && finding.numeric.smoothness == Smoothness::kSmooth &&
           miss > kBars * finding.error() && miss > kPart * std::abs(finding.analytic);
}

void Looks::look_again() {
    constexpr double kWide = 1e-6;
    std::size_t first = looks_.size();
    std::vector<Derivative> found;
    for (std::size_t i = 0; i < looks_.size() && !subject_.single; ++i) {
        Look& look = looks_[i];
        const double size = std::abs(look.finding.analytic);
        if (look.finding.verdict != Verdict::kMatch || look.finding.error() <= kWide * size) continue;
        if (look.finding.numeric.constant) continue;
        if (found.empty() || i - i % rows() != first) found = slopes(look.direction, noise_, false, false);
        if (exhausted_) return;
        first = i - i % rows();
        Look other = look;
        fill(other, found[look.row]);
        other.finding.verdict = judge(other.finding, change_);
        const bool tells = other.finding.verdict != Verdict::kUnresolved;
        if (tells && other.finding.error() < look.finding.error()) look.finding = other.finding;
    }
}

void Looks::look_far(Look& look) {
    constexpr std::size_t kMostColumns = 8;
    Derivative& numeric = look.finding.numeric;
    numeric.change = std::max(numeric.change, far_change(look.direction, look.row));
    for (std::size_t i = 0; i < std::min(kMostColumns, subject_.x.size()); ++i) {
        look.finding.verdict = judge(look.finding, change_);
        if (look.finding.verdict != Verdict::kUnresolved) return;
        change_ = std::max(change_, far_change({{i, 1.0}}, look.row));
    }
    look.finding.verdict = judge(look.finding, change_);
}

bool Looks::agreed(const std::vector<Finding>& said, Finding& finding) {
    const Finding& last = said.back();
    for (std::size_t i = 0; i + 1 < said.size(); ++i) {
        const Finding& other = said[i];
        if (other.verdict != last.verdict) continue;
        const bool alike =
            std::abs(other.numeric.slope.value - last.numeric.slope.value) <= other.error() + last.error();
        if (last.verdict == Verdict::kWrong && !alike) continue;
        finding = last.error() < other.error() ? last : other;
        return true;
    }
    return false;
}

}  // namespace reel::check::detail
