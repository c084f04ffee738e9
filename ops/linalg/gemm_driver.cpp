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
#include <utility>
#include <vector>

#include "ops/kernels/table.hpp"
#include "tensor/parallel.hpp"
#include "tensor/storage.hpp"

namespace reel {

namespace {

using std::int64_t;

// Bytes of terms that a sum takes in one go: 512 of float32. This decides bits. Longer blocks bring C into
// registers less often; of these a panel of A still fits in L1 (14 rows: 28 KB).
constexpr int64_t kBlockBytes = 2048;
// The same of a product with one column, whose sums have lanes: 32 terms in each.
constexpr int64_t kColumnBytes = 4096;
// Terms of a part of such a sum that threads share where there are few rows.
constexpr int64_t kPartTerms = 8192;
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

/// Memory for panels, from the cache of freed blocks.
class Scratch {
public:
    explicit Scratch(int64_t bytes)
        : bytes_(static_cast<std::size_t>(bytes)),
          data_(bytes > 0 ? static_cast<std::byte*>(allocate(bytes_)) : nullptr) {}
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() {
        if (data_) deallocate(data_, bytes_);
    }
    std::byte* data() const { return data_; }

private:
    std::size_t bytes_;
    std::byte* data_;
};

/// A product, or a rectangle of one, on this thread.
struct BlockedProduct {
    const Product& p;
    Matrix a, b;
    Rows c;
    int64_t size = itemsize(p.dtype);
    const kernels::Gemm& kernel = kernels::kernels().gemm[static_cast<std::size_t>(p.dtype)];

    /// An element of A is read once for every tile beside it. To pack it costs a third of a cycle, so it must
    /// serve a few tiles. Rows that are a large power of two apart displace each other in L1, where it has
    /// fewer ways than a tile has rows.
    bool packs_a(int64_t n) const {
        constexpr int64_t kFewTiles = 6;
        const bool collides = a.row * size % 1024 == 0;
        if (a.column != 1 && a.row != 1) return n > kernel.columns;
        if (a.column == 1 && kernel.rows <= kWays) return false;
        return n > (collides || a.column != 1 ? 2 : kFewTiles) * kernel.columns;
    }
    /// A tile reads whole vectors of B's rows: they must be dense.
    bool packs_b(int64_t m) const {
        constexpr int64_t kNear = 32 << 10;  // bytes that stay in L1
        return b.column != 1 || (m > 2 * kernel.rows && p.k * b.row * size > kNear);
    }

    /// C's rows [i, i + m) and columns [j, j + n).
    void rectangle(int64_t i, int64_t m, int64_t j, int64_t n) const {
        if ((m == 1 || p.k <= kernels::kFewTerms) && b.column == 1) {
            return unpacked(kernel.multiply_rows, i, m, j, n);
        }
        if (m <= kernels::kFewRows && b.row == 1) return unpacked(kernel.multiply_columns, i, m, j, n);
        packed(i, m, j, n);
    }

    /// The same where B serves so few rows that it is read where it is.
    void unpacked(void (*multiply)(const kernels::GemmBlock&), int64_t i, int64_t m, int64_t j,
                  int64_t n) const {
        const int64_t block = even_part(p.k, kBlockBytes / size, 1);
        for (int64_t l = 0; l < p.k; l += block) {
            kernels::GemmBlock g = rows_of_a(i, m, l, std::min(block, p.k - l), nullptr);
            g.n = n;
            g.b = b.data + (l * b.row + j * b.column) * size;
            g.b_panel = b.column;
            g.b_step = b.row;
            to_c(g, i, j, l);
            multiply(g);
        }
    }

    /// Where a block's sums go, and what is there already.
    void to_c(kernels::GemmBlock& g, int64_t i, int64_t j, int64_t l) const {
        g.c = c.data + (i * c.row + j) * size;
        g.c_row = c.row;
        g.start = p.accumulate || l > 0 ? g.c : nullptr;
        g.start_row = c.row;
    }

    void packed(int64_t i, int64_t m, int64_t j, int64_t n) const {
        const int64_t block = even_part(p.k, kBlockBytes / size, 1);
        const int64_t rows = even_part(m, kBlockRows, kernel.rows);
        const int64_t columns = even_part(
            n, m <= 2 * kernel.rows ? kernel.columns : std::max(kPanelBytes / (block * size), kernel.columns),
            kernel.columns);
        const bool pack_a = packs_a(n);
        const int64_t slack = kernels::kMaxVector;
        const Scratch panels_of_a(pack_a ? (rows + kernel.rows) * block * size + slack : 0);
        const Scratch panels_of_b(packs_b(m)           ? columns * block * size + slack
                                  : n % kernel.columns ? kernel.columns * block * size + slack
                                                       : 0);
        for (int64_t l = 0; l < p.k; l += block) {
            const int64_t k = std::min(block, p.k - l);
            for (int64_t row = i; row < i + m; row += rows) {
                const int64_t height = std::min(rows, i + m - row);
                kernels::GemmBlock g = rows_of_a(row, height, l, k, panels_of_a.data());
                for (int64_t column = j; column < j + n; column += columns) {
                    g.n = std::min(columns, j + n - column);
                    columns_of_b(g, packs_b(m), row, column, l, panels_of_b.data());
                }
            }
        }
    }

