// Transposition of what is in cache: groups of short rows, which kernels take side by side, and back.
#include "tensor/transpose.hpp"

#include <algorithm>

#include "ops/kernels/simd.hpp"

namespace reel::kernels::REEL_SET {

namespace {

using std::int64_t;
using Unit = std::uint32_t;

#if defined(__AVX2__)
/// to[r · to_step + c] = from[r + c · step] for four r and eight c: the halves of a vector come from two columns, four apart.
[[gnu::always_inline]] inline void transpose_eight(const Unit* from, int64_t step, Unit* to,
                                                   int64_t to_step) {
    const auto halves = [&](int64_t c) {
        const float* low = reinterpret_cast<const float*>(from + c * step);
        return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(low)), _mm_loadu_ps(low + 4 * step),
                                    1);
    };
    const __m256 a = halves(0), b = halves(1), c = halves(2), d = halves(3);
    const __m256d low[] = {_mm256_castps_pd(_mm256_unpacklo_ps(a, b)),
                           _mm256_castps_pd(_mm256_unpacklo_ps(c, d))};
    const __m256d high[] = {_mm256_castps_pd(_mm256_unpackhi_ps(a, b)),
                            _mm256_castps_pd(_mm256_unpackhi_ps(c, d))};
    const auto put = [&](int64_t r, __m256d row) {
        _mm256_storeu_pd(reinterpret_cast<double*>(to + r * to_step), row);
    };
    put(0, _mm256_unpacklo_pd(low[0], low[1]));
    put(1, _mm256_unpackhi_pd(low[0], low[1]));
    put(2, _mm256_unpacklo_pd(high[0], high[1]));
    put(3, _mm256_unpackhi_pd(high[0], high[1]));
}
#endif

/// Blocks at the ends overlap their neighbours.
void transpose(const Unit* from, int64_t step, int64_t rows, int64_t columns, Unit* to, int64_t to_step) {
#if defined(__AVX2__)
    if (rows >= 4 && columns >= 8) {
        for (int64_t j = 0; j < columns; j += 8) {
            const int64_t c = std::min(j, columns - 8);
            for (int64_t i = 0; i < rows; i += 4) {
                const int64_t r = std::min(i, rows - 4);
                transpose_eight(from + r + c * step, step, to + r * to_step + c, to_step);
            }
        }
        return;
    }
#endif
    transpose_near(from, step, rows, columns, to, to_step);
}

}  // namespace

void install_transpose(Table& table) { table.transpose = &transpose; }

}  // namespace reel::kernels::REEL_SET
