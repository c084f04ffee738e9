// A tape read from outside.
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "reel.hpp"
#include "tests/directory.hpp"

using namespace reel;

namespace {

/// Two leaves, a constant, and three operations.
struct Example {
    Tensor w = ones({2, 3}).set_requires_grad();
    Tensor b = ones({3}).set_requires_grad();
    Tensor x = full({2, 3}, 2.0);
    Tape tape;
    Tensor loss = (w * x + b).sum();
};

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
}

}  // namespace

TEST_CASE("a tape lists its nodes in order with inputs and shapes and bytes") {
    const Example e;
    REQUIRE(e.tape.size() == 3);
    const TapeNode mul = e.tape[0];
    CHECK(mul.operation == "mul");
    CHECK(mul.shape == Shape{2, 3});
    CHECK(mul.dtype == kFloat32);
    REQUIRE(mul.inputs.size() == 1);  // x is a constant
    CHECK(mul.inputs[0].node == -1);
    CHECK(mul.inputs[0].shape == Shape{2, 3});
    CHECK(mul.bytes_kept == 24);  // x, for the gradient of w; w would be for x
    const TapeNode add = e.tape[1];
    REQUIRE(add.inputs.size() == 2);
    CHECK(add.inputs[0].node == 0);
    CHECK(add.inputs[1].node == -1);
    CHECK(add.inputs[1].shape == Shape{3});
    CHECK(add.bytes_kept == 0);
    CHECK(e.tape[2].operation == "sum");
    CHECK_THROWS_AS(e.tape[3], IndexError);
    std::vector<std::string> names;
    for (const TapeNode& node : e.tape) names.push_back(node.operation);
    CHECK(names == std::vector<std::string>{"mul", "add", "sum"});
}

TEST_CASE("bytes kept count each storage once, and none after the rewind") {
    const auto w = ones({10}).set_requires_grad();
    Tape tape;
    const auto y = exp(w) * exp(w.detach());
    const auto z = y * y;
    const auto loss = z.sum() + y.view({2, 5}).sum();
    CHECK(tape[0].bytes_kept == 40);  // exp keeps its output
    CHECK(tape[1].bytes_kept == 40);  // mul keeps the constant factor
    CHECK(tape[2].bytes_kept == 40);  // y, for both sides
    CHECK(tape.bytes_kept() == 120);
    loss.backward();
    CHECK(tape.bytes_kept() == 0);
    for (const TapeNode& node : tape) {
        CHECK(node.freed);
        CHECK(node.bytes_kept == 0);
    }
}

TEST_CASE("a tape prints as a table") {
    const Example e;
    std::ostringstream before;
    before << e.tape;
    CHECK(before.str() ==
          "number  operation  inputs    shape   bytes kept\n"
          "0       mul        leaf0     [2, 3]  24\n"
          "1       add        0, leaf1  [2, 3]  0\n"
          "2       sum        1         []      0\n");
    e.loss.backward();
    std::ostringstream after;
    after << e.tape;
    CHECK(count(after.str(), "freed") == 3);
}

TEST_CASE("a tape is a graph in Graphviz's language") {
    const Example e;
    record("a \"quoted\" name", e.w.detach().clone(), {{e.w, [](const Tensor& g) { return g; }}});
    const std::string dot = e.tape.to_dot();
    CHECK(dot.rfind("digraph tape {\n", 0) == 0);
    CHECK(count(dot, "label=") == 6);
    CHECK(count(dot, "->") == 5);
    for (const char* edge : {"leaf0 -> 0;", "0 -> 1;", "leaf1 -> 1;", "1 -> 2;", "leaf0 -> 3;"}) {
        CHECK_MESSAGE(count(dot, edge) == 1, edge);
    }
    CHECK(count(dot, "3: a \\\"quoted\\\" name") == 1);
    if (std::system("command -v dot > /dev/null 2>&1") == 0) {
        const testing::Directory directory;
        const std::string file = directory / "tape.dot";
        std::ofstream(file) << dot;
        CHECK(std::system(("dot -Tsvg -o /dev/null " + file).c_str()) == 0);
    }
}

TEST_CASE("a tape's table is as long as its nodes, not as its widest row times its nodes") {
    const Tensor x = ones({1}).set_requires_grad();
    const Tape tape;
    std::vector<Tensor> parts;
    for (int i = 0; i < 2000; ++i) parts.push_back(x * 2);
    const Tensor y = cat(parts) * 3;
    std::ostringstream out;
    out << tape;
    CHECK(out.str().size() < 200'000);
    CHECK(out.str().find("1998, 1999") != std::string::npos);
}
