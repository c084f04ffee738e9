#include "ops/linalg/gemm_driver.hpp"

#include <cblas.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "ops/linalg/blas.hpp"
#include "tensor/iterate.hpp"
#include "tensor/parallel.hpp"
#include "tensor/tensor.hpp"

namespace reel {

namespace {

using std::int64_t;

// One vocabulary for both precisions.
void blas_gemm(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, blasint m, blasint n, blasint k, const float* a,
               blasint lda, const float* b, blasint ldb, float beta, float* c, blasint ldc) {
    cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
}
void blas_gemm(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, blasint m, blasint n, blasint k, const double* a,
               blasint lda, const double* b, blasint ldb, double beta, double* c, blasint ldc) {
    cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
}
void blas_gemv(CBLAS_TRANSPOSE ta, blasint m, blasint n, const float* a, blasint lda, const float* x,
               blasint step, float beta, float* y) {
    cblas_sgemv(CblasRowMajor, ta, m, n, 1, a, lda, x, step, beta, y, 1);
}
void blas_gemv(CBLAS_TRANSPOSE ta, blasint m, blasint n, const double* a, blasint lda, const double* x,
               blasint step, double beta, double* y) {
    cblas_dgemv(CblasRowMajor, ta, m, n, 1, a, lda, x, step, beta, y, 1);
}

float blas_dot(blasint n, const float* x, blasint x_step, const float* y, blasint y_step) {
    return cblas_sdot(n, x, x_step, y, y_step);
}
double blas_dot(blasint n, const double* x, blasint x_step, const double* y, blasint y_step) {
    return cblas_ddot(n, x, x_step, y, y_step);
}

constexpr int64_t kLargest = std::numeric_limits<blasint>::max();

/// A matrix as the BLAS takes it: row-major with a leading dimension, or the transpose of such a one.
struct Operand {
    CBLAS_TRANSPOSE transposed;
    int64_t leading;  ///< 0: neither
};

Operand operand(int64_t rows, int64_t columns, const Matrix& x) {
    const auto leading = [](int64_t outer, int64_t inner, int64_t outer_step, int64_t inner_step) -> int64_t {
        if (inner > 1 && inner_step != 1) return 0;
        if (outer <= 1) return std::max<int64_t>(inner, 1);
        return outer_step >= std::max<int64_t>(inner, 1) && outer_step <= kLargest ? outer_step : 0;
    };
    if (const int64_t ld = leading(rows, columns, x.row, x.column)) return {CblasNoTrans, ld};
    return {CblasTrans, leading(columns, rows, x.column, x.row)};
}

/// A dense copy of a matrix that the BLAS cannot read where it stands.
Tensor gathered(DType dtype, int64_t rows, int64_t columns, const Matrix& x) {
    Tensor dense = Tensor::empty({rows, columns}, dtype);
    Walk({rows, columns}, {x.row, x.column}).gather(itemsize(dtype), x.data, 0, rows * columns, dense.raw());
    return dense;
}

/// A product in memory that the BLAS reads as it is.
template <class T>
struct BlasProduct {
    int64_t k;
    Operand a_layout, b_layout;
    Matrix a, b;
    Rows c;
    T beta;

