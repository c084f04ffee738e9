// Functions as programs have them: with noise, beside a large number, in float, and the layers of networks.
#include "tests/check/collector.hpp"

namespace reel::testing {

namespace {

/// In [−1, 1), of the bits of a number: another for every number, the same at every call.
double hash(double x) {
    std::uint64_t bits = 0;
    static_assert(sizeof bits == sizeof x);
    __builtin_memcpy(&bits, &x, sizeof x);
    bits = (bits ^ (bits >> 31)) * 0x9e3779b97f4a7c15;
    bits = (bits ^ (bits >> 29)) * 0xbf58476d1ce4e5b9;
    return std::ldexp(static_cast<double>(bits >> 12), -51) - 1;
}

void noisy(Collector& c) {
    const auto f = [](const auto& v) { return sin(v[0]) + v[0] * v[1] + exp(-v[1]); };
    const auto g = [](const auto& v) { return exp(v[0]) * cos(2.0 * v[1]); };
    for (const double sigma : {1e-14, 1e-12, 1e-10, 1e-8, 1e-6, 1e-4}) {
        const auto rough = [sigma](const Numbers& x, double y) { return y + sigma * hash(x[0] + 3 * x[1]); };
        c.spoilt("noisy", at("noise", sigma), {0.8, 1.3}, f, rough, sigma);
        c.spoilt("noisy", at("noise on another", sigma), {0.3, -0.6}, g, rough, sigma);
        const auto stairs = [sigma](const Numbers&, double y) { return std::round(y / sigma) * sigma; };
        if (sigma > 1e-13) c.spoilt("noisy", at("rounded", sigma), {0.8, 1.3}, f, stairs, sigma);
    }
    c.add(
        "noisy", "cancels", {0.7}, [](const auto& v) { return (1e8 + sin(v[0])) - 1e8; }, 1, 3e-8);
    c.add(
        "noisy", "expanded square", {1.01},
        [](const auto& v) {
            return v[0] * v[0] * v[0] * v[0] - 4.0 * v[0] * v[0] * v[0] + 6.0 * v[0] * v[0] - 4.0 * v[0] +
                   1.0;
        },
        0.1, 2e-15);
}

/// What an algorithm makes of a smooth function: noise relative to it, an interval halved until it is short.
void algorithms(Collector& c) {
    for (const double s : {3e-15, 3e-13, 3e-11, 3e-9, 3e-7, 3e-5}) {
        c.spoilt(
            "noisy", at("relative noise", s), {1.2, 0.4},
            [](const auto& v) { return exp(v[0]) * sin(v[1]) + 2.0; },
            [s](const Numbers& x, double y) { return y * (1 + s * hash(3 * x[0] + x[1])); }, 3.5 * s);
        c.spoilt(
            "noisy", at("halved until", s), {2.3}, [](const auto& v) { return sqrt(v[0]); },
            [s](const Numbers& x, double) {
                double low = 0;
                double high = 4;
                while (high - low > s) {
                    const double middle = (low + high) / 2;
                    (middle * middle < x[0] ? low : high) = middle;
                }
                return (low + high) / 2;
            },
            s);
    }
}

void offset(Collector& c) {
    for (const double big : {1e3, 1e6, 1e9, 1e12, 1e14, 1e15}) {
        c.add(
            "offset", at("sin(x) + ", big), {0.8}, [big](const auto& v) { return sin(v[0]) + big; }, 1,
            big * 2.3e-16);
        c.add(
            "offset", at("quadratic + ", big), {1.8, -0.7},
            [big](const auto& v) { return v[0] * v[0] * v[1] + big; }, 1, big * 2.3e-16);
    }
}

void single(Collector& c) {
    // The same formula in float, of arguments rounded to float, and its gradient in double.
    const auto add = [&c](const char* name, Numbers x, auto f) {
        c.add("float32", name, x, f);
        Case& made = c.cases.back();
        made.f = [f](Span at) { return static_cast<double>(f(std::vector<float>(at.begin(), at.end()))); };
        made.noise = 1.2e-7 * std::max(1e-3, std::abs(made.f(made.x))) * 4;
        // The gradient is computed in float, too, by whoever works in float.
        const auto exact = made.g;
        made.g = [exact](Span at) {
            Numbers g = exact(at);
            for (double& e : g) e = static_cast<float>(e);
            return g;
        };
    };
    add("product", {1.5, -0.25, 2.125}, [](const auto& v) { return v[0] * v[1] * v[2]; });
    add("sine", {0.75}, [](const auto& v) { return sin(v[0]); });
    add("exponential", {1.25, 0.5}, [](const auto& v) { return exp(v[0] * v[1]); });
    add("tanh", {0.625, -1.5}, [](const auto& v) { return tanh(v[0]) * v[1]; });
    add("logarithm", {2.5}, [](const auto& v) { return log(v[0]); });
    add("square", {3.0, 4.0}, [](const auto& v) { return v[0] * v[0] + v[1] * v[1]; });
    add("reciprocal", {0.0625}, [](const auto& v) { return decltype(v[0] + v[0])(1.0) / v[0]; });
    add("root", {1024.0}, [](const auto& v) { return sqrt(v[0]); });
    add("log-sum-exp", {0.5, 1.5, -0.25},
        [](const auto& v) { return log(exp(v[0]) + exp(v[1]) + exp(v[2])); });
}

template <class T>
std::vector<T> softmax(const std::vector<T>& v) {
    T most = v[0];
    for (const T& e : v) most = most < e ? e : most;
    std::vector<T> e;
    T sum = 0.0;
    for (const T& x : v) {
        e.push_back(exp(x - most));
        sum = sum + e.back();
    }
    for (T& x : e) x = x / sum;
    return e;
}

template <class T>
std::vector<T> layer_norm(const std::vector<T>& v) {
    const double n = static_cast<double>(v.size());
    T mean = 0.0;
    for (const T& x : v) mean = mean + x;
    mean = mean / n;
    T variance = 0.0;
    for (const T& x : v) variance = variance + (x - mean) * (x - mean);
    const T scale = 1.0 / sqrt(variance / n + 1e-5);
    std::vector<T> y;
    for (const T& x : v) y.push_back((x - mean) * scale);
    return y;
}

template <class T>
T weigh(const std::vector<T>& y) {
    T sum = 0.0;
    double w = 0.7;
    for (const T& e : y) {
        sum = sum + w * e;
        w = -1.3 * w + 0.1;
    }
    return sum;
}

void layers(Collector& c) {
    for (const double big : {0.0, 10.0, 100.0, 1e4}) {
        const Numbers x = {big, big + 1, big + 2};
        const double length = big > 1 ? 1 / big : 1;
        const double noise = 3e-16 * (1 + big);
        c.add(
            "layer", at("softmax of x + ", big), x, [](const auto& v) { return weigh(softmax(v)); }, length,
            noise);
        c.add(
            "layer", at("layer norm of x + ", big), x, [](const auto& v) { return weigh(layer_norm(v)); },
            length, noise);
        c.add(
            "layer", at("cross-entropy of x + ", big), x, [](const auto& v) { return -log(softmax(v)[0]); },
            length, noise);
    }
    const auto mlp = [](const auto& v) {  // 2 inputs, 2 hidden, weights in v
        const auto h0 = tanh(0.6 * v[0] - 0.4 * v[1] + v[4]);
        const auto h1 = tanh(-0.3 * v[2] + 0.8 * v[3]);
        return v[5] * h0 + v[6] * h1;
    };
    c.add("layer", "two layers", {0.5, -0.2, 0.9, 1.1, 0.1, 0.7, -0.6}, mlp);
    c.add("layer", "two layers before zero weights", {0.5, -0.2, 0.9, 1.1, 0.1, 0.0, 0.0}, mlp);
    c.add("layer", "two layers of zeros", {0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0}, mlp);
    c.add("layer", "attention", {0.5, -1.0, 0.25, 0.8, 1.5, -0.7}, [](const auto& v) {
        auto logits = v;
        logits.resize(3);
        const auto p = softmax(logits);
        return p[0] * v[3] + p[1] * v[4] + p[2] * v[5];
    });
    c.add("layer", "gelu", {0.4, -3.0, 6.0}, [](const auto& v) {
        auto sum = 0.0 * v[0];
        for (const auto& e : v) sum = sum + 0.5 * e * (1.0 + erf(e / std::sqrt(2.0)));
        return sum;
    });
    c.add("layer", "mean squares of ten", {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0},
          [](const auto& v) {
              auto sum = 0.0 * v[0];
              for (const auto& e : v) sum = sum + (e - 0.35) * (e - 0.35) / 10.0;
              return sum;
          });
}

void more_layers(Collector& c) {
    for (const double big : {0.0, 5.0, 50.0, 3e3}) {
        const double length = big > 1 ? 1 / big : 1;
        c.add(
            "layer", at("rms norm of x + ", big), {big + 0.3, big + 0.5, big - 1},
            [](const auto& v) {
                const auto q = v[0] * v[0] + v[1] * v[1] + v[2] * v[2];
                return (v[0] - 2.0 * v[1] + 0.5 * v[2]) / sqrt(q / 3.0 + 1e-6);
            },
            1, 1e-15);
        c.add(
            "layer", at("variance of x + ", big), {big + 0.3, big + 0.5, big - 1, big},
            [](const auto& v) {
                const auto mean = (v[0] + v[1] + v[2] + v[3]) / 4.0;
                auto sum = 0.0 * v[0];
                for (const auto& e : v) sum = sum + (e - mean) * (e - mean);
                return sum / 3.0;
            },
            length, 1e-15 * (1 + big));
    }
    c.add("layer", "lstm", {0.1, -0.4, 0.8, 0.3, 0.5, -0.9, 0.2, 0.6}, [](const auto& v) {
        const auto input = kSigmoid(v[0] + 0.3 * v[6]);
        const auto forget = kSigmoid(v[1] - 0.2 * v[6]);
        const auto output = kSigmoid(v[2] + v[6] * v[4]);
        return output * tanh(forget * v[7] + input * tanh(v[3] + v[5] * v[6]));
    });
}

}  // namespace

void add_numerical(Collector& c) {
    noisy(c);
    algorithms(c);
    offset(c);
    single(c);
    layers(c);
    more_layers(c);
}

}  // namespace reel::testing
