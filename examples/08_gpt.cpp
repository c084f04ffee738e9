// A tiny GPT learns a text, character by character, and goes on writing it. By default the text is this
// library: its operations, a third of a megabyte of C++.
//
// Read `gpt` for the model, `train` for the loop, `draw_next` for temperature and top-k. Next:
// 09_padding.cpp.
#include <CLI/CLI.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>

#include "show.hpp"

using namespace reel;
using examples::Progress;

namespace {

constexpr std::int64_t kContext = 96;  // characters that the model sees
constexpr std::int64_t kWidth = 96;
constexpr std::int64_t kHeads = 4;
constexpr std::int64_t kBlocks = 3;
constexpr std::int64_t kBatch = 16;

// Text

struct Text {
    std::string symbols;        // symbols[k] is the character of class k
    Tensor training, held_out;  // classes, one after the other; the last tenth is held out
};

// A file, or the C++ sources of a folder in the order of their names.
std::string read_text(const std::filesystem::path& path) {
    std::set<std::filesystem::path> files = {path};
    if (std::filesystem::is_directory(path)) {
        files.clear();
        for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
            if (entry.path().extension() == ".cpp" || entry.path().extension() == ".hpp") files.insert(entry);
        }
    }
    std::ostringstream text;
    for (const auto& file : files) {
        std::ifstream in(file);
        if (!in) throw std::runtime_error("cannot read " + file.string());
        text << in.rdbuf();
    }
    return text.str();
}

Tensor classes_of(const std::string& text, const std::string& symbols) {
    std::vector<std::int64_t> classes;
    for (const char c : text) {
        const std::size_t found = symbols.find(c);
        if (found == std::string::npos)
            throw std::runtime_error("'" + text + "' has characters that the training text does not");
        classes.push_back(static_cast<std::int64_t>(found));
    }
    return tensor(classes);
}

Text encode(const std::string& text) {
    if (text.size() < 20 * kContext) throw std::runtime_error("the text is too short to learn from");
    const std::set<char> seen(text.begin(), text.end());
    const std::string symbols(seen.begin(), seen.end());
    const Tensor all = classes_of(text, symbols);
    const std::int64_t held = all.numel() / 10;
    return {symbols, all.narrow(0, 0, all.numel() - held), all.narrow(0, all.numel() - held, held)};
}

// The model: Radford et al., "Language Models are Unsupervised Multitask Learners", 2019; without biases

struct Block {
    Tensor attention_norm, attention_in, attention_out, norm, in, out;
};

struct Gpt {
    Tensor symbols;  // (classes, width): the vector of each symbol
    Tensor places;   // (context, width): the vector of each place
    Tensor norm;
    std::vector<Block> blocks;
    Parameters parameters;

    explicit Gpt(std::int64_t classes) {
        const double small = 0.02;
        symbols = parameters.add("symbols", randn({classes, kWidth}) * small);
        places = parameters.add("places", randn({kContext, kWidth}) * small);
        norm = parameters.add("norm", ones({kWidth}));
        // What blocks add to the stream, twice each, starts so small that the sum of it all is small.
        const double last = small / std::sqrt(2.0 * kBlocks);
        for (std::int64_t i = 0; i < kBlocks; ++i) {
            Parameters p;
            blocks.push_back({p.add("attention.norm", ones({kWidth})),
                              p.add("attention.in", randn({3 * kWidth, kWidth}) * small),
                              p.add("attention.out", randn({kWidth, kWidth}) * last),
                              p.add("norm", ones({kWidth})), p.add("in", randn({4 * kWidth, kWidth}) * small),
                              p.add("out", randn({kWidth, 4 * kWidth}) * last)});
            parameters.add("block" + std::to_string(i), p);
        }
    }
};

// Every head looks back: (batch, length, width) → the same.
Tensor attend(const Block& block, const Tensor& x) {
    // (3, batch, heads, length, width / heads): queries, keys, values
    const Tensor heads =
        linear(x, block.attention_in).unflatten(-1, {3, kHeads, -1}).permute({2, 0, 3, 1, 4});
    const Tensor seen = scaled_dot_product_attention(heads[0], heads[1], heads[2], {.is_causal = true});
    return linear(seen.transpose(1, 2).flatten(2), block.attention_out);
}

// Classes (batch, length) → what the model makes of each place (batch, length, width).
Tensor features_of(const Gpt& model, const Tensor& classes) {
    Tensor x = embedding(classes, model.symbols) + model.places.narrow(0, 0, classes.size(1));
    for (const Block& block : model.blocks) {
        x = x + attend(block, layer_norm(x, {kWidth}, block.attention_norm));
        x = x + linear(gelu(linear(layer_norm(x, {kWidth}, block.norm), block.in)), block.out);
    }
    return layer_norm(x, {kWidth}, model.norm);
}

