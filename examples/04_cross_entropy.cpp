// Cross-entropy and its gradient: prediction minus truth. By hand, composed of operations, and as reel's one
// fused operation. The losses and gradients printed here are tests in
// tests/seeds/cross_entropy_test.cpp. Next: 05_temperature.cpp.
#include <CLI/CLI.hpp>
#include <iostream>

#include "teaching.hpp"

using namespace reel;

namespace {
void show(const char* label, const Tensor& t) { std::cout << "  " << label << t << "\n"; }
}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Shows cross-entropy and its gradient, by hand and fused.");
    CLI11_PARSE(app, argc, argv);

    set_printoptions({.precision = 6});
    const Tensor logits = tensor({2.0, 1.0, 0.1});
    std::cout << "One row, [2, 1, 0.1], target 0:\n";
    show("p = softmax          ", softmax(logits, -1));
    show("-log p[0]            ", teaching::cross_entropy_loss(softmax(logits, -1), 0));
    show("reel::cross_entropy  ", cross_entropy(logits, tensor(0)));
    show("p - one_hot, by hand ", teaching::softmax_cross_entropy_grad(logits, 0));

    const Tensor batch = tensor({{2.0, 1.0, .1}, {.5, 2.5, .3}}).set_requires_grad(true);
    const Tensor targets = tensor({0, 1});
    std::cout << "\nA batch of two, and what each way puts on the tape:\n";
    {
        Tape tape;
        const Tensor loss = -log_softmax(batch, 1).index({arange(2), targets}).mean();
        std::cout << "composed of log_softmax, index, mean and neg\n" << tape;
        loss.backward();
    }
    const Tensor composed = batch.grad();
    batch.zero_grad();
    {
        Tape tape;
        const Tensor loss = cross_entropy(batch, targets);
        std::cout << "fused\n" << tape;
        show("loss      ", loss.detach());
        loss.backward();
    }
    show("each row  ", cross_entropy(batch.detach(), targets, {.reduction = kNone}));
    std::cout << "the gradient of the mean, composed and fused (negative at the target; divided by N = 2)\n";
    std::cout << composed << "\n" << batch.grad() << "\n";

    std::cout << "\nBytes kept where the logits are [8, 1000], 32,000 bytes that exist anyway:\n";
    const Tensor wide = zeros({8, 1000}).set_requires_grad();
    const Tensor wide_targets = zeros({8}, kInt64);
    {
        const Tape tape;
        const Tensor loss = -log_softmax(wide, 1).index({arange(8), wide_targets}).mean();
        std::cout << "  composed " << tape.bytes_kept() << ": the log-probabilities, beside the logits\n";
    }
    {
        const Tape tape;
        const Tensor loss = cross_entropy(wide, wide_targets);
        std::cout << "  fused    " << tape.bytes_kept() << ": the logits themselves, and two numbers a row\n";
    }

    std::cout << "\nAny batch shape, here (2, 2, 3):\n";
    const Tensor more = tensor({{{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}}, {{7.0, 8.0, 9.0}, {1.0, 1.0, 1.0}}});
    const Tensor classes = tensor({{2, 1}, {0, 1}});
    std::cout << cross_entropy(more, classes, {.reduction = kNone}) << "\n";
    show("mean                 ", cross_entropy(more, classes));

    std::cout << "\nFrom probabilities the loss dies where p underflows, from logits it lives:\n";
    const Tensor far = tensor({0.0, 200.0});
    show("-log softmax(z)[0]   ", teaching::cross_entropy_loss(softmax(far, -1), 0));
    show("cross_entropy(z, 0)  ", cross_entropy(far, tensor(0)));

    std::cout << "\nRows that do not count, and targets that are not sure:\n";
    show("ignore_index         ", cross_entropy(batch.detach(), tensor({0, -100})));
    show("all ignored          ", cross_entropy(batch.detach(), tensor({-100, -100})));
    show("label_smoothing 0.1  ", cross_entropy(logits, tensor(0), {.label_smoothing = 0.1}));
    show("soft [.7, .2, .1]    ", cross_entropy(logits, tensor({0.7, 0.2, 0.1})));
}
