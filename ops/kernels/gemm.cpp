// The innermost part of a product: tiles of C whose sums stay in registers. How a product is cut into blocks,
// and the picture of it, are in `ops/linalg/gemm_driver.cpp`; what fills the panels is in
// `pack.cpp`; products without panels are in `gemm_unpacked.cpp`.
#include <algorithm>
#include <array>

#include "ops/kernels/gemm.hpp"
#include "tensor/stream.hpp"

namespace reel::kernels::REEL_SET {

namespace {

using std::int64_t;

/// Whether the first elements of a vector cost no more to load and store than all of them.
template <class T>
constexpr bool kMasked = kWidth<float> == 16 && std::is_floating_point_v<T>;

/// A row of kN vectors, the last of which has `tail` elements.
template <class T, int64_t kN>
struct TileRow {
    int64_t tail;

    bool is_whole(int64_t j) const { return j + 1 < kN || (!kMasked<T> && tail == kWidth<T>); }
    Vec<T> vector(const T* from, int64_t j) const {
        from += j * kWidth<T>;
        return is_whole(j) ? load(from) : load_first(from, tail);
    }
    void store(T* to, int64_t j, const Vec<T>& v) const {
        to += j * kWidth<T>;
        is_whole(j) ? v.store_unaligned(to) : store_some(to, v, tail);
    }
    /// sums = 0. Written out, or the compiler would clear them in memory (8 × 8 × 8: 0.15 µs, written out 0.13).
    template <int64_t kM, std::size_t... kAt>
    static void clear(Vec<T> (&sum)[kM][kN], std::index_sequence<kAt...>) {
        ((sum[kAt / kN][kAt % kN] = Vec<T>(T(0))), ...);
    }
    /// C = start + sums. Written out, or the sums would pass through memory.
    template <int64_t kM, std::size_t... kAt>
    void finish(const Vec<T> (&sum)[kM][kN], const T* start, int64_t start_row, T* c, int64_t c_row,
                std::index_sequence<kAt...>) const {
        const auto one = [&](int64_t i, int64_t j) {
            store(c + i * c_row, j, start ? vector(start + i * start_row, j) + sum[i][j] : sum[i][j]);
        };
        (one(kAt / kN, kAt % kN), ...);
    }
};

/// Of a sum that goes on (from `c`) operands that are not packed are far: they are fetched ahead, rows of B by so many steps,
/// and those of A in turn (64 × 65536 × 64 in 4.1 ms, not 4.4; 32 × 20000 × 128 in 1.2, not 1.4; Intel Xeon, model 207). AVX2
/// has no registers for it: it takes 1.1 times as long.
constexpr bool kFetches = kWidth<float> == 16;
constexpr int64_t kStepsAhead = 16;
constexpr int64_t kTermsAhead = 64;

/// Where a tile reads its rows of A: at one distance from each other, term by term.
template <class T, int64_t kM>
struct EvenRows {
    using Panel = const T*;
    static Panel panels(const GemmBlock& block) { return static_cast<const T*>(block.a); }
    static int64_t panel_step(const GemmBlock& block) { return block.a_panel; }

    Panel a;
    int64_t row, step;

    EvenRows(const GemmBlock& block, Panel panel) : a(panel), row(block.a_row), step(block.a_step) {}
    T at(int64_t i) const { return a[i * row]; }
    void next() { a += step; }
};
/// Or at offsets of the rows and of the terms, which are listed.
template <class T, int64_t kM>
struct ListedRows {
    using Panel = const int64_t*;
    static Panel panels(const GemmBlock& block) { return block.a_rows; }
    static int64_t panel_step(const GemmBlock& block) { return block.rows; }

    const T* row[kM];
    const int64_t* term;

