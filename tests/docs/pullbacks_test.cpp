// docs/pullbacks.md speaks of every operation that has a pullback, but for those that only a backward pass
// records.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/gradients/rows.hpp"

using namespace reel;

TEST_CASE("docs: the page of the pullbacks speaks of every operation") {
    std::stringstream page;
    page << std::ifstream(std::filesystem::path(REEL_TESTS).parent_path() / "docs" / "pullbacks.md").rdbuf();
    const std::string text = page.str();
    for (const testing::Row& row : testing::all_rows()) {
        std::string name = row.operation;
        if (name.ends_with("_backward") || name.ends_with("_gradient") || name == "gelu_tanh") continue;
        const bool there = text.find("`" + name + "`") != std::string::npos;
        if (!there && name.ends_with('_')) name.pop_back();
        CHECK_MESSAGE((there || text.find("`" + name + "`") != std::string::npos), row.operation,
                      " is not in docs/pullbacks.md");
    }
}
