/// \file
/// Fibres vector by vector: how the loops of the softmax family read and write a row, or fibres that lie side by side.
#pragma once

#include <algorithm>
#include <limits>

#include "ops/kernels/stored_as.hpp"
#include "tensor/stream.hpp"

namespace reel::kernels::REEL_SET {

using std::int64_t;

/// The most fibres of a group, and room for the last vector to run over.
inline constexpr std::int64_t kGroup = kMaxFibres + 16;

/// Calls f(l, lanes) for every vector of the group's lanes from `first` on; the last one overlaps its neighbour, or is
/// partly filled where there are fewer lanes than a vector has.
template <class T, class F>
void for_each_vector(std::int64_t first, std::int64_t count, const F& f) {
    constexpr std::int64_t w = kWidth<T>;
    if (count < w) return f(first, count);
    for (std::int64_t l = first; l < count; l += w) f(l + w <= count ? l : count - w, w);
}
template <class T, class F>
void for_each_vector(std::int64_t count, const F& f) {
    for_each_vector<T>(0, count, f);
}

/// A vector of each of a group's fibres: element c of W fibres that lie side by side. Fibres are stored as
/// `S` and computed in `T`.
template <class T, class S>
struct Lanes {
    const S* x;
    int64_t stride;
    Vec<T> operator()(int64_t c) const { return load_as<T>(x + c * stride); }
};

/// The same of fewer than W fibres; the other lanes repeat the last.
template <class T, class S>
struct FewLanes {
    const S* x;
    int64_t stride;
    int64_t count;
    Vec<T> operator()(int64_t c) const { return load_some_as<T>(x + c * stride, count); }
};

/// One dense fibre, a vector at a time.
template <class T, class S>
struct Row {
    const S* x;
    Vec<T> operator()(int64_t v) const { return load_as<T>(x + v * kWidth<T>); }
};

/// The same, while the memory that is `ahead` elements further is brought nearer: the next row, which would
/// be waited for while its maximum is looked for.
template <class T, class S>
struct RowBeforeNext {
    const S* x;
    int64_t ahead;
    Vec<T> operator()(int64_t v) const {
        prefetch(x + v * kWidth<T>, ahead);
        return load_as<T>(x + v * kWidth<T>);
    }
};

template <class T>
inline constexpr T kIota[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/// What is left of a row after its whole vectors, filled up with -inf.
template <class T, class S>
Vec<T> row_tail(const S* x, int64_t n) {
    constexpr T kNothing = -std::numeric_limits<T>::infinity();
    if (n == 0) return Vec<T>(kNothing);
    return xsimd::select(load(kIota<T>) < Vec<T>(static_cast<T>(n)), load_first_as<T>(x, n),
                         Vec<T>(kNothing));
}

/// f(z) for `lanes` fibres side by side, which may be fewer than a vector has; z(c) is element c of each.
template <class T, class S, class F>
void with_lanes(int64_t lanes, const S* x, int64_t stride, const F& f) {
    if (lanes == kWidth<T>) {
        f(Lanes<T, S>{x, stride});
    } else {
        f(FewLanes<T, S>{x, stride, lanes});
    }
}

/// y[i] = f(a[i], b[i]) on n elements; past the caches from the first aligned one on, where y `streams`. Who writes
/// rows so waits for them when all are written (`finish`): after each row it would take longer than a short one.
template <class T, class F>
void map_rows(int64_t n, const T* a, const T* b, T* y, bool streams, const F& f) {
    int64_t i = 0;
    if (streams) {
        const auto misplaced =
            static_cast<int64_t>(reinterpret_cast<std::uintptr_t>(y) % sizeof(Vec<T>) / sizeof(T));
        if (misplaced > 0) {
            i = std::min(n, kWidth<T> - misplaced);
            store_some<T>(y, f(load_some(a, i), load_some(b, i)), i);
        }
        for (; i + kWidth<T> <= n; i += kWidth<T>) stream(y + i, f(load(a + i), load(b + i)));
    }
    for (; i + kWidth<T> <= n; i += kWidth<T>) f(load(a + i), load(b + i)).store_unaligned(y + i);
    if (i == n) return;
    if (n < kWidth<T> || streams || y == a || y == b)
        return store_some<T>(y + i, f(load_some(a + i, n - i), load_some(b + i, n - i)), n - i);
    i = n - kWidth<T>;  // overlaps the one before
    f(load(a + i), load(b + i)).store_unaligned(y + i);
}
inline void finish(const Panel& y) {
    if (y.streams) finish_stream();
}
/// The same of one row.
template <class T, class F>
void map_row(int64_t n, const T* x, T* y, bool streams, const F& f) {
    map_rows<T>(n, x, x, y, streams, [&](const Vec<T>& v, const Vec<T>&) { return f(v); });
}

/// y[c · stride] = f(x(c)), element after element of `lanes` fibres side by side.
template <class T, class F>
void map_lanes(int64_t n, int64_t lanes, const auto& x, T* y, int64_t stride, const F& f) {
    if (lanes == kWidth<T>) {
        for (int64_t c = 0; c < n; ++c) f(x(c)).store_unaligned(y + c * stride);
    } else {
        for (int64_t c = 0; c < n; ++c) store_some<T>(y + c * stride, f(x(c)), lanes);
    }
}

}  // namespace reel::kernels::REEL_SET
