// 6. y = x + b: b is added to each row of x, which is square here.
// What will gradcheck say, what gradgradcheck, and why? Then mend it.
#include "exercise.hpp"

Exercise exercise_6() {
    const auto f = [](const Tensor& x, const Tensor& b) {
        return record("bias", x.detach() + b.detach(),
                      {{x, [](const Tensor& y_bar) { return y_bar; }},
                       {b, [](const Tensor& y_bar) { return y_bar.sum(1); }}});
    };
    return {pair(f),
            {tensor({{1.0, 2.0, 0.5}, {0.0, 1.5, -1.0}, {0.3, 0.1, 2.0}}, kFloat64),
             tensor({-0.7, 0.3, 1.2}, kFloat64)}};
}
