// 14. y = the largest of x, of which two are equal.
// What will gradcheck say, what gradgradcheck, and why? Then mend it.
#include "exercise.hpp"

Exercise exercise_14() {
    const auto f = [](const Tensor& x) {
        return record("ties", x.detach().amax(), {{x, [x](const Tensor& y_bar, const Tensor& y) {
                                                       const Tensor largest = (x == y).to(kFloat64);
                                                       return y_bar * largest;
                                                   }}});
    };
    return {f, {tensor({1.5, 0.2, 1.5}, kFloat64)}};
}
