// Softmax and its kin: the worked examples, edges and layouts. Accuracy over a battery of inputs is in
// accuracy_test.cpp.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "reel.hpp"

using namespace reel;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

void check_close(const Tensor& x, const std::vector<double>& expected, double tolerance) {
    const auto values = x.to_vector<double>();
    REQUIRE(values.size() == expected.size());
    for (std::size_t i = 0; i < values.size(); ++i) CHECK(std::abs(values[i] - expected[i]) <= tolerance);
}

bool all_nan(const Tensor& x) { return isnan(x).all().item<bool>(); }

/// The gradient of Σ c f(x), with uneven c.
Tensor gradient_of(const std::function<Tensor(const Tensor&)>& f, const Tensor& x) {
    const Tensor leaf = x.clone().set_requires_grad();
    const Tape tape;
    const Tensor y = f(leaf);
    y.backward(arange(1.0, static_cast<double>(y.numel()) + 1, 1, y.dtype()).reshape(y.sizes()));
    return leaf.grad();
}

}  // namespace

TEST_CASE("softmax: naive overflows where the shifted one does not") {
    const Tensor z = tensor({1000.0, 1001.0, 1002.0});
    CHECK(isinf(z.exp()).all().item<bool>());
    CHECK(all_nan(z.exp() / z.exp().sum()));
    const Tensor shifted = (z - z.amax()).exp();
    check_close(shifted, {0.1353, 0.3679, 1}, 5e-5);
    check_close(shifted.sum(), {1.5032}, 5e-5);
    check_close(softmax(z, 0), {0.0900, 0.2447, 0.6652}, 5e-5);
    check_close(softmax(z, 0).sum(), {1}, 1e-6);
    check_close(tensor({-1000.0, -999.0, -998.0}).exp(), {0, 0, 0}, 0);
    check_close(softmax(tensor({-1000.0, -999.0, -998.0}), 0), {0.0900, 0.2447, 0.6652}, 5e-5);
}

TEST_CASE("softmax: naive and stable agree on tame numbers") {
    const Tensor z = tensor({1.0, 2.0, 3.0});
    CHECK(allclose(softmax(z, 0), z.exp() / z.exp().sum()));
    const Tensor rows = tensor({{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}});
    check_close(softmax(rows, 1), {.09, .24, .67, .09, .24, .67}, 5e-3);
    check_close(log_softmax(rows, 1), {-2.4076, -1.4076, -0.4076, -2.4076, -1.4076, -0.4076}, 5e-5);
}

TEST_CASE("log_softmax: large float32 logits keep every digit") {
    check_close(log_softmax(tensor({1000.0, 1001.0, 1002.0}), 0), {-2.407606, -1.407606, -0.407606}, 5e-7);
}

TEST_CASE("softmax: shift invariance") {
    const Tensor x = randn({7, 13}, kFloat64);
    for (double c : {-1e4, -3.0, 0.5, 1e4}) {
        CHECK(allclose(softmax(x + c, 1), softmax(x, 1), 1e-9, 0));
        CHECK(allclose(log_softmax(x + c, 1), log_softmax(x, 1), 1e-9, 0));
    }
}

TEST_CASE("softmax: a row of 50,257 logits") {
    const Tensor p = softmax(randn({50257}) * 10, 0);
    check_close(p.sum(), {1}, 1e-5);
    CHECK(p.amin().item<float>() >= 0);
    CHECK(isfinite(p).all().item<bool>());
}

TEST_CASE("softmax: temperature before the softmax") {
    const Tensor z = tensor({2.0, 1.0, 0.5, 0.1});
    const double first[] = {.999954, .828162, .574522, .405575, .308317};
    int i = 0;
    for (double t : {0.1, 0.5, 1.0, 2.0, 5.0})
        CHECK(softmax(z / t, 0)[0].item<double>() == doctest::Approx(first[i++]).epsilon(2e-6));
}

TEST_CASE("softmax: any dimension and any layout") {
    const Tensor x = randn({5, 6, 7});
    const Tensor dense = softmax(x, -1);
    CHECK(softmax(x.transpose(0, 2), 0).equal(dense.transpose(0, 2)));
    CHECK(softmax(x.permute({1, 2, 0}), 1).equal(dense.permute({1, 2, 0})));
    CHECK(allclose(softmax(x.flip(2), 2), dense.flip(2), 1e-6));
    CHECK(softmax(x.slice(1, 1, 6, 2), 2).equal(dense.slice(1, 1, 6, 2)));
    CHECK(softmax(x[0].expand({4, 6, 7}), 2).equal(dense[0].expand({4, 6, 7})));
    const Tensor wide = randn({9, 400});
    CHECK(allclose(softmax(wide.t().contiguous().t(), 1), softmax(wide, 1), 1e-6));
    CHECK(allclose(softmax(wide.slice(1, 0, 400, 2), 1), softmax(wide.slice(1, 0, 400, 2).contiguous(), 1),
                   1e-6));
    CHECK(log_softmax(x.transpose(0, 2), 0).equal(log_softmax(x, 2).transpose(0, 2)));
    CHECK(logsumexp(x.transpose(0, 2), 0).equal(logsumexp(x, 2).t()));
}

