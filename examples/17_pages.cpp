// Tapes as pages for a browser, one for each of the lectures (docs/lectures.md): b = a + a, c = b + b, where
// a value is used twice; a small network, step by step forward and backward; softmax by its definition and
// shifted, side by side, with the place where the numbers go wrong.
//
// Read `fan`, `network`, `softmaxes`. This is the last one.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <reel.hpp>

using namespace reel;

namespace {

void fan(const std::string& path) {
    const Tensor a = tensor(3.0).set_requires_grad();
    Tape tape({.watch = true});
    const Tensor b = a + a;
    const Tensor c = b + b;
    c.backward();
    tape.to_html(path, {.title = "b = a + a, c = b + b", .names = {{"a", a}, {"b", b}, {"c", c}}});
}

// Four points, a hidden layer of three, and the loss of two classes. In float64, so that numeric derivatives can stand
// beside the gradients of the weights.
void network(const std::string& path) {
    const Parameters p = {{"w1", randn({3, 2}, kFloat64)},
                          {"b1", zeros({3}, kFloat64)},
                          {"w2", randn({2, 3}, kFloat64)},
                          {"b2", zeros({2}, kFloat64)}};
    const Tensor x = tensor({{0.5, 0.5}, {-0.5, 0.5}, {0.5, -0.5}, {-0.5, -0.5}}, kFloat64);
    std::map<std::string, Tensor> names = p;
    names["x"] = x;
    const auto forward = [&](std::map<std::string, Tensor>& values) {
        const Tensor hidden = tanh(x.matmul(p["w1"].t()) + p["b1"]);
        const Tensor logits = hidden.matmul(p["w2"].t()) + p["b2"];
        const Tensor loss = cross_entropy(logits, tensor({1, 0, 0, 1}));
        values.insert({{"hidden", hidden}, {"logits", logits}, {"loss", loss}});
        return loss;
    };
    Tape tape({.watch = true});
    forward(names).backward();
    const auto again = [&] {
        std::map<std::string, Tensor> unnamed;
        return forward(unnamed);
    };
    tape.to_html(path, {.title = "A network", .names = names, .check = again});
}

Tensor by_definition(const Tensor& z) {
    const Tensor e = exp(z);
    return e / e.sum();
}

Tensor shifted(const Tensor& z) { return by_definition(z - z.max()); }

// Each beside a run of itself in float64, which still holds what float32 does not.
void softmaxes(const std::string& path) {
    const auto logits = [](DType dtype) { return tensor({-100.0, 0.0, 100.0}, dtype).set_requires_grad(); };
    const Tensor z = logits(kFloat32), wide = logits(kFloat64);
    const auto rewound = [](Tensor (*softmax)(const Tensor&), const Tensor& at) {
        softmax(at)[2].backward();
    };
    Tape naive64({.watch = true});
    rewound(by_definition, wide);
    Tape stable64({.watch = true});
    rewound(shifted, wide);
    Tape naive({.watch = true});
    rewound(by_definition, z);
    Tape stable({.watch = true});
    rewound(shifted, z);
    to_html(path, {{&naive, {.title = "by the definition", .names = {{"z", z}}, .twin = &naive64}},
                   {&stable, {.title = "shifted by the maximum", .names = {{"z", z}}, .twin = &stable64}}});
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Writes tapes as pages for a browser.");
    std::string directory = ".";
    std::uint64_t seed = 0;
    app.add_option("directory", directory, "where the pages go")->capture_default_str();
    app.add_option("--seed", seed, "of the network's weights")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    try {
        manual_seed(seed);
        std::filesystem::create_directories(directory);
        fan(directory + "/fan.html");
        network(directory + "/network.html");
        softmaxes(directory + "/softmax.html");
        std::cout << "wrote fan.html, network.html and softmax.html to " << directory << "\n";
    } catch (const std::exception& error) {
        std::cerr << "17_pages: " << error.what() << "\n";
        return 1;
    }
}
