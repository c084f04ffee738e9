// 17. y = a x, with a constant a = 0.1.
// What will gradcheck say, what gradgradcheck, and why? Then mend it.
#include "exercise.hpp"

Exercise exercise_17() {
    const Tensor a = tensor(0.1);
    const auto f = [a](const Tensor& x) { return (a * x.to(kFloat32)).to(kFloat64); };
    return {f, {tensor({-0.7, 0.3, 1.2}, kFloat64)}};
}
