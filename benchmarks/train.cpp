// Whole training steps of toy models: forward, backward, update.
#include <cmath>
#include <memory>

#include "dialect.hpp"
#include "workload.hpp"

using namespace dialect;

namespace {

/// The parameters of a model, in the order in which they were made.
class Parameters {
public:
    Tensor weight(int64_t out, int64_t in) {
        return keep(randn({out, in}) * (1 / std::sqrt(static_cast<double>(in))));
    }
    Tensor bias(int64_t n) { return keep(zeros({n})); }
    Tensor ones(int64_t n) { return keep(zeros({n}) + 1); }
    Tensor filter(int64_t out, int64_t in) {
        return keep(randn({out, in, 3, 3}) * (1 / std::sqrt(9.0 * static_cast<double>(in))));
    }
    const std::vector<Tensor>& all() const { return all_; }

private:
    Tensor keep(const Tensor& x) {
        all_.push_back(x.detach().set_requires_grad(true));
        return all_.back();
    }
    std::vector<Tensor> all_;
};

/// One step: loss(), rewind, update.
template <class Optimizer>
std::function<void()> stepper(const Parameters& parameters, double lr, std::function<Tensor()> loss) {
    auto optimizer = std::make_shared<Optimizer>(parameters.all(), lr);
    return [=] {
        Tape tape;
        optimizer->zero_grad();
        loss().backward();
        optimizer->step();
    };
}

/// A chain of linear layers with `f` between them.
Workload mlp(const char* name, std::vector<int64_t> widths, int64_t batch, Tensor (*f)(const Tensor&),
             bool adam) {
    double flops = 0;
    for (std::size_t i = 0; i + 1 < widths.size(); ++i)
        flops += 6.0 * static_cast<double>(batch * widths[i] * widths[i + 1]);
    return {name, "train", {.flops = flops}, [=] {
                Parameters p;
                std::vector<std::pair<Tensor, Tensor>> layers;
                for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
                    const Tensor w = p.weight(widths[i + 1], widths[i]);
                    layers.emplace_back(w, p.bias(widths[i + 1]));
                }
                const Tensor x = randn({batch, widths[0]});
                const int64_t classes = widths.back();
                const Tensor t = classes == 1 ? randn({batch, 1}) : randint(0, classes, {batch});
                const std::function<Tensor()> loss = [=] {
                    Tensor h = x;
                    for (std::size_t i = 0; i < layers.size(); ++i) {
                        h = dialect::linear(h, layers[i].first, layers[i].second);
                        if (i + 1 < layers.size()) h = f(h);
                    }
                    return classes == 1 ? dialect::mse_loss(h, t) : dialect::cross_entropy(h, t);
                };
                return adam ? stepper<dialect::Adam>(p, 1e-3, loss) : stepper<dialect::Sgd>(p, 1e-2, loss);
            }};
}

Workload makemore() {
    return {
        "makemore_b64", "train", {.flops = 6.0 * 64 * (192 * 128 + 128 * 27)}, [] {
            Parameters p;
            const Tensor table = p.weight(27, 24);
            const Tensor w1 = p.weight(128, 8 * 24);
            const Tensor b1 = p.bias(128);
            const Tensor w2 = p.weight(27, 128);
            const Tensor b2 = p.bias(27);
            const Tensor x = randint(0, 27, {64, 8});
            const Tensor t = randint(0, 27, {64});
            return stepper<dialect::Sgd>(p, 0.1, [=] {
                const Tensor h = dialect::linear(dialect::embedding(x, table).view({64, -1}), w1, b1).tanh();
                return dialect::cross_entropy(dialect::linear(h, w2, b2), t);
            });
        }};
}

Workload small_cnn() {
    const double flops = 32 * (4.0 * 784 * 16 * 9 + 6.0 * 196 * 32 * 16 * 9 + 6.0 * 1568 * 10);
    return {"small_cnn_b32", "train", {.flops = flops}, [] {
                Parameters p;
                const Tensor w1 = p.filter(16, 1);
                const Tensor b1 = p.bias(16);
                const Tensor w2 = p.filter(32, 16);
                const Tensor b2 = p.bias(32);
                const Tensor w3 = p.weight(10, 1568);
                const Tensor b3 = p.bias(10);
                const Tensor x = randn({32, 1, 28, 28});
                const Tensor t = randint(0, 10, {32});
                return stepper<dialect::Adam>(p, 1e-3, [=] {
                    Tensor h = dialect::max_pool2d(dialect::conv2d(x, w1, b1, 1).relu(), 2);
                    h = dialect::max_pool2d(dialect::conv2d(h, w2, b2, 1).relu(), 2);
                    return dialect::cross_entropy(dialect::linear(h.flatten(1), w3, b3), t);
                });
            }};
}

