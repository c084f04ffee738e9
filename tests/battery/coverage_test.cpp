// No operation without a case: every name that a public header of ops/ declares with a tensor as its result
// has one in the battery. Methods forward to these functions.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "tests/battery/battery.hpp"

using namespace reel::testing;

namespace {

std::string text_of(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

/// What Tensor declares beside operations: handles, questions, autograd, chance.
const std::set<std::string> kNoOperations = {
    "operator",       "add_hook",
    "bernoulli",      "defined",
    "dense_constant", "empty",
    "from_handle",    "grad",
    "is_contiguous",  "is_floating_point",
    "is_leaf",        "is_same",
    "make",           "make_view",
    "multinomial",    "requires_grad",
    "requires_grad_", "set_requires_grad",
    "shares_storage", "tensor",
};

std::set<std::string> matches(const std::string& text, const char* pattern) {
    const std::regex wanted(pattern);
    std::set<std::string> names;
    for (std::sregex_iterator at(text.begin(), text.end(), wanted), end; at != end; ++at)
        names.insert((*at)[1]);
    return names;
}

/// The functions in the headers of ops/ that reel.hpp reaches.
std::set<std::string> declared(const std::filesystem::path& header, std::set<std::filesystem::path>& seen) {
    if (!seen.insert(header).second) return {};
    const auto root = std::filesystem::path(REEL_TESTS).parent_path();
    const std::string text = text_of(root / header);
    std::set<std::string> names;
    if (*header.begin() == "ops") {
        names = matches(
            text, R"~(\n(?:inline )?(?:Tensor|ValuesIndices|bool|std::vector<Tensor>) ([a-z][a-z0-9_]*)\()~");
    }
    for (const std::string& included : matches(text, R"~(#include "([a-z0-9_/.]+\.hpp)")~")) {
        names.merge(declared((header.parent_path() / included).lexically_normal(), seen));
    }
    return names;
}

std::set<std::string> methods() {
    const std::string text = text_of(std::filesystem::path(REEL_TESTS).parent_path() / "tensor/tensor.hpp");
    std::set<std::string> names = matches(
        text,
        R"~(\n    (?:const |static )?(?:Tensor&?|ValuesIndices|bool|std::vector<Tensor>) ([a-z][a-z0-9_]*)\()~");
    for (const std::string& name : kNoOperations) names.erase(name);
    return names;
}

}  // namespace

TEST_CASE("battery: every operation has a case") {
    std::set<std::filesystem::path> seen;
    std::set<std::string> names = declared("reel.hpp", seen);
    CHECK(names.size() > 100);
    names.merge(methods());
    for (const std::string& name : kNoOperations) names.erase(name);
    std::set<std::string> covered;
    for (const auto& file : std::filesystem::directory_iterator(REEL_TESTS "/fixtures/battery")) {
        const std::string family = file.path().stem();
        if (file.path().extension() == ".json" && family != "pools") covered.merge(operations_of(family));
    }
    for (const std::string& name : names) CHECK_MESSAGE(covered.contains(name), name, " has no case");
}
