// Windows sliding over planes: unfolding them into the columns of a matrix (convolution), and max pooling.
#include <algorithm>

#include "ops/kernels/window.hpp"

namespace reel::kernels::REEL_SET {

namespace {

using std::int64_t;

/// The columns of the window that any result of a row sees inside the plane.
Inside seen_columns(const Sliding& s) {
    const int64_t span = (s.out_width - 1) * s.stride_width;
    return {span - s.padding_width, s.dilation_width, span + s.width, s.kernel_width};
}

/// A place in a plane, as wide as an element, so that both fit the same vectors.
template <class T>
using Place = std::conditional_t<sizeof(T) == 4, std::int32_t, int64_t>;

/// Calls f(column, x, inside) for every place of the window, every plane and output row: `column`
/// points to the row's results in the columns, `x` to where the first of the results `inside` reads.
template <class Element, class Column, class F>
void for_rows(const Sliding& s, int64_t planes, int64_t begin, int64_t end, Element* x, Column* columns,
              const F& f) {
    for (int64_t c = 0; c < planes; ++c, x += s.height * s.width) {
        for (int64_t i = 0; i < s.kernel_height; ++i) {
            for (int64_t j = 0; j < s.kernel_width; ++j) {
                const int64_t left = j * s.dilation_width - s.padding_width;
                const Inside across(left, s.stride_width, s.width, s.out_width);
                for (int64_t out = begin; out < end; ++out, columns += s.out_width) {
                    const int64_t row = out * s.stride_height + i * s.dilation_height - s.padding_height;
                    if (row < 0 || row >= s.height || across.first == across.last) {
                        f(columns, x, Inside(0, 1, 0, 0));
                    } else {
                        f(columns, x + (row * s.width + left + across.first * s.stride_width), across);
                    }
                }
            }
        }
    }
}

template <class T>
void unfold(const Sliding& s, int64_t planes, int64_t begin, int64_t end, const void* from, void* to) {
    for_rows(s, planes, begin, end, static_cast<const T*>(from), static_cast<T*>(to),
             [&](T* column, const T* x, const Inside& inside) {
                 T* seen = std::fill_n(column, inside.first, T(0));
                 const int64_t count = inside.last - inside.first;
                 if (s.stride_width == 1) {
                     std::copy_n(x, count, seen);
                 } else {
                     for (int64_t o = 0; o < count; ++o) seen[o] = x[o * s.stride_width];
                 }
                 std::fill(seen + count, column + s.out_width, T(0));
             });
}

template <class T>
void fold(const Sliding& s, int64_t planes, int64_t begin, int64_t end, const void* from, void* to) {
    for_rows(s, planes, begin, end, static_cast<T*>(to), static_cast<const T*>(from),
             [&](const T* column, T* x, const Inside& inside) {
                 const T* seen = column + inside.first;
                 const int64_t count = inside.last - inside.first;
                 if (s.stride_width == 1) {
                     for (int64_t o = 0; o < count; ++o) x[o] += seen[o];
                 } else {
                     for (int64_t o = 0; o < count; ++o) x[o * s.stride_width] += seen[o];
                 }
             });
}

/// Max pooling's results of one output row, [begin, end): for every place of the window in turn, all of them.
/// `kStride` is known where it is one that the compiler can make vectors for; 0: it is not.
template <class T, int64_t kStride>
void max_strip(const Sliding& s, const T* x, int64_t out, int64_t begin, int64_t end, T* best,
               Place<T>* indices) {
    const int64_t stride = kStride ? kStride : s.stride_width;
    const int64_t top = out * s.stride_height - s.padding_height;
    const Inside rows(top, s.dilation_height, s.height, s.kernel_height);
    const Inside columns = seen_columns(s);
    const int64_t first_row = (top + rows.first * s.dilation_height) * s.width;
    // A window that shows nothing above -inf: its first place. One that shows nothing at all has none, -1.
    for (int64_t o = begin; o < end; ++o) {
        const int64_t left = o * stride - s.padding_width;
        const int64_t outside = left >= 0 ? 0 : (-left + s.dilation_width - 1) / s.dilation_width;
        const int64_t column = left + outside * s.dilation_width;
        const bool nothing = rows.first == rows.last || outside >= s.kernel_width || column >= s.width;
        best[o - begin] = -std::numeric_limits<T>::infinity();
        indices[o - begin] = static_cast<Place<T>>(nothing ? -1 : first_row + column);
    }
    for (int64_t i = rows.first; i < rows.last; ++i) {
        const int64_t row = top + i * s.dilation_height;
        for (int64_t j = columns.first; j < columns.last; ++j) {
            const int64_t left = j * s.dilation_width - s.padding_width;
            const Inside inside(left, stride, s.width, s.out_width);
            const int64_t first = std::max(inside.first, begin);
            if (first >= std::min(inside.last, end)) continue;
            const auto count = static_cast<Place<T>>(std::min(inside.last, end) - first);
            const int64_t start = row * s.width + left + first * stride;
            const T* from = x + start;
            const auto at = static_cast<Place<T>>(start);
            T* to = best + (first - begin);
            Place<T>* place = indices + (first - begin);
            for (Place<T> o = 0; o < count; ++o) {
                const T value = from[o * static_cast<Place<T>>(stride)];
                const bool better =
                    static_cast<bool>(static_cast<int>(value > to[o]) | static_cast<int>(value != value));
                to[o] = better ? value : to[o];
                place[o] = better ? at + o * static_cast<Place<T>>(stride) : place[o];
            }
        }
    }
}

/// The maxima of a vector of windows inside the plane, the first at `corner`; f(from) loads what is at their same place.
/// Where in its window a winner stood is counted as a `T`, so that one mask chooses both.
template <class T>
struct Maxima {
    Vec<T> top = Vec<T>(-std::numeric_limits<T>::infinity());
    Vec<T> at = Vec<T>(T(0));

