// A program that trains a small network, in either dialect: what it costs to compile one, and how large it
// becomes. `cost.py` compiles it.
#include <cstdio>

#include "dialect.hpp"

using namespace dialect;

int main() {
    const Tensor x = randn({64, 2});
    const Tensor t = randint(0, 3, {64});
    const Tensor w1 = randn({16, 2}).set_requires_grad(true);
    const Tensor b1 = zeros({16}).set_requires_grad(true);
    const Tensor w2 = (randn({3, 16}) * 0.25).set_requires_grad(true);
    const Tensor b2 = zeros({3}).set_requires_grad(true);
    dialect::Adam optimizer({w1, b1, w2, b2}, 0.01);
    for (int step = 0; step < 100; ++step) {
        Tape tape;
        optimizer.zero_grad();
        const Tensor loss = dialect::cross_entropy(linear(linear(x, w1, b1).tanh(), w2, b2), t);
        loss.backward();
        optimizer.step();
        if (step % 20 == 0) std::printf("%d %.4f\n", step, static_cast<double>(loss.item<float>()));
    }
    return 0;
}
