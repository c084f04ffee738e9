/// \file
/// Words of `t.index({...})`: `Slice`, `None`, `Ellipsis`. The others are integers, masks and index tensors
/// (`TensorIndex` in `tensor.hpp`). What they select is decided in `ops/indexing/index_expression.cpp`.
#pragma once

#include <cstdint>
#include <optional>

#pragma GCC visibility push(default)
namespace reel {

/// A new dimension of size 1 in an index; "not given" in a `Slice`.
inline constexpr std::nullopt_t None = std::nullopt;

/// As many full slices as are needed to index every dimension.
struct EllipsisType {};
inline constexpr EllipsisType Ellipsis{};

/// The elements `start, start + step, …` before `stop`, with Python's rules for negative and missing values.
/// A negative step walks backwards; like every slice it is a view.
struct Slice {
    Slice(std::optional<std::int64_t> first = None, std::optional<std::int64_t> end = None,
          std::optional<std::int64_t> by = None)
        : start(first), stop(end), step(by) {}
    std::optional<std::int64_t> start;
    std::optional<std::int64_t> stop;
    std::optional<std::int64_t> step;
};

}  // namespace reel
#pragma GCC visibility pop
