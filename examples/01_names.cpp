// A character model learns names: first the bigram table (the next character from the last one), then a small
// network that sees the last four. Before it trains, the model's own loss is put through the gradient check.
//
// The data is one name a line; any text file will do. Read `mlp` for the model, `train` for the loop.
// Next: 06_spiral.cpp.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <reel.hpp>
#include <set>
#include <string>
#include <vector>

#include "show.hpp"

using namespace reel;
using examples::Figure;
using examples::Progress;

namespace {

constexpr std::int64_t kContext = 4;  // characters that the network sees
constexpr std::int64_t kBatch = 128;
constexpr int kCurveSteps = 25;   // between two points of a loss curve
constexpr std::int64_t kEnd = 0;  // the symbol before the first and after the last character of a line

// Data: lines of text as (context, next character) pairs

struct Pairs {
    Tensor x;  // (n, kContext) int64
    Tensor y;  // (n) int64
};

struct Text {
    std::vector<std::string> lines;
    std::string symbols;  // symbols[k - 1] is the character of class k; class 0 is kEnd
    std::int64_t classes() const { return static_cast<std::int64_t>(symbols.size()) + 1; }
};

Text read_text(const std::string& path) {
    std::ifstream file(path);
    if (!file) throw std::runtime_error("cannot read " + path);
    Text text;
    std::set<char> seen;
    for (std::string line; std::getline(file, line);) {
        if (line.ends_with('\r')) line.pop_back();
        if (line.empty()) continue;
        seen.insert(line.begin(), line.end());
        text.lines.push_back(line);
    }
    if (text.lines.size() < 20) throw std::runtime_error(path + " has fewer than 20 lines to learn from");
    text.symbols.assign(seen.begin(), seen.end());
    return text;
}

// The lines order[first], order[first + 1], … before order[last].
Pairs make_pairs(const Text& text, const std::vector<std::int64_t>& order, std::size_t first,
                 std::size_t last) {
    std::vector<std::int64_t> x;
    std::vector<std::int64_t> y;
    for (std::size_t i = first; i < last; ++i) {
        const std::string& line = text.lines[static_cast<std::size_t>(order[i])];
        std::vector<std::int64_t> context(kContext, kEnd);
        for (std::size_t at = 0; at <= line.size(); ++at) {
            const auto next =
                at == line.size() ? kEnd : 1 + static_cast<std::int64_t>(text.symbols.find(line[at]));
            x.insert(x.end(), context.begin(), context.end());
            y.push_back(next);
            std::shift_left(context.begin(), context.end(), 1);
            context.back() = next;
        }
    }
    return {tensor(x).view({-1, kContext}), tensor(y)};
}

// Models: parameters, and what makes logits (n, classes) of contexts (n, kContext)

Tensor bigram(const Parameters& p, const Tensor& x) { return embedding(x.select(1, -1), p["table"]); }

Parameters bigram_parameters(std::int64_t classes) { return {{"table", zeros({classes, classes})}}; }

Tensor mlp(const Parameters& p, const Tensor& x) {
    const Tensor characters = embedding(x, p["symbols"]).flatten(1);   // (n, kContext · width)
    const Tensor hidden = tanh(linear(characters, p["w1"], p["b1"]));  // (n, hidden)
    return linear(hidden, p["w2"], p["b2"]);                           // (n, classes)
}

// Each layer's weights are scaled by 1/√(its inputs), so that tanh starts in its linear part.
Parameters mlp_parameters(std::int64_t classes, std::int64_t width, std::int64_t hidden) {
    const auto scaled = [](std::int64_t outputs, std::int64_t inputs) {
        return randn({outputs, inputs}) / std::sqrt(static_cast<double>(inputs));
    };
    return {{"symbols", randn({classes, width})},
            {"w1", scaled(hidden, kContext * width)},
            {"b1", zeros({hidden})},
            {"w2", scaled(classes, hidden) * 0.1},
            {"b2", zeros({classes})}};
}

struct Model {
    Tensor (*logits)(const Parameters&, const Tensor&);
    Parameters parameters;
};

// The mean over all pairs, a few thousand at a time.
double evaluate(const Model& model, const Pairs& data) {
    const std::int64_t n = data.y.numel();
    const std::int64_t chunk = 4096;
    double sum = 0;
    for (std::int64_t at = 0; at < n; at += chunk) {
        const std::int64_t length = std::min(chunk, n - at);
        const Tensor logits = model.logits(model.parameters, data.x.narrow(0, at, length));
        sum += cross_entropy(logits, data.y.narrow(0, at, length), {.reduction = kSum}).item<double>();
    }
    return sum / static_cast<double>(n);
}

// Training

// Rows of (step, loss of the batches since the last row, loss on the held-out lines).
using Curve = std::vector<std::vector<double>>;

Curve train(const std::string& name, Model& model, const Pairs& data, const Pairs& held_out, int steps,
            double lr) {
    AdamW optimizer(model.parameters, {.weight_decay = 0.02});
    Progress progress(name, steps);
    Curve curve;
    double sum = 0;
    for (int step = 1; step <= steps; ++step) {
        const Tensor batch = randint(data.y.numel(), {kBatch});
        Tape tape;
        const Tensor logits = model.logits(model.parameters, data.x.index_select(0, batch));
        const Tensor loss = cross_entropy(logits, data.y.index_select(0, batch));
        loss.backward();
        optimizer.set_lr(cosine_lr(step - 1, steps, lr));
        optimizer.step();
        optimizer.zero_grad();
        progress.show(step, loss.item<double>());
        sum += loss.item<double>();
        if (step % kCurveSteps == 0) {
            const NoGradGuard no_grad;
            curve.push_back({static_cast<double>(step), sum / kCurveSteps, evaluate(model, held_out)});
            sum = 0;
        }
    }
    return curve;
}

void draw(const std::string& path, const Curve& table, const Curve& network, std::int64_t classes) {
    Figure figure(800, 450);
    figure.data("table", table);
    figure.data("network", network);
    figure << "nothing = " << std::log(classes) << R"(
        set title "{/:Bold A bigram table and a network learn names}"
        set xlabel "step"
        set ylabel "cross-entropy, nats a character"
        set grid
        set key at graph 0.98,0.88
        plot nothing                    linecolor "#888888" dashtype 2  title "knowing nothing", \
             $table   using 1:2 with lines linecolor "#a8c8e8"             title "bigram, batches", \
             $table   using 1:3 with lines linecolor "#3070b0" linewidth 2 title "bigram, held out", \
             $network using 1:2 with lines linecolor "#f0c098"             title "network, batches", \
             $network using 1:3 with lines linecolor "#d06000" linewidth 2 title "network, held out"
    )";
    figure.draw(path);
}

