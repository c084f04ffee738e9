// Conversions to and from the 16-bit types: to the nearest, ties to even, over all of their numbers.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "reel.hpp"

using namespace reel;

namespace {

/// All finite numbers of the type from 0 up, in order, as float32; the bits are those of 0, 1, 2, …
std::vector<float> all_numbers(DType dtype, std::int64_t infinity) {
    const Tensor bits = empty({infinity}, dtype);
    for (std::int64_t i = 0; i < infinity; ++i) {
        const auto pattern = static_cast<std::uint16_t>(i);
        std::memcpy(bits.raw() + 2 * i, &pattern, sizeof(pattern));
    }
    return bits.to(kFloat32).to_vector<float>();
}

/// What `x` becomes in the type, as the count of its number from 0 up.
std::vector<std::int64_t> rounded(const std::vector<float>& x, DType dtype) {
    const Tensor y = tensor(x).to(dtype);
    std::vector<std::int64_t> counts;
    for (std::int64_t i = 0; i < y.numel(); ++i) {
        std::uint16_t pattern = 0;
        std::memcpy(&pattern, y.raw() + 2 * i, sizeof(pattern));
        counts.push_back(pattern);
    }
    return counts;
}

void check_rounding(DType dtype, std::int64_t infinity, float largest) {
    const std::vector<float> numbers = all_numbers(dtype, infinity);
    CHECK(numbers.back() == largest);
    std::vector<float> ties, above, below;
    for (std::size_t i = 0; i + 1 < numbers.size(); ++i) {
        const float middle = numbers[i] + (numbers[i + 1] - numbers[i]) / 2;
        ties.push_back(middle);
        above.push_back(std::nextafter(middle, std::numeric_limits<float>::infinity()));
        below.push_back(std::nextafter(middle, 0.0F));
    }
    const auto exact = rounded(numbers, dtype);
    const auto at_ties = rounded(ties, dtype);
    const auto from_above = rounded(above, dtype);
    const auto from_below = rounded(below, dtype);
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i + 1 < infinity; ++i) {
        const auto k = static_cast<std::size_t>(i);
        wrong += exact[k] != i || at_ties[k] != i + i % 2 || from_above[k] != i + 1 || from_below[k] != i;
    }
    CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("float16 takes the nearest number, ties to even, subnormal ones too") {
    check_rounding(kFloat16, 0x7c00, 65504);
    const Tensor x = tensor({65519.0, 65520.0, -65520.0, 1e30, -0.0, 0x1p-25, 0x1.8p-25}).to(kFloat16);
    const std::vector<float> y = x.to_vector<float>();
    const float inf = std::numeric_limits<float>::infinity();
    CHECK(y == std::vector<float>{65504, inf, -inf, inf, -0.0F, 0, 0x1p-24F});
    CHECK(std::signbit(y[4]));
}

TEST_CASE("bfloat16 takes the nearest number, ties to even") {
    check_rounding(kBFloat16, 0x7f80, 0x1.fep127F);
    CHECK(std::isinf(tensor({0x1.ffp127}).to(kBFloat16).item<float>()));
}

TEST_CASE("NaN and infinities survive every conversion") {
    const double inf = std::numeric_limits<double>::infinity();
    for (DType dtype : {kFloat16, kBFloat16, kFloat32, kFloat64}) {
        const Tensor x = tensor({inf, -inf, std::numeric_limits<double>::quiet_NaN()}).to(dtype).to(kFloat64);
        CHECK(x.to_vector<double>()[0] == inf);
        CHECK(x.to_vector<double>()[1] == -inf);
        CHECK(std::isnan(x.to_vector<double>()[2]));
    }
}

TEST_CASE("float32 numbers become true unless they are zero, at every length") {
    const float values[] = {0.0F,          1.0F,  -0.0F, std::numeric_limits<float>::denorm_min(),
                            std::nanf(""), -2.5F, 0.0F};
    for (const std::int64_t n : {0, 1, 31, 32, 33, 63, 64, 100, 16384, 16384 + 37, 50000}) {
        CAPTURE(n);
        std::vector<float> x;
        for (std::int64_t i = 0; i < n; ++i) x.push_back(values[static_cast<std::size_t>(i * i % 7)]);
        const Tensor y = tensor(x).to(kBool);
        std::int64_t wrong = 0;
        for (std::int64_t i = 0; i < n; ++i)
            wrong += y.data_ptr<Bool>()[i].byte != (x[static_cast<std::size_t>(i)] != 0 ? 1 : 0);
        CHECK(wrong == 0);
    }
}
