// 8. y = x x: x is used twice.
// What will gradcheck say, what gradgradcheck, and why? Then mend it.
#include "exercise.hpp"

Exercise exercise_8() {
    const auto f = [](const Tensor& x) {
        return record("uses", x.detach() * x.detach(), {{x, [x](const Tensor& y_bar) { return y_bar * x; }}});
    };
    return {f, {tensor({-0.7, 0.3, 1.2}, kFloat64)}};
}
