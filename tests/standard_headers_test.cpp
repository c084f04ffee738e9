// What a file uses of the standard library, it gets from a header that names it: another version of the library has
// other headers behind its headers. (GCC 14 builds what leans on them here no more.)
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path kRoot = fs::path(REEL_TESTS).parent_path();

/// What is used, by header. The headers behind every other one (cstddef, utility, …) are left out.
const std::map<std::string, std::vector<std::string>> kNames = {
    {"algorithm", {"max(",      "min(",         "sort(",        "stable_sort(", "find(",       "find_if(",
                   "any_of(",   "all_of(",      "none_of(",     "count(",       "count_if(",   "copy(",
                   "copy_n(",   "fill(",        "fill_n(",      "transform(",   "generate(",   "reverse(",
                   "rotate(",   "unique(",      "lower_bound(", "upper_bound(", "clamp(",      "equal(",
                   "mismatch(", "max_element(", "min_element(", "remove_if(",   "nth_element("}},
    {"array", {"array<"}},
    {"atomic", {"atomic<"}},
    {"chrono", {"chrono::"}},
    {"cmath", {"abs(",      "sqrt(",   "exp(",   "log(",   "log2(",     "log10(", "pow(",       "floor(",
               "ceil(",     "round(",  "isnan(", "isinf(", "isfinite(", "fma(",   "sin(",       "cos(",
               "tan(",      "tanh(",   "erf(",   "ldexp(", "frexp(",    "ilogb(", "nextafter(", "signbit(",
               "copysign(", "lround(", "fmod(",  "hypot(", "expm1(",    "log1p(", "trunc(",     "cbrt("}},
    {"cstdlib", {"getenv(", "abort(", "exit(", "strtod(", "strtol(", "atoi("}},
    {"cstring", {"memcpy(", "memset(", "memcmp(", "strlen(", "strcmp(", "memmove("}},
    {"filesystem", {"filesystem::"}},
    {"fstream", {"ifstream", "ofstream"}},
    {"functional", {"function<"}},
    {"iomanip", {"setw(", "setprecision("}},
    {"iostream", {"cout", "cerr"}},
    {"limits", {"numeric_limits<"}},
    {"map", {"map<"}},
    {"memory", {"unique_ptr<", "shared_ptr<", "make_unique<", "make_shared<"}},
    {"mutex", {"mutex", "lock_guard"}},
    {"numeric", {"accumulate(", "iota(", "inner_product(", "gcd("}},
    {"optional", {"optional<", "nullopt"}},
    {"random", {"mt19937", "normal_distribution<"}},
    {"set", {"set<"}},
    {"span", {"span<", "as_bytes("}},
    {"sstream", {"ostringstream", "istringstream", "stringstream"}},
    {"string", {"string ", "to_string("}},
    {"string_view", {"string_view"}},
    {"thread", {"thread"}},
    {"tuple", {"tuple<", "tie("}},
    {"vector", {"vector<"}},
};

struct Source {
    std::string code;                ///< without comments and includes
    std::set<std::string> standard;  ///< headers that it names
    std::vector<fs::path> ours;
};

const Source& source(const fs::path& file) {
    static std::map<fs::path, Source> read;
    const auto [place, is_new] = read.try_emplace(file);
    Source& found = place->second;
    if (!is_new) return found;
    std::ifstream text(kRoot / file);
    for (std::string line; std::getline(text, line);) {
        if (!line.starts_with("#include ")) {
            found.code += line.substr(0, line.find("//")) + '\n';
            continue;
        }
        const std::string name = line.substr(10, line.find_first_of(">\"", 10) - 10);
        fs::path header = name.starts_with("reel/") ? fs::path(name.substr(5)) : fs::path(name);
        if (name == "reel.hpp" || name.starts_with("reel/")) header = "reel.hpp";
        const fs::path beside = (file.parent_path() / header).lexically_normal();
        if (fs::exists(kRoot / beside)) {
            found.ours.push_back(beside);
        } else if (fs::exists(kRoot / header)) {
            found.ours.push_back(header);
        } else {
            found.standard.insert(name);
        }
    }
    return found;
}

/// The standard headers that a file and the headers of ours that it reaches name.
void reach(const fs::path& file, std::set<fs::path>& seen, std::set<std::string>& standard) {
    if (!seen.insert(file).second) return;
    standard.insert(source(file).standard.begin(), source(file).standard.end());
    for (const fs::path& header : source(file).ours) reach(header, seen, standard);
}

}  // namespace

TEST_CASE("house: what a file uses of the standard library it includes") {
    std::size_t files = 0;
    for (const char* folder : {"tensor", "autograd", "ops", "optim", "check", "cli", "examples", "exercises",
                               "benchmarks", "interop", "tests"}) {
        for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
            const std::string kind = entry.path().extension().string();
            if (kind != ".cpp" && kind != ".hpp") continue;
            const fs::path file = fs::relative(entry.path(), kRoot);
            std::set<fs::path> seen;
            std::set<std::string> standard;
            reach(file, seen, standard);
            ++files;
            for (const auto& [header, names] : kNames) {
                if (standard.contains(header)) continue;
                for (const std::string& name : names) {
                    CHECK_MESSAGE(source(file).code.find("std::" + name) == std::string::npos, file,
                                  " uses std::", name, " without <", header, ">");
                }
            }
        }
    }
    CHECK(files > 300);
}
