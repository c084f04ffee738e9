// The order of the house, read from the includes: which file may know of which. CONTRIBUTING.md says the
// rule.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path kRoot = fs::path(REEL_TESTS).parent_path();

/// The floors, from the ground up.
const std::vector<std::string> kFloors = {"check", "tensor", "autograd", "ops", "optim"};

/// The families of ops/: one may include those before it, and those of its own rank only if it is itself.
int rank(const std::string& family) {
    const std::vector<std::vector<std::string>> order = {{"kernels"},   {"pointwise"}, {"indexing"},
                                                         {"shape"},     {"reduce"},    {"softmax", "linalg"},
                                                         {"nn", "conv"}};
    for (std::size_t i = 0; i < order.size(); ++i) {
        if (std::find(order[i].begin(), order[i].end(), family) != order[i].end()) return static_cast<int>(i);
    }
    return -1;
}

/// A source file, as a path below the root, taken apart.
struct Room {
    fs::path path;
    std::string floor;
    std::string family;  ///< of ops/; empty elsewhere and in methods.cpp

    explicit Room(const fs::path& below_root) : path(below_root), floor(*below_root.begin()) {
        if (floor == "ops" && std::distance(path.begin(), path.end()) > 2) family = *std::next(path.begin());
    }
    bool is_kernel() const { return family == "kernels"; }
    bool is_driver() const { return path.stem().string().ends_with("_driver"); }
    /// Declarations that operations and drivers share; they know neither.
    bool is_shared() const { return path == "ops/softmax/reduction.hpp"; }
    bool is_operation() const { return floor == "ops" && !is_kernel() && !is_driver() && !is_shared(); }
};

/// Why `file` must not include `other`; empty where it may.
std::string objection(const Room& file, const Room& other) {
    const auto height = [](const Room& room) {
        return std::find(kFloors.begin(), kFloors.end(), room.floor) - kFloors.begin();
    };
    if (height(other) > height(file)) return "reaches up a floor";
    if (file.is_kernel() && other.floor != "tensor" && !other.is_kernel()) return "is a kernel";
    if (other.is_kernel() && file.floor != "ops") return "reaches a kernel past its driver";
    if (file.is_driver() && other.floor == "autograd") return "is a driver, and reaches the tape";
    if (file.is_driver() && other.is_operation()) return "is a driver, and reaches an operation";
    if (!file.family.empty() && !other.family.empty() && file.family != other.family &&
        rank(other.family) >= rank(file.family))
        return "reaches up the order of the families";
    return "";
}

