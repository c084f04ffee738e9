// Note [How a product is blocked]
// After Goto and van de Geijn (2008) and BLIS (Van Zee and van de Geijn 2015). A processor can multiply far
// faster than memory delivers, so every element that is brought near is used as often as possible:
//
//          n              k              n
//       ┌─────┐        ┌──┬──┐        ┌─────┐     k is cut into blocks of up to 512 terms. Of one block, the
//     m │  C  │  +=  m │A │  │  ·   k ├─────┤     rows of A and the columns of B are packed into panels, each
//       │     │        │  │  │        │  B  │     in the order in which it will be read:
//       └─────┘        └──┴──┘        └─────┘
//
//       A: up to 1024 rows, in panels    ┌──┐     B: columns enough for half of L2, in
//       of as many as a tile has; one    │▒▒│     panels of as many as a tile has;
//       panel stays in L1 while ...      │▒▒│     ┌──┬──┬──┬──┐
//                                        └──┘     │▒▒│▒▒│▒▒│▒▒│  ... those of B pass by.
//                                                 └──┴──┴──┴──┘
//       A tile of C (14 × 32 with AVX-512) stays in registers for a whole block of k: each step reads a
//       column of one panel and a row of the other, and makes all their products.
//
// What is read once or twice only is not packed: B for a few rows, A for a few columns.
#include "ops/linalg/gemm_driver.hpp"

#include <algorithm>
#include <cstring>

#include "ops/kernels/table.hpp"
#include "ops/linalg/column_driver.hpp"
#include "tensor/parallel.hpp"
#include "tensor/scratch.hpp"

namespace reel {

namespace {

using std::int64_t;

// Bytes of terms that a sum takes in one go: 512 of float32. This decides bits. Longer blocks bring C into
// registers less often; of these a panel of A still fits in L1 (14 rows: 28 KB).
constexpr int64_t kBlockBytes = 2048;
// Rows of A that are packed at once: with a block's terms 2 MB, a thread's share of L3.
constexpr int64_t kBlockRows = 1024;
// Bytes of B's packed panels: half of an L2 of 1 MB.
constexpr int64_t kPanelBytes = 512 << 10;

// L1 has so many lines, at least, that are a power of two apart.
constexpr int64_t kWays = 8;

/// How a length is cut: into equal parts of at most `most`, multiples of `multiple`.
int64_t even_part(int64_t length, int64_t most, int64_t multiple) {
    const int64_t parts = (length + most - 1) / most;
    return (length + parts * multiple - 1) / (parts * multiple) * multiple;
}

/// The terms of a block.
int64_t block_of(const Product& p) {
    return even_part(p.k, kBlockBytes / itemsize(compute_dtype(p.dtype)), 1);
}

/// How products of one size and layout are cut on this thread, and the memory for their panels.
class BlockedProduct {
public:
    BlockedProduct(const Product& product, const ProductOperands& o) : p_(product) {
        // Where B serves few rows or terms, it is read where it is.
        const bool rows = p_.m == 1 || (p_.k <= kernels::kFewTerms && p_.n > kernel_.columns);
        if (!converts_ && rows && o.b.column == 1) {
            unpacked_ = kernel_.multiply_rows;
        } else if (!converts_ && p_.m <= kernels::kFewRows && o.b.row == 1) {
            unpacked_ = kernel_.multiply_columns;
        } else {
            plan(o);
        }
    }

