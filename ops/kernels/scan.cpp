// Scans of dense memory, in float64 for floating types; a sum of float64 numbers keeps what it loses. Many scans go side by side, so that no addition waits
// for the one before.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "ops/kernels/stored_as.hpp"

namespace reel::kernels::REEL_SET {

namespace {

using std::int64_t;

/// Unsigned for integers: they wrap.
template <class T>
using Sum = std::conditional_t<std::is_floating_point_v<T>, double, std::uint64_t>;

struct RunningSum {
    static constexpr int kStart = 0;
    auto operator()(const auto& a, const auto& b) const { return a + b; }
    auto operator()(const auto& sum, const auto& x, const auto&) const { return sum + x; }
};
struct RunningProduct {
    static constexpr int kStart = 1;
    auto operator()(const auto& a, const auto& b) const { return a * b; }
    auto operator()(const auto& product, const auto& x, const auto&) const { return product * x; }
};
struct Recurrence {
    static constexpr int kStart = 0;
    auto operator()(const auto& s, const auto& x, const auto& a) const { return x + a * s; }
};

/// A sum of float64 numbers and what it has lost (Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation
/// endlicher Summen", 1974; with Knuth's branch-free sum of two numbers).
template <class V>
struct Compensated {
    V sum = V(0);
    V lost = V(0);

