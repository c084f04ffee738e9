// Sums over windows sliding over planes, times a scale each: average pooling. The lines that the windows of a row of
// results see are added first, column by column; of these sums a window takes those of its columns.
#include <algorithm>
#include <vector>

#include "ops/kernels/window.hpp"

namespace reel::kernels::REEL_SET {

namespace {

using std::int64_t;

/// Rows of numbers by column, each with zeros on both sides as far as a narrow window reaches.
template <class T>
class PaddedRows {
public:
    static constexpr int64_t kMostKernel = 16;
    static constexpr int64_t kMostStride = 4;

    PaddedRows(int64_t rows, int64_t width)
        : step_(width + kBefore + kAfter), numbers_(static_cast<std::size_t>(rows * step_)) {}
    T* operator[](int64_t row) { return numbers_.data() + row * step_ + kBefore; }

private:
    static constexpr int64_t kBefore = kMostKernel;
    static constexpr int64_t kAfter = kMostKernel + 2 * kWidth<T>;
    int64_t step_;
    std::vector<T> numbers_;
};

/// Whether windows are best summed at all columns, a vector of neighbours at a time, also where no result asks for it.
template <class T>
bool is_narrow(const Sliding& s) {
    return s.kernel_width <= PaddedRows<T>::kMostKernel && s.stride_width <= PaddedRows<T>::kMostStride;
}

/// Rows of what is at the first column of windows, or at all columns.
template <class T>
PaddedRows<T> rows_of_sums(const Sliding& s, int64_t rows) {
    return {rows, std::max(s.width, is_narrow<T>(s) ? (s.out_width - 1) * s.stride_width + 1 : 0)};
}

/// Calls f(p, n, Σ_{j < count} x[p + j]) for vectors of places, of which n are in [0, size).
template <class T>
void for_sums(const T* x, int64_t count, int64_t size, const auto& f) {
    for (int64_t p = 0; p < size; p += kWidth<T>) {
        Vec<T> sum = load(x + p);
        for (int64_t j = 1; j < count; ++j) sum = sum + load(x + p + j);
        f(p, std::min(kWidth<T>, size - p), sum);
    }
}

/// Where the windows of one row of results lie: the lines that they see, and in these the columns of each.
struct Row {
    const Sliding& s;
    int64_t top;
    Inside lines;

    Row(const Sliding& sliding, int64_t out)
        : s(sliding),
          top(out * s.stride_height - s.padding_height),
          lines(top, 1, s.height, s.kernel_height) {}
    int64_t count() const { return lines.last - lines.first; }
    /// Of their first element.
    int64_t start() const { return count() > 0 ? (top + lines.first) * s.width : 0; }

    /// Calls f(begin, end) for the columns of window o.
    static void columns(const Sliding& s, int64_t o, const auto& f) {
        const int64_t left = o * s.stride_width - s.padding_width;
        const Inside seen(left, 1, s.width, s.kernel_width);
        f(left + seen.first, left + seen.last);
    }
};

/// y = the sum of `lines` lines of x, by column; what follows in the last vector is 0.
template <class T>
void add_lines(const T* x, int64_t lines, int64_t width, T* y) {
    constexpr int64_t kVectors = 4;
    int64_t p = 0;
    for (; p + kVectors * kWidth<T> <= width; p += kVectors * kWidth<T>) {
        Vec<T> sum[kVectors];
        for (Vec<T>& v : sum) v = Vec<T>(T(0));
        for (int64_t i = 0; i < lines; ++i) {
            for (int64_t v = 0; v < kVectors; ++v) sum[v] = sum[v] + load(x + i * width + p + v * kWidth<T>);
        }
        for (int64_t v = 0; v < kVectors; ++v) sum[v].store_unaligned(y + p + v * kWidth<T>);
    }
    for (; p < width; p += kWidth<T>) {
        Vec<T> sum(T(0));
        const int64_t n = std::min(kWidth<T>, width - p);
        for (int64_t i = 0; i < lines; ++i) {
            const T* from = x + i * width + p;
            sum = sum + (n == kWidth<T> ? load(from) : load_first(from, n));
        }
        sum.store_unaligned(y + p);
    }
}

/// y[o] = the sum of the columns that window o sees, times its scale: a wide window by itself.
template <class T>
void add_wide(const Sliding& s, const T* columns, const T* scale, T* y) {
    for (int64_t o = 0; o < s.out_width; ++o) {
        Row::columns(s, o, [&](int64_t begin, int64_t end) {
            Vec<T> sum(T(0));
            for (int64_t p = begin; p < end; p += kWidth<T>)
                sum = sum + load_first(columns + p, std::min(kWidth<T>, end - p));
            y[o] = sum_of_lanes(sum) * scale[o];
        });
    }
}

/// The same of narrow ones, whose sums are kept in `sums` until those asked for are picked.
template <class T>
void add_narrow(const Sliding& s, const T* columns, const T* scale, T* sums, T* y) {
    for_sums(columns - s.padding_width, s.kernel_width, (s.out_width - 1) * s.stride_width + 1,
             [&](int64_t p, int64_t, const Vec<T>& sum) { sum.store_unaligned(sums + p); });
    const auto pick = [&](auto step) {
        for (int64_t o = 0; o < s.out_width; ++o) y[o] = sums[o * step] * scale[o];
    };
    // The compiler has vectors for these two.
    if (s.stride_width == 1) return pick(std::integral_constant<int64_t, 1>());
    if (s.stride_width == 2) return pick(std::integral_constant<int64_t, 2>());
    pick(s.stride_width);
}

/// Rows of results in turn, from plane to plane.
struct Place {
    int64_t plane = 0;
    int64_t out = 0;

