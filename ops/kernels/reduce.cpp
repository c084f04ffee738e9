// Sums, products, maxima and minima of dense rows and columns.
#include "ops/kernels/fold.hpp"

namespace reel::kernels::REEL_SET {

namespace {

using std::int64_t;

template <class F, class T>
void rows(int64_t count, int64_t n, const void* x, int64_t stride, int64_t, void* y) {
    for (int64_t i = 0; i < count; ++i) {
        static_cast<T*>(y)[i] = fold_row<F, T>(n, static_cast<const T*>(x) + i * stride);
    }
}

/// Few columns, dense: a group of rows is read as one wide row, so that vectors are full.
template <class F, class T>
void narrow_columns(int64_t count, int64_t columns, const T* x, T* y) {
    const F f;
    const int64_t group = kStrip / columns;
    const int64_t rest = count % group;
    T wide[kStrip];
    fold_strip<F, T>(count / group, group * columns, x, group * columns, wide);
    fold_strip<F, T>(group, columns, wide, columns, y);
    fold_strip<F, T>(rest, columns, x + (count - rest) * columns, columns, wide);
    for (int64_t j = 0; j < columns; ++j) y[j] = f(y[j], wide[j]);
}

template <class F, class T>
void columns(int64_t count, int64_t columns, const void* matrix, int64_t stride, int64_t, void* states) {
    const T* x = static_cast<const T*>(matrix);
    T* y = static_cast<T*>(states);
    if (columns <= kStrip / 8 && stride == columns && count >= 2 * kStrip / columns) {
        return narrow_columns<F, T>(count, columns, x, y);
    }
    for (int64_t j = 0; j < columns; j += kStrip) {
        fold_strip<F, T>(count, std::min(kStrip, columns - j), x + j, stride, y + j);
    }
}

template <class F, class T>
void add(Table& table, Fold fold) {
    using Element = Stored<T>;
    add_fold<T>(table, fold,
                {sizeof(Element), &rows<F, Element>, &columns<F, Element>, &columns<F, Element>});
}

template <class F>
void add_numbers(Table& table, Fold fold) {
    add<F, float>(table, fold);
    add<F, double>(table, fold);
    add<F, int64_t>(table, fold);
}

}  // namespace

void install_reduce(Table& table) {
    add_numbers<Sum>(table, Fold::kSum);
    add_numbers<Prod>(table, Fold::kProd);
    add_numbers<Max>(table, Fold::kMax);
    add_numbers<Min>(table, Fold::kMin);
    add<Max, bool>(table, Fold::kMax);
    add<Min, bool>(table, Fold::kMin);
}

}  // namespace reel::kernels::REEL_SET
