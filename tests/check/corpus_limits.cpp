// Layers and losses, and points as near to a kink, an edge or the fastest wave as double can tell.
#include "tests/check/collector.hpp"

namespace reel::testing {

namespace {

using std::floor;

template <class V>
auto zero(const V& v) {
    return 0.0 * v[0];
}
constexpr auto kRelu = [](auto u) { return u > 0.0 ? u : 0.0 * u; };

void waves(Collector& c) {
    for (const double x : {0.3, 55.5, 1234.5}) {
        c.add(
            "oscillating", at("beat", x), {x},
            [](const auto& v) { return sin(100.0 * v[0]) * sin(101.0 * v[0]); }, 3e-3 / x, 2e-14 * x);
        c.add(
            "oscillating", at("frequency modulation", x), {x, 3.0},
            [](const auto& v) { return sin(40.0 * v[0] + v[1] * sin(300.0 * v[0])); }, 5e-4 / x, 1e-13 * x);
        c.add(
            "oscillating", at("fast on constant", x), {x},
            [](const auto& v) { return 5.0 + 1e-4 * sin(3333.0 * v[0]); }, 2e-4 / x,
            2e-15 * std::max(1.0, x / 10));
    }
}

void networks(Collector& c) {
    c.add(
        "layer", "info-nce", {0.3, -0.2, 0.9, 0.4, 1.0, -0.3},
        [](const auto& v) {
            auto n = [&](std::size_t i, std::size_t j) {
                auto d = v[2 * i] * v[2 * j] + v[2 * i + 1] * v[2 * j + 1];
                return d / sqrt((v[2 * i] * v[2 * i] + v[2 * i + 1] * v[2 * i + 1]) *
                                (v[2 * j] * v[2 * j] + v[2 * j + 1] * v[2 * j + 1]));
            };
            return -log(exp(n(0, 1) / 0.1) / (exp(n(0, 1) / 0.1) + exp(n(0, 2) / 0.1)));
        },
        0.1);
    c.add("layer", "focal loss", {2.0, -1.0, 0.4}, [](const auto& v) {
        auto s = zero(v);
        for (auto& e : v) {
            auto p = kSigmoid(e);
            s = s - (1.0 - p) * (1.0 - p) * log(p);
        }
        return s;
    });
    c.add("layer", "gru", {0.2, -0.3, 0.8, 1.1, -0.5, 0.6, 0.9}, [](const auto& v) {
        auto z = kSigmoid(v[0] * v[5] + v[1] * v[6]);
        auto r = kSigmoid(v[2] * v[5] - v[3] * v[6]);
        auto h = tanh(v[4] * v[5] + r * v[6]);
        return (1.0 - z) * v[6] + z * h;
    });
    c.add("layer", "conv 1d then norm", {0.2, -0.3, 0.8, 1.1, -0.5, 0.6, 0.9, 0.1, -0.7, 0.4},
          [](const auto& v) {
              auto s = zero(v), q = zero(v);
              for (std::size_t i = 0; i + 2 < 7; ++i) {
                  auto y = v[i] * v[7] + v[i + 1] * v[8] + v[i + 2] * v[9];
                  s = s + y * double(i);
                  q = q + y * y;
              }
              return s / sqrt(q + 1e-5);
          });
    c.add("layer", "vae kl", {0.1, -2.0, 0.5, -8.0}, [](const auto& v) {
        return -0.5 * (1.0 + v[1] - v[0] * v[0] - exp(v[1]) + 1.0 + v[3] - v[2] * v[2] - exp(v[3]));
    });
    c.add(
        "layer", "layer norm of equal", {1.0, 1.0, 1.0},
        [](const auto& v) {
            auto m = (v[0] + v[1] + v[2]) / 3.0;
            auto q = ((v[0] - m) * (v[0] - m) + (v[1] - m) * (v[1] - m) + (v[2] - m) * (v[2] - m)) / 3.0;
            return ((v[0] - m) - 2.0 * (v[1] - m)) / sqrt(q + 1e-5);
        },
        2e-3, 1e-13);
    c.add(
        "layer", "batch norm eps 1e-12", {1.0, 1.0 + 1e-5, 1.0 - 2e-5},
        [](const auto& v) {
            auto m = (v[0] + v[1] + v[2]) / 3.0;
            auto q = ((v[0] - m) * (v[0] - m) + (v[1] - m) * (v[1] - m) + (v[2] - m) * (v[2] - m)) / 3.0;
            return ((v[0] - m) - 2.0 * (v[1] - m)) / sqrt(q + 1e-12);
        },
        1e-5, 1e-10);
    c.add(
        "layer", "attention with scale 100", {1.0, 2.0, -1.0, 0.5, 0.3, 0.9},
        [](const auto& v) {
            auto a = exp(100.0 * (v[0] * v[1] - 2.0));
            auto b = exp(100.0 * (v[0] * v[2] - 2.0));
            return (a * v[3] + b * v[4]) / (a + b) * v[5];
        },
        0.005);
    c.add(
        "layer", "rotary", {0.4, 1.2, 100.0},
        [](const auto& v) { return v[0] * cos(v[2]) - v[1] * sin(v[2]); }, 0.01, 1e-15);
    c.add("layer", "vanishing product", {1e-3, 1e-3, 1e-3, 1e-3, 1e-3},
          [](const auto& v) { return v[0] * v[1] * v[2] * v[3] * v[4]; });
}

void beside_kinks(Collector& c) {
    for (const double d : {3e-10, -1e-10, 1e-11, -1e-12}) {
        c.add("kinked", at("relu", d), {d}, [](const auto& v) { return kRelu(v[0]); });
        c.add("kinked", at("abs", d), {d}, [](const auto& v) { return abs(v[0]); });
        const double length = std::abs(d) / 4;
        c.add(
            "kinked", at("larger of two squares, beside", d), {1 + d, 1.0},
            [](const auto& v) { return v[0] > v[1] ? v[0] * v[0] : v[1] * v[1]; }, length, 3e-16);
        c.add(
            "kinked", at("abs of x - 2, beside", d), {2 + 2 * d},
            [](const auto& v) { return abs(v[0] - 2.0) + v[0]; }, length, 3e-16);
        c.add(
            "kinked", at("soft threshold, beside", d), {1 + d},
            [](const auto& v) { return kRelu(v[0] - 1.0); }, length, 3e-16);
        c.add(
            "kinked", at("clamp and sine, beside", d), {1 + d},
            [](const auto& v) { return (v[0] > 1.0 ? 0.0 * v[0] + 1.0 : v[0]) + sin(v[0]); }, length, 3e-16);
        if (std::abs(d) < 5e-12) continue;
        c.add(
            "jumping", at("floor and square, beside", d), {2 + 2 * d},
            [](const auto& v) { return floor(v[0]) + v[0] * v[0]; }, length, 3e-16);
    }
    for (const double d : {1e-5, -1e-6, 3e-7, -1e-7, 1e-8, -1e-10, 1e-12}) {
        const double length = std::abs(d);
        c.add(
            "kinked", at("huber, beside", d), {1 + d},
            [](const auto& v) { return abs(v[0]) > 1.0 ? abs(v[0]) - 0.5 : 0.5 * v[0] * v[0]; }, length,
            3e-16);
        c.add(
            "kinked", at("square of relu, beside", d), {1 + d},
            [](const auto& v) { return kRelu(v[0] - 1.0) * kRelu(v[0] - 1.0) + v[0]; }, length, 3e-16);
    }
}

void edges(Collector& c) {
    for (const double d : {1e-10, 1e-11, 1e-12, 1e-13}) {
        c.add(
            "singular", at("log(1 - x), beside", d), {1 - d}, [](const auto& v) { return log(1.0 - v[0]); },
            d, 1.2e-16 / d);
        c.add(
            "singular", at("sqrt(1 - x), beside", d), {1 - d}, [](const auto& v) { return sqrt(1.0 - v[0]); },
            d, 1.2e-16 / std::sqrt(d));
        c.add(
            "singular", at("1/(1 - x), beside", d), {1 - d}, [](const auto& v) { return 1.0 / (1.0 - v[0]); },
            d, 1.2e-16 / (d * d));
    }
    for (const double d : {1e-300, 1e-20, 1e-15}) {
        c.add("singular", at("root", d), {d}, [](const auto& v) { return sqrt(v[0]); });
        c.add("singular", at("1/log", d), {d}, [](const auto& v) { return 1.0 / log(v[0]); });
    }
    for (const double w : {1e7, 1e10, 1e11}) {
        for (const double x : {0.7, 1.3})
            c.add(
                "oscillating", at(x < 1 ? "fast sine at 0.7" : "fast sine at 1.3", w), {x},
                [w](const auto& v) { return sin(w * v[0]); }, 1 / w / x, 1.2e-16 * w * x);
    }
}

void narrow(Collector& c) {
    for (const double x : {0.3, 1.7}) {
        c.spoilt(
            "float32", at("sine in float", x), {x, 2.0},
            [](const auto& v) { return sin(v[0]) * v[1] + v[1] * v[1]; },
            [](const Numbers& v, double) {
                return static_cast<double>(static_cast<float>(std::sin(v[0]))) * v[1] + v[1] * v[1];
            },
            1.2e-7);
    }
}

}  // namespace

void add_limits(Collector& c) {
    waves(c);
    networks(c);
    beside_kinks(c);
    edges(c);
    narrow(c);
}

}  // namespace reel::testing
