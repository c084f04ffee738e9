/// \file
/// Sums and products of numbers and vectors. Those of integers wrap modulo 2⁶⁴, as in PyTorch; a sum of bools is
/// or.
#pragma once

#include <cstdint>
#include <type_traits>

#include "tensor/dtype.hpp"

namespace reel::kernels {

template <class V>
V plus(const V& a, const V& b) {
    if constexpr (std::is_same_v<V, std::int64_t>) {
        return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
    } else if constexpr (std::is_same_v<V, Bool>) {
        return Bool(static_cast<bool>(a) || static_cast<bool>(b));
    } else {
        return static_cast<V>(a + b);
    }
}

template <class V>
V times(const V& a, const V& b) {
    if constexpr (std::is_same_v<V, std::int64_t>) {
        return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
    } else {
        return static_cast<V>(a * b);
    }
}

}  // namespace reel::kernels
