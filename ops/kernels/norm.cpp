// Normalization of rows: x̂ = (x − μ) ρ with ρ = 1/√(σ² + ε), scaled and shifted; and its backward passes.
// Without a place for means, μ is 0 (rms_norm). A row stays in L1 while it is read several times.
#include <algorithm>
#include <cmath>

#include "ops/kernels/simd.hpp"

namespace reel::kernels::REEL_SET {

namespace {

using std::int64_t;

/// Elements [i, i + count) of `x`, count ≤ a vector.
template <class T>
Vec<T> read(const T* x, int64_t i, int64_t count) {
    return count == kWidth<T> ? load(x + i) : load_some(x + i, count);
}
/// The same, where no `x` means ones.
template <class T>
Vec<T> read_or_one(const T* x, int64_t i, int64_t count) {
    return x ? read(x, i, count) : Vec<T>(T(1));
}
template <class T>
void write(T* y, int64_t i, const Vec<T>& v, int64_t count) {
    count == kWidth<T> ? v.store_unaligned(y + i) : store_some(y + i, v, count);
}

/// Calls f(i, count) for all vectors of a row, the last one perhaps not whole.
template <class T, class F>
void for_vectors(int64_t n, const F& f) {
    int64_t i = 0;
    for (; i + kWidth<T> <= n; i += kWidth<T>) f(i, kWidth<T>);
    if (i < n) f(i, n - i);
}

/// Σ of the first `count` lanes.
template <class T>
T sum_of_some(const Vec<T>& v, int64_t count) {
    alignas(Vec<T>) T lanes[Vec<T>::size];
    v.store_aligned(lanes);
    for (int64_t lane = 0; lane < kWidth<T>; ++lane) lanes[lane] = lane < count ? lanes[lane] : T(0);
    return sum_of_lanes(load(lanes));
}

/// Σ f(i, count) over [begin, end): four accumulators over at most kBlock numbers, and halves of whole
/// blocks.
template <class T, class F>
T sum(int64_t begin, int64_t end, const F& f) {
    constexpr int64_t kBlock = 1024;
    constexpr int64_t w = kWidth<T>;
    if (end - begin > kBlock) {
        const int64_t middle = begin + ((end - begin) / 2 + kBlock - 1) / kBlock * kBlock;
        return sum<T>(begin, middle, f) + sum<T>(middle, end, f);
    }
    Vec<T> sums[4] = {Vec<T>(T(0)), Vec<T>(T(0)), Vec<T>(T(0)), Vec<T>(T(0))};
    int64_t i = begin;
    for (; i + 4 * w <= end; i += 4 * w) {
        for (int64_t v = 0; v < 4; ++v) sums[v] += f(i + v * w, w);
    }
    for (; i + w <= end; i += w) sums[0] += f(i, w);
    const T whole = sum_of_lanes((sums[0] + sums[1]) + (sums[2] + sums[3]));
    return i < end ? whole + sum_of_some<T>(f(i, end - i), end - i) : whole;
}

/// Σ d and Σ d² of d = x − center over [begin, end), as `sum` takes them.
template <class T>
struct Deviations {
    T sum, squares;

