// Dimensions, keepdim and views: what is summed away, what stays, and what shares memory. Every number
// printed here is a test in tests/seeds/shapes_test.cpp. Next: 04_cross_entropy.cpp.
#include <CLI/CLI.hpp>
#include <iostream>
#include <reel.hpp>

using namespace reel;

namespace {
void show(const char* label, const Tensor& t) {
    std::cout << label << ": " << t.sizes() << "\n" << t << "\n";
}

// Runs what must fail and prints what it says.
template <class F>
void refused(const char* label, const F& f) {
    try {
        f();
        std::cout << label << " was not refused\n";
    } catch (const Error& error) {
        std::cout << label << " throws: " << error.what() << "\n";
    }
}
}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Shows what reductions drop, what keepdim keeps, and what views share.");
    CLI11_PARSE(app, argc, argv);

    const Tensor x = tensor({{1, 2, 3}, {4, 5, 6}});
    show("x", x);
    show("x.sum(0), down the columns", x.sum(0));
    show("x.sum(1), along the rows", x.sum(1));
    show("x.sum(1, true), the dimension kept", x.sum(1, true));
    show("x.sum(-1), the last one", x.sum(-1));

    std::cout << "\nkeepdim is what makes a reduction broadcast back:\n";
    const Tensor f = x.to(kFloat32);
    show("x - x.mean(1, true)", f - f.mean(1, true));
    refused("x - x.mean(1)", [&] { return f - f.mean(1); });

    std::cout << "\n";
    const Tensor cube = arange(1, 9).view({2, 2, 2});
    const auto [values, indices] = cube.max(0);
    show("max(0) of the cube 1...8", values);
    show("  and where it was", indices);
    std::cout << "  with keepdim: " << cube.max(0, true).values.sizes() << "\n";

    std::cout << "\nA view is another shape on the same memory:\n";
    const Tensor six = arange(6);
    const Tensor matrix = six.view({2, 3});
    show("arange(6).view({2, 3})", matrix);
    matrix[1].fill_(9);
    show("arange(6), after the view's second row was filled with 9", six);
    refused("view({2, 2})", [&] { return six.view({2, 2}); });
    std::cout << "(12) as (3, -1): " << arange(12).view({3, -1}).sizes()
              << ", (-1, 6): " << arange(12).view({-1, 6}).sizes()
              << ", (-1): " << arange(12).view({-1}).sizes()
              << "\n(32, 28, 28, 3) as (32, -1): " << zeros({32, 28, 28, 3}).view({32, -1}).sizes() << "\n";
    refused("view({-1, -1})", [&] { return six.view({-1, -1}); });

    std::cout << "\nA transposed tensor's rows do not lie one after the other:\n";
    refused("x.t().view({6})", [&] { return x.t().view({6}); });
    show("x.t().reshape({6}), a copy", x.t().reshape({6}));

    std::cout << "\nTwo index tensors make pairs, a slice beside one makes a block:\n";
    const Tensor log_p =
        tensor({{-2.4, -1.4, -.4}, {-2.4, -1.4, -.4}, {-2.4, -1.4, -.4}, {-1.1, -1.1, -1.1}});
    const Tensor targets = tensor({2, 1, 0, 1});
    show("log_p(arange(4), targets)", log_p(arange(4), targets));
    std::cout << "log_p(Slice(), targets) has shape " << log_p(Slice(), targets).sizes() << "\n";
}
