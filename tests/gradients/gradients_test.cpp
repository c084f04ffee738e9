// Every row of the gradient-check table, to first and second order, in every layout.
#include <doctest/doctest.h>

#include "tests/gradients/rows.hpp"

using namespace reel;
using namespace reel::testing;

namespace {

/// The same elements with other strides: column-major where there are columns.
Tensor transposed(const Tensor& x) {
    return x.dim() < 2 ? x.clone() : x.transpose(0, -1).contiguous().transpose(0, -1);
}

/// The same elements, each second one of a larger tensor, behind some others.
Tensor sliced(const Tensor& x) {
    if (x.dim() == 0) return full({3}, 7.0, kFloat64).select(0, 1).copy_(x);
    Shape sizes = x.sizes();
    sizes.back() = 2 * sizes.back() + 1;
    return full(sizes, 7.0, kFloat64).slice(-1, 1, None, 2).copy_(x);
}

/// The first row again and again.
Tensor expanded(const Tensor& x) {
    return x.dim() == 0 || x.size(0) == 0 ? x.clone() : x.narrow(0, 0, 1).expand(x.sizes());
}

struct Layout {
    const char* name;
    Tensor (*of)(const Tensor&);
};

constexpr Layout kLayouts[] = {{"transposed", transposed}, {"sliced", sliced}, {"expanded", expanded}};

void check(const GradcheckReport& report) {
    if (!report) FAIL_CHECK(report);
}

void check_both_orders(const Row& row, const std::vector<Tensor>& inputs, const std::string& layout,
                       GradcheckMode mode) {
    const std::string name = row.operation + " (" + row.variant + ") " + layout;
    const GradcheckReport first = gradcheck(row.f, inputs, {.mode = mode, .name = name});
    check(first);
    if (!row.second_order) return;
    const GradcheckReport second =
        gradgradcheck(row.f, inputs, {.mode = mode, .name = "gradient of " + name});
    // Where a function has a kink, its gradient jumps.
    if (first.verdict() == Verdict::kKink && second.verdict() == Verdict::kJump) return;
    check(second);
}

}  // namespace

TEST_CASE("every operation passes gradcheck and gradgradcheck") {
    for (const Row& row : all_rows()) {
        check_both_orders(row, row.inputs, "contiguous", GradcheckMode::kElements);
    }
}

TEST_CASE("every operation passes gradcheck and gradgradcheck in every layout") {
    for (const Row& row : all_rows()) {
        for (const auto& [name, of] : kLayouts) {
            std::vector<Tensor> inputs;
            for (const Tensor& input : row.inputs) inputs.push_back(of(input));
            check_both_orders(row, inputs, name, GradcheckMode::kProjection);
        }
    }
}
