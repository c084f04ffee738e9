// The innermost part of a product: tiles of C whose sums stay in registers. How a product is cut into blocks,
// and the picture of it, are in `ops/linalg/gemm_driver.cpp`; what fills the panels is in `pack.cpp`.
#include <algorithm>
#include <array>

#include "ops/kernels/gemm.hpp"

namespace reel::kernels::REEL_SET {

namespace {

using std::int64_t;

/// One tile: C = start + A B for k terms.
template <class T>
struct Tile {
    int64_t k;
    const T* a;
    int64_t a_row, a_step;
    const T* b;
    int64_t b_step;
    const T* start;  ///< null: 0
    int64_t start_row;
    T* c;
    int64_t c_row;
    int64_t columns;
};

/// Whether a vector that is stored in part costs no more than a whole one.
#if defined(__AVX512F__)
constexpr bool kMasked = true;
#else
constexpr bool kMasked = false;
#endif

/// C = start + sums, whose last vectors hold `tail` columns.
template <bool kWhole, class T, int64_t kM, int64_t kN>
void finish(const Tile<T>& t, Vec<T> (&sum)[kM][kN], int64_t tail) {
    for (int64_t i = 0; i < kM; ++i) {
        const T* start = t.start ? t.start + i * t.start_row : nullptr;
        T* c = t.c + i * t.c_row;
        for (int64_t j = 0; j < kN; ++j) {
            const int64_t at = j * kWidth<T>;
            const bool whole = kWhole || j + 1 < kN;
            if (start) sum[i][j] = (whole ? load(start + at) : load_first(start + at, tail)) + sum[i][j];
            whole ? sum[i][j].store_unaligned(c + at) : store_some(c + at, sum[i][j], tail);
        }
    }
}

/// kM rows by kN vectors. Every sum takes its terms one after the other, in the order of l, and only then
/// meets what was there before: so its bits are the same in every tile of every instruction set.
template <class T, int64_t kM, int64_t kN>
void tile(const Tile<T>& t) {
    Vec<T> sum[kM][kN];
    for (auto& row : sum) {
        for (Vec<T>& s : row) s = Vec<T>(T(0));
    }
    const T* a = t.a;
    const T* b = t.b;
    for (int64_t l = 0; l < t.k; ++l) {
        Vec<T> v[kN];
        for (int64_t j = 0; j < kN; ++j) v[j] = load(b + j * kWidth<T>);
        for (int64_t i = 0; i < kM; ++i) {
            const Vec<T> factor(a[i * t.a_row]);
            for (int64_t j = 0; j < kN; ++j) sum[i][j] = multiply_add(factor, v[j], sum[i][j]);
        }
        a += t.a_step;
        b += t.b_step;
    }
    const int64_t tail = t.columns - (kN - 1) * kWidth<T>;
    !kMasked&& tail == kWidth<T> ? finish<true>(t, sum, tail) : finish<false>(t, sum, tail);
}

template <class T>
using TileFunction = void (*)(const Tile<T>&);

/// The tiles by (rows − 1) kTileVectors + vectors − 1.
template <class T, std::size_t... kIndex>
constexpr std::array<TileFunction<T>, sizeof...(kIndex)> make_tiles(std::index_sequence<kIndex...>) {
    return {&tile<T, static_cast<int64_t>(kIndex) / kTileVectors + 1,
                  static_cast<int64_t>(kIndex) % kTileVectors + 1>...};
}
template <class T>
constexpr auto kTiles =
    make_tiles<T>(std::make_index_sequence<static_cast<std::size_t>(kTileRows* kTileVectors)>());

/// Panel by panel of A, which stays in L1 while the panels of B pass by.
template <class T>
void multiply(const GemmBlock& block) {
    const auto* a = static_cast<const T*>(block.a);
    const auto* b = static_cast<const T*>(block.b);
    const auto* start = static_cast<const T*>(block.start);
    auto* c = static_cast<T*>(block.c);
    for (int64_t i = 0; i < block.m; i += block.rows) {
        const int64_t rows = std::min(block.rows, block.m - i);
        for (int64_t j = 0; j < block.n; j += kTileColumns<T>) {
            const int64_t columns = std::min(kTileColumns<T>, block.n - j);
            const int64_t vectors = (columns + kWidth<T> - 1) / kWidth<T>;
            const Tile<T> t{block.k,
                            a + i / block.rows * block.a_panel,
                            block.a_row,
                            block.a_step,
                            b + j / kTileColumns<T> * block.b_panel,
                            block.b_step,
                            start ? start + i * block.start_row + j : nullptr,
                            block.start_row,
                            c + i * block.c_row + j,
                            block.c_row,
                            columns};
            kTiles<T>[static_cast<std::size_t>((rows - 1) * kTileVectors + vectors - 1)](t);
        }
    }
}

/// Some terms of a row of C: elements of A, and the rows of B that they go with.
template <class T, int64_t kTerms>
struct RowTerms {
    Vec<T> a[kTerms];
    const T* b[kTerms];