TEST_CASE("softmax: as many classes and rows as fill vectors, registers and groups, or not quite") {
    for (const DType dtype : {kFloat32, kFloat64}) {
        const double tolerance = dtype == kFloat32 ? 1e-6 : 1e-14;
        for (const std::int64_t classes : {1, 2, 3, 4, 9, 10, 31, 33, 64, 65, 130, 513}) {
            for (const std::int64_t rows : {1, 3, 4, 7, 8, 17, 63, 64, 65, 130}) {
                CAPTURE(classes);
                CAPTURE(rows);
                const Tensor z = (arange(rows * classes, dtype) * 0.7).sin().reshape({rows, classes}) * 9;
                const Tensor p = z.to(kFloat64).exp() / z.to(kFloat64).exp().sum(1, true);
                for (const Tensor& x : {z, z.t().contiguous().t()}) {
                    CHECK(allclose(softmax(x, 1).to(kFloat64), p, tolerance, 0));
                    CHECK(allclose(log_softmax(x, 1).to(kFloat64), p.log(), tolerance, tolerance));
                    CHECK(allclose(logsumexp(x, 1).to(kFloat64), z.to(kFloat64).exp().sum(1).log(), tolerance,
                                   tolerance));
                    CHECK(softmax(x.t(), 0).equal(softmax(x, 1).t()));
                }
            }
        }
    }
}

// They are read and written by lines of several fibres, and by vectors where fewer are left.
TEST_CASE("softmax: fibres whose elements lie a page apart") {
    for (const DType dtype : {kFloat32, kFloat64}) {
        const double tolerance = dtype == kFloat32 ? 1e-6 : 1e-14;
        for (const std::int64_t n : {16, 17, 100, 600, 4100}) {
            const Tensor z = (arange(n * 1024, dtype) * 0.7).sin().reshape({n, 1024}) * 9;
            for (const std::int64_t fibres : {1024, 101, 40, 5}) {
                CAPTURE(n);
                CAPTURE(fibres);
                const Tensor x = z.slice(1, 1024 - fibres, 1024);
                const Tensor e = x.to(kFloat64).exp();
                CHECK(allclose(softmax(x, 0).to(kFloat64), e / e.sum(0, true), tolerance, 0));
            }
        }
    }
}

// A long row is read once, by what its beginning tells of its maximum.
TEST_CASE("softmax: rows whose maximum comes late, however large it is") {
    for (const DType dtype : {kFloat32, kFloat64}) {
        const long double unit = dtype == kFloat32 ? 0x1p-23L : 0x1p-52L;
        const long double least = dtype == kFloat32 ? 0x1p-149L : 0x1p-1074L;
        const auto close = [&](double y, long double expected) {
            return y == expected || std::abs(y - expected) <= 4 * (std::abs(expected) * unit + least);
        };
        for (const std::int64_t n : {255, 257, 300, 520, 1000, 4099}) {
            for (const double rise : {-3.0, 5.0, 23.0, 25.0, 60.0, 90.0, 250.0, 300.0, 2000.0, 1e30}) {
                for (const double beginning : {0.0, -kInf, 254.0, -300.0}) {
                    CAPTURE(n);
                    CAPTURE(rise);
                    CAPTURE(beginning);
                    Tensor z = (arange(5 * n, dtype) * 0.7).sin().reshape({5, n});
                    z.slice(1, 0, std::min<std::int64_t>(256, n - 25)).add_(beginning);
                    for (std::int64_t row = 1; row < 5; ++row) z[row][n - row * row].add_(rise);
                    z[4][n - 2].copy_(z[4][n - 16]);
                    const Tensor x = z.set_requires_grad();
                    const Tape tape;
                    cross_entropy(x, full({5}, n - 20, kInt64), {.reduction = Reduction::kSum}).backward();
                    const auto values = x.to_vector<double>();
                    const auto p = softmax(x, 1).to_vector<double>();
                    const auto log_p = log_softmax(x, 1).to_vector<double>();
                    const auto gradient = x.grad().to_vector<double>();
                    for (std::int64_t row = 0; row < 5; ++row) {
                        const double* of_row = values.data() + row * n;
                        const long double max = *std::max_element(of_row, of_row + n);
                        long double sum = 0;
                        for (std::int64_t c = 0; c < n; ++c) sum += std::exp(of_row[c] - max);
                        std::int64_t wrong = 0;
                        for (std::int64_t c = 0; c < n; ++c) {
                            const auto i = static_cast<std::size_t>(row * n + c);
                            const long double expected = std::exp(values[i] - max) / sum;
                            wrong += !close(p[i], expected);
                            if (c != n - 20) wrong += !close(gradient[i], expected);
                            if (values[i] < max) wrong += !close(log_p[i], values[i] - max - std::log(sum));
                        }
                        CHECK(wrong == 0);
                    }
                }
            }
        }
    }
}

