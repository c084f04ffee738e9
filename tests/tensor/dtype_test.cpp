// Element types: promotion and rounding against PyTorch, the 16-bit types over all their patterns.
#include "tensor/dtype.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <sstream>

#include "files.hpp"

using namespace reel;
using namespace reel::testing;

namespace {

Promotable operand(const std::string& dtype, const std::string& rank) {
    using Rank = Promotable::Rank;
    return {dtype_named(dtype), rank == "dim"    ? Rank::kDimensioned
                                : rank == "zero" ? Rank::kZeroDim
                                                 : Rank::kScalar};
}

float float_of(std::uint32_t bits) { return std::bit_cast<float>(bits); }

/// The value of a pattern of `exponent_bits` and `fraction_bits`, from the definition of the format.
double value_of(unsigned pattern, int exponent_bits, int fraction_bits) {
    const int bias = (1 << (exponent_bits - 1)) - 1;
    const int exponent = static_cast<int>(pattern >> fraction_bits) & ((1 << exponent_bits) - 1);
    const double fraction =
        std::ldexp(static_cast<double>(pattern & ((1u << fraction_bits) - 1)), -fraction_bits);
    const double sign = pattern & 0x8000u ? -1 : 1;
    if (exponent == (1 << exponent_bits) - 1) return fraction == 0 ? sign * HUGE_VAL : std::nan("");
    if (exponent == 0) return sign * std::ldexp(fraction, 1 - bias);
    return sign * std::ldexp(1 + fraction, exponent - bias);
}

/// Every pattern has its value and comes back; what lies between two neighbours goes to the nearer, from the
/// middle to the even one.
template <class T>
void check_all_patterns(int exponent_bits, int fraction_bits) {
    const unsigned infinity = ((1u << exponent_bits) - 1) << fraction_bits;
    int wrong = 0;
    for (unsigned pattern = 0; pattern <= 0xffff; ++pattern) {
        T stored;
        stored.bits = static_cast<std::uint16_t>(pattern);
        const auto value = static_cast<float>(stored);
        const double expected = value_of(pattern, exponent_bits, fraction_bits);
        if (std::isnan(expected)) {
            wrong += !std::isnan(value) || !std::isnan(static_cast<float>(T(value)));
            continue;
        }
        wrong += std::bit_cast<std::uint64_t>(static_cast<double>(value)) !=
                 std::bit_cast<std::uint64_t>(expected);
        wrong += T(value).bits != pattern;
        const unsigned magnitude = pattern & 0x7fffu;
        if (magnitude >= infinity) continue;
        // The neighbour away from zero; above the largest number, where it would be.
        const double step = value_of(magnitude == 0 ? 1 : magnitude, exponent_bits, fraction_bits) -
                            value_of(magnitude == 0 ? 0 : magnitude - 1, exponent_bits, fraction_bits);
        const double next = magnitude + 1 < infinity ? value_of(magnitude + 1, exponent_bits, fraction_bits)
                                                     : std::abs(expected) + step;
        const auto middle = std::copysign(static_cast<float>((std::abs(expected) + next) / 2), value);
        const unsigned up = pattern + 1;
        wrong += T(middle).bits != (pattern & 1u ? up : pattern);
        wrong += T(std::nextafter(middle, 0.0f)).bits != pattern;
        wrong += T(std::nextafter(middle, std::copysign(HUGE_VALF, value))).bits != up;
    }
    CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("dtype: promotion over all pairs is PyTorch's") {
    int pairs = 0;
    for (const std::string& line : fixture_lines("basics.txt")) {
        std::istringstream words(line);
        std::string kind, a, rank_a, b, rank_b, expected;
        words >> kind >> a >> rank_a >> b >> rank_b >> expected;
        if (kind != "promote") continue;
        CAPTURE(line);
        const DType result = result_type({operand(a, rank_a), operand(b, rank_b)});
        CHECK(result == dtype_named(expected));
        if (rank_a == "dim" && rank_b == "dim") CHECK(promote(dtype_named(a), dtype_named(b)) == result);
        ++pairs;
    }
    CHECK(pairs == 225);
}

TEST_CASE("dtype: operations promote likewise") {
    const Tensor whole = tensor({1, 2});
    CHECK((whole + 1).dtype() == kInt64);
    CHECK((whole + 1.5).dtype() == kFloat32);
    CHECK((whole / 2).dtype() == kFloat32);
    CHECK((whole.to(kFloat16) * 1.5).dtype() == kFloat16);
    CHECK((whole.to(kFloat16) + ones({2}, kBFloat16)).dtype() == kFloat32);
    CHECK((whole.to(kBFloat16) + tensor(1.0).to(kFloat64)).dtype() == kBFloat16);
    CHECK((whole.to(kBool) + true).dtype() == kBool);
    CHECK((whole.to(kBool) + 1).dtype() == kInt64);
}

TEST_CASE("dtype: float16 over all its patterns") { check_all_patterns<Half>(5, 10); }
TEST_CASE("dtype: bfloat16 over all its patterns") { check_all_patterns<BFloat16>(8, 7); }

TEST_CASE("dtype: rounding to 16 bits is PyTorch's, by hand and in tensors") {
    std::vector<float> values;
    std::vector<std::uint16_t> halves;
    std::vector<std::uint16_t> brains;
    for (const std::string& line : fixture_lines("basics.txt")) {
        std::istringstream words(line);
        std::string kind, bits, half, brain;
        words >> kind >> bits >> half >> brain;
        if (kind != "round") continue;
        const auto number = [](const std::string& hex) {
            return static_cast<std::uint32_t>(std::stoul(hex, nullptr, 16));
        };
        values.push_back(float_of(number(bits)));
        halves.push_back(static_cast<std::uint16_t>(number(half)));
        brains.push_back(static_cast<std::uint16_t>(number(brain)));
    }
    REQUIRE(values.size() > 3000);
    const Tensor x = tensor(values);
    const Tensor to_half = x.to(kFloat16);
    const Tensor to_brain = x.to(kBFloat16);
    int wrong = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        wrong += Half(values[i]).bits != halves[i] || to_half.data_ptr<Half>()[i].bits != halves[i];
        wrong += BFloat16(values[i]).bits != brains[i] || to_brain.data_ptr<BFloat16>()[i].bits != brains[i];
    }
    CHECK(wrong == 0);
    const std::vector<float> back = to_half.to(kFloat32).to_vector<float>();
    for (std::size_t i = 0; i < back.size(); ++i) wrong += !(back[i] == static_cast<float>(Half(values[i])));
    CHECK(wrong == 0);
    for (const float nan : {float_of(0x7f800001), float_of(0xff800001), float_of(0x7fffffff)}) {
        CHECK(std::isnan(static_cast<float>(Half(nan))));
        CHECK(std::isnan(static_cast<float>(BFloat16(nan))));
    }
}

TEST_CASE("dtype: numbers of C++ have a category and no width") {
    CHECK(Scalar(true).dtype() == kBool);
    CHECK(Scalar('a').dtype() == kInt64);
    CHECK(Scalar(std::size_t{3}).dtype() == kInt64);
    CHECK(Scalar(1.5f).dtype() == kFloat64);
    CHECK((Scalar(2) * Scalar(1.5)).to<double>() == 3);
    CHECK((Scalar(2) * Scalar(3)).dtype() == kInt64);
    CHECK((Scalar(true) * Scalar(1)).dtype() == kBool);
    CHECK((-Scalar(2.5)).to<int>() == -2);
    CHECK(Scalar(0.25).to<bool>());
    CHECK(Scalar(std::int64_t{1} << 62).to<std::int64_t>() == std::int64_t{1} << 62);
    std::ostringstream out;
    out << Scalar(true) << ' ' << Scalar(-3) << ' ' << Scalar(0.5) << ' ' << kBFloat16;
    CHECK(out.str() == "true -3 0.5 bfloat16");
}
