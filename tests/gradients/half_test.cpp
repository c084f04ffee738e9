// Every row of the gradient-check table in 16 bits: computed in float32 and rounded once, forward and backward.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/gradients/rows.hpp"

using namespace reel;
using namespace reel::testing;

namespace {

using Inputs = std::vector<Tensor>;

Inputs leaves(const Inputs& x, DType dtype) {
    Inputs result;
    for (const Tensor& each : x) result.push_back(each.detach().to(dtype).set_requires_grad());
    return result;
}

/// The largest |a − b|, in units of the rounding of the largest |b|. Infinite where one is not finite.
double distance(const Tensor& a, const Tensor& b, DType dtype) {
    const double largest = b.numel() == 0 ? 0 : b.abs().amax().item<double>();
    const double rounding = dtype == kFloat16 ? 0x1p-11 * largest + 0x1p-24 : 0x1p-8 * largest + 0x1p-133;
    const std::vector<double> found = a.to_vector<double>();
    const std::vector<double> wanted = b.to_vector<double>();
    double most = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        const double apart = std::abs(found[i] - wanted[i]) / rounding;
        if (!(apart <= most)) most = std::isnan(apart) ? INFINITY : apart;
    }
    return most;
}

/// Its operands are numbers that it rounds first.
bool rounds_operands(const Row& row) { return row.operation == "fmod" || row.operation == "remainder"; }

struct Case {
    DType dtype;
    double scale;      ///< of the inputs
    double cotangent;  ///< and of what comes back
};

/// Returns whether the row takes such inputs.
bool check(const Row& row, const Case& of) {
    Inputs scaled;
    for (const Tensor& x : row.inputs) scaled.push_back(x * of.scale);
    const Inputs x = leaves(scaled, of.dtype);
    const Inputs wide_x = leaves(x, kFloat32);
    const Tape tape;
    Tensor y;
    try {
        y = row.f(x);
    } catch (const DTypeError&) {  // a constant of float64 in the row
        return false;
    }
    const Tensor wide_y = row.f(wide_x);
    INFO(name_of(row), " of ", of.dtype, ", inputs times ", of.scale, ", cotangent times ", of.cotangent);
    if (!rounds_operands(row)) CHECK(allclose(y.detach(), wide_y.detach().to(y.dtype()), 0, 0, true));
    const Tensor y_bar = (numbers(y.sizes(), -2, 2, 7) * of.cotangent).to(y.dtype());
    const auto g = grad({y}, x, {.grad_outputs = {y_bar}, .allow_unused = true});
    const auto wide_g =
        grad({wide_y}, wide_x, {.grad_outputs = {y_bar.to(wide_y.dtype())}, .allow_unused = true});
    for (std::size_t i = 0; i < g.size(); ++i) {
        if (!g[i].defined()) continue;
        // Broadcasting adds rounded terms: where those are out of range the sum is not what was asked for.
        const double largest = g[i].numel() == 0 ? 0 : wide_g[i].abs().amax().item<double>();
        if (!(largest < 4096)) continue;
        // A result that is kept has been rounded, and a sum over what was broadcast adds roundings.
        constexpr double kRoundings = 8;
        CAPTURE(i);
        CHECK(g[i].dtype() == of.dtype);
        CHECK(distance(g[i], wide_g[i], of.dtype) <= kRoundings);
    }
    return true;
}

}  // namespace

TEST_CASE("every operation of 16 bits computes in float32 and rounds once") {
    int taken = 0;
    int refused = 0;
    for (const Row& row : all_rows()) {
        if (makes_several_calls(row)) continue;
        for (const DType dtype : {kFloat16, kBFloat16}) {
            for (const double scale : {1.0, 64.0, 0x1p-6}) {
                for (const double cotangent : {1.0, 1024.0, 0x1p-10})
                    check(row, {dtype, scale, cotangent}) ? ++taken : ++refused;
            }
        }
    }
    CHECK(taken > 2000);
    CHECK(refused < taken / 20);
}

TEST_CASE("addmm of 16 bits: scaled, the sum is rounded once") {
    const Tensor a = full({1, 2}, 300.0, kFloat16);
    const Tensor b = full({2, 1}, 200.0, kFloat16);
    CHECK(addmm(zeros({1}, kFloat16), a, b, 1, 0x1p-2).item<double>() ==
          30000);  // the product is out of range
    const Tensor c = full({1, 1}, 40000.0, kFloat16);
    CHECK(addmm(c, a, b, 2, -0.5).item<double>() == 20000);
}

TEST_CASE("prod: a product below the normal numbers still has a gradient with all its digits") {
    // y is subnormal; x̄₀ is the product of the other two.
    const auto check_gradient = [](DType dtype, double x, double wanted) {
        const Tensor leaf = tensor({x * 1.25, x * 1.5, x * 1.125}, kFloat64).to(dtype).set_requires_grad();
        const Tape tape;
        leaf.prod().backward();
        CHECK(leaf.grad()[0].item<double>() == wanted);
    };
    check_gradient(kFloat16, 0x1p-7, 1.6875 * 0x1p-14);
    check_gradient(kFloat32, 0x1p-48, 1.6875 * 0x1p-96);
}
