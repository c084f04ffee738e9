// docs/operations.md is what the headers say and what is measured: here a few calls of each operation, which must keep
// to the page's bounds. REEL_WRITE=1 writes it anew, from 200 calls or as many as REEL_CASES says; REEL_CASES alone
// measures more:
//
//     REEL_WRITE=1 build/dev/tests/reel_tests -tc="docs: the table of operations*"
//     REEL_CASES=1000 build/dev/tests/reel_tests -tc="docs: the table of operations*"
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
    const bool anew = std::getenv("REEL_WRITE") != nullptr;
    const char* const cases = std::getenv("REEL_CASES");
    const std::uint64_t draws = cases ? std::stoull(cases) : anew ? 200 : 5;
    const std::string page = docs::operations_page(root, committed.str(), draws, anew);
    CHECK(page.find("**no") == std::string::npos);  // nothing undocumented, nothing that is never called
    if (anew) std::ofstream(path) << page;
    std::istringstream expected(page);
    std::ifstream found(path);
    for (std::string line, other; std::getline(expected, line); other.clear()) {
        std::getline(found, other);
        CHECK(other == line);
    }
    CHECK(found.peek() == std::ifstream::traits_type::eof());
}
