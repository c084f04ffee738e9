// The commands of the program `reel`, called as functions; `CMakeLists.txt` runs the program itself.
#include "cli/commands.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <regex>
#include <sstream>

#include "tests/directory.hpp"
#include "tests/gradients/rows.hpp"

using namespace reel;
using namespace reel::testing;

namespace {

using Inputs = std::vector<Tensor>;

/// sin(x), whose gradient is said to be `slope`(x).
Row sine(const char* name, Tensor (*slope)(const Tensor& x)) {
    return {name,
            "",
            [name, slope](const Inputs& x) {
                const Tensor at = x[0];
                return record(name, sin(at.detach()),
                              {{at, [at, slope](const Tensor& y_bar) { return y_bar * slope(at); }}});
            },
            {numbers({2, 3})}};
}

bool matches(const std::string& text, const std::string& pattern) {
    return std::regex_search(text, std::regex(pattern));
}

}  // namespace

TEST_CASE("reel gradcheck: right and wrong gradients, and what says so") {
    const Rows rows = {
        sine("right", [](const Tensor& x) { return cos(x); }),
        sine("wrong", [](const Tensor& x) { return cos(x) * 1.001; }),
        {"abs", "", [](const Inputs& x) { return abs(x[0]); }, {tensor({0.0, 1.0}, kFloat64)}}};
    std::ostringstream all;
    CHECK(cli::gradcheck(rows, "", all) == 1);
    CHECK_MESSAGE(matches(all.str(), R"(right +1 +match +\S+ +\S+ +0 +match)"), all.str());
    CHECK_MESSAGE(matches(all.str(), R"(wrong +1 +wrong +\S+ +\S+ +0 )"), all.str());
    CHECK_MESSAGE(matches(all.str(), R"(abs +1 +kink +\S+ +\S+ +1 )"), all.str());
    CHECK_MESSAGE(matches(all.str(), R"(\nwrong: FAILED \(wrong, seed 0\))"), all.str());

    std::ostringstream right;
    CHECK(cli::gradcheck(rows, "right", right) == 0);
    CHECK_MESSAGE(matches(right.str(), "1 operation, 1 row: every gradient is right"), right.str());
    CHECK(!matches(right.str(), "wrong "));

    std::ostringstream none;
    CHECK(cli::gradcheck(rows, "nothing like it", none) == 1);
    CHECK_MESSAGE(matches(none.str(), "no operation has 'nothing like it'"), none.str());
}

TEST_CASE("reel show: names, dtypes, shapes and statistics of safetensors and NPY files") {
    const Directory directory;
    const std::string model = directory / "show.safetensors";
    save_safetensors(model, {{"weight", tensor({{1.0, 2.0}, {3.0, 6.0}})},
                             {"count", tensor({-7, 7})},
                             {"holes", tensor({double(NAN), 4.0, double(INFINITY)}, kFloat64)},
                             {"nothing\n", zeros({0, 3})}});
    std::ostringstream out;
    CHECK(cli::show(model, out) == 0);
    const std::string text = out.str();
    // The standard deviation of 1, 2, 3, 6 is √3.5.
    CHECK_MESSAGE(matches(text, R"(weight +float32 +\[2, 2\] +4 +1 +6 +3 +1\.87083 +0\n)"), text);
    CHECK_MESSAGE(matches(text, R"(count +int64 +\[2\] +2 +-7 +7 +0 +7 +0\n)"), text);
    CHECK_MESSAGE(matches(text, R"(holes +float64 +\[3\] +3 +4 +4 +4 +0 +2\n)"), text);
    CHECK_MESSAGE(matches(text, R"(nothing\? +float32 +\[0, 3\] +0 +- +- +- +- +0\n)"), text);
    CHECK_MESSAGE(matches(text, "\n4 tensors, 9 elements\n"), text);

    const std::string array = directory / "show.npy";
    save_npy(array, tensor({true, false, true, true}));
    std::ostringstream npy;
    CHECK(cli::show(array, npy) == 0);
    CHECK_MESSAGE(matches(npy.str(), R"(\(array\) +bool +\[4\] +4 +0 +1 +0\.75 )"), npy.str());

    const std::string rubbish = directory / "show.txt";
    std::ofstream(rubbish) << "no tensors here, only words";
    CHECK_THROWS_AS(cli::show(rubbish, out), IoError);
    CHECK_THROWS_AS(cli::show("/no/such/file", out), IoError);
}

TEST_CASE("reel info: version, instruction set, threads") {
    std::ostringstream out;
    CHECK(cli::info(out) == 0);
    CHECK_MESSAGE(matches(out.str(), R"(version +\d+\.\d+\.\d+\n)"), out.str());
    CHECK_MESSAGE(matches(out.str(), R"(instruction set +(sse2|avx2|avx512|neon)\n)"), out.str());
    CHECK_MESSAGE(matches(out.str(), "threads +" + std::to_string(num_threads()) + "\n"), out.str());
}
