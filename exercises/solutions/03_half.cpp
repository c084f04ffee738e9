// 3. y = x² / 2.
#include "../exercise.hpp"

Exercise exercise_3() {
    const auto f = [](const Tensor& x) {
        return record("half", square(x.detach()) / 2,
                      {{x, [x](const Tensor& y_bar) { return (1 / 2.0) * 2 * x * y_bar; }}});
    };
    return {f, {tensor({-0.7, 0.3, 1.2}, kFloat64)}};
}
