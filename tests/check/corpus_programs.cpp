// Functions as physics, finance and machine learning write them: constants of nature, tables, losses.
#include "tests/check/collector.hpp"

namespace reel::testing {

namespace {

using std::floor;

template <class V>
auto zero(const V& v) {
    return 0.0 * v[0];
}
constexpr auto kRelu = [](auto u) { return u > 0.0 ? u : 0.0 * u; };

void physics(Collector& c) {
    c.add(
        "scaled", "arrhenius", {1e13, 75000.0, 298.15},
        [](const auto& x) { return x[0] * exp(-x[1] / (8.314 * x[2])); }, 0.03);
    c.add(
        "scaled", "diode", {1e-14, 0.6, 0.02585}, [](const auto& x) { return x[0] * expm1(x[1] / x[2]); },
        0.03);
    c.add(
        "scaled", "diode off", {1e-14, -0.6, 0.02585},
        [](const auto& x) { return x[0] * expm1(x[1] / x[2]); }, 0.03, 1e-30);
    c.add(
        "scaled", "photon", {6.626e-34, 5e14, 1.38e-23, 5800.0},
        [](const auto& x) { return x[0] * x[1] / expm1(x[0] * x[1] / (x[2] * x[3])); }, 0.1);
    c.add("scaled", "fine structure", {1.602e-19, 8.854e-12, 1.0546e-34, 3e8},
          [](const auto& x) { return x[0] * x[0] / (4 * M_PI * x[1] * x[2] * x[3]); });
    c.add("scaled", "kepler period", {1.496e11, 1.989e30},
          [](const auto& x) { return 2 * M_PI * sqrt(x[0] * x[0] * x[0] / (6.674e-11 * x[1])); });
    c.add("scaled", "van der waals", {0.0224, 273.15, 0.364, 4.27e-5},
          [](const auto& x) { return 8.314 * x[1] / (x[0] - x[3]) - x[2] / (x[0] * x[0]); });
    c.add(
        "scaled", "antoine", {353.15},
        [](const auto& x) { return exp(2.302585 * (8.07131 - 1730.63 / (x[0] - 273.15 + 233.426))); }, 0.1);
    c.add(
        "scaled", "morse", {1.1e-10, 7.4e-19, 1.9e10, 0.74e-10},
        [](const auto& x) {
            auto e = 1.0 - exp(-x[2] * (x[0] - x[3]));
            return x[1] * e * e;
        },
        0.3);
    c.add(
        "scaled", "buckingham", {3.2e-10, 1.6e-16, 2.9e-11, 1e-77},
        [](const auto& x) {
            return x[1] * exp(-x[0] / x[2]) - x[3] / (x[0] * x[0] * x[0] * x[0] * x[0] * x[0]);
        },
        0.05);
    c.add("scaled", "debye length", {8.854e-12, 1.38e-23, 300.0, 6e20, 1.602e-19},
          [](const auto& x) { return sqrt(x[0] * x[1] * x[2] / (x[3] * x[4] * x[4])); });
    c.add("scaled", "reynolds drag", {1.2, 30.0, 0.2, 1.8e-5}, [](const auto& x) {
        auto re = x[0] * x[1] * x[2] / x[3];
        return (24.0 / re + 6.0 / (1.0 + sqrt(re)) + 0.4) * x[0] * x[1] * x[1];
    });
    c.add("scaled", "ph of a weak acid", {1.8e-5, 0.1}, [](const auto& x) {
        auto h = (sqrt(x[0] * x[0] + 4.0 * x[0] * x[1]) - x[0]) / 2.0;
        return -log(h) / 2.302585;
    });
    c.add(
        "scaled", "resonance", {2 * M_PI * 1.00001e6, 1e-3, 2.533e-11, 1.0},
        [](const auto& x) {
            auto z = x[0] * x[1] - 1.0 / (x[0] * x[2]);
            return 1.0 / sqrt(x[3] * x[3] + z * z);
        },
        1e-4);
    c.add("scaled", "bose condensate", {1e-7, 1e-7}, [](const auto& x) { return 1.0 / expm1(x[0] / x[1]); });
    c.add(
        "scaled", "orbit energy beside rest energy", {9.11e-31, 2.19e6},
        [](const auto& x) {
            auto b = x[1] / 299792458.0;
            return x[0] * 8.98755e16 * (1.0 / sqrt(1.0 - b * b) - 1.0);
        },
        1, 1e-29);
}

void formulas(Collector& c) {
    c.add(
        "smooth", "black-scholes", {100.0, 105.0, 0.02, 0.2, 0.5},
        [](const auto& x) {
            auto q = x[3] * sqrt(x[4]);
            auto d1 = (log(x[0] / x[1]) + (x[2] + x[3] * x[3] / 2.0) * x[4]) / q;
            auto d2 = d1 - q;
            auto N = [](auto z) { return 0.5 * (1.0 + erf(z / std::sqrt(2.0))); };
            return x[0] * N(d1) - x[1] * exp(-x[2] * x[4]) * N(d2);
        },
        0.1);
    c.add(
        "smooth", "mixture log-likelihood", {0.4, -1.0, 2.0, 0.5, 1.5},
        [](const auto& x) {
            auto s = zero(x);
            for (double d : {-1.3, -0.7, 0.1, 1.9, 2.4, 3.1}) {
                auto a = (d - x[1]) / x[3];
                auto b = (d - x[2]) / x[4];
                s = s + log(x[0] / x[3] * exp(-a * a / 2.0) + (1.0 - x[0]) / x[4] * exp(-b * b / 2.0));
            }
            return s;
        },
        0.1);
    c.add("smooth", "quaternion rotation", {0.5, -0.1, 0.7, 0.3}, [](const auto& q) {
        auto n = q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3];
        return (1.0 - 2.0 * (q[2] * q[2] + q[3] * q[3]) / n) * 0.3 +
               2.0 * (q[1] * q[2] - q[0] * q[3]) / n * 1.7;
    });
    c.add("smooth", "log det 3x3", {4, 1, 0.5, 5, -0.7, 3}, [](const auto& m) {
        auto a = sqrt(m[0]);
        auto b = m[1] / a;
        auto d = m[2] / a;
        auto e = sqrt(m[3] - b * b);
        auto f = (m[4] - d * b) / e;
        auto g = sqrt(m[5] - d * d - f * f);
        return 2.0 * (log(a) + log(e) + log(g));
    });
    c.add("smooth", "elliptic agm", {0.5}, [](const auto& x) {
        auto a = 0.0 * x[0] + 1.0;
        auto b = sqrt(1.0 - x[0] * x[0]);
        for (int i = 0; i < 8; ++i) {
            auto t = (a + b) / 2.0;
            b = sqrt(a * b);
            a = t;
        }
        return M_PI / 2 / a;
    });
    c.add(
        "smooth", "logistic map, 20", {0.3},
        [](const auto& x) {
            auto y = x[0];
            for (int i = 0; i < 20; ++i) y = 3.9 * y * (1.0 - y);
            return y;
        },
        1e-6, 1e-11);
}

void saturating_losses(Collector& c) {
    for (const double x : {3.0, 17.0, 80.0, -17.0}) {
        const double L = 1 / std::abs(x);
        c.add(
            "saturating", at("mish", x), {x}, [](const auto& v) { return v[0] * tanh(log1p(exp(v[0]))); }, L);
        c.add(
            "saturating", at("log sigmoid", x), {x}, [](const auto& v) { return -log1p(exp(-v[0])); }, L);
        c.add(
            "saturating", at("gumbel", x), {x}, [](const auto& v) { return exp(-exp(-v[0])); },
            std::min(L, x < 0 ? std::exp(x) : 1.0));
        c.add(
            "saturating", at("1 - exp(-x^2)", x), {x}, [](const auto& v) { return 1.0 - exp(-v[0] * v[0]); },
            L / 3);
        c.add(
            "saturating", at("langevin", x), {x}, [](const auto& v) { return 1.0 / tanh(v[0]) - 1.0 / v[0]; },
            1, 3e-16);
        c.add(
            "saturating", at("binary cross-entropy", x), {x},
            [](const auto& v) {
                auto p = kSigmoid(v[0]);
                return -(0.3 * log(p + 1e-12) + 0.7 * log(1.0 - p + 1e-12));
            },
            L, 3e-16 * (x > 0 ? std::min(1e12, std::exp(x)) : 1));
    }
}

void kinks(Collector& c) {
    c.add("kinked", "relu net, one dead", {0.3, -0.7, 1.1, 0.2},
          [](const auto& v) { return kRelu(0.4 * v[0] - v[1]) * v[2] + kRelu(-v[0] - 0.1) * v[3]; });
    c.add("kinked", "elastic net", {0.0, 1.5, 0.0, -2.0}, [](const auto& v) {
        auto s = zero(v);
        for (auto& e : v) s = s + 0.3 * abs(e) + 0.5 * e * e;
        return s;
    });
    c.add("kinked", "total variation", {1.0, 1.0, 2.0, 0.5, 0.5}, [](const auto& v) {
        auto s = zero(v);
        for (std::size_t i = 0; i + 1 < v.size(); ++i) s = s + abs(v[i + 1] - v[i]);
        return s;
    });
    c.add("kinked", "pool of ties", {2.0, 2.0, 2.0, 1.0}, [](const auto& v) {
        auto m = v[0];
        for (auto& e : v)
            if (e > m) m = e;
        return m * m;
    });
    c.add("kinked", "hard swish", {3.0, -3.0, 1.0}, [](const auto& v) {
        auto s = zero(v);
        for (auto& e : v) {
            auto u = kRelu(e + 3.0);
            u = u > 6.0 ? 0.0 * u + 6.0 : u;
            s = s + e * u / 6.0;
        }
        return s;
    });
    c.add("kinked", "hertz contact in", {1e-6},
          [](const auto& v) { return v[0] > 0.0 ? 1e9 * v[0] * sqrt(v[0]) : 0.0 * v[0]; });
    c.add("kinked", "tax brackets", {47000.0}, [](const auto& v) {
        return 0.1 * v[0] + 0.1 * kRelu(v[0] - 10000.0) + 0.2 * kRelu(v[0] - 40000.0) +
               0.3 * kRelu(v[0] - 50000.0);
    });
    c.add("kinked", "l-infinity norm", {-3.0, 2.0, 2.5}, [](const auto& v) {
        auto m = abs(v[0]);
        for (auto& e : v)
            if (abs(e) > m) m = abs(e);
        return m;
    });
    c.add(
        "kinked", "sum of many kinks", {0.123},
        [](const auto& v) {
            auto s = zero(v);
            for (int i = 0; i < 50; ++i) s = s + abs(v[0] - 0.017 * i) * (1.0 + i % 3);
            return s;
        },
        4e-3, 1e-14);
    c.add(
        "kinked", "three kinks one after the other", {0.5},
        [](const auto& v) { return abs(v[0] - 0.5001) + abs(v[0] - 0.499) + abs(v[0] - 0.52) * v[0]; }, 2e-5,
        1e-15);
}

void tables(Collector& c) {
    c.add(
        "kinked", "bilinear", {2.3, 4.6},
        [](const auto& v) {
            double i = floor(value_of(v[0])), j = floor(value_of(v[1]));
            auto k = [](double a, double b) { return std::cos(a + 0.7 * b) + 0.2 * a * b; };
            auto s = v[0] - i;
            auto t = v[1] - j;
            return (1.0 - s) * ((1.0 - t) * k(i, j) + t * k(i, j + 1)) +
                   s * ((1.0 - t) * k(i + 1, j) + t * k(i + 1, j + 1));
        },
        0.05);
    c.add(
        "kinked", "1000 entries", {0.51237},
        [](const auto& v) {
            auto u = v[0] * 1000.0;
            double i = floor(value_of(u));
            auto k = [](double j) { return std::exp(j / 1000); };
            return k(i) + (k(i + 1) - k(i)) * (u - i);
        },
        3e-4, 1e-15);
    c.add(
        "kinked", "a million entries", {0.5123704},
        [](const auto& v) {
            auto u = v[0] * 1e6;
            double i = floor(value_of(u));
            auto k = [](double j) { return std::exp(j / 1e6); };
            return k(i) + (k(i + 1) - k(i)) * (u - i);
        },
        3e-7, 1e-15);
    c.add(
        "kinked", "in float", {3.3},
        [](const auto& v) {
            double i = floor(value_of(v[0]));
            auto k = [](double j) { return (double)(float)(std::sin(1.3 * j) + 0.1 * j); };
            return k(i) + (k(i + 1) - k(i)) * (v[0] - i);
        },
        0.05);
}

}  // namespace

void add_programs(Collector& c) {
    physics(c);
    formulas(c);
    saturating_losses(c);
    kinks(c);
    tables(c);
}

}  // namespace reel::testing
