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
//       A tile of C (12 × 32 with AVX-512) stays in registers for a whole block of k: each step reads a
//       column of one panel and a row of the other, and makes all their products.
//
// What is dense along k (A), or is dense across and stays in L2 (B), is not packed: a tile reads it where it is.
#include "ops/linalg/gemm_driver.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "ops/kernels/table.hpp"
#include "ops/linalg/column_driver.hpp"
#include "tensor/parallel.hpp"
#include "tensor/scratch.hpp"

namespace reel {

namespace {

using std::int64_t;

// Bytes of terms that a sum takes in one go: 512 of float32. This decides bits. Longer blocks bring C into
// registers less often; of these a panel of A still fits in L1 (12 rows: 24 KB).
constexpr int64_t kBlockBytes = 2048;
// Rows of A that are packed at once: with a block's terms 2 MB, a thread's share of L3.
constexpr int64_t kBlockRows = 1024;

constexpr int64_t kSets = 4096;  // bytes: rows so far apart share the lines of one set of L1

/// Of this processor's L1; as of many where the system does not say.
int64_t l1_ways() {
#if defined(_SC_LEVEL1_DCACHE_ASSOC)
    static const int64_t ways = std::max<int64_t>(8, sysconf(_SC_LEVEL1_DCACHE_ASSOC));
    return ways;
#else
    return 8;
#endif
}

/// Bytes of B's packed panels: 512 KB, or three quarters of a smaller L2 than 1 MB (256³ of float64 in one of 512 KB: 0.76 ms,
/// and 1.0 with panels that fill it).
int64_t panel_bytes() {
    constexpr int64_t kMost = 512 << 10;
#if defined(_SC_LEVEL2_CACHE_SIZE)
    static const int64_t l2 = sysconf(_SC_LEVEL2_CACHE_SIZE);
    if (l2 > 0) return std::min(kMost, l2 / 4 * 3);
#endif
    return kMost;
}

/// How a length is cut that is more than `most`: into equal parts, multiples of `multiple`.
int64_t even_part(int64_t length, int64_t most, int64_t multiple) {
    if (length <= most) return length;
    const int64_t parts = (length + most - 1) / most;
    return (length + parts * multiple - 1) / (parts * multiple) * multiple;
}

/// The terms of a block.
int64_t block_of(const Product& p) {
    const int64_t size = itemsize(compute_dtype(p.dtype));
    return p.k * size <= kBlockBytes ? p.k : even_part(p.k, kBlockBytes / size, 1);
}

/// How products of one size and layout are cut on this thread, and the memory for their panels.
class BlockedProduct {
public:
    BlockedProduct(const Product& product, const ProductOperands& o) : p_(product) {
        const bool few_rows = p_.m == 1 || (p_.k <= kernels::kFewTerms && p_.n > kernel_.columns);
        if (!converts_ && few_rows && o.b.column == 1) {
            multiply_ = kernel_.multiply_rows;
        } else if (!converts_ && p_.m <= kernels::kFewRows && o.b.row == 1) {
            multiply_ = kernel_.multiply_columns;
        } else {
            plan(o);
        }
    }

