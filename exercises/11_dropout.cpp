// 11. y = x, of which half is dropped.
// What will gradcheck say, what gradgradcheck, and why? Then mend it.
#include "exercise.hpp"

Exercise exercise_11() {
    const auto f = [](const Tensor& x) {
        const auto mask = [&x] { return (rand(x.sizes(), kFloat64) < 0.5).to(kFloat64) * 2; };
        return record("dropped", x.detach() * mask(),
                      {{x, [x](const Tensor& y_bar) {
                            return y_bar * (rand(x.sizes(), kFloat64) < 0.5).to(kFloat64) * 2;
                        }}});
    };
    return {f, {tensor({{0.4, -1.1, 0.7}, {1.3, 0.2, -0.6}}, kFloat64)}};
}