    void run(const ProductOperands& o) const {
        for (int64_t l = 0; l < p_.k; l += block_) {
            const int64_t k = std::min(block_, p_.k - l);
            if (unpacked_) {
                kernels::GemmBlock g = rows_of_a(o, 0, p_.m, l, k);
                const ProductOperands part = o.at(p_, 0, 0, l);
                columns_of_b(g, part.b.data, o.b.column, o.b.row);
                multiply(unpacked_, g, part, p_.n, l);
                continue;
            }
            for (int64_t i = 0; i < p_.m; i += rows_) {
                kernels::GemmBlock g = rows_of_a(o, i, std::min(rows_, p_.m - i), l, k);
                for (int64_t j = 0; j < p_.n; j += columns_)
                    columns(g, o.at(p_, i, j, l), std::min(columns_, p_.n - j), l);
            }
        }
    }

private:
    void plan(const ProductOperands& o) {
        rows_ = even_part(p_.m, kBlockRows, kernel_.rows);
        const int64_t most = p_.m <= 2 * kernel_.rows ? kernel_.columns : kPanelBytes / (block_ * sum_);
        columns_ = even_part(p_.n, std::max(most, kernel_.columns), kernel_.columns);
        packs_b_ = packs_b(o.b);
        const int64_t slack = kernels::kMaxVector;
        if (packs_a(o.a)) a_ = Scratch((rows_ + kernel_.rows) * block_ * sum_ + slack);
        const int64_t packed = packs_b_ ? columns_ : p_.n > dense_columns(p_.n) ? kernel_.columns : 0;
        if (packed > 0) b_ = Scratch(packed * block_ * sum_ + slack);
        // Few terms make C's rows what a tile waits for: where these displace each other in L1, no more of them
        // than it has ways.
        constexpr int64_t kShort = 64;
        if (p_.k <= kShort && o.c.row * sum_ % 1024 == 0) tile_rows_ = std::min(kernel_.rows, kWays);
    }
    /// An element of A is read once for every tile beside it. To pack it costs a third of a cycle, so it must
    /// serve a few tiles. Rows that are a large power of two apart displace each other in L1, where it has
    /// fewer ways than a tile has rows.
    bool packs_a(const Matrix& a) const {
        constexpr int64_t kFewTiles = 6;
        const bool collides = a.row * sum_ % 1024 == 0;
        if (converts_) return true;
        if (a.column != 1 && a.row != 1) return p_.n > kernel_.columns;
        if (a.column == 1 && kernel_.rows <= kWays) return false;
        return p_.n > (collides || a.column != 1 ? 2 : kFewTiles) * kernel_.columns;
    }
    /// A tile reads whole vectors of B's rows: they must be dense.
    bool packs_b(const Matrix& b) const {
        constexpr int64_t kNear = 32 << 10;  // bytes that stay in L1
        return converts_ || b.column != 1 || (p_.m > 2 * kernel_.rows && p_.k * b.row * sum_ > kNear);
    }
    /// Of n columns, those that a tile can read where they are: whole vectors of every set, or whole tiles.
    int64_t dense_columns(int64_t n) const {
        return n * sum_ % kernels::kMaxVector == 0 ? n : n / kernel_.columns * kernel_.columns;
    }

    /// A block of A, packed where there is memory for it.
    kernels::GemmBlock rows_of_a(const ProductOperands& o, int64_t i, int64_t m, int64_t l, int64_t k) const {
        const Matrix a = o.at(p_, i, 0, l).a;
        kernels::GemmBlock g{};
        g.m = m;
        g.k = k;
        g.rows = even_part(m, tile_rows_, 1);
        g.a = a.data;
        g.a_row = a.row;
        g.a_step = a.column;
        g.a_panel = g.rows * a.row;
        if (!a_.data()) return g;
        kernel_.pack(k, m, g.a, a.column, a.row, g.rows, a_.data());
        g.a = a_.data();
        g.a_row = 1;
        g.a_step = g.rows;
        g.a_panel = g.rows * k;
        return g;
    }
    static void columns_of_b(kernels::GemmBlock& g, const std::byte* b, int64_t panel, int64_t step) {
        g.b = b;
        g.b_panel = panel;
        g.b_step = step;
    }

    /// A block of A by one of B, of n columns: the operands from there on are `o`.
    void columns(kernels::GemmBlock& g, const ProductOperands& o, int64_t n, int64_t l) const {
        const int64_t in_place = packs_b_ ? 0 : dense_columns(n);
        if (in_place > 0) {
            columns_of_b(g, o.b.data, kernel_.columns, o.b.row);
            multiply(kernel_.multiply, g, o, in_place, l);
        }
        if (in_place == n) return;
        const ProductOperands rest = o.at(p_, 0, in_place, 0);
        kernel_.pack(g.k, n - in_place, rest.b.data, o.b.row, o.b.column, kernel_.columns, b_.data());
        columns_of_b(g, b_.data(), kernel_.columns * g.k, kernel_.columns);
        multiply(kernel_.multiply, g, rest, n - in_place, l);
    }
    static void multiply(void (*kernel)(const kernels::GemmBlock&), kernels::GemmBlock& g,
                         const ProductOperands& o, int64_t n, int64_t l) {
        g.n = n;
        g.c = o.c.data;
        g.c_row = o.c.row;
        g.start = l > 0 ? o.c.data : o.start.data;
        g.start_row = l > 0 ? o.c.row : o.start.row;
        kernel(g);
    }

    Product p_;
    const kernels::Gemm& kernel_ = kernels::kernels().gemm[static_cast<std::size_t>(p_.dtype)];
    bool converts_ = is_reduced(p_.dtype);
    int64_t sum_ = itemsize(compute_dtype(p_.dtype));
    int64_t block_ = block_of(p_);
    int64_t rows_ = 0, columns_ = 0, tile_rows_ = kernel_.rows;
    bool packs_b_ = false;
    void (*unpacked_)(const kernels::GemmBlock&) = nullptr;
    Scratch a_, b_;
};

/// Few sums of many terms: threads share the blocks along k, whose sums are then added as one thread adds them.
void share_terms(const Product& p, const ProductOperands& o) {
    const int64_t block = block_of(p);
    const int64_t blocks = (p.k + block - 1) / block;
    const int64_t row = p.n * itemsize(compute_dtype(p.dtype));
    const Scratch sums(blocks * p.m * row);
    parallel_for(blocks, 1, product_cost(p) / blocks, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
            Product part = p;
            part.k = std::min(block, p.k - i * block);
            ProductOperands terms = o.at(p, 0, 0, i * block);
            terms.c = {sums.data() + i * p.m * row, p.n};
            terms.start = {};
            BlockedProduct(part, terms).run(terms);
        }
    });
    const kernels::Loop add = kernels::loop(kernels::Fn::kAdd, compute_dtype(p.dtype));
    for (int64_t i = 0; i < p.m; ++i) {
        const ProductOperands to = o.at(p, i, 0, 0);
        const std::byte* before = to.start.data;
        for (int64_t l = 0; l < blocks; ++l) {
            const void* terms[] = {before, sums.data() + (l * p.m + i) * row};
            before ? add(p.n, to.c.data, terms, nullptr)
                   : static_cast<void>(std::memcpy(to.c.data, terms[1], static_cast<std::size_t>(row)));
            before = to.c.data;
        }
    }
}