    /// Few terms make C's rows what a tile waits for: where these displace each other in L1, no more of them
    /// than it has ways.
    int64_t rows_of_tile(int64_t k) const {
        constexpr int64_t kShort = 64;
        return k <= kShort && c.row * size % 1024 == 0 ? std::min(kernel.rows, kWays) : kernel.rows;
    }

    /// A block of A, packed where there is memory for it.
    kernels::GemmBlock rows_of_a(int64_t i, int64_t m, int64_t l, int64_t k, std::byte* panels) const {
        kernels::GemmBlock g{};
        g.m = m;
        g.k = k;
        g.rows = even_part(m, rows_of_tile(k), 1);
        g.a = a.data + (i * a.row + l * a.column) * size;
        g.a_row = a.row;
        g.a_step = a.column;
        g.a_panel = g.rows * a.row;
        if (!panels) return g;
        kernel.pack(k, m, g.a, a.column, a.row, g.rows, panels);
        g.a = panels;
        g.a_row = 1;
        g.a_step = g.rows;
        g.a_panel = g.rows * k;
        return g;
    }

    /// Multiplies it by a block of B.
    void columns_of_b(kernels::GemmBlock& g, bool packs, int64_t i, int64_t j, int64_t l,
                      std::byte* panels) const {
        const auto multiply = [&](int64_t at, int64_t n) {
            g.n = n;
            to_c(g, i, j + at, l);
            kernel.multiply(g);
        };
        const std::byte* from = b.data + (l * b.row + j * b.column) * size;
        const int64_t n = g.n;
        const int64_t in_place = packs ? 0 : n / kernel.columns * kernel.columns;
        if (in_place > 0) {
            g.b = from;
            g.b_panel = kernel.columns;
            g.b_step = b.row;
            multiply(0, in_place);
        }
        if (in_place == n) return;
        kernel.pack(g.k, n - in_place, from + in_place * b.column * size, b.row, b.column, kernel.columns,
                    panels);
        g.b = panels;
        g.b_panel = kernel.columns * g.k;
        g.b_step = kernel.columns;
        multiply(in_place, n - in_place);
    }
};

/// Cuts C into rectangles, one for each thread.
void multiply(const BlockedProduct& product) {
    const Product& p = product.p;
    const int64_t threads = threads_for(product_cost(p));
    if (threads == 1) return product.rectangle(0, p.m, 0, p.n);
    // Every thread packs its own rows of A and columns of B: the fewer the better.
    int64_t down = 1;
    for (int64_t i = 2; i <= threads; ++i) {
        if (threads % i == 0 && p.m / i + p.n / (threads / i) < p.m / down + p.n / (threads / down)) down = i;
    }
    const int64_t across = threads / down;
    const int64_t tile = product.kernel.columns;
    const auto cut = [](int64_t length, int64_t parts, int64_t part, int64_t multiple) {
        return std::min(length, (length + multiple - 1) / multiple * part / parts * multiple);
    };
    parallel_for(threads, 1, product_cost(p) / threads, [&](int64_t begin, int64_t end) {
        for (int64_t part = begin; part < end; ++part) {
            const int64_t i = cut(p.m, down, part % down, 1);
            const int64_t j = cut(p.n, across, part / down, tile);
            const int64_t m = cut(p.m, down, part % down + 1, 1) - i;
            const int64_t n = cut(p.n, across, part / down + 1, tile) - j;
            if (m > 0 && n > 0) product.rectangle(i, m, j, n);
        }
    });
}

/// A product with one column: each row of A with x.
template <class T>
struct ColumnProduct {
    static constexpr auto kSize = static_cast<int64_t>(sizeof(T));
    static constexpr int64_t kBlock = kColumnBytes / kSize;
    static constexpr int64_t kRows = 512;  // taken at once
    static constexpr int64_t kFew = 16;    // rows that are one thread's work

    const Product& p;
    Matrix a, x;
    Rows c;
    bool pack_x = p.k > 1 && x.row != 1;
    bool pack_a = p.k > 1 && a.column != 1 && (p.m == 1 || a.row != 1);
    int64_t most = pack_a ? std::min<int64_t>(p.m, kRows / 32) : kRows;
    const kernels::Gemm& kernel = kernels::kernels().gemm[static_cast<std::size_t>(p.dtype)];

    int64_t packed_bytes() const {
        const int64_t block = std::min(p.k, kBlock) * kSize + kernels::kMaxVector;
        return (pack_x ? block : 0) + (pack_a ? most * block : 0);
    }
    static int64_t half_of(int64_t k) { return (k / 2 + kBlock - 1) / kBlock * kBlock; }

