/// \file
/// The page docs/operations.md: what every operation computes, what it keeps for its gradient, and how exact
/// it is. Made of the docstrings (`docstrings.hpp`) and of what is measured here.
#pragma once

#include <filesystem>
#include <string>

namespace reel::docs {

/// The page. A bound on an error that stands in `previous` stays while it holds and is not far too wide, so
/// that every machine makes the same page.
std::string operations_page(const std::filesystem::path& root, const std::string& previous);

}  // namespace reel::docs