    void next(const Sliding& s) {
        if (++out < s.out_height) return;
        out = 0;
        ++plane;
    }
};

/// As many rows of results at a time as have their sums of lines in L1.
template <class T>
void sum(const Sliding& s, int64_t planes, const void* from, const void* scales, void* to) {
    constexpr int64_t kNumbers = 16384 / static_cast<int64_t>(sizeof(T));
    const auto* x = static_cast<const T*>(from);
    const auto* scale = static_cast<const T*>(scales);
    auto* y = static_cast<T*>(to);
    const int64_t rows = planes * s.out_height;
    const int64_t strip = std::clamp<int64_t>(kNumbers / (s.width + 1), 1, rows);
    PaddedRows<T> columns(strip, s.width);
    PaddedRows<T> sums = rows_of_sums<T>(s, 1);
    Place read, written;
    for (int64_t left = rows; left > 0; left -= strip) {
        const int64_t count = std::min(strip, left);
        for (int64_t i = 0; i < count; ++i, read.next(s)) {
            const Row row(s, read.out);
            add_lines(x + read.plane * s.height * s.width + row.start(), row.count(), s.width, columns[i]);
        }
        for (int64_t i = 0; i < count; ++i, written.next(s), y += s.out_width) {
            const T* factor = scale + written.out * s.out_width;
            is_narrow<T>(s) ? add_narrow(s, columns[i], factor, sums[0], y)
                            : add_wide(s, columns[i], factor, y);
        }
    }
}

/// Results times their scales, by the column from which on their windows see them or, of wide ones, by all that these see.
template <class T>
void spread_columns(const Sliding& s, const T* y, const T* scale, T* numbers) {
    if (is_narrow<T>(s)) {
        for (int64_t o = 0; o < s.out_width; ++o) numbers[o * s.stride_width] = y[o] * scale[o];
        return;
    }
    std::fill_n(numbers, s.width, T(0));
    for (int64_t o = 0; o < s.out_width; ++o) {
        Row::columns(s, o, [&](int64_t begin, int64_t end) {
            for (int64_t p = begin; p < end; ++p) numbers[p] += y[o] * scale[o];
        });
    }
}

/// Adds them to the lines of x that the row of results sees: turned round, a narrow window is one over them.
template <class T>
void add_to_lines(const Row& row, const T* numbers, T* x) {
    const Sliding& s = row.s;
    const int64_t count = is_narrow<T>(s) ? s.kernel_width : 1;
    const int64_t before = is_narrow<T>(s) ? s.padding_width - s.kernel_width + 1 : 0;
    for_sums(numbers + before, count, s.width, [&](int64_t p, int64_t n, const Vec<T>& sum) {
        T* line = x + row.start() + p;
        for (int64_t i = 0; i < row.count(); ++i, line += s.width) {
            if (n == kWidth<T>) {
                (load(line) + sum).store_unaligned(line);
            } else {
                store_some(line, load_first(line, n) + sum, n);
            }
        }
    });
}

/// A plane's rows of results a few at a time: numbers written one by one are read as vectors when they are in the cache.
template <class T>
void sum_backward(const Sliding& s, int64_t planes, const void* from, const void* scales, void* to) {
    constexpr int64_t kRows = 16;
    const auto* y = static_cast<const T*>(from);
    const auto* scale = static_cast<const T*>(scales);
    auto* x = static_cast<T*>(to);
    PaddedRows<T> numbers = rows_of_sums<T>(s, std::min(kRows, s.out_height));
    for (int64_t c = 0; c < planes; ++c, x += s.height * s.width) {
        for (int64_t begin = 0; begin < s.out_height; begin += kRows) {
            const int64_t end = std::min(begin + kRows, s.out_height);
            for (int64_t out = begin; out < end; ++out, y += s.out_width) {
                spread_columns(s, y, scale + out * s.out_width, numbers[out - begin]);
            }
            for (int64_t out = begin; out < end; ++out) {
                add_to_lines(Row(s, out), numbers[out - begin], x);
            }
        }
    }
}

template <class T>
void add_average(Table& table) {
    table.window[static_cast<std::size_t>(dtype_of<T>())].sum = &sum<T>;
    table.window[static_cast<std::size_t>(dtype_of<T>())].sum_backward = &sum_backward<T>;
}

}  // namespace

void install_average(Table& table) {
    add_average<float>(table);
    add_average<double>(table);
}

}  // namespace reel::kernels::REEL_SET
