// How the battery calls products.
#include "tests/battery/battery.hpp"

namespace reel::testing {

Table linear_table() {
    return {
        {"matmul", matmul},
        {"mm", mm},
        {"bmm", bmm},
        {"mv", mv},
        {"dot", dot},
        {"outer", outer},
        {"addmm",
         [](const Inputs& x, const Arguments& a) {
             return addmm(x[0], x[1], x[2], optional_scalar(a, "beta").value_or(1),
                          optional_scalar(a, "alpha").value_or(1));
         }},
        {"linear",
         [](const Inputs& x) { return x.size() == 3 ? linear(x[0], x[1], x[2]) : linear(x[0], x[1]); }},
        {"einsum",
         [](const Inputs& x, const Arguments& a) { return einsum(a["equation"].get<std::string>(), x); }},
    };
}

}  // namespace reel::testing
