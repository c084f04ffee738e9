/// \file
/// What a page of a tape can show beside the tape itself.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tape.hpp"

#pragma GCC visibility push(default)
namespace reel {

struct PageOptions {
    std::string title = {};
    std::map<std::string, Tensor> names = {};  ///< of leaves, values and constants; takes `Parameters`
    /// A watched tape of the same program run in float64: beside each number is how far it is from there.
    const Tape* twin = nullptr;
    /// The value that was rewound, computed again from the leaves as they are; not recorded. Beside each number of a
    /// float64 leaf's gradient stands the numeric derivative with its error bar (`check::gradient`).
    std::function<Tensor()> check = {};
};

/// One page with those of several tapes side by side. Where one goes to a named value, so do the others.
void to_html(const std::string& path, const std::vector<std::pair<const Tape*, PageOptions>>& tapes);

}  // namespace reel
#pragma GCC visibility pop
