// Numbers of C++ on their way into tensors and out of them: what a type does not hold is refused by name.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "reel.hpp"

using namespace reel;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// An operation by which a number enters a tensor of a type.
struct Entry {
    const char* name;
    std::function<Tensor(DType, double)> f;
};

const std::vector<Entry>& entries() {
    static const std::vector<Entry> all = {
        {"full", [](DType t, double n) { return full({2}, n, t); }},
        {"full", [](DType t, double n) { return full_like(ones({2}, t), n); }},
        {"fill_", [](DType t, double n) { return ones({2}, t).fill_(n); }},
        {"tensor",
         [](DType t, double n) {
             return tensor({1.0, n}, t);
         }},
        {"tensor",
         [](DType t, double n) {
             return tensor(std::vector<double>{1.0, n}, t);
         }},
        {"masked_fill", [](DType t, double n) { return ones({2}, t).masked_fill(ones({2}, kBool), n); }},
        {"masked_fill", [](DType t, double n) { return ones({2}, t).masked_fill_(ones({2}, kBool), n); }},
        {"masked_fill",
         [](DType t, double n) { return ones({2}, t).masked_fill(ones({2}, kBool), tensor(n, kFloat64)); }},
        {"masked_fill",
         [](DType t, double n) { return ones({2}, t).masked_fill_(ones({2}, kBool), tensor(n, kFloat64)); }},
        {"scatter",
         [](DType t, double n) {
             return ones({2}, t).scatter(0, tensor({0, 1}), n);
         }},
        {"index_put_", [](DType t, double n) { return ones({2}, t).index_put_({0}, n); }},
        {"pad",
         [](DType t, double n) {
             return pad(ones({2}, t), {1, 1}, "constant", n);
         }},
        {"linspace", [](DType t, double n) { return linspace(0, n, 3, t); }},
    };
    return all;
}

bool rounds_to_infinity(const Entry& entry) {
    const std::string name = entry.name;
    return name == "full" || name == "fill_" || name == "tensor";
}

}  // namespace

TEST_CASE("numbers: what a type does not hold is refused by operation, number and type") {
    struct Row {
        DType dtype;
        double number;
        const char* printed;
    };
    for (const auto& [dtype, number, printed] :
         {Row{kInt64, kNan, "nan"}, Row{kInt64, kInf, "inf"}, Row{kInt64, 1e20, "1e+20"},
          Row{kInt64, -0x1.8p63, "-1.38"}, Row{kFloat32, 1e300, "1e+300"}, Row{kFloat32, -4e38, "-4e+38"},
          Row{kFloat16, -1e9, "-1e+09"}, Row{kBFloat16, 1e39, "1e+39"}}) {
        for (const Entry& entry : entries()) {
            CAPTURE(entry.name);
            CAPTURE(dtype);
            CAPTURE(number);
            if (is_reduced(dtype) && rounds_to_infinity(entry)) {
                CHECK(std::isinf(entry.f(dtype, number)[1].item()));
                continue;
            }
            std::string message;
            try {
                entry.f(dtype, number);
            } catch (const Error& error) {
                message = error.what();
            }
            for (const std::string& word :
                 {std::string(entry.name), std::string(printed), std::string(name(dtype))}) {
                CHECK_MESSAGE(message.find(word) != std::string::npos, message, " names no ", word);
            }
        }
    }
}

TEST_CASE("numbers: infinities and NaN are numbers of every floating type, and fractions are cut off") {
    for (const Entry& entry : entries()) {
        CAPTURE(entry.name);
        for (DType dtype : {kFloat16, kBFloat16, kFloat32, kFloat64}) {
            CHECK_NOTHROW(entry.f(dtype, kInf));
            CHECK_NOTHROW(entry.f(dtype, -kInf));
            CHECK_NOTHROW(entry.f(dtype, kNan));
        }
        CHECK(entry.f(kInt64, -2.9).amin().item<int>() == -2);
        CHECK_NOTHROW(entry.f(kInt64, -0x1p63));
    }
    CHECK(full({1}, 65519, kFloat16).item() == 65504);  // the nearest number, not one too many
    CHECK(full({1}, 3.4028235e38, kFloat32).item<float>() == std::numeric_limits<float>::max());
}

