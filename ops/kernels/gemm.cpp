// The innermost part of a product: tiles of C whose sums stay in registers. How a product is cut into blocks,
// and the picture of it, are in `ops/linalg/gemm_driver.cpp`; what fills the panels is in
// `pack.cpp`; products without panels are in `gemm_unpacked.cpp`.
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

template <class T>
void add_gemm(Table& table, std::initializer_list<DType> operands) {
    for (const DType dtype : operands) {
        Gemm& gemm = table.gemm[static_cast<std::size_t>(dtype)];
        gemm.rows = kTileRows;
        gemm.columns = kTileColumns<T>;
        gemm.multiply = &multiply<T>;
    }
}

}  // namespace

void install_gemm(Table& table) {
    add_gemm<float>(table, {kFloat32, kFloat16, kBFloat16});
    add_gemm<double>(table, {kFloat64});
    add_gemm<std::uint64_t>(table, {kInt64});
}

}  // namespace reel::kernels::REEL_SET
