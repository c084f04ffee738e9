// Functions that oscillate, have kinks, jumps or poles, here or nearby.
#include "tests/check/collector.hpp"

namespace reel::testing {

namespace {

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

void waves(Collector& c) {
    for (const double w : {13.7, 101.3, 997.0, 54321.0}) {
        c.add(
            "oscillating", at("gabor", w), {0.11},
            [w](const auto& v) { return exp(-20.0 * v[0] * v[0]) * cos(w * v[0]); }, 1 / w, 2e-16 * w);
        c.add(
            "oscillating", at("three waves", w), {0.4},
            [w](const auto& v) { return sin(v[0]) + 0.1 * sin(w * v[0]) + 0.01 * sin(7.1 * w * v[0]); },
            0.1 / w, 2e-16 * w);
        c.add(
            "oscillating", at("sin(1 / x)", 1 / w), {1 / w}, [](const auto& v) { return sin(1.0 / v[0]); },
            1 / w, 2e-16 * w);
        c.add(
            "oscillating", at("ripple", w), {1.3},
            [w](const auto& v) { return exp(v[0]) + 1e-5 * sin(w * v[0]); }, 1 / w, 1e-15);
    }
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

/// Kinks and jumps at a distance of d.
void beside(Collector& c) {
    using std::floor;
    for (const double d : {1e-7, -1e-6, 1e-4, -1e-3, 0.03, -0.2}) {
        const double length = std::abs(d) / 4;
        c.add(
            "kinked", at("larger of two squares, beside", d), {1 + d, 1.0},
            [](const auto& v) { return v[0] > v[1] ? v[0] * v[0] : v[1] * v[1]; }, length, 1e-15);
        c.add(
            "kinked", at("soft threshold, beside", d), {1 + d},
            [](const auto& v) { return v[0] > 1.0 ? v[0] - 1.0 : 0.0 * v[0]; }, length, 1e-15);
        c.add(
            "kinked", at("triangle wave, beside", d), {3 + d},
            [](const auto& v) {
                const auto u = v[0] - floor(v[0]);
                return u > 0.5 ? 1.0 - u : u;
            },
            length, 1e-15);
        c.add(
            "kinked", at("clamp and sine, beside", d), {1 + d},
            [](const auto& v) { return (v[0] > 1.0 ? 0.0 * v[0] + 1.0 : v[0]) + sin(v[0]); }, length, 1e-15);
        c.add(
            "kinked", at("interpolated, beside", d), {2 + d},
            [](const auto& v) {
                const auto i = floor(v[0]);
                return i * i + (2.0 * i + 1.0) * (v[0] - i);
            },
            length, 1e-15);
        c.add(
            "jumping", at("floor and square, beside", d), {2 + d},
            [](const auto& v) { return floor(v[0]) + v[0] * v[0]; }, length, 1e-15);
        c.add(
            "jumping", at("wrapped angle, beside", d), {M_PI + d},
            [](const auto& v) {
                const auto t = v[0] > M_PI ? v[0] - 2 * M_PI : v[0];
                return t * t * t;
            },
            length, 1e-15);
    }
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

void at_an_edge(Collector& c) {
    for (const double d : {1e-12, 1e-7, 1e-3, 0.1}) {
        c.add("singular", at("x^x", d), {d}, [](const auto& v) { return exp(v[0] * log(v[0])); });
        c.add("singular", at("x^0.1", d), {d}, [](const auto& v) { return pow(v[0], 0.1); });
        c.add("singular", at("geometric mean", d), {d, 2.0, 3.0}, [](const auto& v) {
            using std::cbrt;
            return cbrt(v[0] * v[1] * v[2]);
        });
        c.add("singular", at("exp(-x) / x", d), {d}, [](const auto& v) { return exp(-v[0]) / v[0]; });
        if (d < 1e-10) continue;
        const double noise = 3e-16 / d;
        c.add(
            "singular", at("log(1 - x), beside", d), {1 - d}, [](const auto& v) { return log(1.0 - v[0]); },
            d, noise);
        c.add(
            "singular", at("log log, beside", d), {1 + d}, [](const auto& v) { return log(log(v[0])); }, d,
            noise);
        c.add(
            "singular", at("divergence", d), {d, 1 - d},
            [](const auto& v) { return v[0] * log(v[0] / 0.3) + v[1] * log(v[1] / 0.7); }, d, noise);
    }
}

}  // namespace

void add_rough(Collector& c) {
    oscillating(c);
    waves(c);
    kinked(c);
    beside(c);
    singular(c);
    at_an_edge(c);
}

}  // namespace reel::testing
