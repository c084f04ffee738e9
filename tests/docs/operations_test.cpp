// docs/operations.md is what the headers say and what is measured. REEL_WRITE=1 writes it anew:
//
//     REEL_WRITE=1 build/dev/tests/reel_tests -tc="docs: the table of operations*"
#include "tests/docs/operations.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

using namespace reel;

TEST_CASE("docs: the table of operations is what the headers say and what is measured") {
    const auto root = std::filesystem::path(REEL_TESTS).parent_path();
    const auto path = root / "docs" / "operations.md";
    std::ostringstream committed;
    committed << std::ifstream(path).rdbuf();
    const std::string page = docs::operations_page(root, committed.str());
    CHECK(page.find("**no") == std::string::npos);  // nothing undocumented, nothing that is never called
    if (std::getenv("REEL_WRITE")) std::ofstream(path) << page;
    std::istringstream expected(page);
    std::ifstream found(path);
    for (std::string line, other; std::getline(expected, line); other.clear()) {
        std::getline(found, other);
        CHECK(other == line);
    }
    CHECK(found.peek() == std::ifstream::traits_type::eof());
}