TEST_CASE("numbers: in arithmetic one enters in the type that is computed in") {
    const Tensor half = ones({1}, kFloat16);
    CHECK(std::isinf((half * 1e9).item()));
    CHECK((half * 1e9 * 0.5).item() == kInf);
    CHECK((half / 1e9).item() == 0);
    CHECK_THROWS_AS(half * 1e300, Error);
    CHECK_THROWS_AS(ones({1}) + 1e300, Error);
    CHECK_THROWS_AS(ones({1}).add(ones({1}), 1e300), Error);
    CHECK_THROWS_AS(where(ones({1}) > 0, ones({1}), 1e300), Error);
    CHECK_THROWS_AS(half.clamp(None, 1e9), Error);
    CHECK_THROWS_AS(half.clamp(-1e9), Error);
    CHECK_NOTHROW(half.clamp(-kInf, kInf));
    CHECK_THROWS_AS(ones({1}).clamp(None, 1e300), Error);
    CHECK_THROWS_AS(ones({1}).clamp(-1e300), Error);
    CHECK_THROWS_AS(ones({1}).clamp_(None, 1e300), Error);
    CHECK_THROWS_AS(leaky_relu(ones({1}), 1e300), Error);
    CHECK_THROWS_AS(nan_to_num(ones({1}), 1e300), Error);
    CHECK((tensor({1, 2}) * 1e20).dtype() == kFloat32);  // which holds it
}

TEST_CASE("numbers: comparing with one that is out of range is no error") {
    for (DType dtype : {kFloat16, kBFloat16, kFloat32}) {
        const Tensor x = ones({1}, dtype);
        CHECK((x < 1e300).item<bool>());
        CHECK((x > -1e300).item<bool>());
        CHECK((x != 1e300).item<bool>());
        CHECK_FALSE((x == 1e300).item<bool>());
        CHECK_FALSE((x >= 1e300).item<bool>());
    }
    CHECK((tensor({1}) < 1e20).item<bool>());
    CHECK_FALSE((tensor({1}) == kNan).item<bool>());
}

TEST_CASE("numbers: item and to_vector refuse what the type asked for does not hold") {
    CHECK_THROWS_WITH_AS(tensor(std::int64_t{3000000000}).item<int>(),
                         "item: the number 3000000000 does not fit into int32", Error);
    CHECK_THROWS_WITH_AS(tensor(kNan).item<std::int64_t>(), "item: the number nan does not fit into int64",
                         Error);
    CHECK_THROWS_AS(tensor(-1).item<unsigned>(), Error);
    CHECK_THROWS_AS(tensor(-1.5).item<std::uint8_t>(), Error);
    CHECK_THROWS_AS(tensor(256).item<std::uint8_t>(), Error);
    CHECK_THROWS_AS(full({}, 1e300, kFloat64).item<float>(), Error);
    CHECK_THROWS_AS(full({}, kInf, kFloat16).item<int>(), Error);
    CHECK_THROWS_AS(tensor({1.0, kInf}).to_vector<int>(), Error);
    CHECK_THROWS_AS(tensor({1, 300}).to_vector<std::int8_t>(), Error);
    CHECK(tensor(-0.5).item<unsigned>() == 0);
    CHECK(tensor(255.9).item<std::uint8_t>() == 255);
    CHECK(tensor(kNan).item<bool>());
    CHECK(std::isinf(tensor(kInf).item<float>()));
    CHECK(tensor(2.5).item() == 2.5);
    CHECK(std::is_same_v<decltype(tensor(1).item()), double>);
}

TEST_CASE("numbers: unsigned ones beyond int64 are refused wherever they come from") {
    const std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    CHECK_THROWS_AS(Scalar{most}, Error);
    CHECK_THROWS_AS(tensor(most), Error);
    CHECK_THROWS_AS(tensor(std::vector<std::uint64_t>{1, most}), Error);
    CHECK_THROWS_AS(ones({1}) * most, Error);
    CHECK_THROWS_AS(full({1}, most), Error);
    CHECK(tensor(std::vector<std::uint64_t>{most / 2})[0].item<std::uint64_t>() == most / 2);
    CHECK_THROWS_AS(Scalar(std::int64_t{1} << 62) * Scalar(4), Error);
    CHECK_THROWS_AS(-Scalar(std::numeric_limits<std::int64_t>::min()), Error);
}

