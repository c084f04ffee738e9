// A user's program, far from our build. Prints "loss 14, gradient [2, 4, 6], version 0.1.0".
#include <iostream>
#include <reel.hpp>

#include "tensor/shape.hpp"

static_assert(own::kSides == 4);  // the user's header, not ours of the same name

int main() {
    auto x = reel::tensor({1.0, 2.0, 3.0}).set_requires_grad();
    reel::Tape tape;
    auto loss = (x * x).sum();
    loss.backward();
    const auto gradient = x.grad().to_vector<int>();
    std::cout << "loss " << loss.item<int>() << ", gradient [" << gradient[0] << ", " << gradient[1] << ", "
              << gradient[2] << "], version " << reel::version() << "\n";
}
