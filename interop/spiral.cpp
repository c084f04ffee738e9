// A model that is built twice, against reel and against libtorch (interop/libtorch.hpp), from this one file:
// three spirals of points, told apart by a small network. No number is random, so that both print the same
// losses.
#include <reel.hpp>

using namespace reel;

namespace {

constexpr std::int64_t kArms = 3;
constexpr std::int64_t kPoints = 40;
constexpr double kTurn = 4.2;

/// Points (arms · points, 2) and the arm of each.
std::pair<Tensor, Tensor> spirals() {
    const Tensor radius = linspace(0.1, 1, kPoints, kFloat64);
    std::vector<Tensor> arms;
    for (std::int64_t arm = 0; arm < kArms; ++arm) {
        const Tensor angle = radius * kTurn + 2.1 * static_cast<double>(arm);
        arms.push_back(stack({radius * sin(angle), radius * cos(angle)}, 1));
    }
    const Tensor labels = arange(kArms).unsqueeze(1).expand({kArms, kPoints}).reshape(-1);
    return {cat(arms), labels};
}

/// Numbers without pattern, of the size that keeps a layer's outputs as large as its inputs.
Tensor weights(std::int64_t outputs, std::int64_t inputs) {
    const Tensor count = arange(outputs * inputs).to(kFloat64).view({outputs, inputs});
    return sin(square(count) * 0.7 + count) * std::sqrt(2.0 / static_cast<double>(inputs));
}

struct Model {
    Parameters parameters = {{"hidden.weight", weights(32, 2)},     {"hidden.bias", zeros({32}, kFloat64)},
                             {"norm.weight", ones({32}, kFloat64)}, {"norm.bias", zeros({32}, kFloat64)},
                             {"out.weight", weights(kArms, 32)},    {"out.bias", zeros({kArms}, kFloat64)}};

    Tensor operator()(const Tensor& x) const {
        const auto& p = parameters;
        const Tensor sums = linear(x, p["hidden.weight"], p["hidden.bias"]);
        const Tensor hidden = gelu(layer_norm(sums, {32}, p["norm.weight"], p["norm.bias"]));
        return linear(hidden, p["out.weight"], p["out.bias"]);
    }
};

}  // namespace

int main() {
    constexpr int kSteps = 300;
    const auto [x, y] = spirals();
    Model model;
    AdamW optimizer(model.parameters, {.weight_decay = 0.01});
    for (int step = 0; step <= kSteps; ++step) {
        const Tape tape;
        const Tensor logits = model(x);
        const Tensor loss = cross_entropy(logits, y, {.label_smoothing = 0.02});
        optimizer.zero_grad();
        loss.backward();
        clip_grad_norm_(model.parameters, 1);
        optimizer.set_lr(cosine_lr(step, kSteps, 0.03));
        optimizer.step();
        if (step % 50 != 0) continue;
        const auto [most, guess] = logits.detach().softmax(-1).max(-1);
        const Tensor right = (guess == y).to(kFloat64).mean();
        std::cout.precision(7);
        std::cout << "step " << step << " loss " << loss.item<double>() << " right " << right.item<double>()
                  << " sure " << most.mean().item<double>() << "\n";
    }
    const Tensor middle = model.parameters["hidden.weight"].grad().index({Slice(0, 2), 1});
    std::cout << "last gradients " << middle[0].item<double>() << " " << middle[1].item<double>() << "\n";
}
