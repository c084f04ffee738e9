// Rows of ops/shape/join.cpp.
#include "tests/gradients/rows.hpp"

namespace reel::testing {

namespace {

using Inputs = std::vector<Tensor>;

Row row(const char* operation, const char* variant, const Shape& sizes, Tensor (*f)(const Tensor&)) {
    return {operation, variant, [f](const Inputs& x) { return f(x[0]); }, {numbers(sizes)}};
}

}  // namespace

Rows join_rows() {
    return {
        {"cat",
         "outer dim",
         [](const Inputs& x) {
             return cat({x[0], x[1]}, 0);
         },
         {numbers({1, 3}, -2, 2, 1), numbers({2, 3}, -2, 2, 2)}},
        {"cat",
         "inner dim, one tensor twice",
         [](const Inputs& x) {
             return cat({x[0], x[1], x[0]}, -1);
         },
         {numbers({2, 2}, -2, 2, 1), numbers({2, 1}, -2, 2, 2)}},
        {"cat",
         "stack",
         [](const Inputs& x) {
             return stack({x[0], x[1]}, 1);
         },
         {numbers({2, 3}, -2, 2, 1), numbers({2, 3}, -2, 2, 2)}},
        row("cat", "roll", {2, 3},
            [](const Tensor& x) {
                return roll(x, {1, -1}, {0, 1});
            }),
        row("expand", "repeat", {2, 1},
            [](const Tensor& x) {
                return repeat(x, {2, 1, 3});
            }),
        row("expand", "repeat_interleave", {2, 2},
            [](const Tensor& x) { return repeat_interleave(x, 2, 1); }),
        row("index_select", "repeat_interleave by a list", {2, 3},
            [](const Tensor& x) {
                return repeat_interleave(x, tensor({1, 0, 2}), 1);
            }),
        row("pad", "constant", {2, 3},
            [](const Tensor& x) {
                return pad(x, {1, 2, 0, 1});
            }),
        row("pad", "cropping one side", {2, 3},
            [](const Tensor& x) {
                return pad(x, {-1, 1}, "constant", 5);
            }),
        row("index_select", "pad by reflection", {2, 3},
            [](const Tensor& x) {
                return pad(x, {2, 1}, "reflect");
            }),
        row("tril", "", {3, 2}, [](const Tensor& x) { return tril(x); }),
        row("triu", "a diagonal above, batched", {2, 2, 3}, [](const Tensor& x) { return triu(x, 1); }),
    };
}

}  // namespace reel::testing
