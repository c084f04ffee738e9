// What the fuzz targets have been given before, and some arbitrary bytes, the same ones in every run.
#include <doctest/doctest.h>

#include <fstream>
#include <random>

#include "tests/fuzz/fuzz.hpp"

using namespace reel;
using namespace reel::fuzz;

namespace {

using Input = std::vector<std::uint8_t>;

/// The inputs in corpus/NAME.txt, one a line, as hexadecimal digits.
std::vector<Input> corpus(const std::string& name) {
    std::ifstream file(REEL_TESTS "/fuzz/corpus/" + name + ".txt");
    std::vector<Input> inputs;
    for (std::string line; std::getline(file, line);) {
        Input& input = inputs.emplace_back();
        for (std::size_t i = 0; i + 1 < line.size(); i += 2)
            input.push_back(static_cast<std::uint8_t>(std::stoi(line.substr(i, 2), nullptr, 16)));
    }
    return inputs;
}

/// What the target has to say against the input; "" where it has nothing.
std::string fault(const Target& target, const Input& input) {
    try {
        target.run(Bytes(input));
    } catch (const std::exception& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("fuzz: the corpus") {
    for (const Target& target : targets()) {
        const std::string name = target.name;
        const std::vector<Input> inputs = corpus(name);
        CHECK_MESSAGE(inputs.size() >= 20, name);
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            INFO(name, ", line ", i + 1);
            CHECK(fault(target, inputs[i]) == "");
        }
    }
}

TEST_CASE("fuzz: arbitrary bytes") {
    constexpr int kInputs = 300;
    for (const Target& target : targets()) {
        std::mt19937 random(17);
        for (int i = 0; i < kInputs; ++i) {
            INFO(std::string(target.name), ", input ", i);
            Input input(random() % 64);
            for (std::uint8_t& byte : input) byte = static_cast<std::uint8_t>(random());
            CHECK(fault(target, input) == "");
        }
    }
}
