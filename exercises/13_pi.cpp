// 13. y = sin πx.
// What will gradcheck say, what gradgradcheck, and why? Then mend it.
#include "exercise.hpp"

Exercise exercise_13() {
    const auto f = [](const Tensor& x) {
        return record(
            "pi", sin(std::numbers::pi * x.detach()),
            {{x, [x](const Tensor& y_bar) { return y_bar * 3.14159 * cos(std::numbers::pi * x); }}});
    };
    return {f, {tensor({-0.7, 0.3, 1.2}, kFloat64)}};
}
