// With -DREEL_BLAS=ON: large products by the CBLAS that CMake finds, for machines whose vendor's knows units that a
// kernel of ours cannot reach (Accelerate's matrix units). It gives up what Note [Products and bits] promises: a row's
// bits may depend on the rows beside it and on the number of threads.
#include <climits>
#include <optional>

#include "ops/linalg/gemm_driver.hpp"

#if defined(REEL_BLAS)
#if defined(__APPLE__)
#include <Accelerate/Accelerate.h>
#else
#include <cblas.h>
#endif

namespace reel {

namespace {

using std::int64_t;

/// What CBLAS is told of an operand: whether it is transposed, and how far its lines are apart.
struct Layout {
    CBLAS_TRANSPOSE transposed;
    int leading;
};

/// Nothing where it cannot be told: one stride must be 1, the other at least a line.
std::optional<Layout> layout(const Matrix& x, int64_t rows, int64_t columns) {
    const auto fits = [](int64_t stride, int64_t line) { return stride >= line && stride <= INT_MAX; };
    if (x.column == 1 && fits(x.row, columns)) return Layout{CblasNoTrans, static_cast<int>(x.row)};
    if (x.row == 1 && fits(x.column, rows)) return Layout{CblasTrans, static_cast<int>(x.column)};
    return std::nullopt;
}

}  // namespace

bool blas_gemm(const Product& p, const Matrix& a, const Matrix& b, const Rows& c, const Start& start) {
    constexpr int64_t kLarge = 128;  // a side; below, our own are no slower
    if (p.m < kLarge || p.n < kLarge || p.k < kLarge || p.m > INT_MAX || p.n > INT_MAX || p.k > INT_MAX)
        return false;
    const auto of_a = layout(a, p.m, p.k), of_b = layout(b, p.k, p.n);
    if (!of_a || !of_b || c.row > INT_MAX || (p.dtype != kFloat32 && p.dtype != kFloat64)) return false;
    if (start.data) copy_start(p, c, start);
    const auto m = static_cast<int>(p.m), n = static_cast<int>(p.n), k = static_cast<int>(p.k);
    const auto row = static_cast<int>(c.row);
    const auto call = [&]<class T>(auto gemm, T one) {
        gemm(CblasRowMajor, of_a->transposed, of_b->transposed, m, n, k, one,
             reinterpret_cast<const T*>(a.data), of_a->leading, reinterpret_cast<const T*>(b.data),
             of_b->leading, start.data ? one : T(0), reinterpret_cast<T*>(c.data), row);
    };
    if (p.dtype == kFloat32) {
        call(cblas_sgemm, 1.0F);
    } else {
        call(cblas_dgemm, 1.0);
    }
    return true;
}

}  // namespace reel
#endif
