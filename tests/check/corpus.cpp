#include "tests/check/corpus.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "tests/check/dual.hpp"

namespace reel::testing {

namespace {

using std::abs, std::atan, std::cos, std::erf, std::exp, std::expm1, std::log, std::log1p, std::pow, std::sin,
    std::sqrt, std::tanh;

class Collector {
public:
    std::vector<Case> cases;

    /// A function of `double`s and of duals alike.
    template <class F>
    void add(const char* kind, const std::string& name, Numbers x, F f, double length = 1, double noise = 0) {
        Case c;
        c.kind = kind;
        c.name = name;
        c.f = [f](Span at) { return f(Numbers(at.begin(), at.end())); };
        c.g = [f](Span at) { return dual_gradient(f, at); };
        c.x = std::move(x);
        c.length = length;
        c.noise = std::max(noise, 4 * std::numeric_limits<double>::epsilon() * std::abs(c.f(c.x)));
        cases.push_back(std::move(c));
    }
    /// The same with values that are spoilt: the gradient is that of the clean function.
    template <class F, class S>
    void spoilt(const char* kind, const std::string& name, Numbers x, F f, S spoil, double noise) {
        add(kind, name, std::move(x), f, 1, noise);
        cases.back().f = [f, spoil](Span at) {
            return spoil(Numbers(at.begin(), at.end()), f(Numbers(at.begin(), at.end())));
        };
    }
};

std::string at(const char* name, double x) {
    char text[64];
    std::snprintf(text, sizeof text, "%s at %g", name, x);
    return text;
}

constexpr auto kSigmoid = [](auto x) { return 1.0 / (1.0 + exp(-x)); };

void smooth(Collector& c) {
    const Numbers some = {0.7, -1.3, 2.1};
    c.add("smooth", "rosenbrock", {-1.2, 1.0}, [](const auto& x) {
        const auto a = 1.0 - x[0];
        const auto b = x[1] - x[0] * x[0];
        return a * a + 100.0 * b * b;
    });
    c.add("smooth", "rosenbrock at its minimum", {1.0, 1.0}, [](const auto& x) {
        const auto a = 1.0 - x[0];
        const auto b = x[1] - x[0] * x[0];
        return a * a + 100.0 * b * b;
    });
    c.add("smooth", "beale", {1.0, 1.2}, [](const auto& x) {
        const auto a = 1.5 - x[0] + x[0] * x[1];
        const auto b = 2.25 - x[0] + x[0] * x[1] * x[1];
        const auto d = 2.625 - x[0] + x[0] * x[1] * x[1] * x[1];
        return a * a + b * b + d * d;
    });
    c.add("smooth", "product", {1.5, -0.4, 2.2, 0.9},
          [](const auto& x) { return x[0] * x[1] * x[2] * x[3]; });
    c.add("smooth", "log-sum-exp", some,
          [](const auto& x) { return log(exp(x[0]) + exp(x[1]) + exp(x[2])); });
    c.add("smooth", "trigonometric", some,
          [](const auto& x) { return sin(x[0]) * cos(x[1]) + sin(x[1] * x[2]); });
    c.add("smooth", "rational", some,
          [](const auto& x) { return (x[0] + x[1] * x[2]) / (1.0 + x[0] * x[0] + x[2] * x[2]); });
    c.add("smooth", "powers", {0.5, 1.5, 2.5},
          [](const auto& x) { return pow(x[0], 0.5) + pow(x[1], 2.5) + pow(x[2], -1.5); });
    c.add("smooth", "gaussian", some,
          [](const auto& x) { return exp(-(x[0] * x[0] + x[1] * x[1] + x[2] * x[2]) / 2.0); });
    c.add("smooth", "arctangent and error function", some,
          [](const auto& x) { return atan(x[0] * x[1]) + erf(x[2]); });
    c.add("smooth", "quadratic in ten variables", {1, -2, 3, -0.5, 0.25, 7, -6, 0.1, 4, 2.5},
          [](const auto& x) {
              auto sum = 0.0 * x[0];
              for (std::size_t i = 0; i < 10; ++i) {
                  for (std::size_t j = 0; j < 10; ++j)
                      sum = sum + x[i] * x[j] / (1.0 + static_cast<double>(i + j));
              }
              return sum;
          });
    c.add("smooth", "chain of ten sines", {1, -2, 3, -0.5, 0.25, 0.7, -0.6, 0.1, 0.4, 2.5},
          [](const auto& x) {
              auto y = x[0];
              for (std::size_t i = 1; i < 10; ++i) y = sin(y + x[i] * y);
              return y;
          });
    c.add("smooth", "saddle at 0", {0.0, 0.0},
          [](const auto& x) { return x[0] * x[0] - x[1] * x[1] + x[0]; });
    c.add("smooth", "square at 0", {0.0}, [](const auto& x) { return x[0] * x[0]; });
    c.add("smooth", "cube at 0", {0.0}, [](const auto& x) { return x[0] * x[0] * x[0]; });
    c.add("smooth", "cosine at 0", {0.0}, [](const auto& x) { return cos(x[0]); });
    c.add("smooth", "cosine beside 0", {1e-9}, [](const auto& x) { return cos(x[0]); });
    c.add("smooth", "linear", {3.0, 4.0}, [](const auto& x) { return 2.0 * x[0] - 7.0 * x[1]; });
    c.add("smooth", "constant in one", {3.0, 4.0}, [](const auto& x) { return x[0] * x[0] + 0.0 * x[1]; });
    c.add("smooth", "tenth power", {1.1}, [](const auto& x) { return pow(x[0], 10.0); });
    c.add("smooth", "product with zeros", {0.0, 2.0, 3.0}, [](const auto& x) { return x[0] * x[1] * x[2]; });
    c.add("smooth", "pendulum", {1.2, 0.3},
          [](const auto& x) { return x[1] * x[1] / 2.0 - 9.81 * cos(x[0]); });
    c.add("smooth", "lennard-jones", {1.3},
          [](const auto& x) { return 4.0 * (pow(x[0], -12.0) - pow(x[0], -6.0)); });
    c.add("smooth", "lennard-jones close", {0.7},
          [](const auto& x) { return 4.0 * (pow(x[0], -12.0) - pow(x[0], -6.0)); });
}

void scaled(Collector& c) {
    for (const double s : {1e-12, 1e-9, 1e-6, 1e-3, 1e3, 1e6, 1e9, 1e12}) {
        c.add("scaled", at("energy of a capacitor", s), {s},
              [s](const auto& x) { return x[0] * x[0] / (2.0 * s); });
        c.add("scaled", at("reciprocal", s), {s}, [](const auto& x) { return 1.0 / x[0]; });
        c.add("scaled", at("logarithm", s), {s}, [](const auto& x) { return log(x[0]); });
        c.add("scaled", at("root", s), {s}, [](const auto& x) { return sqrt(x[0]); });
        c.add("scaled", at("sine of x over scale", s), {0.8 * s},
              [s](const auto& x) { return sin(x[0] / s); });
        c.add("scaled", at("small result", s), {0.8, -1.7},
              [s](const auto& x) { return s * exp(x[0] * x[1]); });
        c.add("scaled", at("two scales", s), {1.0, s},
              [s](const auto& x) { return sin(x[0]) * x[1] / s + x[1] * x[1] / (s * s); });
        c.add("scaled", at("zero beside", s), {0.0, s},
              [s](const auto& x) { return sin(x[0] / s) + x[1] / s; });
    }
    c.add("scaled", "squares of weights 1e-12 to 1e12", {1.0, 2.0, 3.0, 4.0, 5.0}, [](const auto& x) {
        auto sum = 0.0 * x[0];
        double w = 1e-12;
        for (std::size_t i = 0; i < 5; ++i, w *= 1e6) sum = sum + w * x[i] * x[i];
        return sum;
    });
    c.add("scaled", "arguments 1e-12 to 1e12", {1e-12, 1e-6, 1.0, 1e6, 1e12}, [](const auto& x) {
        auto sum = 0.0 * x[0];
        double w = 1e12;
        for (std::size_t i = 0; i < 5; ++i, w *= 1e-6) sum = sum + sin(w * x[i]);
        return sum;
    });
    c.add(
        "scaled", "zero on a scale of 1e-9", {0.0}, [](const auto& x) { return exp(x[0] / 1e-9); }, 1e-9);
    c.add(
        "scaled", "zero on a scale of 1e9", {0.0}, [](const auto& x) { return exp(x[0] / 1e9); }, 1e9);
    c.add("scaled", "gas law", {101325.0, 0.0224, 273.15},
          [](const auto& x) { return x[0] * x[1] / (8.314 * x[2]); });
    c.add("scaled", "gravity", {5.97e24, 7.35e22, 3.84e8},
          [](const auto& x) { return 6.674e-11 * x[0] * x[1] / (x[2] * x[2]); });
    c.add(
        "scaled", "narrow gaussian", {1.0 + 3e-5},
        [](const auto& x) { return exp(-1e8 * (x[0] - 1.0) * (x[0] - 1.0)); }, 1e-4);
    c.add(
        "scaled", "narrow gaussian at its top", {1.0},
        [](const auto& x) { return exp(-1e8 * (x[0] - 1.0) * (x[0] - 1.0)); }, 1e-4);
}

void saturating(Collector& c) {
    for (const double x : {2.0, 5.0, 10.0, 15.0, 18.0, 20.0, 30.0, 37.0, 40.0, 100.0, -10.0, -40.0, -100.0}) {
        const double length = 1 / std::abs(x);
        c.add(
            "saturating", at("tanh", x), {x}, [](const auto& v) { return tanh(v[0]); }, length);
        c.add(
            "saturating", at("sigmoid", x), {x}, [](const auto& v) { return kSigmoid(v[0]); }, length);
    }
    for (const double x : {3.0, 5.0, 8.0, 20.0}) {
        c.add("saturating", at("erf", x), {x}, [](const auto& v) { return erf(v[0]); });
        c.add("saturating", at("gaussian tail", x), {x}, [](const auto& v) { return exp(-v[0] * v[0]); });
        c.add("saturating", at("softplus", 5 * x), {5 * x}, [](const auto& v) { return log1p(exp(v[0])); });
        c.add("saturating", at("softplus", -5 * x), {-5 * x}, [](const auto& v) { return log1p(exp(v[0])); });
        c.add("saturating", at("two sigmoids", 5 * x), {0.3, 5 * x},
              [](const auto& v) { return kSigmoid(v[0]) + kSigmoid(v[1]); });
        c.add(
            "saturating", at("softmax", 10 * x), {0.3, 10 * x, -1.0},
            [](const auto& v) {
                const auto e0 = exp(v[0] - v[1]);
                const auto e2 = exp(v[2] - v[1]);
                return (1.0 + 0.5 * e0 - 2.0 * e2) / (e0 + 1.0 + e2);
            },
            0.1 / x);
    }
    c.add(
        "saturating", "exp underflows", {-740.0}, [](const auto& v) { return exp(v[0]); }, 1.0 / 740, 5e-324);
    c.add("saturating", "sharp sigmoid", {1.0}, [](const auto& v) { return kSigmoid(50.0 * v[0]); });
}

void oscillating(Collector& c) {
    for (const double x : {0.05, 0.33, 1.0, 2.137, 7.3, 11.1}) {
        c.add(
            "oscillating", at("sin(2 pi x / 0.2137)", x), {x},
            [](const auto& v) { return sin(2 * M_PI / 0.2137 * v[0]); }, std::min(1.0, 0.034 / x));
    }
    for (const double p : {0.1, 0.125, 0.2, 0.25, 0.5, 1.0}) {
        c.add(
            "oscillating", at("sin(2 pi x / p)", p), {1.0},
            [p](const auto& v) { return sin(2 * M_PI / p * v[0]); }, p / 6);
    }
    for (const double x : {100.0, 1000.0, 1e4, 12345.678, 1e5}) {
        c.add(
            "oscillating", at("sin", x), {x}, [](const auto& v) { return sin(v[0]); }, 1 / x);
        c.add(
            "oscillating", at("cos of 3.7 x", x), {x}, [](const auto& v) { return cos(3.7 * v[0]); }, 0.3 / x,
            1e-15 * x);
    }
    c.add(
        "oscillating", "chirp", {3.0}, [](const auto& v) { return sin(v[0] * v[0] * v[0]); }, 0.01);
    c.add(
        "oscillating", "sin(1000 x)", {0.7}, [](const auto& v) { return sin(1000.0 * v[0]); }, 1e-3, 1e-13);
    c.add(
        "oscillating", "sin(1e6 x)", {0.7}, [](const auto& v) { return sin(1e6 * v[0]); }, 1e-6, 1e-10);
    c.add(
        "oscillating", "wave on a slope", {0.7},
        [](const auto& v) { return v[0] * v[0] + 1e-3 * sin(1000.0 * v[0]); }, 1e-3, 1e-15);
    c.add(
        "oscillating", "rastrigin", {1.3, -0.4, 2.2},
        [](const auto& v) {
            auto sum = 0.0 * v[0];
            for (const auto& e : v) sum = sum + e * e - 10.0 * cos(2 * M_PI * e);
            return sum;
        },
        0.1);
}

void kinked(Collector& c) {
    const auto relu = [](const auto& v) { return v[0] > 0.0 ? v[0] : 0.0 * v[0]; };
    for (const double x : {0.0, 1e-3, -1e-5, 0.7, -0.7, 1e-9}) {
        c.add("kinked", at("relu", x), {x}, relu);
        c.add("kinked", at("abs", x), {x}, [](const auto& v) { return abs(v[0]); });
        c.add("kinked", at("huber", 1 + x), {1 + x},
              [](const auto& v) { return abs(v[0]) > 1.0 ? abs(v[0]) - 0.5 : 0.5 * v[0] * v[0]; });
    }
    c.add("kinked", "abs and a slope", {0.0, 1.0},
          [](const auto& v) { return abs(v[0]) + exp(v[0]) * v[1]; });
    c.add("kinked", "largest of three", {1.0, 3.0, 2.0}, [](const auto& v) {
        const auto m = v[0] > v[1] ? v[0] : v[1];
        return m > v[2] ? m : v[2];
    });
    c.add("kinked", "distance", {1.0, 2.0, 1.0},
          [](const auto& v) { return abs(v[0] - v[1]) + abs(v[1] - v[2]) * v[0]; });
    c.add("kinked", "abs of abs", {0.5}, [](const auto& v) { return abs(abs(v[0]) - 0.25); });
    c.add("kinked", "hinge loss", {0.3, -0.8, 0.1}, [](const auto& v) {
        auto sum = 0.0 * v[0];
        for (const auto& e : v) sum = sum + (e < 1.0 ? 1.0 - e : 0.0 * e);
        return sum;
    });
    c.add("kinked", "floor and a slope", {2.3, -1.6}, [](const auto& v) {
        using std::floor;
        return floor(v[0]) * 0.5 + sin(v[0]) + floor(v[1]);
    });
    c.add("kinked", "beside a jump", {1.0 + 1e-6}, [](const auto& v) {
        using std::floor;
        return floor(v[0]) + v[0] * v[0];
    });
}

void singular(Collector& c) {
    for (const double x : {1e-10, 1e-8, 1e-4, 1e-2}) {
        c.add("singular", at("1/x", x), {x}, [](const auto& v) { return 1.0 / v[0]; });
        c.add("singular", at("1/x^2", x), {x}, [](const auto& v) { return 1.0 / (v[0] * v[0]); });
        c.add("singular", at("log", x), {x}, [](const auto& v) { return log(v[0]); });
        c.add("singular", at("x log x", x), {x}, [](const auto& v) { return v[0] * log(v[0]); });
        c.add("singular", at("root", x), {x}, [](const auto& v) { return sqrt(v[0]); });
        c.add("singular", at("cube root", x), {x}, [](const auto& v) {
            using std::cbrt;
            return cbrt(v[0]);
        });
        c.add(
            "singular", at("1/(x - 1), beside", x), {1 + x}, [](const auto& v) { return 1.0 / (v[0] - 1.0); },
            x, 2.2e-16 / (x * x));
        c.add(
            "singular", at("sqrt(1 - x^2), beside", x), {1 - x},
            [](const auto& v) { return sqrt(1.0 - v[0] * v[0]); }, x, 1.2e-16 / sqrt(x));
    }
    c.add("singular", "entropy", {0.2, 0.3, 0.5},
          [](const auto& v) { return -(v[0] * log(v[0]) + v[1] * log(v[1]) + v[2] * log(v[2])); });
    c.add("singular", "log barrier", {1e-6, 0.5},
          [](const auto& v) { return -(log(v[0]) + log(1.0 - v[1])); });
    c.add("singular", "|x|^1.5 at 0", {0.0}, [](const auto& v) { return abs(v[0]) * sqrt(abs(v[0])); });
    c.add("singular", "norm", {3e-7, 4e-7}, [](const auto& v) { return sqrt(v[0] * v[0] + v[1] * v[1]); });
    c.add(
        "singular", "tan near its pole", {1.57}, [](const auto& v) { return sin(v[0]) / cos(v[0]); }, 5e-4);
}

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

constexpr std::array<Mutation, 9> kMutations = {{
    {"1 + 1e-3", 1e-3,
     [](Numbers g) {
         for (double& e : g) e *= 1 + 1e-3;
         return g;
     }},
    {"1 + 1e-6", 1e-6,
     [](Numbers g) {
         for (double& e : g) e *= 1 + 1e-6;
         return g;
     }},
    {"1 + 1e-8", 1e-8,
     [](Numbers g) {
         for (double& e : g) e *= 1 + 1e-8;
         return g;
     }},
    {"sign", 2,
     [](Numbers g) {
         for (double& e : g) e = -e;
         return g;
     }},
    {"zero", 1,
     [](Numbers g) {
         for (double& e : g) e = 0;
         return g;
     }},
    {"one element by 1 %", 1e-2,
     [](Numbers g) {
         g[g.size() / 2] *= 1.01;
         return g;
     }},
    {"permuted", 1,
     [](Numbers g) {
         std::rotate(g.begin(), g.begin() + 1, g.end());
         return g;
     }},
    {"missing factor", 1,
     [](Numbers g) {
         for (double& e : g) e *= g.size() > 1 ? static_cast<double>(g.size()) : 0.5;
         return g;
     }},
    {"dropped 1 % term", 1e-2,
     [](Numbers g) {
         g.back() *= 0.99;
         return g;
     }},
}};

}  // namespace

std::vector<Case> corpus() {
    Collector c;
    smooth(c);
    scaled(c);
    saturating(c);
    oscillating(c);
    kinked(c);
    singular(c);
    noisy(c);
    offset(c);
    single(c);
    layers(c);
    return std::move(c.cases);
}

std::span<const Mutation> mutations() { return kMutations; }

bool hidden(const Case& c, const Numbers& right, const Numbers& wrong) {
    constexpr double kNoises = 20;
    double seen = 0;
    for (std::size_t i = 0; i < right.size(); ++i) {
        const double size = c.x[i] == 0 ? 1 : std::abs(c.x[i]);
        seen = std::max(seen, std::abs(right[i] - wrong[i]) * size * c.length);
    }
    return seen <= kNoises * c.noise;
}

}  // namespace reel::testing
