// An operation of one's own from lazy xtensor expressions: y = sin(3x) e^(−x²/2), a wavelet. Written with reel's
// operations it is six nodes, each with a result of its own in memory. Written as an xtensor expression it is one loop
// forward and one loop back, and one node that saves x alone.
//
// Read `wavelet` and `wavelet_backward`. Next: 16_processes.cpp, the same training on several processes.
#include <iostream>
#include <reel.hpp>
#include <reel/xtensor.hpp>
#if __has_include(<xtensor/core/xmath.hpp>)
#include <xtensor/core/xmath.hpp>
#else
#include <xtensor/xmath.hpp>
#endif

using namespace reel;

namespace {

/// With reel's operations: the engine knows the gradient by itself.
Tensor composed(const Tensor& x) { return sin(3 * x) * exp(-0.5 * x * x); }

/// x̄ = ȳ (3 cos(3x) − x sin(3x)) e^(−x²/2), one loop; its own gradient is composed, for it is rarely asked for.
Tensor wavelet_backward(const Tensor& x, const Tensor& y_bar) {
    const auto v = as_xtensor<const double>(x);
    const auto g = as_xtensor<const double>(y_bar);
    return record("wavelet_backward",
                  from_xtensor(g * (3 * xt::cos(3 * v) - v * xt::sin(3 * v)) * xt::exp(-0.5 * v * v)),
                  {{x,
                    [x, y_bar](const Tensor& h) {
                        return h * y_bar * ((x * x - 10) * sin(3 * x) - 6 * x * cos(3 * x)) *
                               exp(-0.5 * x * x);
                    }},
                   {y_bar, [x](const Tensor& h) { return wavelet_backward(x, h); }}});
}

/// y = sin(3x) e^(−x²/2), one loop. Saves x.
Tensor wavelet(const Tensor& x) {
    const auto v =
        as_xtensor<const double>(x);  // a view of x's memory; the expression below is evaluated once
    return record("wavelet", from_xtensor(xt::sin(3 * v) * xt::exp(-0.5 * v * v)),
                  {{x, [x](const Tensor& y_bar) { return wavelet_backward(x, y_bar); }}});
}

/// How many nodes a function records for 1,000 numbers, and what they save for the way back beside x itself.
void describe(const char* name, Tensor (*f)(const Tensor&)) {
    const Tensor x = linspace(-3, 3, 1000, kFloat64).set_requires_grad();
    Tape tape;
    const Tensor y = f(x);
    std::int64_t bytes = 0;
    for (const TapeNode& node : tape) bytes += node.bytes_kept;
    std::cout << name << ": " << tape.size() << " nodes, " << bytes
              << " bytes saved for 1000 numbers of 8 bytes\n";
}

}  // namespace

int main() {
    manual_seed(1);
    const Tensor x = randn({4, 5}, kFloat64);
    std::cout << "gradient\n"
              << gradcheck(wavelet, x) << "gradient of the gradient\n"
              << gradgradcheck(wavelet, x);
    std::cout << "as composed: " << std::boolalpha << allclose(wavelet(x), composed(x), 1e-14, 1e-15) << "\n";
    describe("composed", composed);
    describe("xtensor ", wavelet);
    const bool passed = gradcheck(wavelet, x).passed && gradgradcheck(wavelet, x).passed;
    return passed ? 0 : 1;
}