// Classes (batch, length) → logits of the class that follows each (batch, length, classes).
Tensor gpt(const Gpt& model, const Tensor& classes) {
    return linear(features_of(model, classes), model.symbols);  // one table reads and writes
}

// Training

// The mean loss over pieces (n, kContext + 1) of text: all but the last symbol are seen, all but the first
// are asked. The logits are never held all at once.
Tensor loss_of(const Gpt& model, const Tensor& pieces) {
    return linear_cross_entropy(features_of(model, pieces.narrow(1, 0, kContext)), model.symbols,
                                pieces.narrow(1, 1, kContext));
}

void train(const Gpt& model, const Tensor& text, std::int64_t steps) {
    AdamW optimizer(model.parameters, {.betas = {0.9, 0.99}, .weight_decay = 0.1});
    const Tensor pieces = text.unfold(0, kContext + 1, 1);  // a view: one piece from each place on
    Progress progress("gpt", steps);
    for (std::int64_t step = 1; step <= steps; ++step) {
        const Tensor batch = pieces.index_select(0, randint(pieces.size(0), {kBatch}));
        Tape tape;
        const Tensor loss = loss_of(model, batch);
        loss.backward();
        clip_grad_norm_(model.parameters, 1);
        optimizer.set_lr(std::min(warmup_lr(step, 50, 3e-3), cosine_lr(step - 1, steps, 3e-3, 1e-4)));
        optimizer.step();
        optimizer.zero_grad();
        progress.show(step, loss.item<double>());
    }
}

double evaluate(const Gpt& model, const Tensor& text) {
    double sum = 0;
    const auto pieces = text.unfold(0, kContext + 1, kContext).split(kBatch);
    for (const Tensor& batch : pieces) sum += loss_of(model, batch).item<double>();
    return sum / static_cast<double>(pieces.size());
}

// Samples

// One class of the k likeliest, drawn from softmax(logits / temperature) over them.
Tensor draw_next(const Tensor& logits, double temperature, std::int64_t k) {
    const auto [likeliest, classes] = topk(logits, std::min(k, logits.size(0)));
    return classes.gather(0, multinomial(softmax(likeliest / temperature, 0), 1));
}

std::string write(const Gpt& model, const Text& text, const std::string& start, std::int64_t length,
                  double temperature, std::int64_t k) {
    Tensor classes = classes_of(start, text.symbols);
    std::string written = start;
    for (std::int64_t i = 0; i < length; ++i) {
        classes = classes.slice(0, std::max<std::int64_t>(classes.size(0) - kContext, 0));
        const Tensor next = draw_next(gpt(model, classes.unsqueeze(0))[0][-1], temperature, k);
        written += text.symbols[next.item<std::size_t>()];
        classes = cat({classes, next}, 0);
    }
    return written;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Trains a tiny GPT on a text and lets it write.");
    std::string path = REEL_EXAMPLES_DATA "/../../ops";
    std::string start = "/// ";
    std::uint64_t seed = 0;
    std::int64_t steps = 1000;
    std::int64_t length = 600;
    std::int64_t k = 10;
    double temperature = 0.8;
    app.add_option("text", path, "a file to learn from, or a folder with C++ in it")->capture_default_str();
    app.add_option("--length", length, "characters to write")->capture_default_str();
    app.add_option("--seed", seed, "the same seed gives the same text")->capture_default_str();
    app.add_option("--start", start, "what it goes on from")->capture_default_str();
    app.add_option("--steps", steps, "of training")->check(CLI::PositiveNumber)->capture_default_str();
    app.add_option("--temperature", temperature, "low: sure of itself, high: adventurous")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--top-k", k, "draw from this many likeliest characters")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    try {
        manual_seed(seed);
        const Text text = encode(read_text(path));
        if (start.empty()) throw std::runtime_error("--start must not be empty");
        classes_of(start, text.symbols);  // complains before training, not after it
        const Gpt model(static_cast<std::int64_t>(text.symbols.size()));
        std::cout << text.training.numel() << " characters to learn from, " << text.symbols.size()
                  << " different ones; " << model.parameters.numel() << " parameters\n";
        train(model, text.training, steps);
        std::cout << "held out: " << evaluate(model, text.held_out)
                  << " nats a character (knowing nothing: " << std::log(text.symbols.size()) << ")\n\n"
                  << write(model, text, start, length, temperature, k) << "\n";
    } catch (const std::exception& error) {
        std::cerr << "08_gpt: " << error.what() << "\n";
        return 1;
    }
}
