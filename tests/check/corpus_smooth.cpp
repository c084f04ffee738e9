// Functions that are smooth where they are looked at, on all scales.
#include "tests/check/collector.hpp"

namespace reel::testing {

namespace {

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

void test_functions(Collector& c) {
    c.add("smooth", "himmelblau", {-2.8, 3.1}, [](const auto& x) {
        const auto a = x[0] * x[0] + x[1] - 11.0;
        const auto b = x[0] + x[1] * x[1] - 7.0;
        return a * a + b * b;
    });
    const auto powell = [](const auto& x) {
        const auto a = x[0] + 10.0 * x[1];
        const auto b = x[2] - x[3];
        const auto d = x[1] - 2.0 * x[2];
        const auto e = x[0] - x[3];
        return a * a + 5.0 * b * b + d * d * d * d + 10.0 * e * e * e * e;
    };
    c.add("smooth", "powell's singular function", {3.0, -1.0, 0.0, 1.0}, powell);
    c.add("smooth", "powell's singular function at its minimum", {0.0, 0.0, 0.0, 0.0}, powell);
    c.add("smooth", "determinant", {1.0, 2.0, 3.0, 0.5, -1.0, 2.0, 4.0, 1.0, 0.2}, [](const auto& m) {
        return m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) +
               m[2] * (m[3] * m[7] - m[4] * m[6]);
    });
    c.add("smooth", "runge", {0.21}, [](const auto& x) { return 1.0 / (1.0 + 25.0 * x[0] * x[0]); });
    c.add(
        "smooth", "flat at 0", {0.2}, [](const auto& x) { return exp(-1.0 / (x[0] * x[0])); }, 0.05);
    c.add("smooth", "growth, 50 steps of a solver", {0.1, 1.7, 2.0}, [](const auto& x) {
        auto y = x[0];
        for (int i = 0; i < 50; ++i) {
            const auto middle = y + 0.05 * x[1] * y * (1.0 - y / x[2]);
            y = y + 0.1 * x[1] * middle * (1.0 - middle / x[2]);
        }
        return y;
    });
    c.add(
        "smooth", "lorenz, 200 steps", {1.0, 1.0, 1.0},
        [](const auto& v) {
            auto x = v[0];
            auto y = v[1];
            auto z = v[2];
            for (int i = 0; i < 200; ++i) {
                const auto dx = 10.0 * (y - x);
                const auto dy = x * (28.0 - z) - y;
                const auto dz = x * y - 8.0 / 3.0 * z;
                x = x + 0.01 * dx;
                y = y + 0.01 * dy;
                z = z + 0.01 * dz;
            }
            return x;
        },
        0.01, 1e-13);
    c.add("smooth", "ten of falling weight", {1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0},
          [](const auto& x) {
              auto sum = 0.0 * x[0];
              double w = 1;
              for (const auto& e : x) {
                  sum = sum + w * exp(e);
                  w *= 0.3;
              }
              return sum;
          });
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

void laws(Collector& c) {
    for (const double s : {1e-12, 3e-10, 2e-5, 7e4, 5e8, 1e12}) {
        c.add("scaled", at("michaelis-menten", s), {s, 2 * s, 0.7},
              [](const auto& x) { return x[2] * x[0] / (x[1] + x[0]); });
        c.add("scaled", at("planck", s), {3 * s}, [s](const auto& x) {
            const auto u = x[0] / s;
            return u * u * u / expm1(u);
        });
        c.add("scaled", at("coulomb", s), {s, 2 * s, 0.5 * s},
              [](const auto& x) { return 1.0 / sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2]); });
        c.add("scaled", at("low pass", s), {1 / s, s}, [](const auto& x) {
            const auto w = x[0] * x[1];
            return 1.0 / sqrt(1.0 + w * w);
        });
        c.add("scaled", at("result of the size squared", s), {2.0, 1.4},
              [s](const auto& x) { return s * s * (x[0] * x[0] * x[0] - atan(x[1])); });
        c.add("scaled", at("zeros beside", s), {0.0, 3 * s, 0.0},
              [s](const auto& x) { return cos(x[0] / s) * x[1] / s + x[2] / s; });
    }
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

void activations(Collector& c) {
    for (const double x : {6.0, 25.0, 300.0, -3.0, -50.0}) {
        const double length = 1 / std::abs(x);
        c.add(
            "saturating", at("swish", x), {x}, [](const auto& v) { return v[0] * kSigmoid(v[0]); }, length);
        c.add("saturating", at("x / sqrt(1 + x^2)", x), {x},
              [](const auto& v) { return v[0] / sqrt(1.0 + v[0] * v[0]); });
        c.add(
            "saturating", at("hill", x), {std::abs(x)},
            [](const auto& v) {
                const auto u = pow(v[0] / 2.0, 8.0);
                return u / (1.0 + u);
            },
            0.2);
        c.add(
            "saturating", at("logistic loss", x), {x, 0.3},
            [](const auto& v) { return log1p(exp(-0.9 * v[0] + v[1])); }, length);
        c.add(
            "saturating", at("product of tanh", x), {x, 0.5},
            [](const auto& v) { return tanh(v[0]) * tanh(v[1]); }, length);
    }
}

}  // namespace

void add_smooth(Collector& c) {
    smooth(c);
    test_functions(c);
    scaled(c);
    laws(c);
    saturating(c);
    activations(c);
}

}  // namespace reel::testing
