// Sums, products, maxima and minima of dense rows and columns.
#include "ops/kernels/reduce.hpp"

namespace reel::kernels::REEL_SET {

namespace {

using std::int64_t;

template <class F, class T, class S = T>
void rows(int64_t count, int64_t n, const void* x, int64_t stride, int64_t, void* y) {
    for (int64_t i = 0; i < count; ++i) {
        const S* row = static_cast<const S*>(x) + i * stride;
        fetch_next(row, n, stride);
        static_cast<T*>(y)[i] = reduce_row<F, T>(n, row);
    }
}

/// Where they are: by way of a buffer memory waits while that is reduced (every second of 16 MB in 0.25 ms, not 0.5; AMD EPYC,
/// Zen 4).
template <class F, class T, class S = T>
void rows_apart(int64_t count, int64_t n, const void* x, int64_t stride, int64_t step, void* y) {
    with_step(step, [&](auto every) {
        for (int64_t i = 0; i < count; ++i) {
            const S* row = static_cast<const S*>(x) + i * stride;
            fetch_next(row, n * every, stride);
            static_cast<T*>(y)[i] = reduce_row<F, T>(n, row, every);
        }
    });
}

/// Few columns, dense: a group of rows is read as one wide row, so that vectors are full.
template <class F, class T, class S>
void narrow_columns(int64_t count, int64_t columns, const S* x, T* y) {
    const F f;
    const int64_t group = kStrip / columns;
    const int64_t rest = count % group;
    T wide[kStrip];
    reduce_strip<F, T>(count / group, group * columns, x, group * columns, wide);
    reduce_strip<F, T>(group, columns, wide, columns, y);
    reduce_strip<F, T>(rest, columns, x + (count - rest) * columns, columns, wide);
    for (int64_t j = 0; j < columns; ++j) y[j] = f(y[j], wide[j]);
}

template <class F, class T, class S = T>
void columns(int64_t count, int64_t columns, const void* matrix, int64_t stride, int64_t, void* states) {
    const S* x = static_cast<const S*>(matrix);
    T* y = static_cast<T*>(states);
    if (columns <= kStrip / 8 && stride == columns && count >= 2 * kStrip / columns) {
        return narrow_columns<F, T>(count, columns, x, y);
    }
    for (int64_t j = 0; j < columns; j += kStrip) {
        reduce_strip<F, T>(count, std::min(kStrip, columns - j), x + j, stride, y + j);
    }
}

template <class F, class T>
void add(Table& table, ReduceOp op) {
    add_reduction<T>(table, op, {sizeof(T), &rows<F, T>, &columns<F, T>, &columns<F, T>, &rows_apart<F, T>});
}

/// Of 16-bit numbers, which are read as float32.
template <class F, class S>
void add_narrow(Table& table, ReduceOp op) {
    add_reduction<S>(table, op,
                     {sizeof(float), &rows<F, float, S>, &columns<F, float, S>, &columns<F, float>});
}

/// A number in memory that is squared when it is read.
template <class T>
struct Squared {
    T value;
    explicit operator T() const { return value * value; }
};
template <class T>
Vec<T> load(const Squared<T>* from) {
    const Vec<T> v = REEL_SET::load(&from->value);
    return v * v;
}
template <class T, class Step>
Vec<T> load_every(const Squared<T>* from, Step step) {
    const Vec<T> v = REEL_SET::load_every(&from->value, step);
    return v * v;
}
template <class T>
void add_squares(Table& table) {
    add_reduction<T>(table, ReduceOp::kSumSquares,
                     {sizeof(T), &rows<Sum, T, Squared<T>>, &columns<Sum, T, Squared<T>>, &columns<Sum, T>,
                      &rows_apart<Sum, T, Squared<T>>});
}

// ---- Whether any bool is true, or all are: the largest or smallest byte is 0 or not.

void make_truths(int64_t n, void* states) {
    auto* y = static_cast<Bool*>(states);
    for (int64_t i = 0; i < n; ++i) y[i] = Bool(static_cast<bool>(y[i]));
}
template <class F>
void truth_of_rows(int64_t count, int64_t n, const void* x, int64_t stride, int64_t first, void* y) {
    rows<F, std::uint8_t>(count, n, x, stride, first, y);
    make_truths(count, y);
}
template <class F>
void truth_of_columns(int64_t count, int64_t n, const void* x, int64_t stride, int64_t first, void* y) {
    columns<F, std::uint8_t>(count, n, x, stride, first, y);
    make_truths(n, y);
}

template <class F>
void add_truth(Table& table, ReduceOp op) {
    add_reduction<bool>(table, op,
                        {sizeof(Bool), &truth_of_rows<F>, &truth_of_columns<F>, &columns<F, std::uint8_t>});
}

// ---- How many bools are true: a sum whose state is an int64.

void count_rows(int64_t count, int64_t n, const void* x, int64_t stride, int64_t, void* y) {
    for (int64_t i = 0; i < count; ++i) {
        static_cast<int64_t*>(y)[i] = count_true(n, static_cast<const Bool*>(x) + i * stride);
    }
}

/// Up to 255 rows of a strip are counted in bytes.
void count_strip(int64_t count, int64_t columns, const std::uint8_t* x, int64_t stride, int64_t* y) {
    std::uint8_t sums[kStrip] = {};
    for (int64_t i = 0; i < count; ++i) {
        for (int64_t j = 0; j < columns; ++j)
            sums[j] = static_cast<std::uint8_t>(sums[j] + (x[i * stride + j] != 0));
    }
    for (int64_t j = 0; j < columns; ++j) y[j] += sums[j];
}

void count_columns(int64_t count, int64_t columns, const void* matrix, int64_t stride, int64_t,
                   void* states) {
    constexpr int64_t kRows = 255;
    const auto* x = static_cast<const std::uint8_t*>(matrix);
    auto* y = static_cast<int64_t*>(states);
    std::fill_n(y, columns, int64_t{0});
    for (int64_t i = 0; i < count; i += kRows) {
        for (int64_t j = 0; j < columns; j += kStrip) {
            count_strip(std::min(kRows, count - i), std::min(kStrip, columns - j), x + i * stride + j, stride,
                        y + j);
        }
    }
}

template <class F>
void add_numbers(Table& table, ReduceOp op) {
    add<F, float>(table, op);
    add<F, double>(table, op);
    add<F, int64_t>(table, op);
    if constexpr (kNarrow) {
        add_narrow<F, Half>(table, op);
        add_narrow<F, BFloat16>(table, op);
    }
}

}  // namespace

void install_reduce(Table& table) {
    add_numbers<Sum>(table, ReduceOp::kSum);
    add_squares<float>(table);
    add_squares<double>(table);
    add_numbers<Prod>(table, ReduceOp::kProd);
    add_numbers<Max>(table, ReduceOp::kMax);
    add_numbers<Min>(table, ReduceOp::kMin);
    add_reduction<bool>(table, ReduceOp::kSum,
                        {sizeof(int64_t), &count_rows, &count_columns, &columns<Sum, int64_t>});
    add_truth<Max>(table, ReduceOp::kMax);
    add_truth<Min>(table, ReduceOp::kMin);
}

}  // namespace reel::kernels::REEL_SET