    /// Few rows of many terms: threads share the parts into which `sum` halves them.
    void few_rows() const {
        std::vector<std::pair<int64_t, int64_t>> parts;  // first term, terms
        cut(0, p.k, parts);
        const auto count = static_cast<int64_t>(parts.size());
        std::vector<T> sums(parts.size() * static_cast<std::size_t>(p.m));
        parallel_for(count, 1, product_cost(p) / count, [&](int64_t begin, int64_t end) {
            const Scratch packed(packed_bytes());
            for (int64_t i = begin; i < end; ++i) {
                const auto [l, k] = parts[static_cast<std::size_t>(i)];
                sum(0, p.m, l, k, packed.data(), sums.data() + i * p.m);
            }
        });
        const T* next = sums.data();
        T total[kFew];
        merge(p.k, next, total);
        put(0, p.m, total);
    }
    void cut(int64_t l, int64_t k, std::vector<std::pair<int64_t, int64_t>>& parts) const {
        if (k <= kPartTerms) return parts.emplace_back(l, k), void();
        cut(l, half_of(k), parts);
        cut(l + half_of(k), k - half_of(k), parts);
    }
    void merge(int64_t k, const T*& next, T* sums) const {
        if (k <= kPartTerms) {
            std::copy_n(next, p.m, sums);
            next += p.m;
            return;
        }
        T rest[kFew];
        merge(half_of(k), next, sums);
        merge(k - half_of(k), next, rest);
        for (int64_t q = 0; q < p.m; ++q) sums[q] += rest[q];
    }

    void put(int64_t i, int64_t count, const T* sums) const {
        T* to = reinterpret_cast<T*>(c.data) + i * c.row;
        for (int64_t q = 0; q < count; ++q) to[q * c.row] = p.accumulate ? to[q * c.row] + sums[q] : sums[q];
    }

    /// Rows [begin, end) of C.
    void rows(int64_t begin, int64_t end) const {
        const Scratch packed(packed_bytes());
        for (int64_t i = begin; i < end; i += most) {
            T sums[kRows];
            const int64_t count = std::min(most, end - i);
            sum(i, count, 0, p.k, packed.data(), sums);
            put(i, count, sums);
        }
    }

    /// sums[q] = Σ a x of row i + q, over k terms from l on: in halves of whole blocks, so that a long sum
    /// loses nothing to its length.
    void sum(int64_t i, int64_t count, int64_t l, int64_t k, std::byte* packed, T* sums) const {
        if (k <= kBlock) return sum_block(i, count, l, k, packed, sums);
        const int64_t half = half_of(k);
        T rest[kRows];
        sum(i, count, l, half, packed, sums);
        sum(i, count, l + half, k - half, packed, rest);
        for (int64_t q = 0; q < count; ++q) sums[q] += rest[q];
    }

    void sum_block(int64_t i, int64_t count, int64_t l, int64_t k, std::byte* packed, T* sums) const {
        const std::byte* rows = a.data + (i * a.row + l * a.column) * kSize;
        const std::byte* factors = x.data + l * x.row * kSize;
        if (pack_x) {
            kernel.pack(1, k, factors, 0, x.row, k, packed);
            factors = packed;
            packed += k * kSize + kernels::kMaxVector;
        }
        if (!pack_a) return kernel.dots(count, k, rows, a.row, p.k > 1 ? a.column : 1, factors, sums);
        const bool alone = p.m == 1;
        alone ? kernel.pack(1, k, rows, 0, a.column, k, packed)
              : kernel.pack(k, count, rows, a.column, a.row, count, packed);
        kernel.dots(count, k, packed, 1, alone ? 1 : count, factors, sums);
    }
};

template <class T>
void multiply_column(const ColumnProduct<T>& product) {
    const Product& p = product.p;
    constexpr int64_t kFew = ColumnProduct<T>::kFew;
    if (p.m <= std::min(kFew, product.most) && p.k > kPartTerms && threads_for(product_cost(p)) > 1)
        return product.few_rows();
    parallel_for(p.m, kFew, product_cost(p) / p.m,
                 [&](int64_t begin, int64_t end) { product.rows(begin, end); });
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
#if defined(REEL_BLAS)
    if (blas_gemm(p, a, b, c)) return;
#endif
    if (!p.accumulate && (p.k == 0 || p.dtype == kInt64)) {
        for (int64_t i = 0; i < p.m; ++i) {
            std::memset(c.data + i * c.row * itemsize(p.dtype), 0,
                        static_cast<std::size_t>(p.n * itemsize(p.dtype)));
        }
    }
    if (p.k == 0) return;
    if (p.dtype == kInt64) return integer_product(p, a, b, c);
    if (p.n > 1) return multiply(BlockedProduct{p, a, b, c});
    p.dtype == kFloat32 ? multiply_column(ColumnProduct<float>{p, a, b, c})
                        : multiply_column(ColumnProduct<double>{p, a, b, c});
}

}  // namespace reel
