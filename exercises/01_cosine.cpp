// 1. y = cos x.
// What will gradcheck say, what gradgradcheck, and why? Then mend it.
#include "exercise.hpp"

Exercise exercise_1() {
    const auto f = [](const Tensor& x) {
        return record("cosine", cos(x.detach()), {{x, [x](const Tensor& y_bar) { return y_bar * sin(x); }}});
    };
    return {f, {tensor({-0.7, 0.3, 1.2}, kFloat64)}};
}
