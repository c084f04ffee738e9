// 11. y = x, of which half is dropped.
#include "../exercise.hpp"

Exercise exercise_11() {
    const auto f = [](const Tensor& x) {
        manual_seed(7);  // the function must be one
        const auto mask = [&x] { return (rand(x.sizes(), kFloat64) < 0.5).to(kFloat64) * 2; };
        const Tensor kept = mask();
        return record("dropped", x.detach() * kept,
                      {{x, [kept](const Tensor& y_bar) { return y_bar * kept; }}});
    };
    return {f, {tensor({{0.4, -1.1, 0.7}, {1.3, 0.2, -0.6}}, kFloat64)}};
}
