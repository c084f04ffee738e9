// A small network tells the three arms of a spiral apart, and draws what it says of every place in the plane.
//
// Read `network` for the model, `train` for the loop, `draw` for the picture. Next: 07_fashion.cpp.
#include <CLI/CLI.hpp>
#include <cmath>
#include <iostream>

#include "show.hpp"
#include "spiral.hpp"

using namespace reel;
using examples::Figure;
using examples::kArms;
using examples::Points;
using examples::Progress;

namespace {

// Two hidden layers. Their weights are scaled so that relu keeps the size of what passes (He et al., 2015).
Parameters network_parameters(std::int64_t hidden) {
    const auto weight = [](std::int64_t outputs, std::int64_t inputs) {
        return randn({outputs, inputs}) * std::sqrt(2.0 / static_cast<double>(inputs));
    };
    return {{"w1", weight(hidden, 2)}, {"b1", zeros({hidden})},       {"w2", weight(hidden, hidden)},
            {"b2", zeros({hidden})},   {"w3", weight(kArms, hidden)}, {"b3", zeros({kArms})}};
}

Tensor network(const Parameters& p, const Tensor& x) {
    const Tensor first = relu(linear(x, p["w1"], p["b1"]));       // (n, hidden)
    const Tensor second = relu(linear(first, p["w2"], p["b2"]));  // (n, hidden)
    return linear(second, p["w3"], p["b3"]);                      // (n, arms)
}

void train(const Parameters& parameters, const Points& points, int steps) {
    AdamW optimizer(parameters, {.lr = 0.01});
    Progress progress("spiral", steps);
    for (int step = 1; step <= steps; ++step) {
        Tape tape;
        const Tensor loss = cross_entropy(network(parameters, points.x), points.y);
        loss.backward();
        optimizer.step();
        optimizer.zero_grad();
        progress.show(step, loss.item<double>());
    }
}

double accuracy(const Parameters& parameters, const Points& points) {
    return (network(parameters, points.x).argmax(1) == points.y).to(kFloat32).mean().item<double>();
}

// Every arm has a colour, and every place the mixture that the network's probabilities make of them.
void draw(const std::string& path, const Parameters& parameters, const Points& points) {
    constexpr std::int64_t kPixels = 200;
    const Tensor colours = tensor({{48, 112, 176}, {224, 120, 32}, {64, 150, 90}}).to(kFloat32);
    const Tensor side = linspace(-1.2, 1.2, kPixels);
    const Tensor plane = stack({side.repeat({kPixels}), side.repeat_interleave(kPixels)}, 1);  // (n, 2): x, y
    const Tensor pale = 127 + 0.5 * softmax(network(parameters, plane), 1).matmul(colours);

    Figure figure(620, 600);
    figure.data("plane", cat({plane, pale}, 1));
    figure.data("points", cat({points.x, colours.index_select(0, points.y)}, 1));
    figure << R"(
        set title "{/:Bold Three arms of a spiral, as the network sees the plane}"
        set xlabel "x"
        set ylabel "y"
        set size ratio -1
        set xrange [-1.2:1.2]
        set yrange [-1.2:1.2]
        unset key
        rgb(r, g, b) = 65536 * int(r) + 256 * int(g) + int(b)
        plot $plane  using 1:2:3:4:5 with rgbimage, \
             $points using 1:2 with points pointtype 7 pointsize 0.9 linecolor "white", \
             $points using 1:2:(rgb($3, $4, $5)) with points pointtype 7 pointsize 0.6 linecolor rgb variable
    )";
    figure.draw(path);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Trains a small network to tell the arms of a spiral apart.");
    std::string figure;
    std::uint64_t seed = 0;
    int steps = 1000;
    app.add_option("--figure", figure, "a PNG or SVG file for the decision boundary, with gnuplot");
    app.add_option("--seed", seed, "the same seed gives the same network")->capture_default_str();
    app.add_option("--steps", steps, "of training")->check(CLI::PositiveNumber)->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    try {
        manual_seed(seed);
        set_num_threads(1);  // layers this small gain nothing from a second one
        const Points training = examples::spiral(100);
        const Points fresh = examples::spiral(1000);
        const Parameters parameters = network_parameters(64);
        train(parameters, training, steps);
        std::cout << "right on the " << training.y.numel() << " points: " << accuracy(parameters, training)
                  << ", on " << fresh.y.numel() << " new ones: " << accuracy(parameters, fresh) << "\n";
        if (!figure.empty()) draw(figure, parameters, training);
    } catch (const std::exception& error) {
        std::cerr << "06_spiral: " << error.what() << "\n";
        return 1;
    }
}
