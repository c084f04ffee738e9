// 13. y = sin πx.
#include "../exercise.hpp"

Exercise exercise_13() {
    const auto f = [](const Tensor& x) {
        return record(
            "pi", sin(std::numbers::pi * x.detach()),
            {{x, [x](const Tensor& y_bar) { return y_bar * std::numbers::pi * cos(std::numbers::pi * x); }}});
    };
    return {f, {tensor({-0.7, 0.3, 1.2}, kFloat64)}};
}
