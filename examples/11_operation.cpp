// An operation of one's own: y = exp(−x² / 2), the bell. Its gradient is x̄ = −x y ȳ. `record` puts it on the
// tape, and from then on it is like any other: differentiable to any order, checked by `gradcheck`. Two wrong
// versions show what the checker says; one of them is right at first sight.
//
// Read `bell`, `forgetful`, `precomputed`. Next: 12_curvature.cpp.
#include <CLI/CLI.hpp>
#include <iostream>
#include <reel.hpp>

using namespace reel;

namespace {

Tensor bell_of(const Tensor& x) { return exp(square(x.detach()) / -2); }

// Right. The pullback gets the recorded y, which has a history: so the second derivative is right, too.
Tensor bell(const Tensor& x) {
    return record("bell", bell_of(x),
                  {{x, [x](const Tensor& y_bar, const Tensor& y) { return -x * y * y_bar; }}});
}

// Wrong: the inner derivative's sign is lost.
Tensor forgetful(const Tensor& x) {
    return record("forgetful", bell_of(x),
                  {{x, [x](const Tensor& y_bar, const Tensor& y) { return x * y * y_bar; }}});
}

// Wrong from the second derivative on: the slope is computed with the value, off the tape, and kept. It is
// the right number, but nobody knows that it depends on x.
Tensor precomputed(const Tensor& x) {
    const Tensor y = bell_of(x);
    const Tensor slope = -x.detach() * y;
    return record("precomputed", y, {{x, [slope](const Tensor& y_bar) { return slope * y_bar; }}});
}

struct Checks {
    bool first, second;
};

Checks check(const char* name, Tensor (*operation)(const Tensor&), const Tensor& x) {
    const GradcheckReport first = gradcheck(operation, x, {.name = std::string(name) + ", first derivative"});
    const GradcheckReport second =
        gradgradcheck(operation, x, {.name = std::string(name) + ", second derivative"});
    std::cout << first << "\n" << second << "\n\n";
    return {first, second};
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Writes an operation, checks its gradient, and shows how wrong ones are caught.");
    std::uint64_t seed = 0;
    app.add_option("--seed", seed, "of the numbers that are checked")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    manual_seed(seed);
    const Tensor x = randn({2, 3}, kFloat64);

    const Checks right = check("bell", bell, x);
    const Checks sign = check("forgetful", forgetful, x);
    const Checks slope = check("precomputed", precomputed, x);

    std::cout << "On the tape it stands like any other:\n";
    const Tensor w = randn({3}, kFloat64).set_requires_grad();
    {
        Tape tape;
        const Tensor loss = bell(x.matmul(w)).sum();
        std::cout << tape;
        loss.backward();
    }
    std::cout << "and so does its gradient: " << w.grad() << "\n";

    const bool works = right.first && right.second && !sign.first && slope.first && !slope.second;
    std::cout << (works ? "the right one passed, the wrong ones were caught\n" : "the checker failed\n");
    return works ? 0 : 1;
}