    Compensated() = default;
    explicit Compensated(const V& value) : sum(value) {}
    explicit operator V() const {  // beside ∞ what is lost is NaN
        if constexpr (std::is_arithmetic_v<V>) {
            return sum - sum == 0 ? sum + lost : sum;
        } else {
            return xsimd::select(sum - sum == V(0), sum + lost, sum);
        }
    }
};
struct CompensatedSum {
    static constexpr int kStart = 0;
    template <class V>
    Compensated<V> operator()(const Compensated<V>& s, const V& x, const V&) const {
        Compensated<V> next(s.sum + x);
        const V from_x = next.sum - s.sum;
        next.lost = s.lost + ((s.sum - (next.sum - from_x)) + (x - from_x));
        return next;
    }
};

template <class F, class T>
using State = std::conditional_t<std::is_same_v<F, CompensatedSum>, Compensated<double>, Sum<T>>;

/// The lanes of v put together up to each, from the first (kAlong 1) or from the last (-1) on.
template <class F, int64_t kAlong, int64_t kBy = 1>
Vec<double> scan_of_lanes(const Vec<double>& v) {
    if constexpr (kBy == kWidth<double>) {
        return v;
    } else {
        static constexpr auto kFrom = [](int64_t i) {
            const int64_t from = i - kAlong * kBy;
            return from >= 0 && from < kWidth<double> ? from : kWidth<double>;
        };
        const Vec<double> before =
            shuffled<kFrom, double>(v, Vec<double>(F::kStart), std::make_index_sequence<Vec<double>::size>());
        return scan_of_lanes<F, kAlong, 2 * kBy>(F()(v, before));
    }
}

/// One scan of dense memory, from x on (kAlong 1) or back (-1), a vector at a time: only one step in so many waits for the one
/// before.
template <class F, class T, int64_t kAlong>
void scan_row(int64_t n, const T* x, T* y) {
    const F f;
    Sum<T> state = F::kStart;
    int64_t i = 0;
    if constexpr (std::is_floating_point_v<T>) {
        constexpr int64_t w = kWidth<double>;
        static constexpr auto kLast = [](int64_t) { return kAlong > 0 ? w - 1 : 0; };
        Vec<double> states(state);
        for (; i + w <= n; i += w) {
            const int64_t at = kAlong > 0 ? i : -(i + w - 1);
            const Vec<double> v = scan_of_lanes<F, kAlong>(load_as<double>(x + at));
            store_as(y + at, Vec<double>(f(states, v)));
            states = f(states, shuffled<kLast, double>(v, v, std::make_index_sequence<Vec<double>::size>()));
        }
        state = first_lane(states);
    }
    for (; i < n; ++i) {
        state = f(state, static_cast<Sum<T>>(x[i * kAlong]));
        y[i * kAlong] = static_cast<T>(state);
    }
}

/// `kLanes` scans, neighbours `across` elements apart, whose elements are `along` apart.
template <class F, class T, int64_t kLanes>
void scan_lanes(int64_t n, int64_t along, int64_t across, const T* x, const T* a, T* y) {
    const F f;
    std::array<State<F, T>, kLanes> states;
    states.fill(State<F, T>(F::kStart));
    for (int64_t i = 0; i < n; ++i) {
        for (int64_t k = 0; k < kLanes; ++k) {
            const int64_t at = i * along + k * across;
            auto& state = states[static_cast<std::size_t>(k)];
            state = f(state, static_cast<Sum<T>>(x[at]), static_cast<Sum<T>>(a[at]));
            y[at] = static_cast<T>(state);
        }
    }
}

/// The compensated sums of as many rows as a vector has lanes. They are turned, so many elements of each at a time: 1,024 rows of
/// 1,024 take 1.05 ms, and element by element 2.0 (AMD EPYC, Zen 4).
template <int64_t kAlong>
void sum_rows(int64_t n, int64_t across, const double* x, double* y) {
    constexpr int64_t kSteps = 64;
    constexpr int64_t w = kWidth<double>;
    alignas(Vec<double>) double block[kSteps * w];
    Compensated<Vec<double>> state;
    for (int64_t i = 0; i < n; i += kSteps) {
        const int64_t steps = std::min(kSteps, n - i);
        const int64_t lowest = kAlong > 0 ? i : 1 - i - steps;
        for (int64_t k = 0; k < steps; ++k) {
            for (int64_t l = 0; l < w; ++l) block[k * w + l] = x[lowest + k + l * across];
        }
        for (int64_t k = 0; k < steps; ++k) {
            double* at = block + (kAlong > 0 ? k : steps - 1 - k) * w;
            const Vec<double> v = Vec<double>::load_aligned(at);
            state = CompensatedSum()(state, v, v);
            static_cast<Vec<double>>(state).store_aligned(at);
        }
        for (int64_t k = 0; k < steps; ++k) {
            for (int64_t l = 0; l < w; ++l) y[lowest + k + l * across] = block[k * w + l];
        }
    }
}

/// Lanes in groups: wide where they are neighbours in memory, else as many as hide the time of an addition.
template <class F, class T, int64_t kLanes>
void scan_groups(int64_t n, int64_t lanes, int64_t along, int64_t across, const T* x, const T* a, T* y) {
    int64_t k = 0;
    for (; k + kLanes <= lanes; k += kLanes) {
        const int64_t at = k * across;
        scan_lanes<F, T, kLanes>(n, along, across, x + at, a + at, y + at);
    }
    for (; k < lanes; ++k) {
        const int64_t at = k * across;
        scan_lanes<F, T, 1>(n, along, across, x + at, a + at, y + at);
    }
}

template <class F, class T>
void scan(int64_t n, int64_t lanes, int64_t along, int64_t across, const void* x_memory, const void* a_memory,
          void* y_memory) {
    const T* x = static_cast<const T*>(x_memory);
    const T* a = a_memory ? static_cast<const T*>(a_memory) : x;
    T* y = static_cast<T*>(y_memory);
    if constexpr (std::is_invocable_v<F, T, T>) {
        if (along == 1 || along == -1) {
            const auto row = along == 1 ? scan_row<F, T, 1> : scan_row<F, T, -1>;
            for (int64_t k = 0; k < lanes; ++k) row(n, x + k * across, y + k * across);
            return;
        }
    }
    if constexpr (std::is_same_v<F, CompensatedSum>) {
        const auto rows = along == 1 ? sum_rows<1> : sum_rows<-1>;
        constexpr int64_t w = kWidth<double>;
        for (; std::abs(along) == 1 && lanes >= w; lanes -= w, x += w * across, y += w * across)
            rows(n, across, x, y);
        a = x;
    }
    if (across != 1) return scan_groups<F, T, 4>(n, lanes, along, across, x, a, y);
    constexpr int64_t kWide = 64;
    const int64_t wide = lanes / kWide * kWide;
    scan_groups<F, T, kWide>(n, wide, along, 1, x, a, y);
    scan_groups<F, T, 8>(n, lanes - wide, along, 1, x + wide, a + wide, y + wide);
}

template <class F, class T>
void add(Table& table, Scan how) {
    table.scan[static_cast<std::size_t>(how)][static_cast<std::size_t>(dtype_of<T>())] = &scan<F, T>;
}

}  // namespace

void install_scan(Table& table) {
    add<RunningSum, float>(table, Scan::kSum);
    add<CompensatedSum, double>(table, Scan::kSum);
    add<RunningSum, int64_t>(table, Scan::kSum);
    add<RunningProduct, float>(table, Scan::kProd);
    add<RunningProduct, double>(table, Scan::kProd);
    add<RunningProduct, int64_t>(table, Scan::kProd);
    add<Recurrence, float>(table, Scan::kLinear);
    add<Recurrence, double>(table, Scan::kLinear);
}

}  // namespace reel::kernels::REEL_SET
