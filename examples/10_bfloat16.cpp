// Half the memory: a network whose parameters and activations are stored in bfloat16 (the range of float32,
// with 8 bits of precision), beside its float32 twin. Both start from the same numbers and see the same
// batches. Sums are computed in float32, and so is the loss: `cross_entropy` widens its logits inside. What
// is lost is small steps: a parameter moves by about 1/256 of itself or not at all, which is why the twin
// ends a little ahead.
//
// Read `network`, `train`. Next: 11_operation.cpp.
#include <CLI/CLI.hpp>
#include <cmath>
#include <iomanip>
#include <iostream>

#include "show.hpp"
#include "spiral.hpp"

using namespace reel;
using examples::Figure;
using examples::kArms;
using examples::Points;
using examples::Progress;

namespace {

constexpr std::int64_t kBatch = 128;
constexpr std::int64_t kHidden = 64;

Tensor network(const Parameters& p, const Tensor& x) {
    const Tensor first = relu(linear(x, p["w1"], p["b1"]));       // (n, hidden)
    const Tensor second = relu(linear(first, p["w2"], p["b2"]));  // (n, hidden)
    return linear(second, p["w3"], p["b3"]);                      // (n, arms)
}

struct Run {
    std::vector<std::vector<double>> curve;  // rows of (step, loss on new points)
    std::int64_t parameter_bytes, tape_bytes;
    double loss, right;
};

Run train(DType dtype, std::uint64_t seed, std::int64_t steps) {
    manual_seed(seed);
    const Points training = examples::spiral(300);
    const Points fresh = examples::spiral(1000);
    const Tensor x = training.x.to(dtype);
    const auto weight = [](std::int64_t outputs, std::int64_t inputs) {
        return randn({outputs, inputs}) * std::sqrt(2.0 / static_cast<double>(inputs));
    };
    const Parameters wide = {{"w1", weight(kHidden, 2)},       {"b1", zeros({kHidden})},
                             {"w2", weight(kHidden, kHidden)}, {"b2", zeros({kHidden})},
                             {"w3", weight(kArms, kHidden)},   {"b3", zeros({kArms})}};
    const Parameters parameters = wide.to(dtype);
    Run run = {};
    run.parameter_bytes = parameters.numel() * itemsize(dtype);
    AdamW optimizer(parameters);
    Progress progress(name(dtype), steps);
    for (std::int64_t step = 1; step <= steps; ++step) {
        const Tensor batch = randint(training.y.numel(), {kBatch});
        Tape tape;
        const Tensor logits = network(parameters, x.index_select(0, batch));           // in `dtype`
        const Tensor loss = cross_entropy(logits, training.y.index_select(0, batch));  // in float32
        run.tape_bytes = tape.bytes_kept();
        loss.backward();
        optimizer.set_lr(cosine_lr(step - 1, steps, 0.005));
        optimizer.step();
        optimizer.zero_grad();
        progress.show(step, loss.item<double>());
        if (step % 20 != 0 && step != steps) continue;
        const NoGradGuard no_grad;
        const Tensor answers = network(parameters, fresh.x.to(dtype));
        run.loss = cross_entropy(answers, fresh.y).item<double>();
        run.right = (answers.argmax(1) == fresh.y).to(kFloat32).mean().item<double>();
        run.curve.push_back({static_cast<double>(step), run.loss});
    }
    return run;
}

void draw(const std::string& path, const Run& wide, const Run& narrow) {
    Figure figure(800, 420);
    figure.data("wide", wide.curve);
    figure.data("narrow", narrow.curve);
    figure << R"(
        set title "{/:Bold One network, stored in 32 and in 16 bits}"
        set xlabel "step"
        set ylabel "cross-entropy on new points, nats"
        set logscale y
        set grid
        plot $wide   with lines linewidth 2 linecolor "#3070b0" title "float32", \
             $narrow with lines linewidth 2 linecolor "#d06000" title "bfloat16, the loss in float32"
    )";
    figure.draw(path);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Trains a network in bfloat16 and its float32 twin.");
    std::string figure;
    std::uint64_t seed = 0;
    std::int64_t steps = 2000;
    app.add_option("--figure", figure, "an SVG or PNG file for the loss curves, with gnuplot");
    app.add_option("--seed", seed, "the same seed gives the same twins")->capture_default_str();
    app.add_option("--steps", steps, "of training")->check(CLI::PositiveNumber)->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    try {
        set_num_threads(1);  // layers this small gain nothing from a second one
        const Run wide = train(kFloat32, seed, steps);
        const Run narrow = train(kBFloat16, seed, steps);
        std::cout << "\n          parameters  kept on the tape    loss  right, on new points\n" << std::fixed;
        for (const auto& [name, run] : {std::pair("float32", wide), std::pair("bfloat16", narrow)}) {
            std::cout << std::left << std::setw(8) << name << std::right << std::setw(7)
                      << run.parameter_bytes << " bytes" << std::setw(10) << run.tape_bytes << " bytes"
                      << std::setprecision(4) << std::setw(10) << run.loss << std::setw(8) << run.right
                      << "\n";
        }
        if (!figure.empty()) draw(figure, wide, narrow);
    } catch (const std::exception& error) {
        std::cerr << "10_bfloat16: " << error.what() << "\n";
        return 1;
    }
}
