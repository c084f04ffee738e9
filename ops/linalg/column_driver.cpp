// Products with one column: sums along k whose lanes and blocks are added by halves.
#include "ops/linalg/column_driver.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "ops/kernels/table.hpp"
#include "tensor/parallel.hpp"
#include "tensor/scratch.hpp"

namespace reel {

namespace {

using std::int64_t;

// Bytes of terms that a sum takes in one go: 32 terms of float32 in each lane. This decides bits.
constexpr int64_t kColumnBytes = 4096;
// Terms of a part of a sum that threads share where there are few rows.
constexpr int64_t kPartTerms = 8192;
// Blocks of one row that are asked for at once: with a call for each, 2^20 terms took 120 µs, not 112 (AMD EPYC, Zen 4).
constexpr int64_t kBlocks = 8;

/// A product with one column: each row of A with x.
template <class T>
struct ColumnProduct {
    static constexpr auto kSize = static_cast<int64_t>(sizeof(T));
    static constexpr int64_t kBlock = kColumnBytes / kSize;
    static constexpr int64_t kRows = 512;  // taken at once
    static constexpr int64_t kFew = 16;    // rows that are one thread's work

    const Product& p;
    const ProductOperands& o;
    Matrix a = o.a, x = o.b;
    int64_t size = itemsize(p.dtype);
    bool pack_x = is_reduced(p.dtype) || (p.k > 1 && x.row != 1);
    bool pack_a = is_reduced(p.dtype) || (p.k > 1 && a.column != 1 && (p.m == 1 || a.row != 1));
    int64_t most = pack_a ? std::min(p.m, kFew) : kRows;
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
        const ProductOperands at = o.at(p, i, 0, 0);
        T* to = reinterpret_cast<T*>(at.c.data);
        const T* start = reinterpret_cast<const T*>(at.start.data);
        for (int64_t q = 0; q < count; ++q)
            to[q * o.c.row] = start ? start[q * o.start.row] + sums[q] : sums[q];
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

    /// sums[q] = Σ a x of row i + q, over k terms from l on.
    void sum(int64_t i, int64_t count, int64_t l, int64_t k, std::byte* packed, T* sums) const {
        const ProductOperands at = o.at(p, i, 0, l);
        sum(count, k, at.a.data, at.b.data, packed, sums);
    }

    /// In halves of whole blocks, so that a long sum loses nothing to its length.
    void sum(int64_t count, int64_t k, const std::byte* rows, const std::byte* factors, std::byte* packed,
             T* sums) const {
        if (k <= kBlock) return sum_block(count, k, rows, factors, packed, sums);
        if (k <= kBlocks * kBlock && p.m == 1 && !pack_a && !pack_x)
            return sum_blocks(k, rows, factors, sums);
        const int64_t half = half_of(k);
        T rest[kRows];
        sum(count, half, rows, factors, packed, sums);
        sum(count, k - half, rows + half * a.column * size, factors + half * x.row * size, packed, rest);
        for (int64_t q = 0; q < count; ++q) sums[q] += rest[q];
    }

    void sum_blocks(int64_t k, const std::byte* row, const std::byte* factors, T* sum) const {
        T parts[kBlocks];
        const int64_t whole = k / kBlock;
        const int64_t bytes = whole * kBlock * kSize;
        kernel.dots(whole, kBlock, row, kBlock, 1, factors, kBlock, parts);
        if (k % kBlock > 0) kernel.dots(1, k % kBlock, row + bytes, 0, 1, factors + bytes, 0, parts + whole);
        *sum = merge_blocks(k, parts);
    }
    static T merge_blocks(int64_t k, const T* parts) {
        if (k <= kBlock) return *parts;
        const int64_t half = half_of(k);
        return merge_blocks(half, parts) + merge_blocks(k - half, parts + half / kBlock);
    }

    void sum_block(int64_t count, int64_t k, const std::byte* rows, const std::byte* factors,
                   std::byte* packed, T* sums) const {
        if (pack_x) {
            kernel.pack(1, k, factors, 0, x.row, k, packed);
            factors = packed;
            packed += k * kSize + kernels::kMaxVector;
        }
        if (!pack_a) return kernel.dots(count, k, rows, a.row, p.k > 1 ? a.column : 1, factors, 0, sums);
        kernel.pack(count, k, rows, a.row, a.column, k, packed);
        kernel.dots(count, k, packed, k, 1, factors, 0, sums);
    }
};

template <class T>
void multiply_typed(const Product& p, const ProductOperands& o) {
    const ColumnProduct<T> product{p, o};
    constexpr int64_t kFew = ColumnProduct<T>::kFew;
    if (p.m <= std::min(kFew, product.most) && p.k > kPartTerms && threads_for(product_cost(p)) > 1)
        return product.few_rows();
    parallel_for(p.m, kFew, product_cost(p) / p.m,
                 [&](int64_t begin, int64_t end) { product.rows(begin, end); });
}

}  // namespace

void multiply_column(const Product& p, const ProductOperands& o) {
    if (p.dtype == kFloat64) return multiply_typed<double>(p, o);
    p.dtype == kInt64 ? multiply_typed<std::uint64_t>(p, o) : multiply_typed<float>(p, o);
}

}  // namespace reel
