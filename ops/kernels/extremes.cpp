// The largest and the smallest element with its index: NaN wins, then the first of equals. And the next one beyond a limit.
#include "ops/kernels/reduce.hpp"

namespace reel::kernels::REEL_SET {

namespace {

using std::int64_t;

/// An index as wide as an element, so that both are chosen by the same mask.
template <class T>
using Index = std::conditional_t<sizeof(T) == 8, std::int64_t, std::int32_t>;

/// How many lanes are set before the first that is not.
template <class T>
int64_t leading(const xsimd::batch_bool<T>& m) {
#if defined(__AVX512F__)
    return std::countr_one(static_cast<std::uint32_t>(m.data));
#elif defined(__AVX2__)
    const int bytes = _mm256_movemask_epi8(std::bit_cast<__m256i>(m));
    return std::countr_one(static_cast<std::uint32_t>(bytes)) / static_cast<int64_t>(sizeof(T));
#else
    alignas(Vec<T>) bool set[Vec<T>::size];
    m.store_aligned(set);
    return std::find(set, set + kWidth<T>, false) - set;
#endif
}

/// The first element that is not `within`, a test of numbers and of vectors; n where there is none.
template <class T>
int64_t first_outside(int64_t n, const T* x, const auto& within) {
    int64_t i = 0;
    if constexpr (sizeof(T) > 1) {
        constexpr int64_t w = kWidth<T>;
        const auto at = [&](int64_t k) { return within(load(x + i + k * w)); };
        while (i + 4 * w <= n && xsimd::all((at(0) && at(1)) && (at(2) && at(3)))) i += 4 * w;
        for (; i + w <= n; i += w) {
            if (const int64_t count = leading<T>(at(0)); count < w) return i + count;
        }
    }
    while (i < n && within(x[i])) ++i;
    return i;
}

/// Where the first element equal to `wanted` is; it is known to be there. A NaN is equal to any other.
template <class T>
int64_t position(const T* x, T wanted, int64_t n) {
    return first_outside(n, x, [&]<class V>(const V& v) { return v == v && !(v == V(wanted)); });
}

/// The extreme of each block at the speed of `amax`; then the first element equal to the best, in its block
/// alone.
template <class F, class T>
Extreme<T> find(int64_t n, const T* x) {
    constexpr int64_t kBlock = 1024;  // is in L1 still when it is searched
    T best = reduce_row<F, T>(std::min(kBlock, n), x);
    int64_t block = 0;
    for (int64_t i = kBlock; i < n; i += kBlock) {
        const T value = reduce_row<F, T>(std::min(kBlock, n - i), x + i);
        if (F::loses(value, best)) continue;
        best = value;
        block = i;
    }
    const int64_t i = block + position(x + block, best, n - block);
    return {x[i], i};
}

template <class F, class T>
void rows(int64_t count, int64_t n, const void* x, int64_t stride, int64_t first, void* y) {
    for (int64_t i = 0; i < count; ++i) {
        const T* row = static_cast<const T*>(x) + i * stride;
        fetch_next(row, n, stride);
        const Extreme<T> found = find<F, T>(n, row);
        static_cast<Extreme<T>*>(y)[i] = {found.value, first + found.index};
    }
}

/// best[j] and at[j], the extreme of a column and its row, after kCount more rows, the first of which is row `first`.
template <class F, int64_t kCount, class T>
void take_rows(int64_t first, int64_t columns, const T* x, int64_t stride, T* best, Index<T>* at) {
    int64_t j = 0;
    if constexpr (std::is_floating_point_v<T>) {  // of integers the compiler makes as much
        using Rows = Vec<Index<T>>;
        for (; j + kWidth<T> <= columns; j += kWidth<T>) {
            Vec<T> value = load(best + j);
            Rows row = load(at + j);
            for (int64_t k = 0; k < kCount; ++k) {
                const Vec<T> next = load(x + k * stride + j);
                const auto loses = F::loses(next, value);
                value = xsimd::select(loses, value, next);
                row = xsimd::select(std::bit_cast<typename Rows::batch_bool_type>(loses), row,
                                    Rows(static_cast<Index<T>>(first + k)));
            }
            value.store_unaligned(best + j);
            row.store_unaligned(at + j);
        }
    }
    for (int64_t k = 0; k < kCount; ++k) {
        for (int64_t i = j; i < columns; ++i) {
            const T next = x[k * stride + i];
            const bool loses = F::loses(next, best[i]);
            best[i] = loses ? best[i] : next;
            at[i] = loses ? at[i] : static_cast<Index<T>>(first + k);
        }
    }
}

template <class F, class T>
void strip(int64_t count, int64_t columns, const T* x, int64_t stride, int64_t first, Extreme<T>* y) {
    constexpr int64_t kMany = 4;
    T best[kStrip];
    Index<T> at[kStrip] = {};
    std::copy_n(x, columns, best);
    int64_t i = 1;
    for (; i + kMany <= count; i += kMany) take_rows<F, kMany>(i, columns, x + i * stride, stride, best, at);
    for (; i < count; ++i) take_rows<F, 1>(i, columns, x + i * stride, stride, best, at);
    for (int64_t j = 0; j < columns; ++j) y[j] = {best[j], first + at[j]};
}

template <class F, class T>
void columns(int64_t count, int64_t columns, const void* x, int64_t stride, int64_t first, void* y) {
    for (int64_t j = 0; j < columns; j += kStrip) {
        strip<F, T>(count, std::min(kStrip, columns - j), static_cast<const T*>(x) + j, stride, first,
                    static_cast<Extreme<T>*>(y) + j);
    }
}

/// Rows come in the order of their indices.
template <class F, class T>
void merge(int64_t count, int64_t columns, const void* states, int64_t stride, int64_t, void* y) {
    const auto* x = static_cast<const Extreme<T>*>(states);
    auto* best = static_cast<Extreme<T>*>(y);
    std::copy_n(x, columns, best);
    for (int64_t i = 1; i < count; ++i) {
        for (int64_t j = 0; j < columns; ++j) {
            const Extreme<T>& next = x[i * stride + j];
            if (!F::loses(next.value, best[j].value)) best[j] = next;
        }
    }
}

template <class F, class T>
void add(Table& table, ReduceOp op) {
    using Element = Stored<T>;
    add_reduction<T>(table, op,
                     {sizeof(Extreme<Element>), &rows<F, Element>, &columns<F, Element>, &merge<F, Element>});
}

/// The first element that is not at most the limit, or (`kAbove` false) not at least: a NaN is neither.
template <bool kAbove, class T>
int64_t beyond(int64_t n, const void* x, const void* bound) {
    const T limit = *static_cast<const T*>(bound);
    return first_outside(n, static_cast<const T*>(x),
                         [&]<class V>(const V& v) { return kAbove ? v <= V(limit) : v >= V(limit); });
}

template <class T>
void add_all(Table& table) {
    add<Max, T>(table, ReduceOp::kArgMax);
    add<Min, T>(table, ReduceOp::kArgMin);
    table.beyond[0][static_cast<std::size_t>(dtype_of<T>())] = &beyond<false, Stored<T>>;
    table.beyond[1][static_cast<std::size_t>(dtype_of<T>())] = &beyond<true, Stored<T>>;
}

}  // namespace

void install_extremes(Table& table) {
    add_all<float>(table);
    add_all<double>(table);
    add_all<int64_t>(table);
    add_all<bool>(table);
}

}  // namespace reel::kernels::REEL_SET
