/// \file
/// The page docs/operations.md: what every operation computes, what it keeps for its gradient, and how exact
/// it is. Made of the docstrings (`docstrings.hpp`) and of what is measured here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace reel::docs {

/// The page, its errors measured on so many calls of each operation. A bound that `previous` has stays while it holds
/// and, where the page is made `anew`, is not far too wide: so every machine makes the same page.
std::string operations_page(const std::filesystem::path& root, const std::string& previous,
                            std::uint64_t draws, bool anew);

}  // namespace reel::docs
