// Scans against the loops that define them.
#include <doctest/doctest.h>

#include <cmath>

#include "reel.hpp"

using namespace reel;

namespace {

using std::int64_t;

Tensor whole(const Shape& sizes, DType dtype) {
    Tensor x = empty(sizes, kInt64);
    for (int64_t i = 0; i < x.numel(); ++i) x.data_ptr<int64_t>()[i] = (i * (i + 3)) % 5 - 2;
    return x.to(dtype);
}

/// sᵢ = f(sᵢ₋₁, xᵢ) along `dim`, element by element.
template <class F>
std::vector<double> reference(const Tensor& x, int64_t dim, double start, const F& f) {
    const Shape strides = contiguous_strides(x.sizes());
    const int64_t step = strides[static_cast<std::size_t>(dim)];
    std::vector<double> values = x.to_vector<double>();
    for (std::size_t i = 0; i < values.size(); ++i) {
        const bool first = static_cast<int64_t>(i) / step % x.size(dim) == 0;
        values[i] = f(first ? start : values[i - static_cast<std::size_t>(step)], values[i]);
    }
    return values;
}

const Shape kShapes[] = {{1}, {9}, {5000}, {3, 4}, {20, 17}, {5, 200}, {200, 5}, {3, 4, 70}, {2, 100, 3}};

}  // namespace

TEST_CASE("cumsum and cumprod: any dim, layout and type") {
    for (const Shape& sizes : kShapes) {
        for (DType dtype : {kFloat32, kFloat64, kInt64, kBool, kFloat16}) {
            if (numel(sizes) > 2000 && dtype == kFloat16) continue;  // not exact there
            const Tensor x = whole(sizes, dtype);
            for (int64_t dim = 0; dim < x.dim(); ++dim) {
                const auto sums = reference(x, dim, 0, [](double s, double v) { return s + v; });
                const Tensor signs = x.ne(0).to(dtype) * (dtype == kBool ? 1 : -1);
                const auto products = reference(signs, dim, 1, [](double s, double v) { return s * v; });
                for (const auto& turned :
                     {std::pair{x, signs}, std::pair{x.flip(0).contiguous().flip(0), signs}}) {
                    INFO("shape " << sizes << " dim " << dim << " " << dtype);
                    const Tensor y = cumsum(turned.first, dim - x.dim());
                    CHECK(y.dtype() == (x.is_floating_point() ? dtype : kInt64));
                    CHECK(y.to_vector<double>() == sums);
                    CHECK(cumprod(turned.second, dim).to_vector<double>() == products);
                }
            }
        }
    }
}

/// Every sum of one row, with what it has lost (Neumaier); from the last element on, where it is walked back.
std::vector<double> compensated(const double* x, int64_t n, bool from_end) {
    std::vector<double> sums(static_cast<std::size_t>(n));
    double sum = 0;
    double lost = 0;
    for (int64_t k = 0; k < n; ++k) {
        const int64_t i = from_end ? n - 1 - k : k;
        const double next = sum + x[i];
        lost += std::abs(sum) >= std::abs(x[i]) ? (sum - next) + x[i] : (x[i] - next) + sum;
        sum = next;
        sums[static_cast<std::size_t>(i)] = sum + lost;
    }
    return sums;
}

TEST_CASE("cumsum of float64: many rows at once, each as if alone") {
    for (const int64_t n : {1, 2, 63, 64, 65, 128, 333}) {
        for (const int64_t rows : {1, 2, 3, 4, 7, 8, 19}) {
            CAPTURE(n);
            CAPTURE(rows);
            const Tensor x = whole({rows, n}, kFloat64) * 1e15 + randn({rows, n}, kFloat64);
            const Tape tape;
            const Tensor leaf = zeros({rows, n}, kFloat64).set_requires_grad();
            const Tensor back = grad({cumsum(leaf, 1)}, {leaf}, {.grad_outputs = {x}})[0];
            const Tensor y = cumsum(x, 1);
            for (int64_t row = 0; row < rows; ++row) {
                const double* from = x.data_ptr<double>() + row * n;
                CHECK(y[row].to_vector<double>() == compensated(from, n, false));
                CHECK(back[row].to_vector<double>() == compensated(from, n, true));
            }
        }
    }
}

