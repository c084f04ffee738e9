// Clothes: Fashion-MNIST (Xiao, Rasul, Vollgraf, 2017), 70,000 pictures of 28 × 28 in ten classes, by a
// network of two layers and by a small convolutional one.
//
// Read `read_idx` for the data, `mlp` and `cnn` for the models, `train` for the loop. Next: 08_gpt.cpp.
#include <zlib.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <functional>
#include <iostream>
#include <memory>
#include <numeric>

#include "show.hpp"

using namespace reel;
using examples::Figure;
using examples::Progress;

namespace {

constexpr std::int64_t kClasses = 10;
constexpr std::int64_t kSide = 28;
constexpr std::int64_t kBatch = 100;

// Data

struct Pictures {
    Tensor x;  // (n, 1, 28, 28) of [0, 1]
    Tensor y;  // (n) int64
};

// An IDX file: a word that ends in the number of dimensions, each size as a word, the elements as bytes.
// Words have four bytes, the highest first.
Tensor read_idx(const std::string& path) {
    const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
    if (!file) {
        throw std::runtime_error(
            "cannot read " + path +
            "\n  Debian and Ubuntu have the pictures: apt-get install dataset-fashion-mnist"
            "\n  elsewhere: --data DIR, with the four files of github.com/zalandoresearch/fashion-mnist");
    }
    const auto read = [&](std::int64_t count) {
        std::vector<unsigned char> bytes(static_cast<std::size_t>(count));
        if (gzread(file.get(), bytes.data(), static_cast<unsigned>(count)) != count)
            throw std::runtime_error(path + " is shorter than it says");
        return bytes;
    };
    const auto word = [&] {
        const auto b = read(4);
        return std::int64_t{b[0]} << 24 | b[1] << 16 | b[2] << 8 | b[3];
    };
    constexpr std::int64_t kBytes = 8 << 8;  // the elements' type
    const std::int64_t dims = word() - kBytes;
    if (dims != 1 && dims != 3) throw std::runtime_error(path + " is no IDX file of bytes");
    std::vector<std::int64_t> sizes;
    for (std::int64_t d = 0; d < dims; ++d) sizes.push_back(word());
    const std::int64_t count =
        std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies());
    return tensor(read(count), kFloat32).view(sizes);
}

Pictures read_pictures(const std::string& directory, const std::string& part) {
    const Tensor x = read_idx(directory + "/" + part + "-images-idx3-ubyte.gz");
    const Tensor y = read_idx(directory + "/" + part + "-labels-idx1-ubyte.gz");
    return {x.div_(255).unsqueeze(1), y.to(kInt64)};
}

// Models: parameters, and what makes logits (n, 10) of pictures (n, 1, 28, 28)

// Scaled so that relu keeps the size of what passes (He et al., 2015): the inputs of an output are all
// dimensions but the first.
Tensor weight(const Shape& sizes) {
    const Tensor w = randn(sizes);
    return w * std::sqrt(2.0 / static_cast<double>(w[0].numel()));
}

Parameters mlp_parameters() {
    return {{"w1", weight({256, kSide * kSide})},
            {"b1", zeros({256})},
            {"w2", weight({kClasses, 256})},
            {"b2", zeros({kClasses})}};
}

Tensor mlp(const Parameters& p, const Tensor& x) {
    const Tensor hidden = relu(linear(x.flatten(1), p["w1"], p["b1"]));  // (n, 256)
    return linear(hidden, p["w2"], p["b2"]);
}

Parameters cnn_parameters() {
    return {{"edges.weight", weight({16, 1, 3, 3})},      {"edges.bias", zeros({16})},
            {"parts.weight", weight({32, 16, 3, 3})},     {"parts.bias", zeros({32})},
            {"hidden.weight", weight({128, 32 * 7 * 7})}, {"hidden.bias", zeros({128})},
            {"out.weight", weight({kClasses, 128})},      {"out.bias", zeros({kClasses})}};
}

Tensor cnn(const Parameters& p, const Tensor& x) {
    const MaxPool2dOptions halve = {.kernel_size = 2};
    const Tensor edges = max_pool2d(relu(conv2d(x, p["edges.weight"], p["edges.bias"], {.padding = 1})),
                                    halve);  // (n, 16, 14, 14)
    const Tensor parts = max_pool2d(relu(conv2d(edges, p["parts.weight"], p["parts.bias"], {.padding = 1})),
                                    halve);  // (n, 32, 7, 7)
    const Tensor hidden = relu(linear(parts.flatten(1), p["hidden.weight"], p["hidden.bias"]));  // (n, 128)
    return linear(hidden, p["out.weight"], p["out.bias"]);
}