TEST_CASE("softmax: several maxima share all but nothing, and none of them leads") {
    for (const DType dtype : {kFloat32, kFloat64}) {
        const double tolerance = 2 * (dtype == kFloat32 ? 0x1p-23 : 0x1p-52);
        for (const std::int64_t n : {2, 4, 40, 300, 1000}) {
            for (std::int64_t maxima = 2; maxima <= std::min<std::int64_t>(n, 5); ++maxima) {
                for (int k = 0; k < 40; ++k) {
                    const double max = -20 + 0.137 * k;
                    CAPTURE(n);
                    CAPTURE(maxima);
                    CAPTURE(max);
                    Tensor z = full({2, n}, max - 90, dtype);
                    for (std::int64_t i = 0; i < maxima; ++i)
                        z.select(1, i * (n - 1) / (maxima - 1)).fill_(max);
                    const double share = 1 / static_cast<double>(maxima);
                    for (const Tensor& x : {z, z.t().contiguous().t()}) {
                        const auto p = softmax(x, 1).to_vector<double>();
                        CHECK(p[0] == doctest::Approx(share).epsilon(tolerance));
                        const Tensor leaf = x.clone().set_requires_grad();
                        const Tape tape;
                        cross_entropy(leaf, full({2}, 0, kInt64),
                                      {.reduction = Reduction::kSum, .label_smoothing = 0.125})
                            .backward();
                        const double last = leaf.grad()[1][n - 1].item<double>();
                        const double floor = 0.125 / static_cast<double>(n);
                        CHECK(last == doctest::Approx(share - floor).epsilon(4 * tolerance));
                    }
                }
            }
        }
    }
}

TEST_CASE("cross_entropy: a sum of losses beyond float32 is infinite") {
    const Tensor z = tensor({{0.0, -kInf, 1.0}, {0.0, 1.0, 2.0}}, kFloat32);
    const Tensor classes = full({2}, 0, kInt64);
    for (const Reduction reduction : {Reduction::kSum, Reduction::kMean})
        CHECK(cross_entropy(z, classes, {.reduction = reduction, .label_smoothing = 0.1}).item<double>() ==
              kInf);
    const Tensor huge = tensor({{0.0, 3e38}, {0.0, 3e38}}, kFloat32);
    CHECK(cross_entropy(huge, classes, {.reduction = Reduction::kSum}).item<double>() == kInf);
}

TEST_CASE("softmax: one class, no class, no row, no dimension") {
    CHECK(softmax(randn({3, 1}), 1).equal(ones({3, 1})));
    CHECK(log_softmax(randn({3, 1}), 1).equal(zeros({3, 1})));
    CHECK(softmax(zeros({3, 0}), 1).sizes() == Shape{3, 0});
    CHECK(softmax(zeros({0, 3}), 1).sizes() == Shape{0, 3});
    CHECK(logsumexp(zeros({2, 0}), 1).equal(full({2}, -kInf)));
    CHECK(softmax(tensor(3.0), 0).item<float>() == 1);
    CHECK(log_softmax(tensor(3.0), -1).item<float>() == 0);
    CHECK(logsumexp(tensor(3.0), 0).item<float>() == 3);
}

TEST_CASE("softmax: infinities") {
    check_close(softmax(tensor({-kInf, 0.0, -kInf}), 0), {0, 1, 0}, 0);
    CHECK(log_softmax(tensor({-kInf, 0.0}), 0)[0].item<double>() == -kInf);
    CHECK(all_nan(softmax(tensor({-kInf, -kInf}), 0)));
    CHECK(all_nan(log_softmax(tensor({-kInf, -kInf}), 0)));
    CHECK(all_nan(softmax(tensor({kInf, 0.0}), 0)));
    CHECK(logsumexp(tensor({kInf, 0.0}), 0).item<double>() == kInf);
    CHECK(logsumexp(tensor({-kInf, -kInf}), 0).item<double>() == -kInf);
}

