// Sequences of different lengths in one batch: they are padded to the longest, and padding must not count.
// Targets of −100 (`ignore_index`) do not exist for the loss, its mean and its gradient. Then two networks
// learn names, one of them with label smoothing, which asks for 0.9 of the truth and a little of everything:
// it ends less sure of itself, and more to be trusted.
//
// Read `pad_names`, `contexts`, `show_the_mean`, `train`. Next: 10_bfloat16.cpp.
#include <CLI/CLI.hpp>
#include <cmath>
#include <fstream>
#include <iomanip>
#include <iostream>

#include "show.hpp"

using namespace reel;
using examples::Figure;
using examples::Progress;

namespace {

constexpr std::int64_t kContext = 4;  // characters that the network sees
constexpr std::int64_t kEnd = 0;      // the class of the end of a name; a … z are 1 … 26
constexpr std::int64_t kClasses = 27;
constexpr std::int64_t kIgnore = -100;  // the class of padding, where cross_entropy looks away
constexpr std::int64_t kBatch = 64;

// Data

std::vector<std::string> read_names() {
    std::ifstream file(REEL_EXAMPLES_DATA "/names.txt");
    std::vector<std::string> names;
    for (std::string name; std::getline(file, name);) names.push_back(name);
    return names;
}

// Targets (n, longest + 1): the letters, the end, padding.
Tensor pad_names(const std::vector<std::string>& names) {
    std::size_t longest = 0;
    for (const std::string& name : names) longest = std::max(longest, name.size());
    std::vector<std::int64_t> targets;
    for (const std::string& name : names) {
        for (const char letter : name) targets.push_back(letter - 'a' + 1);
        targets.push_back(kEnd);
        targets.insert(targets.end(), longest - name.size(), kIgnore);
    }
    return tensor(targets).view({static_cast<std::int64_t>(names.size()), -1});
}

// The characters before each target (n, length, kContext): a view of the targets, moved to the right. An
// embedding has no row −100, so padding is shown as the end.
Tensor contexts(const Tensor& targets) {
    const Tensor seen = pad(targets.masked_fill(targets == kIgnore, kEnd), {kContext, 0}, "constant",
                            kEnd);  // (n, kContext + length)
    return seen.unfold(1, kContext, 1).narrow(1, 0, targets.size(1));
}

// Model

Parameters network_parameters() {
    const std::int64_t width = 16, hidden = 128;
    const auto scaled = [](std::int64_t outputs, std::int64_t inputs) {
        return randn({outputs, inputs}) / std::sqrt(static_cast<double>(inputs));
    };
    return {{"symbols", randn({kClasses, width})},
            {"w1", scaled(hidden, kContext * width)},
            {"b1", zeros({hidden})},
            {"w2", scaled(kClasses, hidden)},
            {"b2", zeros({kClasses})}};
}

// Logits (n, length, classes) of targets (n, length), each from what comes before it.
Tensor network(const Parameters& p, const Tensor& targets) {
    const Tensor characters =
        embedding(contexts(targets), p["symbols"]).flatten(2);  // (n, length, kContext · width)
    return linear(tanh(linear(characters, p["w1"], p["b1"])), p["w2"], p["b2"]);
}

// What a mean over a padded batch is, and what it is not.
void show_the_mean(const Parameters& p) {
    const std::vector<std::string> names = {"jo", "anna", "christopher"};
    const Tensor targets = pad_names(names);
    std::cout << "jo, anna and christopher as targets:\n" << targets << "\n";

    double sum = 0, means = 0;
    for (const std::string& name : names) {
        const Tensor alone = pad_names({name});
        sum += cross_entropy(network(p, alone), alone, {.reduction = kSum}).item<double>();
        means += cross_entropy(network(p, alone), alone).item<double>();
    }
    const auto tokens = (targets != kIgnore).sum().item<std::int64_t>();
    const Tensor logits = network(p, targets).set_requires_grad();
    {
        Tape tape;
        const Tensor loss = cross_entropy(logits, targets);
        loss.backward();
        std::cout << "name by name, over " << tokens << " characters  " << sum / static_cast<double>(tokens)
                  << "\nas one batch, padding ignored       " << loss.item<double>() << "\n";
    }
    const Tensor counted = targets.masked_fill(targets == kIgnore, kEnd);
    std::cout << "not the same: padding counted       "
              << cross_entropy(logits.detach(), counted).item<double>()
              << "\nnot the same: a mean of means       " << means / static_cast<double>(names.size())
              << "\nlargest gradient at padding         "
              << logits.grad().abs().amax(-1).masked_select(targets == kIgnore).max().item<double>()
              << "\n\n";
}

// Training

Parameters train(const std::string& name, const Tensor& targets, std::int64_t steps, double smoothing) {
    const Parameters parameters = network_parameters();
    AdamW optimizer(parameters);
    Progress progress(name, steps);
    for (std::int64_t step = 1; step <= steps; ++step) {
        const Tensor batch = targets.index_select(0, randint(targets.size(0), {kBatch}));
        Tape tape;
        const Tensor loss = cross_entropy(network(parameters, batch), batch, {.label_smoothing = smoothing});
        loss.backward();
        optimizer.set_lr(cosine_lr(step - 1, steps, 0.005));
        optimizer.step();
        optimizer.zero_grad();
        progress.show(step, loss.item<double>());
    }
    return parameters;
}

// How sure the network is of its first choice at each character, and how often that is right: rows of (mean
// confidence, share right, characters) for ten ranges of confidence.
using Reliability = std::vector<std::vector<double>>;

Reliability measure(const std::string& name, const Parameters& p, const Tensor& targets) {
    const Tensor counts = targets != kIgnore;
    const Tensor logits = network(p, targets);
    const auto [confidences, choices] = softmax(logits, -1).max(-1);
    const Tensor sure = confidences.masked_select(counts);
    const Tensor right = (choices == targets).masked_select(counts).to(kFloat32);
    std::cout << std::left << std::setw(10) << name << std::right << " loss "
              << cross_entropy(logits, targets).item<double>() << "  right " << right.mean().item<double>()
              << "  sure " << sure.mean().item<double>() << "\n";
    Reliability rows;
    for (int i = 0; i < 10; ++i) {
        const Tensor in_range = floor(sure * 10) == i;
        const auto n = in_range.sum().item<double>();
        if (n < 20) continue;  // too few to say
        rows.push_back({sure.masked_select(in_range).mean().item<double>(),
                        right.masked_select(in_range).mean().item<double>(), n});
    }
    return rows;
}

void draw(const std::string& path, const Reliability& plain, const Reliability& smoothed) {
    Figure figure(560, 520);
    figure.data("plain", plain);
    figure.data("smoothed", smoothed);
    figure << R"(
        set title "{/:Bold Is the network as often right as it is sure? (new names)}"
        set xlabel "mean probability of the first choice"
        set ylabel "share of the first choices that are right"
        set xrange [0:1]
        set yrange [0:1]
        set size square
        set grid
        set key top left
        plot x linecolor "#888888" dashtype 2 title "as it should be", \
             $plain    with linespoints pointtype 7 linewidth 2 linecolor "#d06000" title "plain", \
             $smoothed with linespoints pointtype 7 linewidth 2 linecolor "#3070b0" title "label smoothing 0.1"
    )";
    figure.draw(path);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Shows padding that does not count, and what label smoothing does.");
    std::string figure;
    std::uint64_t seed = 0;
    std::int64_t steps = 3000;
    app.add_option("--figure", figure, "an SVG or PNG file: how sure, how often right; with gnuplot");
    app.add_option("--seed", seed, "the same seed gives the same networks")->capture_default_str();
    app.add_option("--steps", steps, "of training")->check(CLI::PositiveNumber)->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    try {
        manual_seed(seed);
        set_num_threads(1);  // layers this small gain nothing from a second one
        std::cout << std::fixed << std::setprecision(6);
        show_the_mean(network_parameters());

        const Tensor all = pad_names(read_names());
        const Tensor mixed = all.index_select(0, randperm(all.size(0)));
        const std::int64_t held = mixed.size(0) / 4;
        const Tensor training = mixed.narrow(0, held, mixed.size(0) - held);
        const Tensor fresh = mixed.narrow(0, 0, held);
        const Parameters plain = train("plain", training, steps, 0);
        const Parameters smoothed = train("smoothed", training, steps, 0.1);
        std::cout << std::setprecision(3) << "\nOn " << held << " names that neither has seen:\n";
        const Reliability first = measure("plain", plain, fresh);
        const Reliability second = measure("smoothed", smoothed, fresh);
        if (!figure.empty()) draw(figure, first, second);
    } catch (const std::exception& error) {
        std::cerr << "09_padding: " << error.what() << "\n";
        return 1;
    }
}