TEST_CASE("cumsum of float64 keeps what its sum loses, and infinities") {
    Tensor x = empty({20001}, kFloat64);
    double* at = x.data_ptr<double>();
    for (int64_t i = 0; i < x.numel(); ++i) at[i] = i == 0 ? 1e16 : i + 1 == x.numel() ? -1e16 : 1.0 / 3;
    const Tensor y = cumsum(x, 0);
    CHECK(std::abs(y[-1].item() - 19999 / 3.0) < 1e-8);
    CHECK(cumsum(x.expand({3, 20001}), 1)[2].equal(y));
    CHECK(cumsum(x.unsqueeze(1).expand({20001, 70}).contiguous(), 0).select(1, 69).equal(y));
    const double inf = HUGE_VAL;
    CHECK(cumsum(tensor({1.0, inf, 2.0}, kFloat64), 0).to_vector<double>() ==
          std::vector<double>{1, inf, inf});
    CHECK(std::isnan(cumsum(tensor({inf, -inf}, kFloat64), 0)[1].item()));
    CHECK(cumsum(tensor({1e308, 1e308, 1.0}, kFloat64), 0)[2].item() == inf);
}

TEST_CASE("scans of nothing, of one number, of a wrong dim") {
    CHECK(cumsum(empty({0, 3}), 0).sizes() == Shape{0, 3});
    CHECK(cumprod(empty({2, 0}), 1).sizes() == Shape{2, 0});
    CHECK(tensor(4.0).cumsum(0).item<double>() == 4);
    CHECK(tensor(4.0).cumprod(-1).item<double>() == 4);
    CHECK_THROWS_AS(cumsum(ones({2, 3}), 2), IndexError);
}

TEST_CASE("a long running sum keeps its digits") {
    // In float32 a running sum of 0.1 would stop growing; the last is Σ rounded once.
    const Tensor y = cumsum(full({1'000'000}, 0.1), 0);
    CHECK(y.select(0, -1).item<float>() == static_cast<float>(1e6 * static_cast<double>(0.1f)));
}

TEST_CASE("scans do not depend on the number of threads") {
    const Tensor x = randn({100, 900});
    const int before = num_threads();
    std::vector<std::vector<double>> results;
    for (int threads : {1, 2, 5}) {
        set_num_threads(threads);
        results.push_back(cat({x.cumsum(0), x.cumsum(1), x.reshape({1, 90000}).cumsum(1).reshape({100, 900})})
                              .to_vector<double>());
    }
    set_num_threads(before);
    for (const auto& other : results) CHECK(other == results[0]);
}

TEST_CASE("the gradient of cumprod through zeros") {
    // PyTorch: torch.tensor([2., 0., 3., 0., 5.]).cumprod(0).sum().backward()
    const Tensor x = tensor({2.0, 0.0, 3.0, 0.0, 5.0}, kFloat64).set_requires_grad();
    const Tape tape;
    x.cumprod(0).sum().backward();
    CHECK(x.grad().to_vector<double>() == std::vector<double>{1, 8, 0, 0, 0});
}

TEST_CASE("linear_recurrence from both ends") {
    const Tensor x = tensor({1.0, 2.0, 3.0}, kFloat64);
    const Tensor a = tensor({10.0, 2.0, 3.0}, kFloat64);
    CHECK(linear_recurrence(x, a, 0).to_vector<double>() == std::vector<double>{1, 4, 15});
    CHECK(linear_recurrence(x, a, 0, true).to_vector<double>() == std::vector<double>{23, 11, 3});
    CHECK_THROWS_AS(linear_recurrence(x, ones({2}, kFloat64), 0), ShapeError);
    CHECK_THROWS_AS(linear_recurrence(x, ones({3}), 0), ShapeError);
}
