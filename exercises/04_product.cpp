// 4. y = a b for matrices, which are square here. And what does the checker say where b = 2 I?
// What will gradcheck say, what gradgradcheck, and why? Then mend it.
#include "exercise.hpp"

Exercise exercise_4() {
    const auto f = [](const Tensor& a, const Tensor& b) {
        return record("product", matmul(a.detach(), b.detach()),
                      {{a, [b](const Tensor& y_bar) { return matmul(y_bar, b); }},
                       {b, [a](const Tensor& y_bar) { return matmul(a, y_bar); }}});
    };
    return {pair(f),
            {tensor({{1.0, 2.0, 0.5}, {0.0, 1.5, -1.0}, {0.3, 0.1, 2.0}}, kFloat64),
             tensor({{1.0, 2.0, 0.5}, {0.0, 1.5, -1.0}, {0.3, 0.1, 2.0}}, kFloat64) + 1}};
}
