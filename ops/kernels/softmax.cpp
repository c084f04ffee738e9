// Softmax and log-softmax of groups of fibres, each fibre from its maximum to its result while it is in
// cache.
//
// Fibre by fibre also because results that are written past the caches leave a core slowly: while one fibre's
// are on their way, the next one's exponentials are computed.
#include "ops/kernels/fibre_sums.hpp"

namespace reel::kernels::REEL_SET {

namespace {

constexpr int64_t kWide = kWidth<double>;  // fibres whose numbers are put together at once

/// What is where the exponential is `peak`, and what turns the others into probabilities, in every lane.
template <class T>
struct Shares {
    Vec<T> peak, at_peak, scale;
    Vec<T> operator()(const Vec<T>& e) const { return xsimd::select(e == peak, at_peak, e * scale); }
};

/// 1 / (1 + rest) of fibres l …, and how an exponential is scaled to it; `empty` in fibres that are all -inf,
/// NaN in others without a finite maximum.
template <class T, int64_t N>
void share_out(const Found<T, N>& found, int64_t l, double empty, T* at_peak, T* scale) {
    const Vec<double> unlift(static_cast<double>(math::kUnlift<T>));
    // One quotient for both, which loses a unit of double precision's last place; of float64 two.
    const Vec<double> top = found.tops(l);
    const Vec<double> sum = load(found.sum + l) * unlift;
    const Vec<double> inverse = Vec<double>(1) / (top + sum);
    const Vec<double> scaled = inverse * unlift;
    const Vec<double> share =
        sizeof(T) < sizeof(double) ? top * inverse : Vec<double>(1) / (Vec<double>(1) + sum / top);
    const Vec<double> max = load_as<double>(found.max + l);
    const Vec<double> nan(std::numeric_limits<double>::quiet_NaN());
    const Vec<double> special =
        xsimd::select(max == Vec<double>(-std::numeric_limits<double>::infinity()), Vec<double>(empty), nan);
    const auto is_finite = max - max == Vec<double>(0);
    store_as(at_peak, xsimd::select(is_finite, share, special));
    store_as(scale, xsimd::select(is_finite, scaled, special));
}

/// Reads what is needed twice and keeps it side by side: lines a page apart would push each other out of the
/// cache.
template <class T, class Load>
struct ReadOnce {
    const Load& z;
    T* to;
    Vec<T> operator()(int64_t c) const {
        const Vec<T> element = z(c);
        element.store_aligned(to + c * kWidth<T>);
        return element;
    }
};
template <class T, class Load>
ReadOnce(const Load&, T*) -> ReadOnce<T, Load>;

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
        T at_peak[kFewRows<T>];
        T scale[kFewRows<T>];
        for (int64_t f = 0; f < rows; f += kWide) share_out(found, f, empty, at_peak + f, scale + f);
        for (int64_t f = 0; f < rows; ++f) {
            map_row<T>(n, exponentials + f * room, static_cast<T*>(y.data) + (first + f) * y.stride,
                       y.streams, Shares<T>{Vec<T>(found.peak[f]), Vec<T>(at_peak[f]), Vec<T>(scale[f])});
        }
    });
}

/// Where what is kept of the vector of fibres l … begins: one that overlaps its neighbour has a place of its own.
template <class T>
int64_t kept(int64_t l, int64_t n) {
    return (l + kWidth<T> - 1) / kWidth<T> * kWidth<T> * n;
}

/// f(first, fibres) for so many fibres side by side that what is kept of them stays in L1. All take each step together: a
/// vector's quotients wait for its sums (65,536 rows of 10 take 0.9 of the time; AMD EPYC, Zen 3).
template <class T, class F>
void for_few_vectors(int64_t n, int64_t count, const F& f) {
    const int64_t vectors = kNearLanes / (n * static_cast<int64_t>(sizeof(Vec<T>)));
    const int64_t few = std::clamp<int64_t>(vectors, 1, kMaxFibres / kWidth<T>) * kWidth<T>;
    for (int64_t first = 0; first < count; first += few) f(first, std::min(few, count - first));
}

template <class T>
REEL_FLATTEN void lane_probabilities(int64_t n, int64_t count, ConstPanel x, double empty, void* scratch,
                                     Panel y) {
    constexpr int64_t w = kWidth<T>;
    for_few_vectors<T>(n, count, [&](int64_t first, int64_t fibres) {
        // Of elements, then of their exponentials.
        const auto vectors_of = [&](int64_t l) { return static_cast<T*>(scratch) + kept<T>(l, n); };
        Found<T, kGroup> found;
        for_each_vector<T>(fibres, [&](int64_t l, int64_t lanes) {
            with_lanes<T>(lanes, static_cast<const T*>(x.data) + first + l, x.stride, [&](const auto& z) {
                maximum<T>(n, ReadOnce{z, vectors_of(l)}).store_unaligned(found.max + l);
            });
        });
        for_each_vector<T>(fibres, [&](int64_t l, int64_t) {
            T* vectors = vectors_of(l);
            find_lane_sums<T, T>(n, load(found.max + l), Lanes<T, T>{vectors, w}, KeepAll<T>{vectors}, found,
                                 l);
        });
        T at_peak[kGroup];
        T scale[kGroup];
        for (int64_t l = 0; l < fibres; l += kWide) share_out(found, l, empty, at_peak + l, scale + l);
        for_each_vector<T>(fibres, [&](int64_t l, int64_t lanes) {
            map_lanes<T>(n, lanes, Lanes<T, T>{vectors_of(l), w}, static_cast<T*>(y.data) + first + l,
                         y.stride, Shares<T>{load(found.peak + l), load(at_peak + l), load(scale + l)});
        });
    });
}

