// The gradients of softmax and log-softmax of groups of fibres: one sum, then one pass, while a fibre is in
// cache.
#include "ops/kernels/reduce.hpp"
#include "ops/kernels/short_rows.hpp"

namespace reel::kernels::REEL_SET {

namespace {

/// x̄ = y (ȳ − Σ ȳ y).
template <class T>
struct OfSoftmax {
    static Vec<T> term(const Vec<T>& y_bar, const Vec<T>& y) { return y_bar * y; }
    static Vec<T> result(const Vec<T>& y_bar, const Vec<T>& y, const Vec<T>& sum) {
        return y * (y_bar - sum);
    }
};
/// x̄ = ȳ − e^y Σ ȳ.
template <class T>
struct OfLogSoftmax {
    static Vec<T> term(const Vec<T>& y_bar, const Vec<T>&) { return y_bar; }
    static Vec<T> result(const Vec<T>& y_bar, const Vec<T>& y, const Vec<T>& sum) {
        return y_bar - math::exp<T>(y) * sum;
    }
};

template <class Rule, class T>
REEL_FLATTEN void rows(int64_t n, int64_t count, ConstPanel y_bar, ConstPanel y, Panel x_bar) {
    constexpr int64_t w = kWidth<T>;
    const int64_t vectors = n / w;
    const int64_t whole = vectors * w;
    for (int64_t f = 0; f < count; ++f) {
        const T* g = static_cast<const T*>(y_bar.data) + f * y_bar.stride;
        const T* p = static_cast<const T*>(y.data) + f * y.stride;
        Vec<T> terms = reduce_vectors<Sum, T>(
            0, vectors, [&](int64_t v) { return Rule::term(load(g + v * w), load(p + v * w)); });
        if (whole < n)
            terms = terms + Rule::term(load_first(g + whole, n - whole), load_first(p + whole, n - whole));
        const Vec<T> sum(sum_of_lanes(terms));
        map_rows<T>(n, g, p, static_cast<T*>(x_bar.data) + f * x_bar.stride, x_bar.streams,
                    [&](const Vec<T>& a, const Vec<T>& b) { return Rule::result(a, b, sum); });
    }
    finish(x_bar);
}

/// `write(c, x̄)` for fibres side by side.
template <class Rule, class T>
void lane_gradients(int64_t n, const auto& y_bar, const auto& y, const auto& write) {
    const Vec<T> sum = reduce_vectors<Sum, T>(0, n, [&](int64_t c) { return Rule::term(y_bar(c), y(c)); });
    for (int64_t c = 0; c < n; ++c) write(c, Rule::result(y_bar(c), y(c), sum));
}

template <class Rule, class T>
REEL_FLATTEN void lanes(int64_t n, int64_t count, ConstPanel y_bar, ConstPanel y, Panel x_bar) {
    for_each_vector<T>(count, [&](int64_t l, int64_t width) {
        T* to = static_cast<T*>(x_bar.data) + l;
        with_lanes<T>(width, fibre<T, kLanes>(y_bar, l), y_bar.stride, [&](const auto& a) {
            with_lanes<T>(width, fibre<T, kLanes>(y, l), y.stride, [&](const auto& b) {
                lane_gradients<Rule, T>(n, a, b, [&](int64_t c, const Vec<T>& result) {
                    if (width == kWidth<T>) {
                        result.store_unaligned(to + c * x_bar.stride);
                    } else {
                        store_some<T>(to + c * x_bar.stride, result, width);
                    }
                });
            });
        });
    });
}

template <class Rule, class T>
REEL_FLATTEN void short_rows(int64_t n, int64_t count, ConstPanel y_bar, ConstPanel y, Panel x_bar) {
    constexpr int64_t w = kWidth<T>;
    alignas(Vec<T>) T cotangents[kMaxFibres * kLongBackwardRow<T>];
    alignas(Vec<T>) T values[kMaxFibres * kLongBackwardRow<T>];
    for (int64_t first = 0; first < count; first += kMaxFibres) {
        const int64_t some = std::min(kMaxFibres, count - first);
        // The last vector overlaps its neighbour, whose gradients may replace its cotangents.
        for_each_vector<T>(some, [&](int64_t l, int64_t rows) {
            read_rows<T>(n, rows, fibre<T, kRows>(y_bar, first + l), y_bar.stride,
                         cotangents + kept<T>(l, n));
            read_rows<T>(n, rows, fibre<T, kRows>(y, first + l), y.stride, values + kept<T>(l, n));
        });
        for_each_vector<T>(some, [&](int64_t l, int64_t rows) {
            T* near = cotangents + kept<T>(l, n);
            lane_gradients<Rule, T>(n, Lanes<T, T>{near, w}, Lanes<T, T>{values + kept<T>(l, n), w},
                                    [&](int64_t c, const Vec<T>& v) { v.store_aligned(near + c * w); });
            write_rows<T>(n, rows, near, fibre<T, kRows>(x_bar, first + l), x_bar.stride);
        });
    }
}

/// Rows of any length.
template <class Rule, class T>
inline constexpr auto kRowsOf = &rows_by_length<T, kLongBackwardRow<T>, &rows<Rule, T>, &short_rows<Rule, T>,
                                                int64_t, ConstPanel, ConstPanel, Panel>;

template <class T>
void add_backward(Table& table) {
    Softmax& kernels = table.softmax[static_cast<std::size_t>(dtype_of<T>())];
    kernels.backward[kRows] = kRowsOf<OfSoftmax<T>, T>;
    kernels.backward[kLanes] = &lanes<OfSoftmax<T>, T>;
    kernels.log_backward[kRows] = kRowsOf<OfLogSoftmax<T>, T>;
    kernels.log_backward[kLanes] = &lanes<OfLogSoftmax<T>, T>;
}

}  // namespace

void install_softmax_backward(Table& table) {
    add_backward<float>(table);
    add_backward<double>(table);
}

}  // namespace reel::kernels::REEL_SET
