// 5. y = the mean of x.
#include "../exercise.hpp"

Exercise exercise_5() {
    const auto f = [](const Tensor& x) {
        return record("average", x.detach().mean(),
                      {{x, [x](const Tensor& y_bar) { return (y_bar / x.numel()).expand(x.sizes()); }}});
    };
    return {f, {tensor({{0.4, -1.1, 0.7}, {1.3, 0.2, -0.6}}, kFloat64)}};
}
