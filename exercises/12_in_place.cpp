// 12. y = a b, element by element.
// What will gradcheck say, what gradgradcheck, and why? Then mend it.
#include "exercise.hpp"

Exercise exercise_12() {
    const auto f = [](const Tensor& a, const Tensor& b) {
        return record("in_place", a.detach() * b.detach(),
                      {{a, [b](const Tensor& y_bar) { return y_bar.mul_(b); }},
                       {b, [a](const Tensor& y_bar) { return y_bar * a; }}});
    };
    return {pair(f), {tensor({-0.7, 0.3, 1.2}, kFloat64), tensor({-0.7, 0.3, 1.2}, kFloat64) + 2}};
}