    RowTerms(const T* from, int64_t a_step, const T* row, int64_t b_step) {
        for (int64_t t = 0; t < kTerms; ++t) {
            a[t] = Vec<T>(from[t * a_step]);
            b[t] = row + t * b_step;
        }
    }
    Vec<T> add(Vec<T> sum, int64_t j) const {
        for (int64_t t = 0; t < kTerms; ++t) sum = multiply_add(a[t], load(b[t] + j), sum);
        return sum;
    }
    Vec<T> add_first(Vec<T> sum, int64_t j, int64_t count) const {
        for (int64_t t = 0; t < kTerms; ++t) sum = multiply_add(a[t], load_first(b[t] + j, count), sum);
        return sum;
    }
};

/// One row of C whose sums stay in L1 while rows of B pass by, as they are in memory.
template <class T>
struct Row {
    static constexpr int64_t kStrip = 4096 / static_cast<int64_t>(sizeof(T));
    static constexpr int64_t kTerms = 4;

    const GemmBlock& block;
    const T* a;
    const T* b;
    const T* start;
    T* c;
    int64_t n;
    T* sums;

    template <int64_t kCount>
    void terms(int64_t l) const {
        const RowTerms<T, kCount> t(a + l * block.a_step, block.a_step, b + l * block.b_step, block.b_step);
        const bool first = l == 0;
        const bool last = l + kCount == block.k;
        int64_t j = 0;
        for (; j + kWidth<T> <= n; j += kWidth<T>) {
            Vec<T> sum = t.add(first ? Vec<T>(T(0)) : Vec<T>::load_aligned(sums + j), j);
            if (!last) {
                sum.store_aligned(sums + j);
                continue;
            }
            if (start) sum = load(start + j) + sum;
            sum.store_unaligned(c + j);
        }
        if (j == n) return;
        Vec<T> sum = t.add_first(first ? Vec<T>(T(0)) : Vec<T>::load_aligned(sums + j), j, n - j);
        if (!last) return sum.store_aligned(sums + j);
        if (start) sum = load_first(start + j, n - j) + sum;
        store_some(c + j, sum, n - j);
    }
    void run() const {
        int64_t l = 0;
        for (; l + kTerms <= block.k; l += kTerms) terms<kTerms>(l);
        switch (block.k - l) {
            case 1:
                return terms<1>(l);
            case 2:
                return terms<2>(l);
            case 3:
                return terms<3>(l);
            default:
                return;
        }
    }
};

/// Row by row, for one row or for a few terms: B's rows, which are dense, are read where they are.
template <class T>
void multiply_rows(const GemmBlock& block) {
    alignas(kMaxVector) T sums[Row<T>::kStrip];
    for (int64_t i = 0; i < block.m; ++i) {
        for (int64_t j = 0; j < block.n; j += Row<T>::kStrip) {
            const T* start = static_cast<const T*>(block.start);
            Row<T>{block,
                   static_cast<const T*>(block.a) + i * block.a_row,
                   static_cast<const T*>(block.b) + j,
                   start ? start + i * block.start_row + j : nullptr,
                   static_cast<T*>(block.c) + i * block.c_row + j,
                   std::min(Row<T>::kStrip, block.n - j),
                   sums}
                .run();
        }
    }
}

/// kM rows of C where B's columns are dense: squares of B are transposed in registers and used up. Two of them
/// side by side keep the multipliers busy.
template <class T, int64_t kM>
void columns_tile(const GemmBlock& block, int64_t j) {
    constexpr int64_t kSquares = 2;
    const int64_t n = block.n - j;
    const auto* a = static_cast<const T*>(block.a);
    const T* b = static_cast<const T*>(block.b) + j * block.b_panel;
    const DenseColumns<T> columns[kSquares] = {{b, block.b_panel, n},
                                               {n > kWidth<T> ? b + kWidth<T> * block.b_panel : b,
                                                block.b_panel, n > kWidth<T> ? n - kWidth<T> : n}};
    Vec<T> sum[kM][kSquares];
    for (auto& row : sum) {
        for (Vec<T>& s : row) s = Vec<T>(T(0));
    }
    Vec<T> rows[Vec<T>::size];
    int64_t l = 0;
    for (; l + kWidth<T> <= block.k; l += kWidth<T>) {
        for (int64_t s = 0; s < kSquares; ++s) {
            columns[s].read(l, rows);
            for (int64_t q = 0; q < kWidth<T>; ++q) {
                for (int64_t i = 0; i < kM; ++i) {
                    const Vec<T> factor(a[i * block.a_row + (l + q) * block.a_step]);
                    sum[i][s] = multiply_add(factor, rows[q], sum[i][s]);
                }
            }
        }
    }
    for (int64_t s = 0; s < kSquares && l < block.k; ++s) {
        columns[s].read_first(l, block.k - l, rows);
        for (int64_t q = 0; q < block.k - l; ++q) {
            for (int64_t i = 0; i < kM; ++i) {
                const Vec<T> factor(a[i * block.a_row + (l + q) * block.a_step]);
                sum[i][s] = multiply_add(factor, rows[q], sum[i][s]);
            }
        }
    }
    const auto* start = static_cast<const T*>(block.start);
    for (int64_t i = 0; i < kM; ++i) {
        for (int64_t s = 0; s < kSquares && s * kWidth<T> < n; ++s) {
            const int64_t at = j + s * kWidth<T>;
            const int64_t count = std::min(kWidth<T>, block.n - at);
            if (start) sum[i][s] = load_first(start + i * block.start_row + at, count) + sum[i][s];
            store_some(static_cast<T*>(block.c) + i * block.c_row + at, sum[i][s], count);
        }
    }
}

template <class T>
void multiply_columns(const GemmBlock& block) {
    constexpr void (*kTilesOf[])(const GemmBlock&, int64_t) = {&columns_tile<T, 1>, &columns_tile<T, 2>};
    for (int64_t j = 0; j < block.n; j += 2 * kWidth<T>) kTilesOf[block.m - 1](block, j);
}

template <class T>
void add_gemm(Table& table) {
    Gemm& gemm = table.gemm[static_cast<std::size_t>(dtype_of<T>())];
    gemm.rows = kTileRows;
    gemm.columns = kTileColumns<T>;
    gemm.multiply = &multiply<T>;
    gemm.multiply_rows = &multiply_rows<T>;
    gemm.multiply_columns = &multiply_columns<T>;
}

}  // namespace

void install_gemm(Table& table) {
    add_gemm<float>(table);
    add_gemm<double>(table);
}

}  // namespace reel::kernels::REEL_SET
