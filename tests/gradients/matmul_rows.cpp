// Rows of ops/linalg/matmul.cpp.
#include "tests/gradients/rows.hpp"

namespace reel::testing {

namespace {

using Inputs = std::vector<Tensor>;

Row product(const char* variant, const Shape& a, const Shape& b) {
    return {"matmul",
            variant,
            [](const Inputs& x) { return matmul(x[0], x[1]); },
            {numbers(a, -2, 2, 1), numbers(b, -2, 2, 2)}};
}

}  // namespace

Rows matmul_rows() {
    return {
        product("dot", {4}, {4}),
        product("matrix vector", {3, 4}, {4}),
        product("vector matrix", {4}, {4, 3}),
        product("matrices", {2, 3}, {3, 4}),
        product("batch of rows, one matrix", {2, 3, 4}, {4, 2}),
        product("one matrix, batch of columns", {2, 3}, {4, 3, 2}),
        product("batches broadcast", {3, 1, 2, 3}, {2, 3, 2}),
        product("batch, vector", {2, 3, 4}, {4}),
        product("vector, batch", {4}, {2, 4, 3}),
        {"matmul", "self", [](const Inputs& x) { return matmul(x[0], x[0].t()); }, {numbers({3, 4})}},
        {"addmm",
         "",
         [](const Inputs& x) { return addmm(x[0], x[1], x[2]); },
         {numbers({3}, -2, 2, 1), numbers({2, 4}, -2, 2, 2), numbers({4, 3}, -2, 2, 3)}},
        {"addmm",
         "scaled",
         [](const Inputs& x) { return addmm(x[0], x[1], x[2], 0.5, -1.5); },
         {numbers({2, 3}, -2, 2, 1), numbers({2, 4}, -2, 2, 2), numbers({4, 3}, -2, 2, 3)}},
        {"linear",
         "",
         [](const Inputs& x) { return linear(x[0], x[1], x[2]); },
         {numbers({2, 3, 4}, -2, 2, 1), numbers({5, 4}, -2, 2, 2), numbers({5}, -2, 2, 3)}},
        {"linear",
         "one row, no bias",
         [](const Inputs& x) { return linear(x[0], x[1]); },
         {numbers({4}, -2, 2, 1), numbers({3, 4}, -2, 2, 2)}},
    };
}

}  // namespace reel::testing
