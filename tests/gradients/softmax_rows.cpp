// Rows of ops/softmax/softmax.cpp.
#include "tests/gradients/rows.hpp"

namespace reel::testing {

namespace {

using Inputs = std::vector<Tensor>;

Tensor checkered(const Shape& sizes) { return numbers(sizes, -1, 1, 5) < 0.3; }

/// The gradient as an operation on ȳ and x.
Row backward_of(const char* operation, Tensor (*f)(const Tensor&, std::int64_t)) {
    return {operation,
            "",
            [f](const Inputs& x) {
                const Tensor z = x[0] * 1;
                return grad({f(z, -1)}, {z}, {.grad_outputs = {x[1]}, .create_graph = true})[0];
            },
            {numbers({3, 5}), numbers({3, 5}, -2, 2, 3)}};
}

}  // namespace

Rows softmax_rows() {
    return {
        {"softmax", "last", [](const Inputs& x) { return softmax(x[0], -1); }, {numbers({3, 5})}},
        {"softmax", "first", [](const Inputs& x) { return softmax(x[0], 0); }, {numbers({3, 5})}},
        {"softmax", "middle", [](const Inputs& x) { return softmax(x[0], 1); }, {numbers({2, 3, 2})}},
        backward_of("softmax_gradient", softmax),
        backward_of("log_softmax_gradient", log_softmax),
        {"log_softmax", "last", [](const Inputs& x) { return log_softmax(x[0], -1); }, {numbers({3, 5})}},
        {"log_softmax", "first", [](const Inputs& x) { return log_softmax(x[0], 0); }, {numbers({3, 5})}},
        {"logsumexp", "last", [](const Inputs& x) { return logsumexp(x[0], -1); }, {numbers({3, 5})}},
        {"logsumexp",
         "two dims, kept",
         [](const Inputs& x) {
             return logsumexp(x[0], {0, 2}, true);
         },
         {numbers({2, 3, 2})}},
        {"logsumexp", "all", [](const Inputs& x) { return logsumexp(x[0], {}); }, {numbers({3, 4})}},
        {"masked_softmax",
         "",
         [](const Inputs& x) { return masked_softmax(x[0], checkered(x[0].sizes()), -1); },
         {numbers({3, 5})}},
        {"masked_softmax",
         "a row with nothing left",
         [](const Inputs& x) {
             return masked_softmax(x[0], numbers({3, 1}, 0, 1) < 0.5, 1);
         },
         {numbers({3, 4})}},
    };
}

}  // namespace reel::testing
