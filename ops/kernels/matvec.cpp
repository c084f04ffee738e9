// Products with one column. A sum is spread over kLanes partial sums, term l going to lane l mod kLanes,
// whose halves are then added until one is left: the same order for every instruction set and for every
// layout.
#include <algorithm>

#include "ops/kernels/gemm.hpp"

namespace reel::kernels::REEL_SET {

namespace {

using std::int64_t;

/// Two vectors of the widest set.
template <class T>
constexpr int64_t kLanes = 2 * kMaxVector / static_cast<int64_t>(sizeof(T));

template <class T>
struct Column {
    static constexpr int64_t kVectors = kLanes<T> / kWidth<T>;

    /// The sums of vectors of lanes: of the first half with the second, and on.
    static T sum_of(const Vec<T> (&lanes)[kVectors]) {
        Vec<T> half[kVectors];
        for (int64_t v = 0; v < kVectors; ++v) half[v] = lanes[v];
        for (int64_t count = kVectors / 2; count > 0; count /= 2) {
            for (int64_t v = 0; v < count; ++v) half[v] = half[v] + half[v + count];
        }
        return sum_of_lanes(half[0]);
    }

    /// Rows of A that are dense: y[i] = Σ a[i][l] x[l] for kM rows.
    template <int64_t kM>
    static void rows(int64_t k, const T* a, int64_t a_row, const T* x, T* y) {
        Vec<T> sum[kM][kVectors];
        for (auto& row : sum) {
            for (Vec<T>& s : row) s = Vec<T>(T(0));
        }
        int64_t l = 0;
        for (; l + kLanes<T> <= k; l += kLanes<T>) {
            for (int64_t v = 0; v < kVectors; ++v) {
                const Vec<T> factor = load(x + l + v * kWidth<T>);
                for (int64_t i = 0; i < kM; ++i) {
                    sum[i][v] = multiply_add(load(a + i * a_row + l + v * kWidth<T>), factor, sum[i][v]);
                }
            }
        }
        for (int64_t v = 0; v < kVectors && l < k; ++v, l += kWidth<T>) {
            const int64_t count = std::min(kWidth<T>, k - l);
            const Vec<T> factor = load_first(x + l, count);
            for (int64_t i = 0; i < kM; ++i) {
                sum[i][v] = multiply_add(load_first(a + i * a_row + l, count), factor, sum[i][v]);
            }
        }
        for (int64_t i = 0; i < kM; ++i) y[i] = sum_of(sum[i]);
    }

    /// Rows that are taken at once where A's columns are dense: all their lanes stay in L1.
    static constexpr int64_t kStrip = 2048 / static_cast<int64_t>(sizeof(T));

    /// lane[i] += Σ a[i + t · kLanes · a_step] x[t · kLanes] over kTerms of t, for the rows of a strip.
    template <int64_t kTerms>
    static void add_terms(int64_t m, const T* a, int64_t a_step, const T* x, T* lane) {
        for (int64_t i = 0; i < m; i += kWidth<T>) {
            const int64_t count = std::min(kWidth<T>, m - i);
            Vec<T> sum = Vec<T>::load_aligned(lane + i);
            for (int64_t t = 0; t < kTerms; ++t) {
                const T* column = a + t * kLanes<T> * a_step + i;
                if (kWidth<float> == 16) __builtin_prefetch(column + kTerms * kLanes<T> * a_step);
                const Vec<T> v = count == kWidth<T> ? load(column) : load_first(column, count);
                sum = multiply_add(v, Vec<T>(x[t * kLanes<T>]), sum);
            }
            sum.store_aligned(lane + i);
        }
    }

    /// Columns of A that are dense: the same for a strip of rows, whose lanes are rows in memory.
    static void strip(int64_t k, int64_t m, const T* a, int64_t a_step, const T* x, T* y) {
        constexpr int64_t kTerms = 4;
        alignas(kMaxVector) T lanes[kLanes<T>][kStrip] = {};
        const int64_t used = std::min(k, kLanes<T>);
        for (int64_t lane = 0; lane < used; ++lane) {
            int64_t l = lane;
            for (; l + (kTerms - 1) * kLanes<T> < k; l += kTerms * kLanes<T>)
                add_terms<kTerms>(m, a + l * a_step, a_step, x + l, lanes[lane]);
            for (; l < k; l += kLanes<T>) add_terms<1>(m, a + l * a_step, a_step, x + l, lanes[lane]);
        }
        for (int64_t half = kLanes<T> / 2; half > 0; half /= 2) {
            for (int64_t lane = 0; lane < half && lane + half < used; ++lane) {
                for (int64_t i = 0; i < m; ++i) lanes[lane][i] = lanes[lane][i] + lanes[lane + half][i];
            }
        }
        std::copy(lanes[0], lanes[0] + m, y);
    }
};

template <class T>
void dots(int64_t m, int64_t k, const void* a, int64_t a_row, int64_t a_step, const void* x, int64_t x_row,
          void* y) {
    constexpr int64_t kAtOnce = 4;
    const auto* from = static_cast<const T*>(a);
    const auto* factors = static_cast<const T*>(x);
    auto* to = static_cast<T*>(y);
    int64_t i = 0;
    if (a_step != 1) {
        for (; i < m; i += Column<T>::kStrip)
            Column<T>::strip(k, std::min(Column<T>::kStrip, m - i), from + i, a_step, factors, to + i);
        return;
    }
    for (; i + kAtOnce <= m && x_row == 0; i += kAtOnce) {
        Column<T>::template rows<kAtOnce>(k, from + i * a_row, a_row, factors, to + i);
    }
    for (; i < m; ++i) Column<T>::template rows<1>(k, from + i * a_row, a_row, factors + i * x_row, to + i);
}

}  // namespace

void install_matvec(Table& table) {
    for (const DType dtype : {kFloat32, kFloat16, kBFloat16})
        table.gemm[static_cast<std::size_t>(dtype)].dots = &dots<float>;
    table.gemm[static_cast<std::size_t>(kFloat64)].dots = &dots<double>;
    table.gemm[static_cast<std::size_t>(kInt64)].dots = &dots<std::uint64_t>;
}

}  // namespace reel::kernels::REEL_SET
