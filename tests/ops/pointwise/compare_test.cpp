// Comparisons of types that differ, isclose, allclose, equal. (All comparisons of all types, on special
// numbers: tests/battery/.)
#include "ops/pointwise/compare.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "reel.hpp"

using namespace reel;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::vector<bool> bools(const Tensor& x) { return x.to_vector<bool>(); }
using Bools = std::vector<bool>;

}  // namespace

TEST_CASE("a comparison takes place in the common type") {
    CHECK(bools(tensor({1, 2}) == tensor({1.0, 2.5})) == Bools{true, false});
    CHECK(bools(tensor({true, false}) < tensor({1, 1})) == Bools{false, true});
    CHECK(bools(tensor({1, 2}) > 1.5) == Bools{false, true});
    CHECK(bools(1.5 < tensor({1, 2}).to(kFloat32)) == Bools{false, true});
    // As float32, 2²⁴ + 1 is 2²⁴: so in PyTorch.
    CHECK(bools(tensor({16777217}) == 16777216.0) == Bools{true});
    // int64 is compared with int64 to the last digit.
    const std::int64_t large = (std::int64_t{1} << 53) + 1;
    CHECK(bools(tensor({large}) == tensor({large - 1})) == Bools{false});
}

TEST_CASE("a comparison in 16 bits takes the number that a tensor holds for it") {
    for (DType dtype : {kFloat16, kBFloat16}) {
        const Tensor h = zeros({2}, dtype).fill_(0.1);
        const Tensor wide = full({}, 0.1, kFloat64);
        for (const Tensor& same :
             {h == 0.1, h <= 0.1, h >= 0.1, 0.1 == h, h == wide, wide >= h, h[0] == 0.1}) {
            CHECK(same.all().item<bool>());
        }
        for (const Tensor& other : {h != 0.1, h<0.1, h> 0.1, h != wide, wide < h}) {
            CHECK_FALSE(other.any().item<bool>());
        }
        // int64 and a 16-bit type meet in the latter: 2049 is 2048 there.
        CHECK((tensor({2049}) == full({1}, 2048, dtype)).item<bool>());
        CHECK((full({1}, 2048, dtype) >= 2049).item<bool>());
        CHECK(fmod(h, 0.1).equal(zeros({2}, dtype)));
        CHECK(remainder(h, wide).equal(zeros({2}, dtype)));
        CHECK(h.clamp(0.1).equal(h));
        CHECK(h.clamp(None, 0.1).equal(h));
        const Tensor leaf = h.clone().set_requires_grad();
        const Tape tape;
        leaf.clamp(0.1, 0.1).sum().backward();
        CHECK(leaf.grad().equal(ones({2}, dtype)));  // a rounded bound is a bound like any other
    }
}

TEST_CASE("clamp of integers is exact, whatever their size") {
    const std::int64_t large = (std::int64_t{1} << 62) + 1;
    const Tensor x = tensor({-large, -3, 0, 3, large});
    const auto numbers = [](const Tensor& y) { return y.to_vector<std::int64_t>(); };
    using Numbers = std::vector<std::int64_t>;
    CHECK(numbers(x.clamp(-large + 1, large - 1)) == Numbers{-large + 1, -3, 0, 3, large - 1});
    CHECK(numbers(x.clamp(None, 0)) == Numbers{-large, -3, 0, 0, 0});
    CHECK(numbers(x.clamp(1)) == Numbers{1, 1, 1, 3, large});
    CHECK(numbers(x.clamp(5, -5)) == Numbers{-5, -5, -5, -5, -5});  // bounds that cross: the upper one
    CHECK(numbers(x.clone().clamp_(-2, 2)) == Numbers{-2, -2, 0, 2, 2});
    CHECK_THROWS_AS(x.clone().clamp_(-2.5, 2), DTypeError);
    CHECK(x.clamp(-2.5, 2).dtype() == kFloat32);
}

TEST_CASE("logical operations take every type, and NaN as true") {
    const Tensor x = tensor({0.0, -0.0, 0.5, kNaN});
    CHECK(bools(logical_not(x)) == Bools{true, true, false, false});
    CHECK(bools(logical_and(x, tensor({1, 1, 1, 1}))) == Bools{false, false, true, true});
    CHECK(bools(logical_xor(x, tensor({true, true, true, true}))) == Bools{true, true, false, false});
}

TEST_CASE("isclose is |a - b| <= atol + rtol |b|, not symmetric") {
    // torch.isclose on the same numbers.
    const Tensor a = tensor({1.0, 1.0, 0.0, kInf, kInf, kNaN, 1e10}, kFloat64);
    const Tensor b = tensor({1.00001, 1.00002, 1e-9, kInf, -kInf, kNaN, 1.00001e10}, kFloat64);
    CHECK(bools(isclose(a, b)) == Bools{true, false, true, true, false, false, true});
    CHECK(bools(isclose(a, b, 1e-5, 1e-8, true)) == Bools{true, false, true, true, false, true, true});
    CHECK(isclose(tensor({90.0}), tensor({100.0}), 0.1, 0).item<bool>());
    CHECK_FALSE(isclose(tensor({100.0}), tensor({90.0}), 0.1, 0).item<bool>());
}

TEST_CASE("isclose of a finite number and an infinite one is false") {
    CHECK_FALSE(isclose(tensor({1.0}), tensor({kInf})).item<bool>());
}

TEST_CASE("isclose takes integers and bools") {
    CHECK(bools(isclose(tensor({true, false}), tensor({true, true}))) == Bools{true, false});
    CHECK(bools(isclose(tensor({100, 100}), tensor({101, 102}), 0, 1)) == Bools{true, false});
    const std::int64_t large = (std::int64_t{1} << 53) + 1;
    CHECK_FALSE(isclose(tensor({large}), tensor({large - 1}), 0, 0).item<bool>());
}

TEST_CASE("isclose: distances of integers do not overflow, tolerances are no less than 0") {
    using Limits = std::numeric_limits<std::int64_t>;
    CHECK_FALSE(allclose(tensor({Limits::min()}), tensor({Limits::max()})));
    CHECK_FALSE(allclose(tensor({Limits::max()}), tensor({Limits::min()})));
    CHECK(allclose(tensor({Limits::max()}), tensor({Limits::max() - 1})));
    const Tensor x = ones({2});
    for (double wrong : {-0.4, kNaN, -kInf}) {
        CHECK_THROWS_AS(isclose(x, x, wrong), Error);
        CHECK_THROWS_AS(isclose(x, x, 0, wrong), Error);
        CHECK_THROWS_AS(allclose(x, x, wrong), Error);
    }
    CHECK(allclose(x, x + 1, kInf));
}

TEST_CASE("allclose and equal answer for whole tensors") {
    const Tensor x = tensor({1.0, 2.0});
    CHECK(allclose(x, x + 1e-6));
    CHECK_FALSE(allclose(x, x + 1e-3));
    CHECK(allclose(empty({0}), empty({0})));
    CHECK(equal(x, x.clone()));
    CHECK_FALSE(equal(x, x.unsqueeze(0)));
    CHECK_FALSE(equal(tensor({kNaN}), tensor({kNaN})));
    CHECK(x.allclose(x.t()));
}
