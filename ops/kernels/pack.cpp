// Packing: panels of an operand, in the order in which a tile reads them, from wherever its strides say, and in
// the type that is computed in.
#include <algorithm>

#include "ops/kernels/gemm.hpp"

namespace reel::kernels::REEL_SET {

namespace {

using std::int64_t;

/// A panel whose rows are dense in memory. Here and below a row's last vector runs into the next row, which
/// is written after it.
template <class T, class From>
void copy_panel(int64_t k, int64_t n, const From* from, int64_t along, int64_t width, T* to) {
    for (int64_t l = 0; l < k; ++l) {
        const From* x = from + l * along;
        T* y = to + l * width;
        int64_t j = 0;
        for (; j + kWidth<T> <= n; j += kWidth<T>) load(x + j).store_unaligned(y + j);
        if (j < n) load_first(x + j, n - j).store_unaligned(y + j);
    }
}

/// A panel whose columns are dense in memory: squares of vectors are transposed, the last columns first.
template <class T, class From>
void transpose_panel(int64_t k, int64_t n, const From* from, int64_t across, int64_t width, T* to) {
    for (int64_t j = (n - 1) / kWidth<T> * kWidth<T>; j >= 0; j -= kWidth<T>) {
        const DenseColumns<T, From> columns(from + j * across, across, n - j);
        Vec<T> rows[Vec<T>::size];
        int64_t l = 0;
        for (; l + kWidth<T> <= k; l += kWidth<T>) {
            columns.read(l, rows);
            for (int64_t i = 0; i < kWidth<T>; ++i) rows[i].store_unaligned(to + (l + i) * width + j);
        }
        if (l == k) continue;
        columns.read_first(l, k - l, rows);
        for (int64_t i = 0; i < k - l; ++i) rows[i].store_unaligned(to + (l + i) * width + j);
    }
}

template <class T, class From>
void gather_panel(int64_t k, int64_t n, const From* from, int64_t along, int64_t across, int64_t width,
                  T* to) {
    for (int64_t l = 0; l < k; ++l) {
        for (int64_t j = 0; j < width; ++j)
            to[l * width + j] = static_cast<T>(from[l * along + std::min(j, n - 1) * across]);
    }
}

template <class T, class From = T>
void pack(int64_t k, int64_t n, const void* x, int64_t along, int64_t across, int64_t width, void* y) {
    const auto* from = static_cast<const From*>(x);
    auto* to = static_cast<T*>(y);
    for (int64_t j = 0; j < n; j += width) {
        const int64_t count = std::min(width, n - j);
        if (across == 1 || count == 1) {
            copy_panel(k, count, from, along, width, to);
        } else if (along == 1 && k > 1) {
            transpose_panel(k, count, from, across, width, to);
        } else {
            gather_panel(k, count, from, along, across, width, to);
        }
        from += count * across;
        to += k * width;
    }
}

}  // namespace

void install_pack(Table& table) {
    table.gemm[static_cast<std::size_t>(kFloat32)].pack = &pack<float>;
    table.gemm[static_cast<std::size_t>(kFloat64)].pack = &pack<double>;
    table.gemm[static_cast<std::size_t>(kInt64)].pack = &pack<std::uint64_t>;
    table.gemm[static_cast<std::size_t>(kFloat16)].pack = &pack<float, Half>;
    table.gemm[static_cast<std::size_t>(kBFloat16)].pack = &pack<float, BFloat16>;
}

}  // namespace reel::kernels::REEL_SET
