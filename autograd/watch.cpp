// What a watched tape notes of the numbers that pass. The page made of it is in `html.cpp`.
#include <algorithm>
#include <cmath>

#include "autograd/tape_state.hpp"

namespace reel::detail {

Snapshot snapshot(const Tensor& tensor) {
    constexpr std::int64_t kRows = 6;
    constexpr std::int64_t kColumns = 5;
    const std::vector<double> elements = tensor.to_vector<double>();
    Snapshot result;
    result.count = tensor.numel();
    if (result.count == 0) return result;
    const std::int64_t width = tensor.dim() > 0 ? tensor.size(-1) : 1;
    const std::int64_t height = tensor.dim() > 1 ? tensor.size(-2) : 1;
    for (std::int64_t row = 0; row < std::min(height, kRows); ++row) {
        const auto first = elements.begin() + row * width;
        result.corner.emplace_back(first, first + std::min(width, kColumns));
    }
    double sum = 0;
    std::int64_t finite = 0;
    for (const double element : elements) {
        if (!std::isfinite(element)) continue;
        result.min = finite == 0 ? element : std::min(result.min, element);
        result.max = finite == 0 ? element : std::max(result.max, element);
        sum += element;
        ++finite;
    }
    result.not_finite = result.count - finite;
    result.mean = sum / static_cast<double>(finite);
    return result;
}

std::int64_t Watch::note_constant(const Tensor& constant) {
    const std::int64_t known = constants.find(constant);
    if (known >= 0) return known;
    constant_values.push_back(snapshot(constant));
    return constants.add(constant);
}

void Watch::note_share(std::size_t edge, const Tensor& before, const Tensor& after) {
    Share share{before.sizes(), std::nullopt, snapshot(after)};
    if (before.sizes() != after.sizes()) share.before = snapshot(before);
    shares[edge] = std::move(share);
}

}  // namespace reel::detail