// The gradient of the model's loss for every parameter against numeric derivatives, in float64, for a small
// copy of the model and the first pairs of the data.
bool check_gradients(const Pairs& data, std::int64_t classes) {
    const Parameters parameters = mlp_parameters(classes, 3, 5).to(kFloat64);
    const Tensor x = data.x.narrow(0, 0, 8);
    const Tensor y = data.y.narrow(0, 0, 8);
    const auto loss = [&](const std::vector<Tensor>& tensors) {
        return cross_entropy(mlp(parameters.with(tensors), x), y);
    };
    const auto report = gradcheck(loss, parameters, {.name = "the model's loss"});
    std::cout << report << "\n";
    return static_cast<bool>(report);
}

// Samples

// `count` lines drawn character by character from softmax(logits / temperature).
std::vector<std::string> sample(const Model& model, const Text& text, double temperature,
                                std::int64_t count) {
    const std::size_t longest = 40;
    std::vector<std::string> lines(static_cast<std::size_t>(count));
    std::vector<bool> ended(lines.size());
    Tensor context = full({count, kContext}, kEnd);
    for (std::size_t at = 0; at < longest; ++at) {
        const Tensor logits = model.logits(model.parameters, context);
        const Tensor next = multinomial(softmax(logits / temperature, -1), 1, true);  // (count, 1)
        context = cat({context.narrow(1, 1, kContext - 1), next}, 1);
        const auto drawn = next.to_vector<std::size_t>();
        for (std::size_t i = 0; i < lines.size(); ++i) {
            ended[i] = ended[i] || drawn[i] == kEnd;
            if (!ended[i]) lines[i] += text.symbols[drawn[i] - 1];
        }
    }
    return lines;
}

void report(const char* name, const Model& model, const Pairs& training, const Pairs& held_out) {
    std::cout << std::left << std::setw(12) << name << std::right << std::fixed << std::setprecision(3)
              << std::setw(8) << evaluate(model, training) << std::setw(10) << evaluate(model, held_out)
              << "\n";
}

int run(const std::string& path, const std::string& figure, std::uint64_t seed, int steps) {
    manual_seed(seed);
    set_num_threads(1);  // layers this small gain nothing from a second one
    const Text text = read_text(path);
    const auto order = randperm(static_cast<std::int64_t>(text.lines.size())).to_vector<std::int64_t>();
    const std::size_t held = order.size() / 10;
    const Pairs held_out = make_pairs(text, order, 0, held);
    const Pairs training = make_pairs(text, order, held, order.size());
    std::cout << text.lines.size() << " lines, " << text.classes() << " symbols, " << training.y.numel()
              << " characters to learn from, " << held_out.y.numel() << " held out\n\n";

    if (!check_gradients(training, text.classes())) return 1;

    Model table{bigram, bigram_parameters(text.classes())};
    const Curve table_curve = train("bigram", table, training, held_out, std::max(1, steps / 4), 0.1);
    Model network{mlp, mlp_parameters(text.classes(), 16, 128)};
    const Curve network_curve = train("network", network, training, held_out, steps, 0.003);

    std::cout << "\nloss          train  held out\nlog(" << std::left << std::setw(2) << text.classes()
              << ")     " << std::right << std::fixed << std::setprecision(3) << std::setw(8)
              << std::log(text.classes()) << std::setw(10) << std::log(text.classes()) << "\n";
    report("bigram", table, training, held_out);
    report("network", network, training, held_out);

    if (!figure.empty()) draw(figure, table_curve, network_curve, text.classes());
    for (const double temperature : {0.5, 1.0, 1.5}) {
        std::cout << "\ntemperature " << std::setprecision(1) << temperature << "\n";
        for (const std::string& line : sample(network, text, temperature, 8))
            std::cout << "  " << line << "\n";
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Trains a bigram table and a small network to make up names.");
    std::string path = REEL_EXAMPLES_DATA "/names.txt";
    std::string figure;
    std::uint64_t seed = 0;
    int steps = 3000;
    app.add_option("file", path, "text to learn from, one example a line")->capture_default_str();
    app.add_option("--seed", seed, "the same seed gives the same samples")->capture_default_str();
    app.add_option("--steps", steps, "of training")->check(CLI::PositiveNumber)->capture_default_str();
    app.add_option("--figure", figure, "an SVG or PNG file for the loss curves, with gnuplot");
    CLI11_PARSE(app, argc, argv);
    try {
        return run(path, figure, seed, steps);
    } catch (const std::exception& error) {
        std::cerr << "names: " << error.what() << "\n";
        return 1;
    }
}