    ListedRows(const GemmBlock& block, Panel panel) : term(block.a_terms) {
        for (int64_t i = 0; i < kM; ++i) row[i] = static_cast<const T*>(block.a) + panel[i];
    }
    T at(int64_t i) const { return row[i][*term]; }
    void next() { ++term; }
};

template <template <class, int64_t> class Rows, class T>
using Panel = typename Rows<T, 1>::Panel;

/// C = start + A B for kM rows by kN vectors. Every sum takes its terms one after the other, in the order of l, and
/// only then meets what was there before: so its bits are the same in every tile of every instruction set.
template <class T, template <class, int64_t> class Rows, bool kFar, int64_t kM, int64_t kN>
REEL_FLATTEN void tile(const GemmBlock& block, Panel<Rows, T> panel, const T* b, const T* start, T* c,
                       int64_t columns) {
    const TileRow<T, kN> row{columns - (kN - 1) * kWidth<T>};
    constexpr auto kSums = std::make_index_sequence<kM * kN>();
    Vec<T> sum[kM][kN];
    row.clear(sum, kSums);
    // What the sums are added to may be far, too: 50257 × 83 × 64 takes 7.1 ms, not 8.7.
    for (int64_t i = 0; kFetches && i < kM && start; ++i) {
        __builtin_prefetch(start + i * block.start_row);
        __builtin_prefetch(start + i * block.start_row + columns - 1);
    }
    Rows<T, kM> rows(block, panel);
    Panel<Rows, T> ahead = panel;
    for (int64_t l = 0; l < block.k; ++l) {
        if constexpr (kFar) {
            fetch_lines(b + kStepsAhead * block.b_step, 0, kN * kWidth<T>);
            prefetch(ahead, kTermsAhead);
            ahead = l % kTileRows == kTileRows - 1 ? rows.a : ahead + block.a_row;
        }
        Vec<T> v[kN];
        for (int64_t j = 0; j < kN; ++j)  // rows of integers are whole vectors
            v[j] = std::is_integral_v<T> ? load(b + j * kWidth<T>) : row.vector(b, j);
        for (int64_t i = 0; i < kM; ++i) {
            const Vec<T> factor(rows.at(i));
            for (int64_t j = 0; j < kN; ++j) sum[i][j] = multiply_add(factor, v[j], sum[i][j]);
        }
        rows.next();
        b += block.b_step;
    }
    row.finish(sum, start, block.start_row, c, block.c_row, kSums);
}

template <class T, class Panel>
using TileFunction = void (*)(const GemmBlock& block, Panel panel, const T* b, const T* start, T* c,
                              int64_t columns);

/// The tiles by (rows − 1) kTileVectors + vectors − 1.
template <class T, template <class, int64_t> class Rows, bool kFar, std::size_t... kIndex>
constexpr std::array<TileFunction<T, Panel<Rows, T>>, sizeof...(kIndex)> make_tiles(
    std::index_sequence<kIndex...>) {
    return {&tile<T, Rows, kFar, static_cast<int64_t>(kIndex) / kTileVectors + 1,
                  static_cast<int64_t>(kIndex) % kTileVectors + 1>...};
}
template <class T, template <class, int64_t> class Rows, bool kFar>
constexpr auto kTiles =
    make_tiles<T, Rows, kFar>(std::make_index_sequence<static_cast<std::size_t>(kTileRows* kTileVectors)>());

/// Panel by panel of A, which stays in L1 while the panels of B pass by.
template <class T, template <class, int64_t> class Rows>
void multiply(const GemmBlock& block) {
    auto a = Rows<T, 1>::panels(block);
    const auto* start = static_cast<const T*>(block.start);
    auto* c = static_cast<T*>(block.c);
    constexpr bool kMayFetch = kFetches && std::is_same_v<Panel<Rows, T>, const T*>;
    const bool is_far = kMayFetch && start == c && block.b_step > kTileColumns<T>;
    const auto& tiles = is_far ? kTiles<T, Rows, kMayFetch> : kTiles<T, Rows, false>;
    for (int64_t i = 0; i < block.m; i += block.rows) {
        const int64_t rows = std::min(block.rows, block.m - i);
        const auto* b = static_cast<const T*>(block.b);
        for (int64_t j = 0; j < block.n; j += kTileColumns<T>) {
            const int64_t columns = std::min(kTileColumns<T>, block.n - j);
            const int64_t vectors = (columns + kWidth<T> - 1) / kWidth<T>;
            tiles[static_cast<std::size_t>((rows - 1) * kTileVectors + vectors - 1)](
                block, a, b, start ? start + j : nullptr, c + j, columns);
            b += block.b_panel;
        }
        a += Rows<T, 1>::panel_step(block);
        c += rows * block.c_row;
        if (start) start += rows * block.start_row;
    }
}

template <class T>
void add_gemm(Table& table, std::initializer_list<DType> operands) {
    for (const DType dtype : operands) {
        Gemm& gemm = table.gemm[static_cast<std::size_t>(dtype)];
        gemm.rows = kTileRows;
        gemm.columns = kTileColumns<T>;
        gemm.multiply = &multiply<T, EvenRows>;
        if constexpr (std::is_floating_point_v<T>) gemm.multiply_listed = &multiply<T, ListedRows>;
    }
}

}  // namespace

void install_gemm(Table& table) {
    add_gemm<float>(table, {kFloat32, kFloat16, kBFloat16});
    add_gemm<double>(table, {kFloat64});
    add_gemm<std::uint64_t>(table, {kInt64});
}

}  // namespace reel::kernels::REEL_SET
