// 9. y = x − the mean of each row.
// What will gradcheck say, what gradgradcheck, and why? Then mend it.
#include "exercise.hpp"

Exercise exercise_9() {
    const auto f = [](const Tensor& x) {
        const Tensor u = x.detach();
        return record("centred", u - u.mean(-1, true), {{x, [](const Tensor& y_bar) { return y_bar; }}});
    };
    return {f, {tensor({{0.4, -1.1, 0.7}, {1.3, 0.2, -0.6}}, kFloat64)}};
}
