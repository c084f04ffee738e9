// Training that may be killed at any moment. Every few steps all that it consists of (parameters, the
// optimizer's state, the generator's state, the step) is written to a file, whole or not at all. Start it,
// kill it (Ctrl-C, kill -9), start it again: it goes on from there, and ends with the same bits as if nothing
// had happened. Batches and dropout are random, so the generator must go on too.
//
// Read `run`. examples/checkpoint_test.cmake kills it fifty times. Next: 14_check.cpp.
#include <CLI/CLI.hpp>
#include <cmath>
#include <filesystem>
#include <iomanip>
#include <iostream>

#include "show.hpp"
#include "spiral.hpp"

using namespace reel;
using examples::kArms;
using examples::Points;
using examples::Progress;

namespace {

constexpr std::int64_t kHidden = 64;
constexpr std::int64_t kBatch = 64;

Tensor network(const Parameters& p, const Tensor& x, bool training) {
    const Tensor hidden = dropout(relu(linear(x, p["w1"], p["b1"])), 0.1, training);       // (n, hidden)
    const Tensor deeper = dropout(relu(linear(hidden, p["w2"], p["b2"])), 0.1, training);  // (n, hidden)
    return linear(deeper, p["w3"], p["b3"]);                                               // (n, arms)
}

void run(const std::string& file, std::int64_t steps, std::int64_t every) {
    const Points points = examples::spiral(100);
    const double scale = std::sqrt(2.0 / kHidden);
    const Parameters parameters = {{"w1", randn({kHidden, 2})},
                                   {"b1", zeros({kHidden})},
                                   {"w2", randn({kHidden, kHidden}) * scale},
                                   {"b2", zeros({kHidden})},
                                   {"w3", randn({kArms, kHidden}) * scale},
                                   {"b3", zeros({kArms})}};
    AdamW optimizer(parameters, {.lr = 0.003});

    std::int64_t step = 0;
    if (std::filesystem::exists(file)) step = load_checkpoint(file, parameters, optimizer);
    std::cout << (step == 0 ? "starts" : "goes on after step " + std::to_string(step)) << std::endl;

    Progress progress("training", steps);
    while (step < steps) {
        const Tensor batch = randint(points.y.numel(), {kBatch});
        Tape tape;
        const Tensor logits = network(parameters, points.x.index_select(0, batch), true);
        const Tensor loss = cross_entropy(logits, points.y.index_select(0, batch));
        loss.backward();
        optimizer.step();
        optimizer.zero_grad();
        ++step;
        if (step % every == 0 || step == steps) save_checkpoint(file, parameters, optimizer, step);
        progress.show(step, loss.item<double>());
    }
    std::cout << "the loss on all points: " << std::setprecision(9)
              << cross_entropy(network(parameters, points.x, false), points.y).item<float>() << "\n";
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Trains a small network, and goes on after having been killed.");
    std::string file = "checkpoint.safetensors";
    std::uint64_t seed = 0;
    std::int64_t steps = 20000;
    std::int64_t every = 10;
    app.add_option("file", file, "the checkpoint; where it exists, training goes on from it")
        ->capture_default_str();
    app.add_option("--every", every, "steps between two writes")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--seed", seed, "the same seed gives the same network")->capture_default_str();
    app.add_option("--steps", steps, "of training")->check(CLI::PositiveNumber)->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    try {
        manual_seed(seed);
        set_num_threads(1);  // layers this small gain nothing from a second one
        run(file, steps, every);
    } catch (const std::exception& error) {
        std::cerr << "13_checkpoint: " << error.what() << "\n";
        return 1;
    }
}
