// Weights to PyTorch and back, with exchange.py:
//   exchange train FILE   trains a small model, and writes its weights, inputs and logits
//   exchange check FILE   reads such a file, and says how far its own logits are from those in it
#include <reel.hpp>

using namespace reel;

namespace {

using Weights = std::map<std::string, Tensor>;

Tensor model(const Weights& w, const Tensor& x) {
    return linear(tanh(linear(x, w.at("0.weight"), w.at("0.bias"))), w.at("2.weight"), w.at("2.bias"));
}

/// One tensor of each type, with values that all of them hold.
void add_types(Weights& file) {
    const Tensor values = tensor({-1.5, 0.0, 2.0, 1024.0});
    for (const DType dtype : {kFloat16, kBFloat16, kFloat32, kFloat64, kInt64, kBool}) {
        file[detail::concat("of ", dtype)] = values.to(dtype);
    }
}

int train(const std::string& path) {
    manual_seed(3);
    Weights w = {{"0.weight", randn({8, 2}, kFloat64)},
                 {"0.bias", zeros({8}, kFloat64)},
                 {"2.weight", randn({3, 8}, kFloat64) / 3},
                 {"2.bias", zeros({3}, kFloat64)}};
    const Tensor x = randn({32, 2}, kFloat64);
    const Tensor y = (x.select(1, 0) > 0).to(kInt64) + (x.select(1, 1) > 0.5).to(kInt64);
    std::vector<Tensor> parameters;
    for (const auto& [name, tensor] : w) parameters.push_back(tensor.set_requires_grad());
    Adam optimizer(parameters, {.lr = 0.05});
    double loss_now = 0;
    for (int step = 0; step < 100; ++step) {
        const Tape tape;
        const Tensor loss = cross_entropy(model(w, x), y);
        loss.backward();
        optimizer.step();
        optimizer.zero_grad();
        loss_now = loss.item<double>();
    }
    std::cout << "loss " << loss_now << "\n";
    Weights file = w;
    file["x"] = x;
    file["logits"] = model(w, x);
    add_types(file);
    save_safetensors(path, file);
    return loss_now < 0.2 ? 0 : 1;
}

int check(const std::string& path) {
    const Weights file = load_safetensors(path);
    const Tensor logits = model(file, file.at("x"));
    const double far = (logits - file.at("logits")).abs().max().item<double>();
    Weights types;
    add_types(types);
    bool same = true;
    for (const auto& [name, tensor] : types) same = same && file.at(name).equal(tensor);
    std::cout << "largest difference " << far << ", types " << (same ? "equal" : "differ") << "\n";
    constexpr double kRounding = 1e-12;
    return far < kRounding && same ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 1;
    return std::string(argv[1]) == "train" ? train(argv[2]) : check(argv[2]);
}
