// 17. y = a x, with a constant a = 0.1.
#include "../exercise.hpp"

Exercise exercise_17() {
    const Tensor a = tensor(0.1, kFloat64);
    const auto f = [a](const Tensor& x) { return a * x; };
    return {f, {tensor({-0.7, 0.3, 1.2}, kFloat64)}};
}
