// 18. y = √(x²), that is |x|, at 0 too.
// What will gradcheck say, what gradgradcheck, and why? Then mend it.
#include "exercise.hpp"

Exercise exercise_18() {
    const auto f = [](const Tensor& x) { return sqrt(square(x)); };
    return {f, {tensor({-0.7, 0.0, 1.2}, kFloat64)}};
}
