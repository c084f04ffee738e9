// 15. y = max(x, 0), at 0 too.
// What will gradcheck say, what gradgradcheck, and why? Then mend it.
#include "exercise.hpp"

Exercise exercise_15() {
    const auto f = [](const Tensor& x) {
        return record("kink", relu(x.detach()),
                      {{x, [x](const Tensor& y_bar) {
                            return y_bar * ((x > 0).to(kFloat64) + 2 * (x == 0).to(kFloat64));
                        }}});
    };
    return {f, {tensor({-0.5, 0.0, 1.0}, kFloat64)}};
}
