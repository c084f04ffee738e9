// What comments and pages point at exists: each file that they name, and each Note that they cite.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace {

namespace fs = std::filesystem;

const fs::path kRoot = fs::path(REEL_TESTS).parent_path();

/// The files of the house, as paths below the root.
std::set<std::string> files() {
    std::set<std::string> found;
    for (const char* folder : {"tensor", "autograd", "ops", "optim", "check", "tests", "examples", "cli",
                               "interop", "benchmarks", "cmake", "docs", "scripts"}) {
        for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder))
            if (entry.is_regular_file()) found.insert(fs::relative(entry.path(), kRoot).string());
    }
    for (const char* file : {"reel.hpp", "README.md", "TOUR.md", "CONTRIBUTING.md", "CMakeLists.txt"})
        found.insert(file);
    return found;
}

/// The part of a line that is a comment; all of it in a page.
std::string comment_of(const std::string& line, bool page) {
    if (page) return line;
    const std::size_t begin = line.find("//");
    return begin == std::string::npos ? "" : line.substr(begin);
}

}  // namespace

TEST_CASE("house: comments and pages name files that exist") {
    const std::regex quoted(R"~(`((?:[\w.]+/)*\w+\.(?:hpp|cpp|cmake|py|sh|js))`)~");
    const std::set<std::string> all = files();
    std::set<std::string> names;  // of files, with all ends of their paths
    for (const std::string& path : all) {
        for (std::size_t at = 0; at != std::string::npos; at = path.find('/', at + 1))
            names.insert(path.substr(at == 0 ? 0 : at + 1));
    }
    std::size_t seen = 0;
    for (const std::string& path : all) {
        const bool page = path.ends_with(".md");
        if (!page && !path.ends_with(".hpp") && !path.ends_with(".cpp")) continue;
        std::ifstream text(kRoot / path);
        for (std::string line; std::getline(text, line);) {
            const std::string comment = comment_of(line, page);
            for (std::sregex_iterator at(comment.begin(), comment.end(), quoted), end; at != end; ++at) {
                const std::string name =
                    (*at)[1].str().starts_with("./") ? (*at)[1].str().substr(2) : (*at)[1].str();
                if (name.starts_with("torch/")) continue;  // PyTorch's own
                ++seen;
                CHECK_MESSAGE(names.contains(name), path, " names ", name, ", which does not exist");
            }
        }
    }
    CHECK(seen > 50);
}

TEST_CASE("house: every Note that is cited is written somewhere") {
    const std::regex cited(R"~(Note \[([^\]"]+)\])~");
    const std::regex title(R"~((^|\n) *//+ Note \[([^\]]+)\] *\n)~");
    std::set<std::string> written;
    std::set<std::pair<std::string, std::string>> citations;
    for (const std::string& path : files()) {
        if (!path.ends_with(".md") && !path.ends_with(".hpp") && !path.ends_with(".cpp")) continue;
        std::ostringstream buffer;
        buffer << std::ifstream(kRoot / path).rdbuf();
        std::string text = buffer.str();
        for (std::sregex_iterator at(text.begin(), text.end(), title), end; at != end; ++at)
            written.insert((*at)[2]);
        text = std::regex_replace(text, std::regex(R"~(\n *//+ )~"),
                                  " ");  // a citation may be broken over two lines
        for (std::sregex_iterator at(text.begin(), text.end(), cited), end; at != end; ++at)
            citations.insert({path, (*at)[1]});
    }
    CHECK(written.size() > 5);
    for (const auto& [path, note] : citations) {
        if (note == "Name") continue;  // how one is cited, in words
        CHECK_MESSAGE(written.contains(note), path, " cites Note [", note, "], which is nowhere");
    }
}
