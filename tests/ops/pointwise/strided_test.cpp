// Elements that are a step apart, read and written by way of blocks, in memory that ends with the last of them.
#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "reel.hpp"

using namespace reel;

namespace {

using std::int64_t;
using Values = std::vector<double>;

/// A matrix whose elements are `step` apart, and its memory: nothing before the first of them or after the last.
template <class T>
struct Apart {
    int64_t rows, n, step;
    int64_t stride;
    std::unique_ptr<T[]> memory;  // as long as it is said to be, which a vector need not be

    Apart(int64_t row_count, int64_t length, int64_t apart, int64_t gap)
        : rows(row_count), n(length), step(apart), stride(length * std::abs(apart) + gap) {
        memory.reset(new T[static_cast<std::size_t>(size())]);
        for (int64_t i = 0; i < size(); ++i)
            memory[static_cast<std::size_t>(i)] = T(static_cast<float>(i % 101 - 50));
    }
    int64_t size() const { return (rows - 1) * stride + (n - 1) * std::abs(step) + 1; }
    int64_t place(int64_t i) const {
        return i / n * stride + (step > 0 ? i % n : n - 1 - i % n) * std::abs(step);
    }
    Tensor tensor() const {
        const Tensor forwards = from_blob(memory.get(), {rows, n}, {stride, std::abs(step)}, dtype_of<T>());
        return step > 0 ? forwards : forwards.flip(1);
    }
    double at(int64_t i) const {
        return static_cast<double>(static_cast<float>(memory[static_cast<std::size_t>(place(i))]));
    }
    /// What there is at each place of memory, with f(i, element i) in those of the matrix.
    Values all(const auto& f) const {
        Values values;
        for (int64_t i = 0; i < size(); ++i)
            values.push_back(static_cast<double>(static_cast<float>(memory[static_cast<std::size_t>(i)])));
        for (int64_t i = 0; i < rows * n; ++i) values[static_cast<std::size_t>(place(i))] = f(i, at(i));
        return values;
    }
    Values all() const {
        return all([](int64_t, double x) { return x; });
    }
};

/// f(i) of each element.
Values each(int64_t count, const auto& f) {
    Values values;
    for (int64_t i = 0; i < count; ++i) values.push_back(f(i));
    return values;
}

template <class T>
void check(int64_t rows, int64_t n, int64_t step, int64_t gap) {
    const int64_t count = rows * n;
    const Apart<T> a(rows, n, step, gap);
    const Apart<T> b(rows, n, 1, 0);
    const Apart<T> number(rows, 1, 1, 0);
    const Tensor x = a.tensor();
    CHECK(x.contiguous().template to_vector<double>() == each(count, [&](int64_t i) { return a.at(i); }));
    CHECK((-x).template to_vector<double>() == each(count, [&](int64_t i) { return -a.at(i); }));
    CHECK((x + x).template to_vector<double>() == each(count, [&](int64_t i) { return 2 * a.at(i); }));
    CHECK((b.tensor() - x).template to_vector<double>() ==
          each(count, [&](int64_t i) { return b.at(i) - a.at(i); }));
    CHECK((x + number.tensor()).template to_vector<double>() ==
          each(count, [&](int64_t i) { return a.at(i) + number.at(i / n); }));
    CHECK(where(x > b.tensor(), x, b.tensor()).template to_vector<double>() ==
          each(count, [&](int64_t i) { return std::max(a.at(i), b.at(i)); }));
    Values wanted = a.all([&](int64_t i, double before) { return before + b.at(i); });
    x.add_(b.tensor());
    CHECK(a.all() == wanted);
    wanted = a.all([](int64_t, double before) { return before / 2 + 1; });
    if (is_floating_point(x.dtype())) {
        x.div_(2.0);
        x.add_(1.0);
        CHECK(a.all() == wanted);
    }
    wanted = a.all([&](int64_t i, double) { return b.at(i); });
    x.copy_(b.tensor());
    CHECK(a.all() == wanted);
    const Apart<T> c(rows, n, 3, 1);
    wanted = a.all([&](int64_t i, double) { return c.at(i); });
    x.copy_(c.tensor());
    CHECK(a.all() == wanted);
}

}  // namespace

TEST_CASE("strided: elements any step apart are read and written, and nothing beside them") {
    for (const int64_t step : {-4, -3, -2, -1, 2, 3, 4, 5, 8, 9, 16, 17, 40}) {
        for (const int64_t n : {1, 2, 7, 8, 9, 15, 16, 17, 18, 31, 32, 33, 40, 255, 256, 257, 300, 530}) {
            CAPTURE(step);
            CAPTURE(n);
            for (const int64_t rows : {1, 3}) {
                for (const int64_t gap : {0, 1}) {
                    check<float>(rows, n, step, gap);
                    check<double>(rows, n, step, gap);
                    check<int64_t>(rows, n, step, gap);
                    check<Half>(rows, n, step, gap);
                }
            }
        }
    }
}

TEST_CASE("strided: rows longer than a thread's piece, too") {
    for (const int64_t step : {2, 3, 4, -1, 7}) {
        CAPTURE(step);
        check<float>(1, 70001, step, 0);
        check<double>(3, 20003, step, 5);
        check<BFloat16>(2, 40001, step, 1);
    }
}

TEST_CASE("strided: bools") {
    for (const int64_t step : {2, 3, 4, -1}) {
        for (int64_t n = 1; n < 80; ++n) {
            CAPTURE(step);
            CAPTURE(n);
            const auto memory =
                std::make_unique<bool[]>(static_cast<std::size_t>((n - 1) * std::abs(step) + 1));
            for (int64_t i = 0; i < (n - 1) * std::abs(step) + 1; ++i)
                memory[static_cast<std::size_t>(i)] = i % 5 < 2;
            Tensor x = from_blob(memory.get(), {n}, {std::abs(step)}, kBool);
            if (step < 0) x = x.flip(0);
            const auto place = [&](int64_t i) {
                return static_cast<std::size_t>((step < 0 ? n - 1 - i : i) * std::abs(step));
            };
            CHECK(logical_not(x).to_vector<double>() ==
                  each(n, [&](int64_t i) { return memory[place(i)] ? 0.0 : 1.0; }));
            CHECK(logical_and(x, x).to_vector<double>() ==
                  each(n, [&](int64_t i) { return memory[place(i)] ? 1.0 : 0.0; }));
        }
    }
}