    /// Rows [i, i + rows) and columns [j, j + columns) of C.
    void tile(int64_t i, int64_t rows, int64_t j, int64_t columns) const {
        const T* from_a = reinterpret_cast<const T*>(a.data) + i * a.row;
        const T* from_b = reinterpret_cast<const T*>(b.data) + j * b.column;
        T* to = reinterpret_cast<T*>(c.data) + i * c.row + j;
        const auto as_int = [](int64_t value) { return static_cast<blasint>(value); };
        if (columns == 1 && c.row == 1) {
            const bool plain = a_layout.transposed == CblasNoTrans;
            return blas_gemv(a_layout.transposed, as_int(plain ? rows : k), as_int(plain ? k : rows), from_a,
                             as_int(a_layout.leading), from_b, as_int(k > 1 ? b.row : 1), beta, to);
        }
        if (rows == 1) {
            const bool plain = b_layout.transposed == CblasNoTrans;
            return blas_gemv(plain ? CblasTrans : CblasNoTrans, as_int(plain ? k : columns),
                             as_int(plain ? columns : k), from_b, as_int(b_layout.leading), from_a,
                             as_int(k > 1 ? a.column : 1), beta, to);
        }
        blas_gemm(a_layout.transposed, b_layout.transposed, as_int(rows), as_int(columns), as_int(k), from_a,
                  as_int(a_layout.leading), from_b, as_int(b_layout.leading), beta, to,
                  as_int(std::max(c.row, columns)));
    }
};

/// One row times one column, in halves of whole blocks: a long sum loses nothing to its length.
template <class T>
T dot(int64_t n, const T* x, int64_t x_step, const T* y, int64_t y_step) {
    constexpr int64_t kBlock = 1024;
    if (n <= kBlock) {
        return blas_dot(static_cast<blasint>(n), x, static_cast<blasint>(x_step), y,
                        static_cast<blasint>(y_step));
    }
    const int64_t half = (n / 2 + kBlock - 1) / kBlock * kBlock;
    return dot(half, x, x_step, y, y_step) +
           dot(n - half, x + half * x_step, x_step, y + half * y_step, y_step);
}

/// The length of a panel: a part of `length` that depends on nothing but the product's shape. What each one
/// reads again of the other operand costs least where they are long; an even number of them gives two
/// threads the same work.
int64_t panel_length(int64_t length) {
    constexpr int64_t kMostPanels = 8;
    constexpr int64_t kLong = 256;
    constexpr int64_t kMultiple = 16;
    const int64_t panels = std::clamp<int64_t>((length / kLong + 1) / 2 * 2, 2, kMostPanels);
    return (length + kMultiple * panels - 1) / (kMultiple * panels) * kMultiple;
}

template <class T>
void blas_product(const Product& p, const Matrix& a, const Matrix& b, const Rows& c) {
    ready_blas();  // See Note [Products and threads].
    const Operand a_layout = operand(p.m, p.k, a);
    const Operand b_layout = operand(p.k, p.n, b);
    if (a_layout.leading == 0) {
        const Tensor copy = gathered(p.dtype, p.m, p.k, a);
        return blas_product<T>(p, {copy.raw(), p.k, 1}, b, c);
    }
    if (b_layout.leading == 0) {
        const Tensor copy = gathered(p.dtype, p.k, p.n, b);
        return blas_product<T>(p, a, {copy.raw(), p.n, 1}, c);
    }
    if (p.m == 1 && p.n == 1) {
        T& to = *reinterpret_cast<T*>(c.data);
        to = (p.accumulate ? to : T(0)) + dot(p.k, reinterpret_cast<const T*>(a.data), p.k > 1 ? a.column : 1,
                                              reinterpret_cast<const T*>(b.data), p.k > 1 ? b.row : 1);
        return;
    }
    const BlasProduct<T> blas{p.k, a_layout, b_layout, a, b, c, p.accumulate ? T(1) : T(0)};
    constexpr int64_t kPanelled = 16 * kGrain;
    if (product_cost(p) < kPanelled) return blas.tile(0, p.m, 0, p.n);
    const bool by_rows = p.m > p.n;
    const int64_t length = by_rows ? p.m : p.n;
    const int64_t panel = panel_length(length);
    const int64_t panels = (length + panel - 1) / panel;
    parallel_for(panels, 1, product_cost(p) / panels, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin * panel; i < std::min(end * panel, length); i += panel) {
            const int64_t count = std::min(panel, length - i);
            by_rows ? blas.tile(i, count, 0, p.n) : blas.tile(0, p.m, i, count);
        }
    });
}

/// Row i of C gathers the rows of B, each times its element of row i of A; modulo 2⁶⁴.
void integer_product(const Product& p, const Matrix& a, const Matrix& b, const Rows& c) {
    const auto* from_a = reinterpret_cast<const std::uint64_t*>(a.data);
    const auto* from_b = reinterpret_cast<const std::uint64_t*>(b.data);
    auto* to = reinterpret_cast<std::uint64_t*>(c.data);
    parallel_for(p.m, 1, p.n * p.k, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
            for (int64_t l = 0; l < p.k; ++l) {
                const std::uint64_t factor = from_a[i * a.row + l * a.column];
                for (int64_t j = 0; j < p.n; ++j)
                    to[i * c.row + j] += factor * from_b[l * b.row + j * b.column];
            }
        }
    });
}

}  // namespace

void gemm(const Product& p, const Matrix& a, const Matrix& b, const Rows& c) {
    if (p.m == 0 || p.n == 0) return;
    if (!p.accumulate && (p.k == 0 || p.dtype == kInt64)) {
        for (int64_t i = 0; i < p.m; ++i) {
            std::memset(c.data + i * c.row * itemsize(p.dtype), 0,
                        static_cast<std::size_t>(p.n * itemsize(p.dtype)));
        }
    }
    if (p.k == 0) return;
    if (p.dtype == kInt64) return integer_product(p, a, b, c);
    p.dtype == kFloat32 ? blas_product<float>(p, a, b, c) : blas_product<double>(p, a, b, c);
}

}  // namespace reel
