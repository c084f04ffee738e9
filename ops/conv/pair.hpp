/// \file
/// A number for the height and one for the width; one number is both: `{.stride = 2}`, `{.stride = {2, 1}}`.
#pragma once

#include <cstdint>
#include <type_traits>

#pragma GCC visibility push(default)
namespace reel {

struct Pair {
    std::int64_t height;
    std::int64_t width;

    template <class Integer>
    requires(std::is_integral_v<Integer> && !std::is_same_v<Integer, bool>) constexpr Pair(Integer both)
        : height(static_cast<std::int64_t>(both)), width(static_cast<std::int64_t>(both)) {}
    constexpr Pair(std::int64_t h, std::int64_t w) : height(h), width(w) {}
};

}  // namespace reel
#pragma GCC visibility pop
