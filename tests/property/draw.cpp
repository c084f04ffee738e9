#include "tests/property/draw.hpp"

#include <limits>
#include <numeric>

namespace reel::property {

/// SplitMix64 (G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
std::uint64_t Draw::next() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

std::int64_t Draw::whole(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(high - low + 1));
}

double Draw::real(double low, double high) {
    return low + (high - low) * static_cast<double>(next() >> 11) * 0x1p-53;
}

std::vector<std::int64_t> Draw::permutation(std::int64_t count) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(count));
    std::iota(order.begin(), order.end(), 0);
    for (std::size_t i = order.size(); i > 1; --i) {
        std::swap(order[i - 1], order[static_cast<std::size_t>(whole(0, static_cast<std::int64_t>(i) - 1))]);
    }
    return order;
}

std::int64_t Draw::extent() { return size_ == Size::kLarge ? whole(20, 70) : whole(1, 5); }

Shape Draw::shape(std::int64_t least, std::int64_t most) {
    Shape sizes = Shape::filled(static_cast<std::size_t>(whole(least, most)), 1);
    if (size_ == Size::kLarge) {
        // Enough work for two threads, however many dimensions there are.
        constexpr std::int64_t kElements = 70000;
        std::int64_t left = kElements;
        for (std::size_t d = 0; d + 1 < sizes.size() && left > 2; ++d) {
            sizes[d] = whole(2, std::min<std::int64_t>(left / 2, 60));
            left /= sizes[d];
        }
        if (!sizes.empty()) sizes.back() = left;
        return sizes;
    }
    for (std::int64_t& size : sizes) size = chance(0.03) ? 0 : whole(1, 5);
    if (!sizes.empty() && chance(0.05)) {
        sizes[static_cast<std::size_t>(whole(0, static_cast<std::int64_t>(sizes.size()) - 1))] =
            whole(30, 700);
    }
    return sizes;
}

Shape Draw::narrower(const Shape& sizes) {
    const std::size_t dropped =
        chance(0.4) ? static_cast<std::size_t>(whole(0, static_cast<std::int64_t>(sizes.size()))) : 0;
    Shape result;
    for (std::size_t d = dropped; d < sizes.size(); ++d) result.push_back(chance(0.25) ? 1 : sizes[d]);
    return result;
}

Shape Draw::dims(std::int64_t dim) {
    const std::vector<std::int64_t> order = permutation(dim);
    const std::int64_t count = whole(0, dim);
    Shape result;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
        result.push_back(chance(0.5) ? order[i] : order[i] - dim);
    }
    return result;
}

Draw::Value Draw::values(DType dtype) {
    const auto small = [this] { return static_cast<double>(whole(-3, 3)); };
    if (!is_floating_point(dtype)) return small;
    switch (whole(0, 3)) {
        case 0:
            return small;
        case 1:
            return [this, small] {
                const double infinity = std::numeric_limits<double>::infinity();
                if (chance(0.9)) return small();
                return pick({0.0, -0.0, infinity, -infinity, std::numeric_limits<double>::quiet_NaN()});
            };
        default:
            return [this] { return real(-4, 4); };
    }
}

/// From the innermost dimension outwards, in any order: dense, with steps, backwards, expanded, or, rarely,
/// overlapping the next one.
Shape Draw::strides(const Shape& sizes, bool may_share) {
    Shape result = contiguous_strides(sizes);
    if (chance(0.25)) return result;
    std::int64_t run = 1;
    for (const std::int64_t d : permutation(static_cast<std::int64_t>(sizes.size()))) {
        const auto at = static_cast<std::size_t>(d);
        if (may_share && chance(0.08)) {
            result[at] = 0;
            continue;
        }
        const std::int64_t step = pick<std::int64_t>({1, 1, 1, 1, 1, 2, 3, -1, -1, -2});
        result[at] = run * step;
        if (may_share && chance(0.04)) continue;
        run *= std::abs(step) * std::max<std::int64_t>(sizes[at], 1);
        if (chance(0.1)) run += whole(1, 2);
    }
    return result;
}

Tensor Draw::laid_out(const Shape& sizes, DType dtype, const Value& value, bool may_share) {
    constexpr std::int64_t kFresh = 2000;  // numbers drawn; from there on they come again
    const Shape by = strides(sizes, may_share);
    std::int64_t low = 0;
    std::int64_t high = 0;
    for (std::size_t d = 0; d < sizes.size(); ++d) {
        const std::int64_t far = by[d] * std::max<std::int64_t>(sizes[d] - 1, 0);
        (far < 0 ? low : high) += far;
    }
    const std::int64_t offset = whole(0, 3) - low;
    const std::int64_t extent = offset + high + 1 + whole(0, 3);
    std::vector<double> fresh(static_cast<std::size_t>(std::min(extent, kFresh)));
    for (double& number : fresh) number = value();
    const Tensor memory = reel::tensor(fresh, kFloat64).to(dtype).repeat({extent / kFresh + 1});
    return memory.as_strided(sizes, by, offset);
}

Tensor Draw::tensor(const Shape& sizes, DType dtype) { return laid_out(sizes, dtype, values(dtype)); }
Tensor Draw::writable(const Shape& sizes, DType dtype) {
    return laid_out(sizes, dtype, values(dtype), false);
}
Tensor Draw::reals(const Shape& sizes, DType dtype, double low, double high) {
    return laid_out(sizes, dtype, [=, this] { return real(low, high); });
}
Tensor Draw::wholes(const Shape& sizes, DType dtype, std::int64_t low, std::int64_t high) {
    return laid_out(sizes, dtype, [=, this] { return static_cast<double>(whole(low, high)); });
}

}  // namespace reel::property