struct Model {
    std::string name;
    Tensor (*logits)(const Parameters&, const Tensor&);
    Parameters parameters;
};

// Training

// The class of each picture, some hundred pictures at a time.
Tensor classify(const Model& model, const Tensor& x) {
    std::vector<Tensor> classes;
    for (const Tensor& part : x.split(5 * kBatch))
        classes.push_back(model.logits(model.parameters, part).argmax(1));
    return cat(classes, 0);
}

void train(const Model& model, const Pictures& data, std::int64_t steps, double lr) {
    AdamW optimizer(model.parameters);
    Progress progress(model.name, steps);
    Tensor order;  // of the pictures, another one for each time that all of them are seen
    const std::int64_t batches = data.y.numel() / kBatch;
    for (std::int64_t step = 0; step < steps; ++step) {
        if (step % batches == 0) order = randperm(data.y.numel());
        const Tensor batch = order.narrow(0, step % batches * kBatch, kBatch);
        Tape tape;
        const Tensor logits = model.logits(model.parameters, data.x.index_select(0, batch));
        const Tensor loss = cross_entropy(logits, data.y.index_select(0, batch));
        loss.backward();
        optimizer.set_lr(cosine_lr(step, steps, lr));
        optimizer.step();
        optimizer.zero_grad();
        progress.show(step + 1, loss.item<double>());
    }
}

// How many pictures of each class (row) are taken for which (column).
Tensor confusion(const Tensor& classes, const Tensor& truth) {
    return zeros({kClasses, kClasses}).index_put({truth, classes}, ones({}), true);
}

void draw(const std::string& path, const Tensor& counts) {
    Figure figure(760, 640);
    figure.data("counts", counts);
    figure << R"(
        set title "{/:Bold What the convolutional network takes the test pictures for}"
        set xlabel "taken for"
        set ylabel "is"
        set cblabel "pictures"
        names = "T-shirt trouser pullover dress coat sandal shirt sneaker bag boot"
        set xtics ("" 0) rotate by -35
        set ytics ("" 0)
        set for [i=1:10] xtics add (word(names, i) i - 1)
        set for [i=1:10] ytics add (word(names, i) i - 1)
        set xrange [-0.5:9.5]
        set yrange [9.5:-0.5]
        set logscale cb
        set cbrange [1:1000]
        set palette defined (0 "#ffffff", 1 "#a8c8e8", 2 "#205090")
        unset key
        plot $counts matrix with image pixels, \
             $counts matrix using 1:2:(sprintf("%d", $3)):($3 > 250 ? 0xffffff : 0x303030) \
                     with labels textcolor rgb variable
    )";
    figure.draw(path);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Trains two networks to tell clothes apart.");
    std::string data = "/usr/share/datasets/fashion-mnist";
    std::string figure;
    std::uint64_t seed = 0;
    double epochs = 8;
    app.add_option("--data", data, "the directory of the four IDX files")->capture_default_str();
    app.add_option("--epochs", epochs, "how often all pictures are seen")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--figure", figure, "an SVG or PNG file for the second network's mistakes, with gnuplot");
    app.add_option("--seed", seed, "the same seed gives the same networks")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    try {
        manual_seed(seed);
        const Pictures training = read_pictures(data, "train");
        const Pictures test = read_pictures(data, "t10k");
        const auto steps =
            static_cast<std::int64_t>(std::ceil(epochs * static_cast<double>(training.y.numel() / kBatch)));
        for (const Model& model :
             {Model{"mlp", mlp, mlp_parameters()}, Model{"cnn", cnn, cnn_parameters()}}) {
            train(model, training, steps, 0.002);
            const Tensor classes = classify(model, test.x);
            const double right = (classes == test.y).to(kFloat64).mean().item<double>();
            std::cout << model.name << ": " << 100 * right << " % of " << test.y.numel()
                      << " test pictures right\n";
            if (!figure.empty() && model.logits == cnn) draw(figure, confusion(classes, test.y));
        }
    } catch (const std::exception& error) {
        std::cerr << "07_fashion: " << error.what() << "\n";
        return 1;
    }
}
