// 2. y = sin 2x.
// What will gradcheck say, what gradgradcheck, and why? Then mend it.
#include "exercise.hpp"

Exercise exercise_2() {
    const auto f = [](const Tensor& x) {
        return record("chain", sin(2 * x.detach()),
                      {{x, [x](const Tensor& y_bar) { return y_bar * cos(2 * x); }}});
    };
    return {f, {tensor({-0.7, 0.3, 1.2}, kFloat64)}};
}
