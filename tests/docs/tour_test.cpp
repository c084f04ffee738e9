// TOUR.md names files, what to read in them, tests to run and lines to break. All of it must exist.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

std::size_t count(const std::string& text, const std::string& what) {
    std::size_t n = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + what.size()))
        ++n;
    return n;
}

/// The parts of a line that stand in backquotes.
std::vector<std::string> backquoted(const std::string& line) {
    static const std::regex quotes("`([^`]+)`");
    std::vector<std::string> parts;
    for (std::sregex_iterator it(line.begin(), line.end(), quotes), end; it != end; ++it)
        parts.push_back((*it)[1]);
    return parts;
}

/// The sources of all tests, one after the other.
std::string all_tests(const fs::path& root) {
    std::string text;
    for (const auto& entry : fs::recursive_directory_iterator(root / "tests")) {
        if (entry.path().extension() == ".cpp" || entry.path().filename() == "CMakeLists.txt")
            text += read(entry.path());
    }
    return text;
}

}  // namespace

TEST_CASE("docs: every file, name, test and line of TOUR.md exists") {
    const fs::path root = fs::path(REEL_TESTS).parent_path();
    const std::string tests = all_tests(root);
    const auto is_test = [&](const std::string& name) {  // a test case, or an example that is one
        return count(tests, "TEST_CASE(\"" + name + "\")") == 1 ||
               fs::is_regular_file(root / (name + ".cpp"));
    };
    std::istringstream tour(read(root / "TOUR.md"));
    std::string file_text;
    std::size_t reads = 0, runs = 0, breaks = 0;
    for (std::string line; std::getline(tour, line);) {
        CAPTURE(line);
        const auto parts = backquoted(line);
        if (line.starts_with("- Read: ")) {
            ++reads;
            for (const std::string& part : parts) {
                CAPTURE(part);
                if (fs::is_regular_file(root / part)) {
                    file_text = read(root / part);
                } else {
                    CHECK(count(file_text, part) > 0);  // a name in the file before it
                }
            }
        } else if (line.starts_with("- Run: ")) {
            ++runs;
            REQUIRE(parts.size() == 1);
            CHECK(is_test(parts[0]));
        } else if (line.starts_with("- Break: ")) {
            ++breaks;
            REQUIRE(parts.size() == 4);  // file, what stands there, what to write, the test that goes red
            CHECK(count(read(root / parts[0]), parts[1]) == 1);
            CHECK(is_test(parts[3]));
        }
    }
    CHECK(reads >= 10);
    CHECK(runs == reads);
    CHECK(breaks == reads);
}
