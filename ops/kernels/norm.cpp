// Normalization of rows: x̂ = (x − μ) ρ with ρ = 1/√(σ² + ε), scaled and shifted; and its backward passes.
// Without a place for means, μ is 0 (rms_norm). A row stays in L1 while it is read several times.
#include <algorithm>
#include <cmath>
#include <utility>

#include "ops/kernels/reduce.hpp"

namespace reel::kernels::REEL_SET {

namespace {

using std::int64_t;

constexpr int64_t kNear = 1 << 16;  // elements of a row that is in L2 still when its turn comes

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

constexpr int64_t kBlock = 1024;

/// Σ a and Σ a b over at most kBlock numbers, where f(i, count) gives vectors of both: four accumulators.
template <class T, class F>
[[gnu::always_inline]] inline std::pair<T, T> sums_of_block(int64_t begin, int64_t end, const F& f) {
    constexpr int64_t w = kWidth<T>;
    const Vec<T> zero(T(0));
    Vec<T> plain[4] = {zero, zero, zero, zero};
    Vec<T> products[4] = {zero, zero, zero, zero};
    const auto add = [&](int64_t v, int64_t at) {
        const auto [a, b] = f(at, w);
        plain[v] += a;
        products[v] = multiply_add(a, b, products[v]);
    };
    int64_t i = begin;
    for (; i + 4 * w <= end; i += 4 * w) {
        for (int64_t v = 0; v < 4; ++v) add(v, i + v * w);
    }
    for (; i + w <= end; i += w) add(0, i);
    T sum = sum_of_lanes((plain[0] + plain[1]) + (plain[2] + plain[3]));
    T product = sum_of_lanes((products[0] + products[1]) + (products[2] + products[3]));
    if (i < end) {
        const auto [a, b] = f(i, end - i);
        sum += sum_of_some<T>(a, end - i);
        product += sum_of_some<T>(a * b, end - i);
    }
    return {sum, product};
}

/// The same over [begin, end), in halves of whole blocks.
template <class T, class F>
std::pair<T, T> sums_of_halves(int64_t begin, int64_t end, const F& f) {
    if (end - begin <= kBlock) return sums_of_block<T>(begin, end, f);
    const int64_t middle = begin + ((end - begin) / 2 + kBlock - 1) / kBlock * kBlock;
    const auto left = sums_of_halves<T>(begin, middle, f);
    const auto right = sums_of_halves<T>(middle, end, f);
    return {left.first + right.first, left.second + right.second};
}

/// Where a row is one block, the sums stay in registers.
template <class T, class F>
[[gnu::always_inline]] inline std::pair<T, T> sums(int64_t n, const F& f) {
    return n <= kBlock ? sums_of_block<T>(0, n, f) : sums_of_halves<T>(0, n, f);
}

template <class T>
void forward(int64_t rows, int64_t n, const void* from, const void* weights, const void* biases, double eps,
             void* to, void* means, void* rstds) {
    const auto* weight = static_cast<const T*>(weights);
    const auto* bias = static_cast<const T*>(biases);
    for (int64_t row = 0; row < rows; ++row) {
        const T* x = static_cast<const T*>(from) + row * n;
        T* y = static_cast<T*>(to) + row * n;
        const auto count = static_cast<T>(n);
        const T mean = means ? reduce_row<Sum, T>(n, x) / count : T(0);
        const Vec<T> mu(mean);
        const auto [deviations, squares] = sums<T>(n, [&](int64_t i, int64_t k) {
            const Vec<T> d = read(x, i, k) - mu;
            return std::pair(d, d);
        });
        const T rest = means ? deviations / count : T(0);
        const Vec<T> lost(rest);
        const T variance = std::max(squares / count - rest * rest, T(0));
        const T rstd = T(1) / std::sqrt(variance + static_cast<T>(eps));
        const Vec<T> rho(rstd);
        for_vectors<T>(n, [&](int64_t i, int64_t k) {
            if (n <= kNear) prefetch(x + i, n);  // the next row
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
        T* x_bar = to ? static_cast<T*>(to) + row * n : nullptr;
        Vec<T> mean(T(0));
        Vec<T> slope(T(0));
        if (to) {
            const auto [total, product] =
                sums<T>(n, [&](int64_t i, int64_t k) { return std::pair(u(i, k), x_hat(i, k)); });
            mean = Vec<T>(means ? total / count : T(0));
            slope = Vec<T>(product / count);
        }
        for_vectors<T>(n, [&](int64_t i, int64_t k) {
            if (b_bar) write(b_bar, i, read(b_bar, i, k) + read(g, i, k), k);
            if (!x) return;
            const Vec<T> v = x_hat(i, k);
            if (w_bar) write(w_bar, i, read(w_bar, i, k) + read(g, i, k) * v, k);
            if (to) write(x_bar, i, rho * (u(i, k) - mean - v * slope), k);
        });
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