/// Into how many parts the rows of C are cut for so many threads; the columns are cut into the rest. Every
/// thread packs its own rows of A and columns of B: the fewer the better. But those that write to different parts
/// of one page take its lines from each other (1024×16×1024 on two threads: 310 µs instead of 219).
int64_t parts_of_rows(const Product& p, int64_t threads) {
    constexpr int64_t kPage = 4096;
    const int64_t row = p.n * itemsize(compute_dtype(p.dtype));
    const auto cost = [&](int64_t down) {
        const int64_t across = threads / down;
        const bool shares = across > 1 && row / across < kPage;
        return p.m / down + p.n / across + (shares ? 4 * p.m * p.n / p.k : 0);
    };
    int64_t best = 1;
    for (int64_t down = 2; down <= threads; ++down) {
        if (threads % down == 0 && cost(down) <= cost(best)) best = down;
    }
    return best;
}

/// Cuts C into rectangles, one for each thread.
void multiply(const Product& p, const ProductOperands& o) {
    constexpr int64_t kFewSums = 4096;
    const int64_t threads = threads_for(product_cost(p));
    if (threads == 1) return BlockedProduct(p, o).run(o);
    if (p.m * p.n <= kFewSums && p.k >= 4 * threads * block_of(p)) return share_terms(p, o);
    const int64_t down = parts_of_rows(p, threads);
    const int64_t across = threads / down;
    const int64_t tile = kernels::kernels().gemm[static_cast<std::size_t>(p.dtype)].columns;
    const auto cut = [](int64_t length, int64_t parts, int64_t part, int64_t multiple) {
        return std::min(length, (length + multiple - 1) / multiple * part / parts * multiple);
    };
    parallel_for(threads, 1, product_cost(p) / threads, [&](int64_t begin, int64_t end) {
        for (int64_t part = begin; part < end; ++part) {
            const int64_t i = cut(p.m, down, part % down, 1);
            const int64_t j = cut(p.n, across, part / down, tile);
            const int64_t m = cut(p.m, down, part % down + 1, 1) - i;
            const int64_t n = cut(p.n, across, part / down + 1, tile) - j;
            const ProductOperands rectangle = o.at(p, i, j, 0);
            if (m > 0 && n > 0) BlockedProduct({p.dtype, m, n, p.k}, rectangle).run(rectangle);
        }
    });
}

void multiply_one(const Product& p, const ProductOperands& o) {
#if defined(REEL_BLAS)
    if (blas_gemm(p, o.a, o.b, o.c, o.start)) return;
#endif
    p.n > 1 ? multiply(p, o) : multiply_column(p, o);
}

}  // namespace

void copy_start(const Product& p, const Rows& c, const Start& start) {
    const int64_t size = itemsize(compute_dtype(p.dtype));
    const auto row = static_cast<std::size_t>(p.n * size);
    for (int64_t i = 0; i < p.m && start.data != c.data; ++i) {
        std::byte* to = c.data + i * c.row * size;
        start.data ? std::memcpy(to, start.data + i * start.row * size, row) : std::memset(to, 0, row);
    }
}

void gemm(const Product& p, const Matrix& a, const Matrix& b, const Rows& c, const Start& start,
          const Batch& batch) {
    // Multiplications of one product. Larger ones of a batch have a plan each, which threads may share.
    constexpr int64_t kSmall = 1 << 21;
    if (p.m == 0 || p.n == 0) return;
    if (p.k == 0) return copy_start({p.dtype, batch.count * p.m, p.n, 0}, c, start);
    const ProductOperands o{a, b, c, start};
    const bool small = p.n > 1 && p.m * p.n * p.k < kSmall;
    parallel_for(batch.count, 1, product_cost(p), [&](int64_t begin, int64_t end) {
        if (small && batch.count > 1) {
            const BlockedProduct product(p, o);
            for (int64_t i = begin; i < end; ++i) product.run(o.of(p, batch, i));
            return;
        }
        for (int64_t i = begin; i < end; ++i) multiply_one(p, o.of(p, batch, i));
    });
}

}  // namespace reel
