// Every operation against PyTorch: values, first and second gradients, in every layout. The tolerances are
// those of each family, in ulp.
#include <doctest/doctest.h>

#include <set>
#include <string>

#include "tests/battery/battery.hpp"

using namespace reel;
using namespace reel::testing;

namespace {

constexpr Tolerance kPointwise = {
    .value = 5, .first = 16, .second = 16, .value16 = 0.51, .first16 = 3, .by_size = false};

/// All cases of a family agree, and all its operations are in the table.
void check_family(const std::string& family, const Table& table, const Tolerance& tolerance) {
    for (const std::string& name : operations_of(family)) CHECK_MESSAGE(table.contains(name), name);
    for (const std::string& mismatch : mismatches(family, table, tolerance)) FAIL_CHECK(mismatch);
}

}  // namespace

TEST_CASE("battery: pointwise operations equal PyTorch's") {
    check_family("pointwise", pointwise_table(), kPointwise);
}

TEST_CASE("battery: reductions, scans and order equal PyTorch's") {
    check_family("reduce", reduce_table(),
                 {.value = 8, .first = 6, .second = 32, .value16 = 0.51, .first16 = 2});
}

TEST_CASE("battery: views, and tensors put together, equal PyTorch's") {
    check_family("shape", shape_table(),
                 {.value = 0.01, .first = 2, .second = 0, .value16 = 0.01, .first16 = 1, .by_size = false});
}

TEST_CASE("battery: indexing and changes in place equal PyTorch's") {
    check_family("index", index_table(),
                 {.value = 1, .first = 16, .second = 2, .value16 = 0.51, .first16 = 2});
}

TEST_CASE("battery: products equal PyTorch's") {
    check_family("linear", linear_table(),
                 {.value = 8, .first = 8, .second = 8, .value16 = 0.51, .first16 = 2});
}

TEST_CASE("battery: the softmax family and losses equal PyTorch's") {
    check_family("losses", losses_table(), {.value = 4, .first = 6, .second = 8, .value16 = 2, .first16 = 4});
}

TEST_CASE("battery: layers equal PyTorch's") {
    check_family("layers", layers_table(),
                 {.value = 4, .first = 32, .second = 64, .value16 = 2, .first16 = 12});
}

TEST_CASE("battery: what is wrong is noticed") {
    using Kinds = std::set<std::string>;
    // What the mismatches of a wrong exp are about.
    const auto kinds = [](const Operation& f) {
        Kinds found;
        for (const std::string& text : mismatches("pointwise", {{"exp", f}}, kPointwise)) {
            const std::size_t start = text.find(", ", text.find(" in layout ")) + 2;
            found.insert(text.substr(start, text.find(':', start) - start));
        }
        return found;
    };
    CHECK(kinds([](const Tensor& x) { return exp(x); }) == Kinds{});
    CHECK(kinds([](const Tensor& x) {
              const Tensor y = exp(x);
              x.detach().fill_(1);
              return y;
          }).contains("input"));
    CHECK(kinds([](const Tensor& x) { return exp(x).unsqueeze(0); }) == Kinds{"shape"});
    CHECK(kinds([](const Tensor& x) -> Tensor { throw Error("no " + std::to_string(x.dim())); }) ==
          Kinds{"error"});
    CHECK(kinds([](const Tensor& x) {
              return record("exp", exp(x.detach()) * (1 + 0x1p-20),
                            {{x, [x](const Tensor& g) { return g * exp(x); }}});
          }) == Kinds{"value"});
    CHECK(kinds([](const Tensor& x) {
              return record("exp", exp(x.detach()),
                            {{x, [](const Tensor& g, const Tensor& y) { return g * y * (1 + 0x1p-16); }}});
          }) == Kinds{"gradient", "second gradient"});
    CHECK(kinds([](const Tensor& x) {
              const Tensor without_history = exp(x.detach()).detach();
              return record("exp", exp(x.detach()),
                            {{x, [without_history](const Tensor& g) { return g * without_history; }}});
          }) == Kinds{"second gradient"});
}
