// 8. y = x x: x is used twice.
#include "../exercise.hpp"

Exercise exercise_8() {
    const auto f = [](const Tensor& x) {
        return record("uses", x.detach() * x.detach(),
                      {{x, [x](const Tensor& y_bar) { return y_bar * x; }},
                       {x, [x](const Tensor& y_bar) { return y_bar * x; }}});
    };
    return {f, {tensor({-0.7, 0.3, 1.2}, kFloat64)}};
}