/// log(1 + rest) of fibres l …; NaN without a finite maximum.
template <class T, int64_t N>
void log_sums(const Found<T, N>& found, int64_t l, T* logs) {
    const Vec<double> max = load_as<double>(found.max + l);
    const Vec<double> nan(std::numeric_limits<double>::quiet_NaN());
    store_as(logs, xsimd::select(max - max == Vec<double>(0), math::log1p_as<T>(found.rests(l)), nan));
}

template <class T>
REEL_FLATTEN void row_log_probabilities(int64_t n, int64_t count, ConstPanel x, Panel y) {
    for_few_rows(n, count, y, [&](int64_t first, int64_t rows) {
        const T* z = static_cast<const T*>(x.data) + first * x.stride;
        Found<T, kFewRows<T>> found;
        find_rows<T>(
            n, rows, z, x.stride, [](int64_t) { return KeepNothing(); }, found);
        T logs[kFewRows<T>];
        for (int64_t f = 0; f < rows; f += kWide) log_sums(found, f, logs + f);
        for (int64_t f = 0; f < rows; ++f) {
            const Vec<T> max(found.max[f]);
            const Vec<T> log(logs[f]);
            map_row<T>(n, z + f * x.stride, static_cast<T*>(y.data) + (first + f) * y.stride, y.streams,
                       [&](const Vec<T>& element) { return (element - max) - log; });
        }
    });
}

template <class T>
REEL_FLATTEN void lane_log_probabilities(int64_t n, int64_t count, ConstPanel x, Panel y) {
    constexpr int64_t w = kWidth<T>;
    // What lies apart, not gathered, is read once, if it fits: 64 x 64 x 256 along dim 1 takes 1.1 ms, not 1.3 (Zen 3).
    const bool reads_once = n * static_cast<int64_t>(sizeof(Vec<T>)) <= kNearLanes && x.stride > kMaxFibres;
    alignas(Vec<T>) T near[kNearLanes / sizeof(T)];
    for_few_vectors<T>(n, count, [&](int64_t first, int64_t fibres) {
        const T* z = static_cast<const T*>(x.data) + first;
        Found<T, kGroup> found;
        const auto near_of = [&](int64_t l) { return near + kept<T>(l, n); };
        const auto for_each = [&](const auto& f) {
            for_each_vector<T>(fibres, [&](int64_t l, int64_t lanes) {
                if (reads_once) return f(l, lanes, Lanes<T, T>{near_of(l), w});
                with_lanes<T>(lanes, z + l, x.stride, [&](const auto& element) { f(l, lanes, element); });
            });
        };
        for_each_vector<T>(fibres, [&](int64_t l, int64_t lanes) {
            with_lanes<T>(lanes, z + l, x.stride, [&](const auto& element) {
                const Vec<T> max =
                    reads_once ? maximum<T>(n, ReadOnce{element, near_of(l)}) : maximum<T>(n, element);
                max.store_unaligned(found.max + l);
            });
        });
        for_each([&](int64_t l, int64_t, const auto& element) {
            find_lane_sums<T, T>(n, load(found.max + l), element, KeepNothing(), found, l);
        });
        T logs[kGroup];
        for (int64_t l = 0; l < fibres; l += kWide) log_sums(found, l, logs + l);
        for_each([&](int64_t l, int64_t lanes, const auto& element) {
            const Vec<T> max = load(found.max + l);
            const Vec<T> log = load(logs + l);
            map_lanes<T>(n, lanes, element, static_cast<T*>(y.data) + first + l, y.stride,
                         [&](const Vec<T>& v) { return (v - max) - log; });
        });
    });
}

template <class T>
void add_softmax(Table& table) {
    Softmax& kernels = table.softmax[static_cast<std::size_t>(dtype_of<T>())];
    kernels.long_row = 4 * kWidth<T>;
    kernels.long_backward_row = 2 * kWidth<T>;
    kernels.probabilities[kRows] = &row_probabilities<T>;
    kernels.probabilities[kLanes] = &lane_probabilities<T>;
    kernels.log_probabilities[kRows] = &row_log_probabilities<T>;
    kernels.log_probabilities[kLanes] = &lane_log_probabilities<T>;
}

}  // namespace

void install_softmax(Table& table) {
    add_softmax<float>(table);
    add_softmax<double>(table);
}

}  // namespace reel::kernels::REEL_SET
