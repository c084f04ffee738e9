// Products whose operands are read where they are, since they serve too few rows or terms to be packed. A sum takes its
// terms in the same order as in `gemm.cpp`.
#include <algorithm>

#include "ops/kernels/gemm.hpp"

namespace reel::kernels::REEL_SET {

namespace {

using std::int64_t;

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

    /// The first terms start from 0, the last ones go on to C.
    template <int64_t kCount, bool kFirst, bool kLast>
    void pass(int64_t l) const {
        const RowTerms<T, kCount> t(a + l * block.a_step, block.a_step, b + l * block.b_step, block.b_step);
        const auto before = [&](int64_t j) { return kFirst ? Vec<T>(T(0)) : Vec<T>::load_aligned(sums + j); };
        int64_t j = 0;
        for (; j + kWidth<T> <= n; j += kWidth<T>) {
            const Vec<T> sum = t.add(before(j), j);
            if (!kLast) {
                sum.store_aligned(sums + j);
            } else if (start) {
                (load(start + j) + sum).store_unaligned(c + j);
            } else {
                sum.store_unaligned(c + j);
            }
        }
        if (j == n) return;
        Vec<T> sum = t.add_first(before(j), j, n - j);
        if (!kLast) return sum.store_aligned(sums + j);
        if (start) sum = load_first(start + j, n - j) + sum;
        store_some(c + j, sum, n - j);
    }
    template <int64_t kCount>
    void terms(int64_t l) const {
        const bool last = l + kCount == block.k;
        if (l == 0) return last ? pass<kCount, true, true>(l) : pass<kCount, true, false>(l);
        last ? pass<kCount, false, true>(l) : pass<kCount, false, false>(l);
    }
    void run() const {
        int64_t l = 0;
        for (; l + kTerms <= block.k; l += kTerms) terms<kTerms>(l);
        const int64_t rest = block.k - l;
        if (rest == 1) return terms<1>(l);
        if (rest == 2) return terms<2>(l);
        if (rest == 3) return terms<3>(l);
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

/// Elements in a line of memory.
template <class T>
constexpr int64_t kLine = 64 / static_cast<int64_t>(sizeof(T));

/// Columns of at most so many lines are fetched a tile ahead: the processor's own prefetch has not begun when they end (attention
/// of 64 heads, one query each and 512 keys of 64 numbers, in 0.75 of the time, but 1 × 256 × 256 in 1.18 of it; AMD EPYC, Zen 4).
constexpr int64_t kShortColumn = 8;

/// kM rows of C by as many columns as a vector has lanes, where B's columns are dense: squares of B are
/// transposed in registers and used up.
template <class T, int64_t kM>
struct ColumnsTile {
    const GemmBlock& block;
    int64_t j, n;
    DenseColumns<T> columns;
    int64_t ahead;  ///< from a column to the one that is fetched meanwhile; 0: none is
    int64_t l = 0;  ///< terms that are done
    Vec<T> sum[kM];

    ColumnsTile(const GemmBlock& whole, int64_t first, int64_t column, int64_t to_fetched)
        : block(whole),
          j(first),
          n(std::min(kWidth<T>, block.n - j)),
          columns(static_cast<const T*>(block.b) + j * column, column, n),
          ahead(to_fetched) {
        for (Vec<T>& s : sum) s = Vec<T>(T(0));
    }
    [[gnu::always_inline]] void add(int64_t count, const Vec<T> (&rows)[Vec<T>::size]) {
        const T* a = static_cast<const T*>(block.a) + l * block.a_step;
        for (int64_t q = 0; q < count; ++q, a += block.a_step) {
            for (int64_t i = 0; i < kM; ++i)
                sum[i] = multiply_add(Vec<T>(a[i * block.a_row]), rows[q], sum[i]);
        }
        l += count;
    }
    [[gnu::always_inline]] void add_square() {
        Vec<T> rows[Vec<T>::size];
        if (ahead != 0 && l % kLine<T> == 0) {
            for (const T* column : columns.column) __builtin_prefetch(column + l + ahead);
        }
        columns.read(l, rows);
        add(kWidth<T>, rows);
    }
    [[gnu::always_inline]] void add_squares(int64_t end) {
        while (l + kWidth<T> <= end) add_square();
    }
    /// The last terms, and on to C.
    void finish() {
        add_squares(block.k);
        Vec<T> rows[Vec<T>::size];
        if (l < block.k) {
            columns.read_first(l, block.k - l, rows);
            add(block.k - l, rows);
        }
        const auto* start = static_cast<const T*>(block.start);
        for (int64_t i = 0; i < kM; ++i) {
            if (start) sum[i] = load_first(start + i * block.start_row + j, n) + sum[i];
            store_some(static_cast<T*>(block.c) + i * block.c_row + j, sum[i], n);
        }
    }
};

/// As many tiles side by side as are named, which keep the multipliers busy, as often as they fit into C from
/// column j on. Each is a line of memory ahead of the one before: columns that are a power of two apart displace
/// each other in L1. Returns the column after them.
template <class T, int64_t kM, std::size_t... kTile>
int64_t columns_tiles(const GemmBlock& block, int64_t j, std::index_sequence<kTile...>) {
    constexpr auto kTiles = static_cast<int64_t>(sizeof...(kTile));
    constexpr int64_t kColumns = kTiles * kWidth<T>;
    const int64_t column = block.b_panel / kTileColumns<T>;
    for (; j + (kTiles - 1) * kWidth<T> < block.n; j += kColumns) {
        const bool fetches = block.k <= kShortColumn * kLine<T> && j + 2 * kColumns <= block.n;
        ColumnsTile<T, kM> tile[] = {
            {block, j + static_cast<int64_t>(kTile) * kWidth<T>, column, fetches ? kColumns * column : 0}...};
        if (block.k >= kTiles * kLine<T>)
            (tile[kTile].add_squares(static_cast<int64_t>(kTile) * kLine<T>), ...);
        while (tile[kTiles - 1].l + kWidth<T> <= block.k) (tile[kTile].add_square(), ...);
        (tile[kTile].finish(), ...);
    }
    return j;
}

template <class T, int64_t kM, std::size_t kTiles>
void columns_rows(const GemmBlock& block) {
    const int64_t j = columns_tiles<T, kM>(block, 0, std::make_index_sequence<kTiles>());
    columns_tiles<T, kM>(block, j, std::make_index_sequence<1>());
}

/// For up to kFewRows rows.
template <class T>
void multiply_columns(const GemmBlock& block) {
    constexpr std::size_t kTiles =
        kWidth<float> == 16 ? 1 : 2;  // one fills the registers of AVX-512: 512x512 in 21 µs, not 26
    block.m == 1 ? columns_rows<T, 1, kTiles>(block) : columns_rows<T, 2, kTiles>(block);
}

template <class T>
void add_unpacked(Gemm& gemm) {
    gemm.multiply_rows = &multiply_rows<T>;
    gemm.multiply_columns = &multiply_columns<T>;
}

}  // namespace

void install_gemm_unpacked(Table& table) {
    add_unpacked<float>(table.gemm[static_cast<std::size_t>(kFloat32)]);
    add_unpacked<double>(table.gemm[static_cast<std::size_t>(kFloat64)]);
    add_unpacked<std::uint64_t>(table.gemm[static_cast<std::size_t>(kInt64)]);
}

}  // namespace reel::kernels::REEL_SET