TEST_CASE("numbers: to() converts what int64 does not hold as x86 and PyTorch do") {
    const std::int64_t least = std::numeric_limits<std::int64_t>::min();
    const std::vector<std::int64_t> y =
        tensor({1e20, kInf, -kInf, -1e20, kNan, 0x1p63, -0x1p63, -2.9}).to(kInt64).to_vector<std::int64_t>();
    CHECK(y == std::vector<std::int64_t>{least, least, least, least, least, least, least, -2});
}

TEST_CASE("numbers: every number becomes the same integer at every place") {
    const auto integer = [](double x) {
        const std::int64_t least = std::numeric_limits<std::int64_t>::min();
        return x >= -0x1p63 && x < 0x1p63 ? static_cast<std::int64_t>(x) : least;
    };
    std::vector<double> edges = {kNan, kInf, -kInf, 0.0, -0.0, 5e-324, 1 - 0x1p-53, -(1 - 0x1p-53)};
    for (const double power : {1.0, 0x1p23, 0x1p31, 0x1p50, 0x1p51, 0x1p52, 0x1p53, 0x1p62, 0x1p63, 0x1p64}) {
        for (const double x : {std::nextafter(power, 0.0), power, power + 0.5, std::nextafter(power, kInf)}) {
            edges.push_back(x);
            edges.push_back(-x);
        }
    }
    for (const DType dtype : {kFloat32, kFloat64}) {
        for (const double edge : edges) {
            for (const std::int64_t place : {0, 3, 7, 8, 18}) {
                const Tensor x = (arange(19, kFloat64) - 9.25).to(dtype);
                x.index_put_({place}, tensor(edge, kFloat64).to(dtype));
                std::vector<std::int64_t> expected;
                for (const double value : x.to_vector<double>()) expected.push_back(integer(value));
                CAPTURE(edge);
                CAPTURE(place);
                CHECK(x.to(kInt64).to_vector<std::int64_t>() == expected);
            }
        }
    }
}

TEST_CASE("numbers: wider types are rounded to 16 bits once") {
    // Beside a tie of float16 or bfloat16, where a float32 number on the way would be the tie itself.
    const std::vector<double> exact = {
        65519.999, 1.00048828125 + 1e-12, 1.00048828125 - 1e-12, -(1.00048828125 + 1e-12), 0x1p-25 + 0x1p-70,
        0x1p-25,   65520 - 0x1p-35};
    const std::vector<double> nearest = {65504, 1.0009765625, 1, -1.0009765625, 0x1p-24, 0, 65504};
    const Tensor wide = tensor(exact, kFloat64);
    for (const Tensor& y : {wide.to(kFloat16), tensor(exact, kFloat16), empty({7}, kFloat16).copy_(wide)}) {
        CHECK(y.to_vector<double>() == nearest);
    }
    for (std::size_t i = 0; i < exact.size(); ++i) {
        CHECK(full({1}, exact[i], kFloat16).item() == nearest[i]);
        CHECK(static_cast<double>(static_cast<float>(Half(exact[i]))) == nearest[i]);
    }
    const double tie = 1.00390625;  // of bfloat16: between 1 and 1.0078125
    CHECK(tensor({tie + 1e-12, tie, tie - 1e-12}, kFloat64).to(kBFloat16).to_vector<double>() ==
          std::vector<double>{1.0078125, 1, 1});
    const std::int64_t middle = (std::int64_t{1} << 62) + (std::int64_t{1} << 54);
    const Tensor whole = tensor({middle, middle + 1, -middle - 1, middle - 1});
    CHECK(whole.to(kBFloat16).to_vector<double>() ==
          std::vector<double>{0x1p62, 0x1.02p62, -0x1.02p62, 0x1p62});
    CHECK(full({1}, middle + 1, kBFloat16).item() == 0x1.02p62);
    CHECK(tensor({std::int64_t{65519}, std::int64_t{65520}}).to(kFloat16).to_vector<double>() ==
          std::vector<double>{65504, kInf});
}