TEST_CASE("softmax: a NaN stays in its row, wherever it stands") {
    for (std::int64_t classes : {3, 10, 130, 1000}) {
        for (std::int64_t at : {std::int64_t{0}, classes / 2, classes - 1}) {
            Tensor x = randn({20, classes});
            const Tensor clean = softmax(x, 1);
            x[7][at].fill_(kNan);
            for (const Tensor& y : {softmax(x, 1), softmax(x.t().contiguous(), 0).t()}) {
                CHECK(all_nan(y[7]));
                CHECK(allclose(y.slice(0, 0, 7), clean.slice(0, 0, 7)));
                CHECK(allclose(y.slice(0, 8), clean.slice(0, 8)));
            }
            CHECK(isnan(logsumexp(x, 1)).sum().item<int>() == 1);
        }
    }
}

TEST_CASE("softmax: confident rows") {
    // References: exp and log1p in 50 digits (mpmath).
    const Tensor z = tensor({0.0, 40.0, -50.0});
    check_close(softmax(z, 0) / tensor({4.248354255291589e-18, 1.0, 8.194012623990515e-40}), {1, 1, 1}, 3e-7);
    check_close(log_softmax(z, 0) / tensor({-40.0, -4.248354255291589e-18, -90.0}), {1, 1, 1}, 3e-7);
    CHECK(softmax(z, 0)[1].item<float>() == 1);
}

TEST_CASE("logsumexp: several dims, keepdim, integers") {
    const Tensor x = randn({2, 3, 4}, kFloat64);
    CHECK(allclose(logsumexp(x, {0, 2}), x.exp().sum({0, 2}).log()));
    CHECK(logsumexp(x, {0, 2}, true).sizes() == Shape{1, 3, 1});
    CHECK(allclose(logsumexp(x, {}), x.exp().sum().log()));
    CHECK(logsumexp(tensor({1, 2}), 0).dtype() == kFloat32);
    CHECK(logsumexp(tensor({1, 2}), 0).item<double>() == doctest::Approx(2.3132617).epsilon(1e-7));
    CHECK(x.logsumexp(1).equal(logsumexp(x, 1)));
}

TEST_CASE("logsumexp: the gradient of a row that is all -inf is zero") {
    const Tensor x = tensor({{-kInf, -kInf}, {0.0, 0.0}});
    check_close(gradient_of([](const Tensor& t) { return logsumexp(t, 1); }, x), {0, 0, 1, 1}, 0);
}

TEST_CASE("masked_softmax: what is left, and a row with nothing left") {
    const Tensor x = tensor({{1.0, 2.0, 3.0}, {1.0, 2.0, 3.0}, {1.0, kNan, 2.0}});
    const Tensor mask = tensor({{true, true, false}, {false, false, false}, {true, false, true}});
    const std::vector<double> expected = {0.26894142, 0.73105858, 0, 0, 0, 0, 0.26894142, 0, 0.73105858};
    check_close(masked_softmax(x, mask, 1), expected, 1e-7);
    const Tensor g = gradient_of([&](const Tensor& t) { return masked_softmax(t, mask, 1); }, x);
    check_close(g, {-0.19661193, 0.19661193, 0, 0, 0, 0, -0.39322387, 0, 0.39322387}, 1e-6);
    check_close(masked_softmax(x[0], tensor({true, false, true}), 0), {0.11920292, 0, 0.88079708}, 1e-7);
}

TEST_CASE("softmax: 16-bit types are computed in float32") {
    const Tensor x = (randn({4, 50}) * 5).to(kBFloat16);
    CHECK(softmax(x, 1).dtype() == kBFloat16);
    CHECK(softmax(x, 1).equal(softmax(x.to(kFloat32), 1).to(kBFloat16)));
    CHECK(log_softmax(x, 0).equal(log_softmax(x.to(kFloat32), 0).to(kBFloat16)));
}

TEST_CASE("softmax: the same bits at every thread count") {
    const Tensor x = randn({300, 700});
    const Tensor y = softmax(x, 1);
    const int before = num_threads();
    for (int threads : {1, 2, 3}) {
        set_num_threads(threads);
        CHECK(softmax(x, 1).equal(y));
    }
    set_num_threads(before);
}

TEST_CASE("softmax: misuse") {
    CHECK_THROWS_AS(softmax(tensor({1, 2}), 0), DTypeError);
    CHECK_THROWS_AS(log_softmax(tensor({true}), 0), DTypeError);
    CHECK_THROWS_AS(softmax(zeros({2}), 1), IndexError);
    CHECK_THROWS_AS(logsumexp(zeros({2, 2}), {0, -2}), ShapeError);
    CHECK_THROWS_AS(masked_softmax(zeros({2}), zeros({2}), 0), DTypeError);
    CHECK_THROWS_AS(masked_softmax(zeros({2}), tensor({true, true, true}), 0), ShapeError);
}
