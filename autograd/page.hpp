/// \file
/// What CMake puts into the library for `Tape::to_html`: the page, whose parts are in `page/`, and what the
/// docstrings say of each operation. `page/pack.cpp` writes it when the library is built. Not a public
/// header.
#pragma once

#include <span>
#include <string_view>

namespace reel::detail {

/// The page before the tape's data, and after it.
extern const std::string_view page_before;
extern const std::string_view page_behind;

/// What the docstring of the function that records it says of an operation.
struct OperationText {
    std::string_view operation;
    std::string_view pullback;  ///< the formula: the sentences with an equation for x̄
    std::string_view rest;
};
std::span<const OperationText> operation_texts();
/// That of an operation, of one in place (`add_`) that of the other (`add`); empty for a name of a user's
/// own.
OperationText text_of(std::string_view operation);

}  // namespace reel::detail
