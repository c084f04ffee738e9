// Rows of every length, beside each other or apart, with a number each, one row for all, or rows of their own: what the
// compiler makes of a loop over the elements.
#include <doctest/doctest.h>

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

/// a ∘ b for each element of [kRows, n], with b expanded.
template <class T>
std::vector<T> expected(const Tensor& a, const Tensor& b, char op) {
    std::vector<T> result;
    const auto x = a.expand({kRows, a.size(1)}).template to_vector<T>();
    const auto y = b.expand({kRows, a.size(1)}).template to_vector<T>();
    for (std::size_t i = 0; i < x.size(); ++i)
        result.push_back(op == '+'   ? x[i] + y[i]
                         : op == '-' ? x[i] - y[i]
                         : op == '*' ? x[i] * y[i]
                                     : x[i] / y[i]);
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
            CHECK(apply(a, b, op).to_vector<T>() == expected<T>(a, b, op));
            CHECK(apply(b, a, op).to_vector<T>() == expected<T>(b.expand({kRows, n}), a, op));
            const std::vector<T> wanted = expected<T>(a, b, op);
            const Tensor memory = apart<T>(kRows, n + gap, 0, 1);
            const std::vector<T> beside = memory.narrow(1, n, gap).to_vector<T>();
            const Tensor y = memory.narrow(1, 0, n);
            apply_(y, b, op);
            CHECK(y.to_vector<T>() == wanted);
            CHECK(memory.narrow(1, n, gap).to_vector<T>() == beside);
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
        }
    }
}
