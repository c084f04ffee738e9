// 7. p = softmax(z), written by hand.
// What will gradcheck say, what gradgradcheck, and why? Then mend it.
#include "exercise.hpp"

Exercise exercise_7() {
    const auto f = [](const Tensor& z) {
        return record("by_hand", softmax(z.detach(), -1),
                      {{z, [](const Tensor& p_bar, const Tensor& p) { return p * p_bar; }}});
    };
    return {f, {tensor({-0.7, 0.3, 1.2}, kFloat64)}};
}