    Deviations(int64_t begin, int64_t end, const T* x, const Vec<T>& center) {
        constexpr int64_t kBlock = 1024;
        constexpr int64_t w = kWidth<T>;
        if (end - begin > kBlock) {
            const int64_t middle = begin + ((end - begin) / 2 + kBlock - 1) / kBlock * kBlock;
            const Deviations left(begin, middle, x, center);
            const Deviations right(middle, end, x, center);
            sum = left.sum + right.sum;
            squares = left.squares + right.squares;
            return;
        }
        const Vec<T> zero(T(0));
        Vec<T> sums[4] = {zero, zero, zero, zero};
        Vec<T> parts[4] = {zero, zero, zero, zero};
        const auto add = [&](int64_t v, const Vec<T>& d) {
            sums[v] += d;
            parts[v] += d * d;
        };
        int64_t i = begin;
        for (; i + 4 * w <= end; i += 4 * w) {
            for (int64_t v = 0; v < 4; ++v) add(v, load(x + i + v * w) - center);
        }
        for (; i + w <= end; i += w) add(0, load(x + i) - center);
        sum = sum_of_lanes((sums[0] + sums[1]) + (sums[2] + sums[3]));
        squares = sum_of_lanes((parts[0] + parts[1]) + (parts[2] + parts[3]));
        if (i == end) return;
        const Vec<T> d = load_some(x + i, end - i) - center;
        sum += sum_of_some<T>(d, end - i);
        squares += sum_of_some<T>(d * d, end - i);
    }
};

template <class T>
void forward(int64_t rows, int64_t n, const void* from, const void* weights, const void* biases, double eps,
             void* to, void* means, void* rstds) {
    const auto* weight = static_cast<const T*>(weights);
    const auto* bias = static_cast<const T*>(biases);
    for (int64_t row = 0; row < rows; ++row) {
        const T* x = static_cast<const T*>(from) + row * n;
        T* y = static_cast<T*>(to) + row * n;
        const auto count = static_cast<T>(n);
        const T mean =
            means ? sum<T>(0, n, [&](int64_t i, int64_t k) { return read(x, i, k); }) / count : T(0);
        const Vec<T> mu(mean);
        const Deviations<T> deviations(0, n, x, mu);
        const T rest = means ? deviations.sum / count : T(0);
        const Vec<T> lost(rest);
        const T variance = std::max(deviations.squares / count - rest * rest, T(0));
        const T rstd = T(1) / std::sqrt(variance + static_cast<T>(eps));
        const Vec<T> rho(rstd);
        for_vectors<T>(n, [&](int64_t i, int64_t k) {
            Vec<T> v = ((read(x, i, k) - mu) - lost) * rho;
            if (weight) v = v * read(weight, i, k);
            if (bias) v = v + read(bias, i, k);
            write(y, i, v, k);
        });
        if (means) {
            static_cast<T*>(means)[2 * row] = mean;
            static_cast<T*>(means)[2 * row + 1] = rest;
        }
        static_cast<T*>(rstds)[row] = rstd;
    }
}

/// With u = ȳ w, x̄ = ρ (u − mean(u) − x̂ mean(u x̂)); without means, mean(u) is left out. Over the rows,
/// w̄ = Σ ȳ x̂ and b̄ = Σ ȳ. A result without a place is not made.
template <class T>
void backward(int64_t rows, int64_t n, const void* gradients, const void* from, const void* weights,
              const void* means, const void* rstds, void* to, void* weight_sums, void* bias_sums) {
    const auto* weight = static_cast<const T*>(weights);
    auto* w_bar = static_cast<T*>(weight_sums);
    auto* b_bar = static_cast<T*>(bias_sums);
    if (w_bar) std::fill(w_bar, w_bar + n, T(0));
    if (b_bar) std::fill(b_bar, b_bar + n, T(0));
    for (int64_t row = 0; row < rows; ++row) {
        const T* g = static_cast<const T*>(gradients) + row * n;
        const T* x = from ? static_cast<const T*>(from) + row * n : nullptr;
        const auto count = static_cast<T>(n);
        const Vec<T> mu(means ? static_cast<const T*>(means)[2 * row] : T(0));
        const Vec<T> lost(means ? static_cast<const T*>(means)[2 * row + 1] : T(0));
        const Vec<T> rho(static_cast<const T*>(rstds)[row]);
        const auto u = [&](int64_t i, int64_t k) { return read(g, i, k) * read_or_one(weight, i, k); };
        const auto x_hat = [&](int64_t i, int64_t k) { return ((read(x, i, k) - mu) - lost) * rho; };
        if (to) {
            T* x_bar = static_cast<T*>(to) + row * n;
            const Vec<T> mean(means ? sum<T>(0, n, u) / count : T(0));
            const Vec<T> slope(sum<T>(0, n, [&](int64_t i, int64_t k) { return u(i, k) * x_hat(i, k); }) /
                               count);
            for_vectors<T>(n, [&](int64_t i, int64_t k) {
                write(x_bar, i, rho * (u(i, k) - mean - x_hat(i, k) * slope), k);
            });
        }
        if (w_bar) {
            for_vectors<T>(n, [&](int64_t i, int64_t k) {
                write(w_bar, i, read(w_bar, i, k) + read(g, i, k) * x_hat(i, k), k);
            });
        }
        if (b_bar) {
            for_vectors<T>(
                n, [&](int64_t i, int64_t k) { write(b_bar, i, read(b_bar, i, k) + read(g, i, k), k); });
        }
    }
}

template <class T>
void add_norm(Table& table) {
    table.norm[static_cast<std::size_t>(dtype_of<T>())] = {&forward<T>, &backward<T>};
}

}  // namespace

void install_norm(Table& table) {
    add_norm<float>(table);
    add_norm<double>(table);
}

}  // namespace reel::kernels::REEL_SET
