// 10. y = exp(−x² / 2). The slope is computed once, with the value.
#include "../exercise.hpp"

Exercise exercise_10() {
    const auto f = [](const Tensor& x) {
        const Tensor y = exp(square(x.detach()) / -2);
        return record("slope", y,
                      {{x, [x](const Tensor& y_bar, const Tensor& value) { return y_bar * -x * value; }}});
    };
    return {f, {tensor({-0.7, 0.3, 1.2}, kFloat64)}};
}
