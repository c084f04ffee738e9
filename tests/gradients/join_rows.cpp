// Rows of ops/join.cpp.
#include "tests/gradients/rows.hpp"

namespace reel::testing {

Rows join_rows() {
    using Inputs = std::vector<Tensor>;
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
    };
}

}  // namespace reel::testing
