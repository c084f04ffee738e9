// The first few elements of short rows in order, what top-k asks for.
#include <bit>
#include <limits>
#include <utility>

#include "ops/kernels/gemm.hpp"

namespace reel::kernels::REEL_SET {

namespace {

using Keys = Vec<std::int32_t>;

/// Integers in the order of the elements, above the least: -0 is 0, and a NaN one that comes after ∞.
Keys keys_of(const Vec<float>& x) {
    const auto bits =
        std::bit_cast<Keys>(xsimd::select(is_nan(x), Vec<float>(std::bit_cast<float>(0x7fc00000)), x + 0.0f));
    return bits ^ ((bits >> 31) & Keys(0x7fffffff));
}

/// Rows side by side, one in each lane, the first kFirst of which are kept in order: an element goes before the first that it wins
/// against, and the last one out.
template <int64_t kFirst>
void few_first_of(int64_t rows, int64_t n, bool descending, const float* x, int64_t* indices) {
    constexpr int64_t w = kWidth<float>;
    const Keys turned(descending ? 0 : -1);
    for (int64_t row = 0; row < rows; row += w) {
        const int64_t lanes = std::min(w, rows - row);
        const DenseColumns<float> columns(x + row * n, n, lanes);
        Keys key[kFirst], index[kFirst];
        std::fill_n(key, kFirst, Keys(std::numeric_limits<std::int32_t>::min()));
        std::fill_n(index, kFirst, Keys(0));
        for (int64_t i = 0; i < n; i += w) {
            const int64_t count = std::min(w, n - i);
            Vec<float> elements[Vec<float>::size];
            count == w ? columns.read(i, elements) : columns.read_first(i, count, elements);
            for (int64_t q = 0; q < count; ++q) {
                const Keys found = keys_of(elements[q]) ^ turned;
                const Keys at(static_cast<std::int32_t>(i + q));
                auto wins = found > key[kFirst - 1];
                for (int64_t j = kFirst - 1; j > 0; --j) {
                    const auto wins_before = found > key[j - 1];
                    key[j] = xsimd::select(wins, xsimd::select(wins_before, key[j - 1], found), key[j]);
                    index[j] = xsimd::select(wins, xsimd::select(wins_before, index[j - 1], at), index[j]);
                    wins = wins_before;
                }
                key[0] = xsimd::select(wins, found, key[0]);
                index[0] = xsimd::select(wins, at, index[0]);
            }
        }
        for (int64_t j = 0; j < kFirst; ++j) {
            alignas(Keys) std::int32_t places[Keys::size];
            index[j].store_aligned(places);
            for (int64_t lane = 0; lane < lanes; ++lane) indices[(row + lane) * kFirst + j] = places[lane];
        }
    }
}

template <std::size_t... kBefore>
void few_first(int64_t rows, int64_t n, int64_t k, bool descending, const float* x, int64_t* indices,
               std::index_sequence<kBefore...>) {
    constexpr decltype(&few_first_of<1>) of[] = {&few_first_of<kBefore + 1>...};
    of[k - 1](rows, n, descending, x, indices);
}

}  // namespace

void install_few_first(Table& table) {
    // The first 5 of 4,096 rows of 1,000 take 0.75 of the time so with AVX2, and 1.8 with SSE2, of 8,192 of 64 0.13 and 0.3 (AMD EPYC,
    // Zen 4).
    table.few_first_row = 16 * kWidth<float> * kWidth<float>;
    table.few_first = [](int64_t rows, int64_t n, int64_t k, bool descending, const float* x,
                         int64_t* indices) {
        few_first(rows, n, k, descending, x, indices, std::make_index_sequence<kFewFirst>());
    };
}

}  // namespace reel::kernels::REEL_SET
