// What the seed tests share: comparing a tensor with numbers, and taking one gradient.
#pragma once

#include <cmath>
#include <vector>

#include "reel.hpp"

namespace seeds {

/// Whether every element is within `tolerance` of its number; infinities and NaN must stand where theirs do.
inline bool close(const reel::Tensor& t, const std::vector<double>& expected, double tolerance) {
    const auto values = t.to_vector<double>();
    bool all = values.size() == expected.size();
    for (std::size_t i = 0; all && i < values.size(); ++i) {
        const bool same = values[i] == expected[i] || (std::isnan(values[i]) && std::isnan(expected[i]));
        all = same || std::abs(values[i] - expected[i]) <= tolerance;
    }
    return all;
}

/// ∂ f(x) / ∂ x for a scalar f.
template <class F>
reel::Tensor gradient(const F& f, const reel::Tensor& at) {
    const reel::Tensor x = at.detach().clone().set_requires_grad(true);
    const reel::Tape tape;
    f(x).backward();
    return x.grad();
}

}  // namespace seeds
