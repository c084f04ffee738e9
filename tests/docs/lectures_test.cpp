// docs/lectures.md names stops, examples, pages and exercises; the examples lead from one to the next.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path kRoot = fs::path(REEL_TESTS).parent_path();

std::string read(const fs::path& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

/// What the first group of `pattern` matches, one after the other.
std::vector<std::string> all(const std::string& text, const char* pattern) {
    const std::regex regex(pattern);
    std::vector<std::string> found;
    for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it)
        found.push_back((*it)[1]);
    return found;
}

/// Lines that are neither empty nor comments.
double code_lines(const std::vector<fs::path>& files) {
    double count = 0;
    for (const fs::path& file : files) {
        std::istringstream text(read(file));
        for (std::string line; std::getline(text, line);) {
            const std::size_t first = line.find_first_not_of(" \t");
            count += first != std::string::npos && line.compare(first, 2, "//") != 0;
        }
    }
    return count;
}

/// A number as a page writes it, with commas.
double told(const std::string& page, const char* pattern) {
    const auto found = all(page, pattern);
    REQUIRE(found.size() == 1);
    return std::stod(std::regex_replace(found[0], std::regex(","), ""));
}

}  // namespace

TEST_CASE("docs: README says how long the engine and the library are to a tenth") {
    std::vector<fs::path> engine, library;
    for (const char* name :
         {"tape.cpp", "in_place.cpp", "tape.hpp", "tape_state.hpp", "pullback.hpp", "chunked_array.hpp",
          "rewind.cpp", "rewind.hpp", "backward.cpp", "variable.cpp", "watch.cpp", "watch.hpp"})
        engine.push_back(kRoot / "autograd" / name);
    for (const char* folder : {"tensor", "autograd", "ops", "optim", "check"}) {
        if (!fs::is_directory(kRoot / folder)) continue;
        for (const auto& file : fs::recursive_directory_iterator(kRoot / folder)) {
            const std::string kind = file.path().extension().string();
            if (kind == ".cpp" || kind == ".hpp") library.push_back(file.path());
        }
    }
    const std::string readme = read(kRoot / "README.md");
    CHECK(told(readme, "rewind are some ([0-9,]+) lines") ==
          doctest::Approx(code_lines(engine)).epsilon(0.1));
    CHECK(told(readme, "whole library some ([0-9,]+)") == doctest::Approx(code_lines(library)).epsilon(0.1));
}

TEST_CASE("docs: the lectures take 45 minutes each and name what exists") {
    const std::string lectures = read(kRoot / "docs/lectures.md");
    const std::string tour = read(kRoot / "TOUR.md");
    const std::string pages = read(kRoot / "examples/17_pages.cpp");
    std::size_t count = 0;
    for (std::size_t at = lectures.find("\n## "); at != std::string::npos; ++count) {
        const std::size_t next = lectures.find("\n## ", at + 1);
        const std::string lecture = lectures.substr(at, next - at);
        CAPTURE(lecture);
        int minutes = 0;
        for (const std::string& number : all(lecture, "\n\\| ([0-9]+) \\|")) minutes += std::stoi(number);
        CHECK(minutes == 45);
        at = next;
    }
    CHECK(count == 3);
    for (const std::string& stops : all(lectures, "stops? ((?:[0-9]+a?(?: and )?)+)")) {
        for (const std::string& stop : all(stops, "([0-9]+a?)"))
            CHECK_MESSAGE(tour.find("\n## " + stop + ". ") != std::string::npos, "stop " << stop);
    }
    for (const std::string& file : all(lectures, "`(examples/[^`]+)`"))
        CHECK(fs::is_regular_file(kRoot / file));
    for (const std::string& page : all(lectures, "`([a-z]+\\.html)"))
        CHECK_MESSAGE(pages.find("/" + page) != std::string::npos, page);

    std::set<int> given, there;
    for (const std::string& list : all(lectures, "Exercises: ([0-9, ]+)")) {
        for (const std::string& number : all(list, "([0-9]+)")) CHECK(given.insert(std::stoi(number)).second);
    }
    for (const auto& file : fs::directory_iterator(kRoot / "exercises")) {
        const std::string name = file.path().filename().string();
        if (std::isdigit(name[0])) there.insert(std::stoi(name));
    }
    CHECK(given == there);
}

TEST_CASE("docs: each example names the next one and all are reached from the first") {
    std::set<std::string> there, reached;
    for (const auto& file : fs::directory_iterator(kRoot / "examples")) {
        const std::string name = file.path().filename().string();
        if (std::isdigit(name[0]) && name.ends_with(".cpp")) there.insert(name);
    }
    std::string name = "00_engine.cpp";
    while (reached.insert(name).second) {
        const auto next = all(read(kRoot / "examples" / name), "Next:(?:\n//)? ([0-9a-z_]+\\.cpp)");
        if (next.empty()) break;
        name = next[0];
    }
    CHECK(reached == there);
    const std::string page = read(kRoot / "examples/README.md"), readme = read(kRoot / "README.md");
    for (const std::string& example : there) {
        const std::string stem = example.substr(0, example.size() - 4);
        CAPTURE(stem);
        CHECK(page.find("\n## " + stem + "\n") != std::string::npos);
        CHECK(readme.find("`" + stem) != std::string::npos);
    }
}
