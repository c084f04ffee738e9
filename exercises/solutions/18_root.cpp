// 18. y = √(x²), that is |x|, at 0 too.
#include "../exercise.hpp"

Exercise exercise_18() {
    const auto f = [](const Tensor& x) { return abs(x); };
    return {f, {tensor({-0.7, 0.0, 1.2}, kFloat64)}};
}
