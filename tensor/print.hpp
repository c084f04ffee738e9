/// \file
/// How tensors look when printed: `std::cout << t` writes what PyTorch's Python repr writes.
#pragma once

#include <cstdint>
#include <optional>

#include "indexing.hpp"

#pragma GCC visibility push(default)
namespace reel {

/// What is not given stays as it is.
struct PrintOptions {
    std::optional<std::int64_t> precision = None;  ///< digits after the point; at first 4
    std::optional<std::int64_t> threshold = None;  ///< more elements are summarised; at first 1000
    std::optional<std::int64_t> edgeitems =
        None;  ///< shown at each end of a summarised dimension; at first 3
    std::optional<std::int64_t> linewidth = None;  ///< columns before a line is broken; at first 80
};

/// Sets the options for all threads. Throws an `Error` for a negative one, or a line of no width.
void set_printoptions(const PrintOptions& options);
/// All options as they are now.
PrintOptions printoptions();

}  // namespace reel
#pragma GCC visibility pop
