// TOUR.md names files, what to read in them, tests to run and lines to break. All of it must exist.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "tests/program.hpp"

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

/// How many cases of this program `-tc=name` selects, with those that a build with a BLAS skips. It is asked itself, as the
/// reader will ask it.
int selected(const std::string& name) {
    const std::string command =
        std::string("\"") + test_program + "\" --count --no-skip -tc=\"" + name + "\"";
    FILE* answer = popen(command.c_str(), "r");
    REQUIRE(answer != nullptr);
    std::string text;
    for (int c = std::fgetc(answer); c != EOF; c = std::fgetc(answer)) text += static_cast<char>(c);
    pclose(answer);
    std::smatch count;
    REQUIRE_MESSAGE(std::regex_search(text, count, std::regex("current filters: (\\d+)")), text);
    return std::stoi(count[1]);
}

/// Whether `file` is the next one that a reader meets after those of `way`: one of them includes it or its header, or is
/// included by it, or it is a kernel and the table of kernels is among them.
bool is_joined(const fs::path& root, const fs::path& file, const std::vector<fs::path>& way) {
    const auto includes = [&](const fs::path& from, fs::path what) {
        const std::string text = read(root / from);
        const fs::path header = what.replace_extension(".hpp");
        return text.find("#include \"" + header.string() + "\"") != std::string::npos ||
               text.find("#include \"" + header.lexically_relative(from.parent_path()).string() + "\"") !=
                   std::string::npos;
    };
    return std::any_of(way.begin(), way.end(), [&](const fs::path& met) {
        return includes(met, file) || includes(file, met) ||
               (met == "ops/kernels/table.hpp" && file.parent_path() == "ops/kernels");
    });
}

/// Whether `part`, a name or its beginning, is defined in `text` and not only mentioned: as a type, as a
/// function, as a Note.
bool is_defined(const std::string& text, const std::string& part) {
    if (part.starts_with("Note [")) return text.find("// " + part + "\n") != std::string::npos;
    const std::string name = part.substr(part.find_last_of(" :") + 1);
    const std::string bare = name.substr(0, name.find('('));
    const std::regex definition("(^|\n)[^/\n;]*\\b(struct|class) " + bare + "\\b[^;]*\\{|(^|\n)[^/\n;=]*\\b" +
                                bare + "\\([^;{]*(\\{|;)");
    return text.find(part) != std::string::npos && std::regex_search(text, definition);
}

}  // namespace

TEST_CASE(
    "docs: a reader follows a loss to its gradient through at most 25 files, each joined to one before it") {
    const fs::path root = fs::path(REEL_TESTS).parent_path();
    std::istringstream tour(read(root / "TOUR.md"));
    std::vector<fs::path> way;
    for (std::string line; std::getline(tour, line);) {
        if (!line.starts_with("- Way: ")) continue;
        for (const std::string& file : backquoted(line)) {
            CAPTURE(file);
            CHECK(fs::is_regular_file(root / file));
            CHECK((way.empty() || is_joined(root, file, way)));
            way.emplace_back(file);
        }
    }
    CHECK(way.size() > 10);
    CHECK(way.size() <= 25);
}

TEST_CASE("docs: every file, name, test and line of TOUR.md exists") {
    const fs::path root = fs::path(REEL_TESTS).parent_path();
    const auto is_test = [&](const std::string& name) {  // one test case, or an example that is a test
        return fs::is_regular_file(root / (name + ".cpp")) || selected(name) == 1;
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
                    CHECK(is_defined(file_text, part));  // in the file before it
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
