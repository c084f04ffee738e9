// Softmax and log-softmax of groups of fibres, each fibre from its maximum to its result while it is in
// cache.
//
// Fibre by fibre also because results that are written past the caches leave a core slowly: while one fibre's
// are on their way, the next one's exponentials are computed.
#include "ops/kernels/fibre_sums.hpp"
#include "ops/kernels/short_rows.hpp"

namespace reel::kernels::REEL_SET {

namespace {

constexpr int64_t kWide = kWidth<double>;  // fibres whose numbers are put together at once

/// What is where the exponential is `peak`, and what turns the others into probabilities, in every lane.
template <class T>
struct Shares {
    Vec<T> peak, at_peak, scale, low;
    Vec<T> operator()(const Vec<T>& e) const {
        if constexpr (sizeof(T) < sizeof(double)) return xsimd::select(e == peak, at_peak, e * scale);
        const Vec<T> scaled = multiply_add(e, scale, e * low);
        return kFused ? scaled : xsimd::select(e == peak, at_peak, scaled);
    }
};

/// The same of N fibres.
template <class T, int64_t N>
struct GroupShares {
    T at_peak[N];
    T scale[N];
    T low[N];  // of float64 what is lost to rounding the sum and the quotient

    /// Of fibres l …; `empty` in those that are all -inf, NaN in others without a finite maximum.
    void share_out(const Found<T, N>& found, int64_t l, double empty) {
        const Vec<double> zero(0);
        const Vec<double> peak = load_as<double>(found.peak + l);
        const Vec<double> rest = load(found.sum + l);
        const math::Pair<double> sum = math::two_sum<double>(peak, rest);
        const math::Pair<double> inverse = math::Pair<double>{Vec<double>(1), zero} / sum;
        const Vec<double> max = load_as<double>(found.max + l);
        const Vec<double> nan(std::numeric_limits<double>::quiet_NaN());
        const Vec<double> special = xsimd::select(
            max == Vec<double>(-std::numeric_limits<double>::infinity()), Vec<double>(empty), nan);
        const auto is_finite = max - max == zero;
        Vec<double> share = peak * inverse.high;
        if constexpr (sizeof(T) == sizeof(double)) {
            const Vec<double> below = only_where(is_finite, inverse.low);
            below.store_unaligned(low + l);
            share = math::times_pair<double>(peak, inverse.high, below);
        }
        store_as(at_peak + l, xsimd::select(is_finite, share, special));
        store_as(scale + l, xsimd::select(is_finite, inverse.high, special));
    }
    Shares<T> row(const Found<T, N>& found, int64_t f) const {
        return {Vec<T>(found.peak[f]), Vec<T>(at_peak[f]), Vec<T>(scale[f]),
                Vec<T>(sizeof(T) < sizeof(double) ? T(0) : low[f])};
    }
    Shares<T> lanes(const Found<T, N>& found, int64_t l) const {
        return {load(found.peak + l), load(at_peak + l), load(scale + l),
                sizeof(T) < sizeof(double) ? Vec<T>(0) : load(low + l)};
    }
};

/// f(first, rows) for a few rows at a time.
template <class F>
void for_few_rows(int64_t n, int64_t count, const Panel& y, const F& f) {
    const int64_t few = rows_at_once(n);
    for (int64_t first = 0; first < count; first += few) f(first, std::min(few, count - first));
    finish(y);
}

template <class T>
REEL_FLATTEN void row_probabilities(int64_t n, int64_t count, ConstPanel x, double empty, void* scratch,
                                    Panel y) {
    const int64_t room = (n + kWidth<T> - 1) / kWidth<T> * kWidth<T>;
    for_few_rows(n, count, y, [&](int64_t first, int64_t rows) {
        const T* z = static_cast<const T*>(x.data) + first * x.stride;
        T* exponentials = static_cast<T*>(scratch);
        Found<T, kFewRows<T>> found;
        find_rows<T>(
            n, rows, z, x.stride, [&](int64_t f) { return KeepAll<T>{exponentials + f * room}; }, found);
        GroupShares<T, kFewRows<T>> shares;
        for (int64_t f = 0; f < rows; f += kWide) shares.share_out(found, f, empty);
        for (int64_t f = 0; f < rows; ++f) {
            map_row<T>(n, exponentials + f * room, static_cast<T*>(y.data) + (first + f) * y.stride,
                       y.streams, shares.row(found, f));
        }
    });
}

/// f(first, fibres) for so many fibres side by side that what is kept of them stays in L1. All take each step together: a
/// vector's quotients wait for its sums (65,536 rows of 10 take 0.9 of the time; AMD EPYC, Zen 3).
template <class T, class F>
void for_few_vectors(int64_t n, int64_t count, int64_t least, const F& f) {
    const int64_t vectors = kNearLanes / (n * static_cast<int64_t>(sizeof(Vec<T>))) / least * least;
    const int64_t few = std::clamp<int64_t>(vectors, least, kMaxFibres / kWidth<T>) * kWidth<T>;
    for (int64_t first = 0; first < count; first += few) f(first, std::min(few, count - first));
}

/// So many vectors of fibres are read and written together, two lines of each element's: where these lie a page apart, they are
/// gone from the caches the next time (1024 x 1024 along dim 0 takes 0.73 of the time, with one line 0.88; AMD EPYC, Zen 4).
template <class T>
inline constexpr int64_t kReadTogether = kLaneBytes / static_cast<int64_t>(sizeof(Vec<T>));

/// Copies them to `near`, one after the other, and finds their maxima.
template <class T>
void read_together(int64_t n, const T* x, int64_t stride, T* near, T* maxima) {
    constexpr int64_t w = kWidth<T>;
    Vec<T> max[kReadTogether<T>];
    for (Vec<T>& m : max) m = Vec<T>(-std::numeric_limits<T>::infinity());
    for (int64_t c = 0; c < n; ++c) {
        for (int64_t k = 0; k < kReadTogether<T>; ++k) {
            const Vec<T> element = load(x + c * stride + k * w);
            element.store_aligned(near + (k * n + c) * w);
            max[k] = larger(max[k], element);
        }
    }
    for (int64_t k = 0; k < kReadTogether<T>; ++k) max[k].store_unaligned(maxima + k * w);
}
template <class T, int64_t N>
void write_together(int64_t n, const T* near, const GroupShares<T, N>& shares, const Found<T, N>& found,
                    int64_t l, T* y, int64_t stride) {
    constexpr int64_t w = kWidth<T>;
    Shares<T> map[kReadTogether<T>];
    for (int64_t k = 0; k < kReadTogether<T>; ++k) map[k] = shares.lanes(found, l + k * w);
    for (int64_t c = 0; c < n; ++c) {
        for (int64_t k = 0; k < kReadTogether<T>; ++k)
            map[k](Vec<T>::load_aligned(near + (k * n + c) * w)).store_unaligned(y + c * stride + k * w);
    }
}

/// Fibres that lie side by side, or short rows.
template <class T, Grouping kGrouping>
REEL_FLATTEN void lane_probabilities(int64_t n, int64_t count, ConstPanel x, double empty, void* scratch,
                                     Panel y) {
    constexpr int64_t w = kWidth<T>;
    alignas(Vec<T>) T turned[kGrouping == kRows ? kNearLanes / sizeof(T) : 1];
    T* const near = kGrouping == kRows ? turned : static_cast<T*>(scratch);
    constexpr int64_t kTogether = kReadTogether<T> * w;
    const auto few = [&](int64_t first, int64_t fibres) {
        // Of elements, then of their exponentials.
        const auto vectors_of = [&](int64_t l) { return near + kept<T>(l, n); };
        Found<T, kGroup> found;
        const auto from = [&](int64_t l) { return fibre<T, kGrouping>(x, first + l); };
        const auto to = [&](int64_t l) { return fibre<T, kGrouping>(y, first + l); };
        int64_t together = 0;
        for (; kGrouping == kLanes && together + kTogether <= fibres; together += kTogether)
            read_together<T>(n, from(together), x.stride, vectors_of(together), found.max + together);
        for_each_vector<T>(together, fibres, [&](int64_t l, int64_t lanes) {
            read_once<T, kGrouping>(n, lanes, from(l), x.stride, vectors_of(l))
                .store_unaligned(found.max + l);
        });
        for_each_vector<T>(fibres, [&](int64_t l, int64_t) {
            T* vectors = vectors_of(l);
            find_lane_sums<T, T>(n, load(found.max + l), Lanes<T, T>{vectors, w}, KeepAll<T>{vectors}, found,
                                 l);
        });
        GroupShares<T, kGroup> shares;
        for (int64_t l = 0; l < fibres; l += kWide) shares.share_out(found, l, empty);
        for (int64_t l = 0; l < together; l += kTogether)
            write_together(n, vectors_of(l), shares, found, l, to(l), y.stride);
        for_each_vector<T>(together, fibres, [&](int64_t l, int64_t lanes) {
            map_fibres<T, kGrouping>(n, lanes, Lanes<T, T>{vectors_of(l), w}, vectors_of(l), to(l), y.stride,
                                     shares.lanes(found, l));
        });
    };
    const bool is_paged = kGrouping == kLanes && x.stride * static_cast<int64_t>(sizeof(T)) % kPage == 0;
    for_few_vectors<T>(n, count, is_paged ? kReadTogether<T> : 1, few);
}

/// log(1 + rest) of fibres; NaN without a finite maximum. All rests first: the logarithms would wait for each.
template <class T, int64_t N>
void log_sums(const Found<T, N>& found, int64_t count, T* logs) {
    alignas(Vec<double>) double rests[N];
    for (int64_t l = 0; l < count; l += kWide) found.rests(l).store_aligned(rests + l);
    for (int64_t l = 0; l < count; l += kWide) {
        const Vec<double> max = load_as<double>(found.max + l);
        const Vec<double> nan(std::numeric_limits<double>::quiet_NaN());
        store_as(logs + l,
                 xsimd::select(max - max == Vec<double>(0), math::log1p_as<T>(load(rests + l)), nan));
    }
}

template <class T>
REEL_FLATTEN void row_log_probabilities(int64_t n, int64_t count, ConstPanel x, Panel y) {
    for_few_rows(n, count, y, [&](int64_t first, int64_t rows) {
        const T* z = static_cast<const T*>(x.data) + first * x.stride;
        Found<T, kFewRows<T>> found;
        find_rows<T>(
            n, rows, z, x.stride, [](int64_t) { return KeepNothing(); }, found);
        T logs[kFewRows<T>];
        log_sums(found, rows, logs);
        for (int64_t f = 0; f < rows; ++f) {
            const Vec<T> max(found.max[f]);
            const Vec<T> log(logs[f]);
            map_row<T>(n, z + f * x.stride, static_cast<T*>(y.data) + (first + f) * y.stride, y.streams,
                       [&](const Vec<T>& element) { return (element - max) - log; });
        }
    });
}

template <class T, Grouping kGrouping>
REEL_FLATTEN void lane_log_probabilities(int64_t n, int64_t count, ConstPanel x, Panel y) {
    constexpr int64_t w = kWidth<T>;
    // What lies apart, not gathered, is read once, if it fits: 64 x 64 x 256 along dim 1 takes 1.1 ms, not 1.3 (Zen 3).
    const bool reads_once = kGrouping == kRows ||
                            (n * static_cast<int64_t>(sizeof(Vec<T>)) <= kNearLanes && x.stride > kMaxFibres);
    alignas(Vec<T>) T near[kNearLanes / sizeof(T)];
    for_few_vectors<T>(n, count, 1, [&](int64_t first, int64_t fibres) {
        Found<T, kGroup> found;
        const auto near_of = [&](int64_t l) { return near + kept<T>(l, n); };
        const auto from = [&](int64_t l) { return fibre<T, kGrouping>(x, first + l); };
        const auto for_each = [&](const auto& f) {
            for_each_vector<T>(fibres, [&](int64_t l, int64_t lanes) {
                if (reads_once) return f(l, lanes, Lanes<T, T>{near_of(l), w});
                with_lanes<T>(lanes, from(l), x.stride, [&](const auto& element) { f(l, lanes, element); });
            });
        };
        for_each_vector<T>(fibres, [&](int64_t l, int64_t lanes) {
            if (reads_once)
                return read_once<T, kGrouping>(n, lanes, from(l), x.stride, near_of(l))
                    .store_unaligned(found.max + l);
            with_lanes<T>(lanes, from(l), x.stride, [&](const auto& element) {
                maximum<T>(n, element).store_unaligned(found.max + l);
            });
        });
        for_each([&](int64_t l, int64_t, const auto& element) {
            find_lane_sums<T, T>(n, load(found.max + l), element, KeepNothing(), found, l);
        });
        T logs[kGroup];
        log_sums(found, fibres, logs);
        for_each([&](int64_t l, int64_t lanes, const auto& element) {
            const Vec<T> max = load(found.max + l);
            const Vec<T> log = load(logs + l);
            map_fibres<T, kGrouping>(n, lanes, element, near_of(l), fibre<T, kGrouping>(y, first + l),
                                     y.stride, [&](const Vec<T>& v) { return (v - max) - log; });
        });
    });
}

template <class T>
void add_softmax(Table& table) {
    Softmax& kernels = table.softmax[static_cast<std::size_t>(dtype_of<T>())];
    kernels.long_row = kTurnsRows ? kColumns<T> : kLongRow<T>;
    kernels.long_backward_row = kTurnsRows ? kColumns<T> : kLongBackwardRow<T>;
    kernels.long_soft_row = 4 * kWidth<T>;
    kernels.long_soft_backward_row = 2 * kWidth<T>;
    kernels.probabilities[kRows] =
        &rows_by_length<T, kLongRow<T>, &row_probabilities<T>, &lane_probabilities<T, kRows>>;
    kernels.probabilities[kLanes] = &lane_probabilities<T, kLanes>;
    kernels.log_probabilities[kRows] =
        &rows_by_length<T, kLongRow<T>, &row_log_probabilities<T>, &lane_log_probabilities<T, kRows>>;
    kernels.log_probabilities[kLanes] = &lane_log_probabilities<T, kLanes>;
}

}  // namespace

void install_softmax(Table& table) {
    add_softmax<float>(table);
    add_softmax<double>(table);
}

}  // namespace reel::kernels::REEL_SET
