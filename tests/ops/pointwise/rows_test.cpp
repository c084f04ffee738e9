// Rows of every length, beside each other or apart, with a number each, one row for all, or rows of their own: what the
// compiler makes of a loop over the elements.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "ops/pointwise/pointwise_driver.hpp"
#include "reel.hpp"

using namespace reel;

namespace {

constexpr std::int64_t kRows = 6;

/// [rows, n] of [rows, n + gap]: 1 / 3, 2 / 3, …
template <class T>
Tensor apart(std::int64_t rows, std::int64_t n, std::int64_t gap, double first) {
    const Tensor wide = (arange(rows * (n + gap), dtype_of<T>()) + first) / 3.0;
    return wide.view({rows, n + gap}).narrow(1, 0, n);
}

/// a ∘ b for each element of [kRows, n], with b expanded: of 16 bits in float32, and rounded.
template <class T>
std::vector<double> expected(const Tensor& a, const Tensor& b, char op) {
    using Computed = std::conditional_t<sizeof(T) == 2, float, T>;
    std::vector<double> result;
    const auto x = a.expand({kRows, a.size(1)}).template to_vector<Computed>();
    const auto y = b.expand({kRows, a.size(1)}).template to_vector<Computed>();
    for (std::size_t i = 0; i < x.size(); ++i) {
        const Computed value = op == '+'   ? x[i] + y[i]
                               : op == '-' ? x[i] - y[i]
                               : op == '*' ? x[i] * y[i]
                                           : x[i] / y[i];
        result.push_back(static_cast<double>(static_cast<Computed>(static_cast<T>(value))));
    }
    return result;
}

Tensor apply(const Tensor& a, const Tensor& b, char op) {
    return op == '+' ? a + b : op == '-' ? a - b : op == '*' ? a * b : a / b;
}
void apply_(const Tensor& a, const Tensor& b, char op) {
    op == '+' ? a.add_(b) : op == '-' ? a.sub_(b) : op == '*' ? a.mul_(b) : a.div_(b);
}

template <class T>
void check_rows(std::int64_t n, std::int64_t gap) {
    const Tensor a = apart<T>(kRows, n, gap, 1);
    for (const Tensor& b : {apart<T>(kRows, 1, 0, 5), apart<T>(1, n, 0, 5), apart<T>(kRows, n, 3, 5)}) {
        for (const char op : {'+', '-', '*', '/'}) {
            CAPTURE(op);
            CHECK(apply(a, b, op).to_vector<double>() == expected<T>(a, b, op));
            CHECK(apply(b, a, op).to_vector<double>() == expected<T>(b.expand({kRows, n}), a, op));
            const std::vector<double> wanted = expected<T>(a, b, op);
            const Tensor memory = apart<T>(kRows, n + gap, 0, 1);
            const std::vector<double> beside = memory.narrow(1, n, gap).to_vector<double>();
            const Tensor y = memory.narrow(1, 0, n);
            apply_(y, b, op);
            CHECK(y.to_vector<double>() == wanted);
            CHECK(memory.narrow(1, n, gap).to_vector<double>() == beside);
        }
    }
}

}  // namespace

TEST_CASE("pointwise: rows of every length, each with a number, another row, or its own") {
    for (std::int64_t n = 1; n <= 40; ++n) {
        for (const std::int64_t gap : {0, 1, 5}) {
            CAPTURE(n);
            CAPTURE(gap);
            check_rows<float>(n, gap);
            check_rows<double>(n, gap);
            check_rows<Half>(n, gap);
            check_rows<BFloat16>(n, gap);
        }
    }
}

TEST_CASE("pointwise: of 16 bits, in any layout, what float32 gives, rounded once") {
    const double inf = std::numeric_limits<double>::infinity();
    const std::vector<double> special = {0.0, -0.0, inf, -inf, std::nan(""), 1.5, -1.5, 60000, -6e-8};
    const std::vector<std::function<Tensor(const Tensor&)>> functions = {
        [](const Tensor& x) { return x + 0.1; },
        [](const Tensor& x) { return 0.1 - x; },
        [](const Tensor& x) { return x * 1e9; },
        [](const Tensor& x) { return 0.1 / x; },
        [](const Tensor& x) { return x / 3; },
        [](const Tensor& x) { return -x; },
        [](const Tensor& x) { return reel::abs(x); },
        [](const Tensor& x) { return square(x); },
        [](const Tensor& x) { return relu(x); },
        [](const Tensor& x) { return leaky_relu(x, 0.3); },
        [](const Tensor& x) { return clamp(x, -1, 2); },
        [](const Tensor& x) { return maximum(x, x.flip(0)); },
        [](const Tensor& x) { return minimum(x, x.flip(0)); },
        [](const Tensor& x) { return x.clone().mul_(0.1); },
        [](const Tensor& x) { return x.clone().clamp_(-1, 2); },
        [](const Tensor& x) { return Tensor(x.repeat({2}).slice(0, 0, None, 2)).add_(0.1); },
    };
    for (const DType dtype : {kFloat16, kBFloat16}) {
        for (const std::int64_t n : {1, 7, 16, 33, 70}) {
            const Tensor memory = arange(2 * n).remainder(9);
            const Tensor numbers = tensor(special).index({memory}).to(dtype);
            for (const Tensor& x : {numbers, numbers.slice(0, 0, None, 2), numbers.slice(0, 1)}) {
                for (std::size_t i = 0; i < functions.size(); ++i) {
                    CAPTURE(i);
                    CAPTURE(n);
                    const Tensor y = functions[i](x);
                    CHECK(y.dtype() == dtype);
                    const Tensor wanted = functions[i](x.to(kFloat32)).to(dtype);
                    CHECK(allclose(y.to(kFloat32), wanted.to(kFloat32), 0, 0, true));
                    CHECK((1 / y.to(kFloat32) == 1 / wanted.to(kFloat32))
                              .logical_or(y.isnan())
                              .all()
                              .item<bool>());
                }
            }
        }
    }
}

TEST_CASE("pointwise: a number beside 16 bits enters in float32 whatever is written to") {
    for (const DType dtype : {kFloat16, kBFloat16}) {
        const Tensor x = arange(40, dtype) / 7.0;
        const Tensor apart = zeros({40, 2}, dtype).select(1, 0);
        apply_to(apart, {"mul", kernels::Fn::kMul, kFloat32, dtype}, {x, 0.1});
        CHECK(apart.equal((x.to(kFloat32) * 0.1).to(dtype)));
        const Tensor memory = (arange(41, dtype) / 7.0);
        const Tensor wanted = (memory.slice(0, 0, 40).to(kFloat32) * 0.1).to(dtype);
        apply_to(memory.slice(0, 1), {"mul", kernels::Fn::kMul, kFloat32, dtype},
                 {memory.slice(0, 0, 40), 0.1});
        CHECK(memory.slice(0, 1).equal(wanted));  // which the operand overlaps
    }
}

TEST_CASE("pointwise: results larger than the caches are those of their parts") {
    const std::int64_t n = (2 << 20) + 5;
    const Tensor a = arange(n, kFloat64);
    const Tensor b = arange(n, kFloat64) * 0.5;
    const Tensor y = a * b - 3.0;
    for (std::int64_t at = 0; at < n; at += 100'003) {
        const Tensor x = a.slice(0, at, std::min(at + 1000, n));
        CHECK(y.slice(0, at, std::min(at + 1000, n)).equal(x * (x * 0.5) - 3.0));
    }
    CHECK(y[n - 1].item() == static_cast<double>(n - 1) * (static_cast<double>(n - 1) * 0.5) - 3);
}
