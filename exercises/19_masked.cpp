// 19. y = √x where x > 0, else 0.
// What will gradcheck say, what gradgradcheck, and why? Then mend it.
#include "exercise.hpp"

Exercise exercise_19() {
    const auto f = [](const Tensor& x) { return where(x > 0, sqrt(x), 0); };
    return {f, {tensor({-0.7, 0.3, 1.2}, kFloat64)}};
}
