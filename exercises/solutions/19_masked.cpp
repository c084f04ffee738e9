// 19. y = √x where x > 0, else 0.
#include "../exercise.hpp"

Exercise exercise_19() {
    const auto f = [](const Tensor& x) { return where(x > 0, sqrt(where(x > 0, x, 1)), 0); };
    return {f, {tensor({-0.7, 0.3, 1.2}, kFloat64)}};
}