    Maxima(const Sliding& s, const T* corner, const auto& f) {
        for (int64_t i = 0; i < s.kernel_height; ++i) {
            for (int64_t j = 0; j < s.kernel_width; ++j) {
                const int64_t offset = i * s.dilation_height * s.width + j * s.dilation_width;
                const Vec<T> value = f(corner + offset);
                const auto better = value > top || is_nan(value);
                top = xsimd::select(better, value, top);
                at = xsimd::select(better, Vec<T>(static_cast<T>(offset)), at);
            }
        }
    }
};

/// Max pooling's results of one output row where every window lies inside the plane, a vector of neighbouring windows at
/// a time: also of those that no result asks for, which costs less than picking the others. `x` and `place` are
/// those of the first window's corner; as much as a vector may be read past the last.
template <class T>
void max_row(const Sliding& s, const T* x, int64_t place, T* y, int64_t* indices) {
    constexpr int64_t kStrip = 128;
    const int64_t step = s.stride_width;
    for (int64_t first = 0; first < s.out_width; first += kStrip / step) {
        const int64_t results = std::min(kStrip / step, s.out_width - first);
        T best[kStrip];
        T where[kStrip];
        for (int64_t p = 0; p < (results - 1) * step + 1; p += kWidth<T>) {
            const Maxima<T> found(s, x + first * step + p, load<T>);
            found.top.store_unaligned(best + p);
            found.at.store_unaligned(where + p);
        }
        for (int64_t o = 0; o < results; ++o) {
            y[first + o] = best[o * step];
            indices[first + o] = place + (first + o) * step + static_cast<int64_t>(where[o * step]);
        }
    }
}

/// The same where windows are a step or two apart: only of those asked for. The last vector begins where it is whole.
template <class T, int64_t kStep>
void max_near_row(const Sliding& s, const T* x, int64_t place, T* y, int64_t* indices) {
    const auto load_apart = [](const T* from) {
        static constexpr auto kEven = [](int64_t i) { return 2 * i; };
        if constexpr (kStep == 1) return load(from);
        return shuffled<kEven, T>(load(from), load(from + kWidth<T>),
                                  std::make_index_sequence<Vec<T>::size>());
    };
    const int64_t count = std::min(s.out_width, kWidth<T>);
    for (int64_t o = 0; o < s.out_width; o += kWidth<T>) {
        const int64_t first = std::min(o, s.out_width - count);
        const Maxima<T> found(s, x + first * kStep, load_apart);
        alignas(Vec<T>) T best[Vec<T>::size];
        alignas(Vec<T>) T where[Vec<T>::size];
        found.top.store_aligned(best);
        found.at.store_aligned(where);
        // Of a count that the compiler doesn't know: it would write a known one element by element.
        for (int64_t i = 0; i < count; ++i) {
            y[first + i] = best[i];
            indices[first + i] = place + (first + i) * kStep + static_cast<Place<T>>(where[i]);
        }
    }
}

/// From the corner of a window to the end of what `max_row` and `max_near_row` read for a row of them.
template <class T>
int64_t reach_of_row(const Sliding& s) {
    return (s.kernel_height - 1) * s.dilation_height * s.width + (s.kernel_width - 1) * s.dilation_width +
           (s.out_width - 1) * s.stride_width + 2 * kWidth<T>;
}

/// Whether these serve: no window reaches outside, neighbouring windows are worth computing for the few
/// asked for, and a `T` counts the places.
template <class T>
bool has_rows(const Sliding& s) {
    constexpr int64_t kMostStride = 4;
    return s.padding_height == 0 && s.padding_width == 0 && s.stride_width <= kMostStride &&
           (s.out_height - 1) * s.stride_height + (s.kernel_height - 1) * s.dilation_height < s.height &&
           (s.out_width - 1) * s.stride_width + (s.kernel_width - 1) * s.dilation_width < s.width &&
           reach_of_row<T>(s) < int64_t{1} << std::numeric_limits<T>::digits;
}

/// The same of one output row of any kind.
template <class T>
void max_any_row(const Sliding& s, const T* x, int64_t out, T* y, int64_t* indices) {
    constexpr int64_t kStrip = 64;
    const auto strip = s.stride_width == 1   ? &max_strip<T, 1>
                       : s.stride_width == 2 ? &max_strip<T, 2>
                                             : &max_strip<T, 0>;
    T best[kStrip];
    Place<T> where[kStrip];
    for (int64_t begin = 0; begin < s.out_width; begin += kStrip) {
        const int64_t end = std::min(begin + kStrip, s.out_width);
        strip(s, x, out, begin, end, best, where);
        std::copy(best, best + (end - begin), y + begin);
        std::copy(where, where + (end - begin), indices + begin);
    }
}

template <class T>
void max(const Sliding& s, int64_t planes, const void* from, void* to, int64_t* indices) {
    const auto* x = static_cast<const T*>(from);
    auto* y = static_cast<T*>(to);
    const auto row = s.stride_width == 1   ? &max_near_row<T, 1>
                     : s.stride_width == 2 ? &max_near_row<T, 2>
                                           : &max_row<T>;
    const int64_t rows_end = has_rows<T>(s) ? planes * s.height * s.width - reach_of_row<T>(s) : -1;
    for (int64_t c = 0; c < planes; ++c) {
        const int64_t plane = c * s.height * s.width;
        for (int64_t out = 0; out < s.out_height; ++out, y += s.out_width, indices += s.out_width) {
            const int64_t corner = out * s.stride_height * s.width;
            if (plane + corner <= rows_end) {
                row(s, x + plane + corner, corner, y, indices);
            } else {
                max_any_row<T>(s, x + plane, out, y, indices);
            }
        }
    }
}

template <class T>
void max_backward(const Sliding& s, int64_t planes, const void* from, const int64_t* indices, void* to) {
    const auto* y = static_cast<const T*>(from);
    auto* x = static_cast<T*>(to);
    const int64_t results = s.out_height * s.out_width;
    for (int64_t c = 0; c < planes; ++c, x += s.height * s.width, y += results, indices += results) {
        for (int64_t o = 0; o < results; ++o) {
            if (indices[o] >= 0) x[indices[o]] += y[o];
        }
    }
}

template <class T>
void add_window(Table& table) {
    Window& window = table.window[static_cast<std::size_t>(dtype_of<T>())];
    window.unfold = &unfold<T>;
    window.fold = &fold<T>;
    window.max = &max<T>;
    window.max_backward = &max_backward<T>;
}

}  // namespace

void install_window(Table& table) {
    add_window<float>(table);
    add_window<double>(table);
}

}  // namespace reel::kernels::REEL_SET