constexpr int64_t kWidth = 64;
constexpr int64_t kHeads = 4;
constexpr int64_t kTokens = 32;
constexpr int64_t kBatch = 16;
constexpr int64_t kVocabulary = 65;

struct Block {
    Tensor g1, c1, qkv, qkv_b, out, out_b, g2, c2, up, up_b, down, down_b;

    explicit Block(Parameters& p)
        : g1(p.ones(kWidth)),
          c1(p.bias(kWidth)),
          qkv(p.weight(3 * kWidth, kWidth)),
          qkv_b(p.bias(3 * kWidth)),
          out(p.weight(kWidth, kWidth)),
          out_b(p.bias(kWidth)),
          g2(p.ones(kWidth)),
          c2(p.bias(kWidth)),
          up(p.weight(4 * kWidth, kWidth)),
          up_b(p.bias(4 * kWidth)),
          down(p.weight(kWidth, 4 * kWidth)),
          down_b(p.bias(kWidth)) {}

    Tensor operator()(Tensor x, const Tensor& mask) const {
        const Tensor h = dialect::linear(dialect::layer_norm(x, kWidth, g1, c1), qkv, qkv_b)
                             .view({kBatch, kTokens, 3, kHeads, kWidth / kHeads})
                             .permute({2, 0, 3, 1, 4});
        const Tensor mixed =
            dialect::attention(h[0], h[1], h[2], mask).transpose(1, 2).reshape({kBatch, kTokens, kWidth});
        x = x + dialect::linear(mixed, out, out_b);
        return x + dialect::linear(
                       dialect::gelu(dialect::linear(dialect::layer_norm(x, kWidth, g2, c2), up, up_b)), down,
                       down_b);
    }
};

Workload tiny_gpt() {
    const double per_token = 2 * (12.0 * kWidth * kWidth + 2 * kTokens * kWidth) + 1.0 * kWidth * kVocabulary;
    return {"tiny_gpt_b16", "train", {.flops = 6 * per_token * kBatch * kTokens}, [] {
                Parameters p;
                const Tensor tokens = p.weight(kVocabulary, kWidth);
                const Tensor places = p.weight(kTokens, kWidth);
                const std::vector<Block> blocks = {Block(p), Block(p)};
                const Tensor gain = p.ones(kWidth);
                const Tensor shift = p.bias(kWidth);
                const Tensor head = p.weight(kVocabulary, kWidth);
                const Tensor head_b = p.bias(kVocabulary);
                const Tensor x = randint(0, kVocabulary, {kBatch, kTokens});
                const Tensor t = randint(0, kVocabulary, {kBatch * kTokens});
                const Tensor mask = lower_triangle(kTokens);
                return stepper<dialect::AdamW>(p, 1e-3, [=] {
                    Tensor h = dialect::embedding(x, tokens) + places;
                    for (const Block& block : blocks) h = block(h, mask);
                    const Tensor logits =
                        dialect::linear(dialect::layer_norm(h, kWidth, gain, shift), head, head_b);
                    return dialect::cross_entropy(logits.view({kBatch * kTokens, kVocabulary}), t);
                });
            }};
}

}  // namespace

std::vector<Workload> train_workloads() {
    const auto tanh = [](const Tensor& x) { return x.tanh(); };
    const auto relu = [](const Tensor& x) { return x.relu(); };
    return {
        mlp("mlp_2_16_16_1_b32", {2, 16, 16, 1}, 32, tanh, false),
        makemore(),
        mlp("fashion_mlp_b64", {784, 256, 128, 10}, 64, relu, true),
        mlp("fashion_mlp_b512", {784, 256, 128, 10}, 512, relu, true),
        small_cnn(),
        tiny_gpt(),
    };
}
