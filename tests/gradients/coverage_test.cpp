// No operation without a row: every name that the sources of ops/ hand to a function is the operation of some
// row, or stands below among those that leave nothing on the tape. A new operation is neither, until its
// author decides.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "tests/gradients/rows.hpp"

using namespace reel;
using namespace reel::testing;

namespace {

/// Results that are integer or bool, or do not change with the input; forms of an operation that records
/// itself under its own name (mm is a matmul, stack a cat, …).
const std::set<std::string> kUnrecorded = {
    "all",     "any", "argmax",      "argmin",      "bmm",        "count_nonzero", "dot",
    "dropout", "eq",  "equal",       "ge",          "gt",         "isfinite",      "isinf",
    "isnan",   "le",  "logical_and", "logical_not", "logical_or", "logical_xor",   "lt",
    "mm",      "mv",  "ne",          "one_hot",     "outer",      "stack",         "take_along_dim",
};

/// The first arguments of all calls in the sources of ops/ that look like the name of an operation.
std::set<std::string> names_in_sources() {
    const std::regex name(R"~(\(\s*"([a-z][a-z0-9_]*)"\s*[,)])~");
    std::set<std::string> names;
    const auto folder = std::filesystem::path(REEL_TESTS).parent_path() / "ops";
    for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
        const bool kernel = file.path().parent_path().filename() == "kernels";  // they know no operation
        if (file.path().extension() != ".cpp" || kernel) continue;
        std::ostringstream text;
        text << std::ifstream(file.path()).rdbuf();
        const std::string source = text.str();
        for (std::sregex_iterator at(source.begin(), source.end(), name), end; at != end; ++at) {
            names.insert((*at)[1]);
        }
    }
    return names;
}

}  // namespace

TEST_CASE("every operation that records itself has a row") {
    std::set<std::string> covered;
    for (const Row& row : all_rows()) {
        covered.insert(row.operation);
        std::vector<Tensor> leaves;
        for (const Tensor& input : row.inputs) {
            leaves.push_back(input.is_floating_point() ? input.clone().set_requires_grad() : input);
        }
        const Tape tape;
        row.f(leaves);
        for (const TapeNode& node : tape) {
            CHECK_MESSAGE(!kUnrecorded.contains(node.operation), node.operation,
                          " is listed as leaving nothing on the tape, but does");
        }
    }
    const std::set<std::string> names = names_in_sources();
    CHECK(names.size() > 100);
    for (const std::string& name : names) {
        CHECK_MESSAGE((covered.contains(name) || kUnrecorded.contains(name)), name, " has no row");
    }
}
