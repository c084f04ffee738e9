// Mean and Σ (x − mean)², for the variance. See Note [Moments].
//
// Note [Moments]
// Blocks are read twice: for c, about their mean, rounded to the element type, then for Σ d and Σ d² of d = x − c,
// which is exact or nearly so. Then mean = c + Σd / n and Σ (x − mean)² = Σd² − (Σd)² / n, where the second term
// is small. Blocks are merged in float64 by
//     δ = mean₂ − mean₁,  mean = mean₁ + δ n₂ / n,  squares = squares₁ + squares₂ + δ² n₁ n₂ / n
// (Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979), in
// pairs, so that the error grows with the logarithm of their number.
#include "ops/kernels/reduce.hpp"

namespace reel::kernels::REEL_SET {

namespace {

using std::int64_t;

/// Merges other[j] into y[j]. All y are of the same count, and so are all others.
void merge_into(int64_t columns, Moments* y, const Moments* other) {
    const double count = y[0].count;
    const double n = count + other[0].count;
    const double share = other[0].count / n;
    for (int64_t j = 0; j < columns; ++j) {
        const double delta = other[j].mean - y[j].mean;
        y[j] = {n, y[j].mean + delta * share,
                y[j].squares + other[j].squares + delta * delta * (count * share)};
    }
}

Moments moments(int64_t count, double shift, double sum, double squares) {
    const auto n = static_cast<double>(count);
    return {n, shift + sum / n, std::max(squares - sum * sum / n, 0.0)};
}

/// Whether squares of this size may have lost digits to underflow, or overflowed.
template <class T>
bool is_doubtful(T squares) {
    constexpr T kTiny = std::numeric_limits<T>::min() / std::numeric_limits<T>::epsilon();
    return !(squares > kTiny && squares < std::numeric_limits<T>::infinity());
}

/// The same in float64, one by one, for what is out of float32's range.
template <class T>
Moments moments_wide(int64_t n, const T* x, int64_t stride) {
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += static_cast<double>(x[i * stride]);
    const double shift = sum / static_cast<double>(n);
    double rest = 0;
    double squares = 0;
    for (int64_t i = 0; i < n; ++i) {
        const double d = static_cast<double>(x[i * stride]) - shift;
        rest += d;
        squares += d * d;
    }
    return moments(n, shift, rest, squares);
}

constexpr int64_t kBlock = 1024;

template <class T>
Moments block_of_row(int64_t n, const T* x) {
    const T shift = reduce_row<Sum, T>(n, x) / static_cast<T>(n);
    constexpr int64_t w = kWidth<T>;
    const Vec<T> center(shift);
    Vec<T> sums[4] = {Vec<T>(T(0)), Vec<T>(T(0)), Vec<T>(T(0)), Vec<T>(T(0))};
    Vec<T> squares[4] = {Vec<T>(T(0)), Vec<T>(T(0)), Vec<T>(T(0)), Vec<T>(T(0))};
    const auto add = [&](int64_t k, const Vec<T>& v) {
        const Vec<T> d = v - center;
        sums[k] += d;
        squares[k] = multiply_add(d, d, squares[k]);
    };
    int64_t i = 0;
    for (; i + 4 * w <= n; i += 4 * w) {
        for (int64_t k = 0; k < 4; ++k) add(k, load(x + i + k * w));
    }
    for (; i + w <= n; i += w) add(0, load(x + i));
    T sum = reduce_lanes<Sum, T>((sums[0] + sums[1]) + (sums[2] + sums[3]));
    T square = reduce_lanes<Sum, T>((squares[0] + squares[1]) + (squares[2] + squares[3]));
    for (; i < n; ++i) {
        const T d = x[i] - shift;
        sum += d;
        square += d * d;
    }
    if (is_doubtful(square)) return moments_wide(n, x, 1);
    return moments(n, static_cast<double>(shift), static_cast<double>(sum), static_cast<double>(square));
}

/// Where the first of two halves ends: whole blocks, as many as in the second or one less.
int64_t half_of(int64_t n, int64_t block) { return (n + block - 1) / block / 2 * block; }

template <class T>
Moments moments_of_row(int64_t n, const T* x) {
    if (n <= kBlock) return block_of_row(n, x);
    const int64_t half = half_of(n, kBlock);
    Moments y = moments_of_row(half, x);
    const Moments other = moments_of_row(n - half, x + half);
    merge_into(1, &y, &other);
    return y;
}

template <class T>
void rows(int64_t count, int64_t n, const void* matrix, int64_t stride, int64_t, void* states) {
    for (int64_t i = 0; i < count; ++i) {
        const T* row = static_cast<const T*>(matrix) + i * stride;
        fetch_next(row, n, stride);
        static_cast<Moments*>(states)[i] = moments_of_row(n, row);
    }
}

/// Rows and columns of a block. Of columns the shift is the mean of a few rows from all over the block, so that the others are
/// read once: with it Σ d² is at most 1 + kRows / kFew times what it is with the mean.
constexpr int64_t kRows = 64;
constexpr int64_t kColumns = 512;
constexpr int64_t kFew = 8;

/// Adds d and d² of d = x − shift over kCount rows.
template <int64_t kCount, class T>
void add_rows(int64_t columns, const T* x, int64_t stride, const T* shift, T* sums, T* squares) {
    for (int64_t j = 0; j < columns; ++j) {
        T sum(0);
        T square(0);
        for (int64_t k = 0; k < kCount; ++k) {
            const T d = x[k * stride + j] - shift[j];
            sum += d;
            square += d * d;
        }
        sums[j] += sum;
        squares[j] += square;
    }
}

template <class T>
void block_of_columns(int64_t count, int64_t columns, const T* x, int64_t stride, Moments* y) {
    T shift[kColumns];
    T sums[kColumns] = {};
    T squares[kColumns] = {};
    const int64_t few = std::min(count, kFew);
    reduce_strip<Sum, T>(few, columns, x, count / few * stride, shift);
    for (int64_t j = 0; j < columns; ++j) shift[j] /= static_cast<T>(few);
    int64_t i = 0;
    for (; i + kFew <= count; i += kFew)
        add_rows<kFew>(columns, x + i * stride, stride, shift, sums, squares);
    for (; i < count; ++i) add_rows<1>(columns, x + i * stride, stride, shift, sums, squares);
    const auto n = static_cast<double>(count);
    const double share = 1 / n;
    double mean[kColumns];
    double rest[kColumns];
    for (int64_t j = 0; j < columns; ++j) {
        const auto sum = static_cast<double>(sums[j]);
        mean[j] = static_cast<double>(shift[j]) + sum * share;
        rest[j] = static_cast<double>(squares[j]) - sum * (sum * share);
    }
    bool all_certain = true;
    for (int64_t j = 0; j < columns; ++j) {
        y[j] = {n, mean[j], std::max(rest[j], 0.0)};
        all_certain &= !is_doubtful(squares[j]);
    }
    for (int64_t j = 0; j < columns && !all_certain; ++j)
        if (is_doubtful(squares[j])) y[j] = moments_wide(count, x + j, stride);
}

template <class T>
void moments_of_columns(int64_t count, int64_t columns, const T* x, int64_t stride, Moments* y) {
    if (count <= kRows) return block_of_columns(count, columns, x, stride, y);
    const int64_t half = half_of(count, kRows);
    Moments other[kColumns];
    moments_of_columns(half, columns, x, stride, y);
    moments_of_columns(count - half, columns, x + half * stride, stride, other);
    merge_into(columns, y, other);
}

template <class T>
void columns(int64_t count, int64_t columns, const void* matrix, int64_t stride, int64_t, void* states) {
    for (int64_t j = 0; j < columns; j += kColumns) {
        moments_of_columns(count, std::min(kColumns, columns - j), static_cast<const T*>(matrix) + j, stride,
                           static_cast<Moments*>(states) + j);
    }
}

void merge_strip(int64_t count, int64_t columns, const Moments* x, int64_t stride, Moments* y) {
    if (count == 1) {
        std::copy_n(x, columns, y);
        return;
    }
    Moments merged[kColumns];
    const Moments* other = x + count / 2 * stride;
    merge_strip(count / 2, columns, x, stride, y);
    if (count > 2) merge_strip(count - count / 2, columns, std::exchange(other, merged), stride, merged);
    merge_into(columns, y, other);
}

void merge(int64_t count, int64_t columns, const void* states, int64_t stride, int64_t, void* result) {
    for (int64_t j = 0; j < columns; j += kColumns) {
        merge_strip(count, std::min(kColumns, columns - j), static_cast<const Moments*>(states) + j, stride,
                    static_cast<Moments*>(result) + j);
    }
}

template <class T>
void add(Table& table) {
    add_reduction<T>(table, ReduceOp::kMoments, {sizeof(Moments), &rows<T>, &columns<T>, &merge});
}

}  // namespace

void install_moments(Table& table) {
    add<float>(table);
    add<double>(table);
}

}  // namespace reel::kernels::REEL_SET
