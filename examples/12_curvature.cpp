// Curvature without matrices. A Hessian-vector product costs two rewinds, however many parameters there are,
// and it is all that Newton's method needs: the step p with H p = −g is found by conjugate gradients, which
// only ever ask for H times something. Here for logistic regression on columns of very different sizes, where
// gradient descent crawls.
//
// Read `loss`, `solve`, `newton`. Next: 13_checkpoint.cpp.
#include <CLI/CLI.hpp>
#include <iomanip>
#include <iostream>

#include "show.hpp"

using namespace reel;
using examples::Figure;

namespace {

constexpr std::int64_t kPoints = 400;
constexpr std::int64_t kColumns = 20;
constexpr double kTolerance = 1e-10;  // of the gradient's norm

struct Problem {
    Tensor x;  // (n, columns) float64; the columns' sizes fall from 1 to 1/30
    Tensor y;  // (n) of 0 and 1, drawn with a hidden w

    Problem() {
        const Tensor size = pow(30.0, -linspace(0, 1, kColumns, kFloat64));
        x = randn({kPoints, kColumns}, kFloat64) * size;
        y = bernoulli(sigmoid(x.matmul(randn({kColumns}, kFloat64) / size)));
    }
    // The mean log-loss, and a little of |w|², so that there is one minimum.
    Tensor loss(const Tensor& w) const {
        return binary_cross_entropy_with_logits(x.matmul(w), y) + 1e-4 * square(w).sum();
    }
    TensorFunction function() const {
        return [this](const Tensor& w) { return loss(w); };
    }
};

// What a method has spent and reached: rows of (rewinds, norm of the gradient).
using History = std::vector<std::vector<double>>;

double length(const Tensor& v) { return norm(v).item<double>(); }

// p with H p = b for a symmetric positive H, of which only `times(p)` = H p is known. (Hestenes and Stiefel,
// 1952.)
template <class Times>
Tensor solve(const Times& times, const Tensor& b) {
    Tensor p = zeros_like(b);
    Tensor residual = b;
    Tensor direction = b;
    while (length(residual) > 1e-3 * length(b)) {
        const Tensor h_direction = times(direction);
        const Tensor square = residual.dot(residual);
        const Tensor step = square / direction.dot(h_direction);
        p = p + step * direction;
        residual = residual - step * h_direction;
        direction = residual + residual.dot(residual) / square * direction;
    }
    return p;
}

History newton(const Problem& problem) {
    History history;
    Tensor w = zeros({kColumns}, kFloat64);
    for (double rewinds = 0;;) {
        const Tensor g = vjp(problem.function(), w).second;
        history.push_back({++rewinds, length(g)});
        if (length(g) < kTolerance) return history;
        const auto times = [&](const Tensor& v) {
            rewinds += 2;
            return hvp(problem.function(), w, v).second;
        };
        w = w + solve(times, -g);
    }
}

// The largest step that is safe everywhere: 1 / L, where L bounds the Hessian's eigenvalues. Its history is
// thinned out for a logarithmic axis.
History gradient_descent(const Problem& problem, std::int64_t rewinds) {
    const double bound = (square(problem.x).sum() / (4 * kPoints)).item<double>() + 2e-4;
    History history;
    Tensor w = zeros({kColumns}, kFloat64);
    for (std::int64_t i = 1; i <= rewinds; ++i) {
        const Tensor g = vjp(problem.function(), w).second;
        const auto now = static_cast<double>(i);
        if (i == 1 || now > 1.02 * history.back()[0] || i == rewinds) history.push_back({now, length(g)});
        w = w - g / bound;
    }
    return history;
}

void draw(const std::string& path, const History& newtons, const History& descents) {
    Figure figure(800, 450);
    figure.data("newton", newtons);
    figure.data("descent", descents);
    figure << R"(
        set title "{/:Bold Logistic regression: Newton by Hessian-vector products, and gradient descent}"
        set xlabel "rewinds"
        set ylabel "norm of the gradient"
        set logscale xy
        set format y "10^{%T}"
        set grid
        set key bottom left
        plot $descent using 1:2 with lines linecolor "#d06000" linewidth 2 title "gradient descent", \
             $newton using 1:2 with linespoints pointtype 7 pointsize 0.6 linecolor "#3070b0" linewidth 2 title "Newton and conjugate gradients"
    )";
    figure.draw(path);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Uses Hessian-vector products for Newton's method.");
    std::string figure;
    std::uint64_t seed = 0;
    app.add_option("--figure", figure, "an SVG or PNG file for both methods' ways, with gnuplot");
    app.add_option("--seed", seed, "the same seed gives the same problem")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    manual_seed(seed);
    const Problem problem;

    const Tensor w = randn({kColumns}, kFloat64);
    const Tensor v = randn({kColumns}, kFloat64);
    const Tensor whole = hessian(problem.function(), w);  // (columns, columns), by a rewind for each row
    const Tensor product = hvp(problem.function(), w, v).second;
    std::cout << "H v by two rewinds and by the whole H differ by "
              << length(product - whole.mv(v)) / length(product) << " of its length\n";

    const History newtons = newton(problem);
    const History descents = gradient_descent(problem, 10000);
    std::cout << "Newton:           " << newtons.size() - 1 << " steps, " << newtons.back()[0]
              << " rewinds, gradient " << newtons.back()[1] << "\ngradient descent: " << descents.back()[0]
              << " steps and rewinds, gradient " << descents.back()[1] << "\n";
    try {
        if (!figure.empty()) draw(figure, newtons, descents);
    } catch (const std::exception& error) {
        std::cerr << "12_curvature: " << error.what() << "\n";
        return 1;
    }
}
