// Rows of ops/reduce/scan.cpp and ops/reduce/sort.cpp.
#include "tests/gradients/rows.hpp"

namespace reel::testing {

namespace {

using Inputs = std::vector<Tensor>;

Tensor with_zeros(const Shape& sizes, const std::vector<std::int64_t>& places) {
    const Tensor x = numbers(sizes, 0.5, 2);
    for (std::int64_t place : places) x.data_ptr<double>()[place] = 0;
    return x;
}

Row cumprod_row(const char* variant, const Tensor& x, std::int64_t dim) {
    return {"cumprod", variant, [dim](const Inputs& in) { return cumprod(in[0], dim); }, {x}};
}

}  // namespace

Rows order_rows() {
    const Inputs recurrence = {numbers({2, 3}, -2, 2, 1), numbers({2, 3}, -2, 2, 2)};
    return {
        {"cumsum", "inner dim", [](const Inputs& x) { return cumsum(x[0], -1); }, {numbers({2, 3})}},
        {"cumsum", "outer dim", [](const Inputs& x) { return cumsum(x[0], 0); }, {numbers({3, 2})}},
        cumprod_row("inner dim", numbers({2, 3}), 1),
        cumprod_row("outer dim", numbers({3, 2}), 0),
        cumprod_row("one zero", with_zeros({4}, {1}), 0),
        cumprod_row("two zeros", with_zeros({4}, {1, 3}), 0),
        cumprod_row("neighbouring zeros", with_zeros({4}, {0, 1}), 0),
        {"linear_recurrence", "from the front",
         [](const Inputs& x) { return linear_recurrence(x[0], x[1], 1); }, recurrence},
        {"linear_recurrence", "from the end",
         [](const Inputs& x) { return linear_recurrence(x[0], x[1], 0, true); }, recurrence},
        {"sort", "rising", [](const Inputs& x) { return sort(x[0]).values; }, {numbers({2, 5})}},
        {"sort",
         "falling, middle dim",
         [](const Inputs& x) { return sort(x[0], 1, true).values; },
         {numbers({2, 5, 2})}},
        {"topk", "largest", [](const Inputs& x) { return topk(x[0], 2).values; }, {numbers({3, 5})}},
        {"topk",
         "smallest, middle dim",
         [](const Inputs& x) { return topk(x[0], 3, 1, false).values; },
         {numbers({2, 5, 2})}},
    };
}

}  // namespace reel::testing