/// What a file includes of ours, as paths below the root.
std::vector<fs::path> includes_of(const fs::path& file) {
    static const std::regex include(R"~(^#include "([^"]+)")~");
    std::vector<fs::path> found;
    std::ifstream text(kRoot / file);
    for (std::string line; std::getline(text, line);) {
        std::smatch match;
        if (!std::regex_search(line, match, include)) continue;
        const fs::path name = match[1].str();
        const fs::path beside = (file.parent_path() / name).lexically_normal();
        found.push_back(fs::exists(kRoot / beside) ? beside : name);
    }
    return found;
}

std::vector<fs::path> sources() {
    std::vector<fs::path> files;
    for (const std::string& floor : kFloors) {
        for (const auto& entry : fs::recursive_directory_iterator(kRoot / floor)) {
            const std::string extension = entry.path().extension().string();
            if (extension == ".hpp" || extension == ".cpp")
                files.push_back(fs::relative(entry.path(), kRoot));
        }
    }
    return files;
}

/// The classes that a header defines, with their namespaces.
std::set<std::string> classes_in(const fs::path& header) {
    static const std::regex opens(R"~(^namespace ([\w:]+) \{)~"), closes(R"~(^\}  // namespace)~");
    static const std::regex defines(R"~(^(?:struct|class) (\w+)(?: final)?(?: :[^;]*)? ?\{)~");
    std::vector<std::string> scopes;
    std::set<std::string> found;
    std::ifstream text(kRoot / header);
    for (std::string line; std::getline(text, line);) {
        std::smatch match;
        if (std::regex_search(line, match, opens)) scopes.push_back(match[1]);
        if (std::regex_search(line, match, closes) && !scopes.empty()) scopes.pop_back();
        if (!std::regex_search(line, match, defines)) continue;
        std::string name;
        for (const std::string& scope : scopes) name += scope + "::";
        found.insert(name + match[1].str());
    }
    return found;
}

/// The headers that a header reaches, itself included.
void reach(const fs::path& header, std::vector<fs::path>& reached) {
    if (std::find(reached.begin(), reached.end(), header) != reached.end()) return;
    reached.push_back(header);
    for (const fs::path& included : includes_of(header)) reach(included, reached);
}

}  // namespace

TEST_CASE("house: a file includes only what stands below it") {
    const std::vector<fs::path> files = sources();
    CHECK(files.size() > 100);
    for (const fs::path& path : files) {
        const Room file(path);
        CHECK_MESSAGE((file.floor != "ops" || file.path == "ops/methods.cpp" || rank(file.family) >= 0), path,
                      " is in no family");
        for (const fs::path& included : includes_of(path)) {
            const std::string reason = objection(file, Room(included));
            CHECK_MESSAGE(reason.empty(), path, " must not include ", included, ": it ", reason);
        }
    }
}

TEST_CASE("house: no two headers define one class, which a linker would take for the same") {
    std::map<std::string, fs::path> homes;
    for (const fs::path& path : sources()) {
        if (path.extension() != ".hpp") continue;
        for (const std::string& name : classes_in(path)) {
            const auto [home, is_new] = homes.emplace(name, path);
            CHECK_MESSAGE(is_new, name, " is defined in ", home->second, " and in ", path);
        }
    }
    CHECK(homes.size() > 100);
}

TEST_CASE("house: the rule about includes sees what it forbids") {
    const auto forbidden = [](const char* file, const char* other) {
        return !objection(Room(file), Room(other)).empty();
    };
    CHECK(forbidden("tensor/tensor.cpp", "autograd/tape.hpp"));
    CHECK(forbidden("autograd/tape.cpp", "ops/reduce/reduce.hpp"));
    CHECK(forbidden("ops/methods.cpp", "optim/optimizer.hpp"));
    CHECK(forbidden("ops/reduce/reduce_driver.cpp", "autograd/tape.hpp"));
    CHECK(forbidden("ops/reduce/reduce_driver.cpp", "ops/pointwise/arithmetic.hpp"));
    CHECK(forbidden("ops/softmax/softmax.cpp", "ops/nn/losses.hpp"));
    CHECK(forbidden("ops/softmax/softmax.cpp", "ops/linalg/matmul.hpp"));
    CHECK(forbidden("ops/kernels/scan.cpp", "ops/reduce/scan.hpp"));
    CHECK(forbidden("optim/optimizer.cpp", "ops/kernels/table.hpp"));
    CHECK_FALSE(forbidden("ops/softmax/softmax.cpp", "ops/reduce/reduce_driver.hpp"));
    CHECK_FALSE(forbidden("ops/methods.cpp", "ops/nn/losses.hpp"));
}

TEST_CASE("house: public headers include each other relative to themselves") {
    std::vector<fs::path> reached;
    reach("reel.hpp", reached);
    reach("tensor/xtensor.hpp", reached);
    reach("interop/dlpack.hpp", reached);
    reach("interop/mpi.hpp", reached);
    reach("check/check.hpp", reached);
    reach("interop/libtorch/reel.hpp", reached);
    CHECK(reached.size() > 30);
    static const std::regex include(R"~(^#include "([^"]+)")~");
    for (const fs::path& header : reached) {
        std::ifstream text(kRoot / header);
        REQUIRE_MESSAGE(text, header, " does not exist");
        for (std::string line; std::getline(text, line);) {
            std::smatch match;
            if (!std::regex_search(line, match, include)) continue;
            CHECK_MESSAGE(fs::exists(kRoot / header.parent_path() / match[1].str()), header, " includes \"",
                          match[1].str(), "\", which is no path relative to it");
        }
    }
}