    void run(const ProductOperands& o) const {
        for (int64_t l = 0; l < p_.k; l += block_) {
            for (int64_t i = 0; i < p_.m; i += rows_) {
                ProductOperands part = o.at(p_, i, 0, l);
                if (l > 0) part.start = {part.c.data, part.c.row};
                kernels::GemmBlock g;  // all of it is set below
                g.m = std::min(rows_, p_.m - i);
                g.k = std::min(block_, p_.k - l);
                rows_of_a(g, part.a);
                g.start_row = part.start.row;
                g.c_row = part.c.row;
                for (int64_t j = 0; j < p_.n; j += columns_) {
                    g.n = std::min(columns_, p_.n - j);
                    columns_of_b(g, part.b);
                    g.start = part.start.data;
                    g.c = part.c.data;
                    multiply_(g);
                    if (columns_ < p_.n) part = part.at(p_, 0, columns_, 0);
                }
            }
        }
    }

private:
    void plan(const ProductOperands& o) {
        const int64_t slack = kernels::kMaxVector;
        if (packs_a(o.a)) {
            rows_ = even_part(p_.m, kBlockRows, kernel_.rows);
            a_ = Scratch((rows_ + kernel_.rows) * block_ * sum_ + slack);
        }
        if (packs_b(o.b)) {
            const int64_t most = p_.m <= 2 * kernel_.rows ? kernel_.columns : panel_bytes() / (block_ * sum_);
            columns_ = even_part(p_.n, std::max(most, kernel_.columns), kernel_.columns);
            b_ = Scratch((columns_ + kernel_.columns) * block_ * sum_ + slack);
        } else if (bytes_of(o.b) > panel_bytes() && passes_once(o.b)) {
            columns_ = kernel_.columns;
        }
    }
    /// Where a panel of it would not fit in L1 as it is, and enough tiles read it to be worth it.
    bool packs_a(const Matrix& a) const {
        constexpr int64_t kNear = 24 << 10;
        if (converts_) return true;
        return kernel_.rows * block_ * sum_ * std::abs(a.column) > kNear &&
               p_.n > (a.row == 1 ? 2 : 1) * kernel_.columns;
    }
    /// A tile reads vectors of B's rows: they must be dense, and of integers whole. Where many tiles read them they
    /// must stay in L2 (64 × 784 × 256: 149 µs, packed 183), or pass by once.
    bool packs_b(const Matrix& b) const {
        const bool in_part = p_.dtype == kInt64 && p_.n * sum_ % kernels::kMaxVector != 0;
        return converts_ || b.column != 1 || in_part || collides(b) ||
               (p_.m > 2 * kernel_.rows && bytes_of(b) > panel_bytes() && !passes_once(b));
    }

    /// Whether the rows of a panel of B push each other out of L1, and enough tiles read it (64 × 64 × 1024: 122 µs, packed 100).
    bool collides(const Matrix& b) const {
        return b.row * sum_ % kSets == 0 && block_ > l1_ways() && p_.m > 4 * kernel_.rows;
    }
    /// What a block of B takes where it is.
    int64_t bytes_of(const Matrix& b) const { return block_ * b.row * sum_; }
    /// Whether a panel of B can pass by all rows of A, which stay in L2, before the next one comes (64 × 256 × 784: 153
    /// µs, packed 197).
    bool passes_once(const Matrix& b) const {
        return bytes_of(b) <= 2 * panel_bytes() && p_.m * block_ * sum_ <= panel_bytes();
    }

    /// A block of A, packed where there is memory for it.
    void rows_of_a(kernels::GemmBlock& g, const Matrix& a) const {
        const bool packed = a_.data() != nullptr;
        const bool displaced = !packed && a.row * sum_ % kSets == 0;
        g.rows = even_part(g.m, displaced ? std::min(kernel_.rows, l1_ways()) : kernel_.rows, 1);
        if (packed) kernel_.pack(g.k, g.m, a.data, a.column, a.row, g.rows, a_.data());
        g.a = packed ? a_.data() : a.data;
        g.a_row = packed ? 1 : a.row;
        g.a_step = packed ? g.rows : a.column;
        g.a_panel = g.rows * (packed ? g.k : a.row);
    }
    /// The same of B.
    void columns_of_b(kernels::GemmBlock& g, const Matrix& b) const {
        const bool packed = b_.data() != nullptr;
        if (packed) kernel_.pack(g.k, g.n, b.data, b.row, b.column, kernel_.columns, b_.data());
        g.b = packed ? b_.data() : b.data;
        g.b_step = packed ? kernel_.columns : b.row;
        g.b_panel = kernel_.columns * (packed ? g.k : b.column);
    }

    Product p_;
    const kernels::Gemm& kernel_ = kernels::kernels().gemm[static_cast<std::size_t>(p_.dtype)];
    void (*multiply_)(const kernels::GemmBlock&) = kernel_.multiply;
    bool converts_ = is_reduced(p_.dtype);
    int64_t sum_ = itemsize(compute_dtype(p_.dtype));
    int64_t block_ = block_of(p_), rows_ = p_.m, columns_ = p_.n;
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
    if (batch.count == 1) return multiply_one(p, o);
    const bool small = p.n > 1 && p.m * p.n * p.k < kSmall;
    parallel_for(batch.count, 1, product_cost(p), [&](int64_t begin, int64_t end) {
        if (small) {
            const BlockedProduct product(p, o);
            for (int64_t i = begin; i < end; ++i) product.run(o.of(p, batch, i));
            return;
        }
        for (int64_t i = begin; i < end; ++i) multiply_one(p, o.of(p, batch, i));
    });
}

}  // namespace reel
