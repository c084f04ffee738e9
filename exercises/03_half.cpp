// 3. y = x² / 2.
// What will gradcheck say, what gradgradcheck, and why? Then mend it.
#include "exercise.hpp"

Exercise exercise_3() {
    const auto f = [](const Tensor& x) {
        return record("half", square(x.detach()) / 2,
                      {{x, [x](const Tensor& y_bar) { return (1 / 2) * 2 * x * y_bar; }}});
    };
    return {f, {tensor({-0.7, 0.3, 1.2}, kFloat64)}};
}
