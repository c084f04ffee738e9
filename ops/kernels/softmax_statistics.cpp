// The statistics of a group of fibres, and exponentials made from them: what cross-entropy keeps between its
// forward and its backward pass. Softmax itself, which has both in one: `softmax.cpp`.
#include <bit>

#include "ops/kernels/short_rows.hpp"

namespace reel::kernels::REEL_SET {

namespace {

/// f(l, fibres) for vectors of double precision of a group.
void for_each_wide(int64_t count, const auto& f) {
    for (int64_t l = 0; l < count; l += kWidth<double>) f(l, std::min(count - l, kWidth<double>));
}
template <class T>
void put(T* to, const Vec<double>& v, int64_t some) {
    if (some == kWidth<double>) return store_as(to, v);
    alignas(Vec<double>) T lanes[kWidth<double>];
    store_as(lanes, v);
    std::copy_n(lanes, some, to);
}
template <class T>
Vec<double> get(const T* from, int64_t some) {
    return some == kWidth<double> ? load_as<double>(from) : load_some_as<double>(from, some);
}

// ---- Statistics

/// max, rest and log(1 + rest) of each fibre.
template <class T>
struct Statistics {
    T* max;
    T* rest;
    double* log_sum;

    /// One step for all before the next: each would wait for the one before it.
    void conclude(const Found<T, kGroup>& found, int64_t count) const {
        std::copy_n(found.max, count, max);
        alignas(Vec<double>) double rests[kGroup];
        for_each_wide(count, [&](int64_t l, int64_t some) {
            const Vec<double> rests_of = found.rests(l);
            rests_of.store_aligned(rests + l);
            put(rest + l, rests_of, some);
        });
        for_each_wide(count, [&](int64_t l, int64_t some) {
            put(log_sum + l, math::log1p_as<T>(load(rests + l)), some);
        });
    }
};

template <class T, class S>
REEL_FLATTEN void find_long_rows(int64_t n, int64_t count, ConstPanel x, Statistics<T> statistics) {
    Found<T, kGroup> found;
    const int64_t few = rows_at_once(n);
    for (int64_t f = 0; f < count; f += few)
        find_rows<T>(
            n, std::min(few, count - f), static_cast<const S*>(x.data) + f * x.stride, x.stride,
            [](int64_t) { return KeepNothing(); }, found, f);
    statistics.conclude(found, count);
}

template <class T>
REEL_FLATTEN void find_short_rows(int64_t n, int64_t count, ConstPanel x, Statistics<T> statistics) {
    Found<T, kGroup> found;
    alignas(Vec<T>) T near[kMaxFibres * kLongRow<T>];
    const ShortRows<T> rows(n, count, x, near, found.max);
    rows.for_each([&](int64_t l, int64_t, const auto& z) {
        find_lane_sums<T, T>(n, load(found.max + l), z, KeepNothing(), found, l);
    });
    statistics.conclude(found, count);
}

template <class T, class S>
REEL_FLATTEN void find_lanes(int64_t n, int64_t count, ConstPanel x, Statistics<T> statistics) {
    Found<T, kGroup> found;
    const auto for_each = [&](const auto& f) {
        for_each_vector<T>(count, [&](int64_t l, int64_t lanes) {
            with_lanes<T>(lanes, static_cast<const S*>(x.data) + l, x.stride,
                          [&](const auto& z) { f(l, z); });
        });
    };
    // All maxima first: the exponentials would wait for each.
    for_each([&](int64_t l, const auto& z) { maximum<T>(n, z).store_unaligned(found.max + l); });
    for_each([&](int64_t l, const auto& z) {
        find_lane_sums<T, S>(n, load(found.max + l), z, KeepNothing(), found, l);
    });
    statistics.conclude(found, count);
}

template <class T>
using Find = void (*)(int64_t n, int64_t count, ConstPanel x, Statistics<T> statistics);
template <class T, class S>
inline constexpr Find<T> kFind[] = {&find_long_rows<T, S>, &find_lanes<T, S>};
template <class T>
inline constexpr Find<T> kFind<T, T>[] = {
    &rows_by_length<T, kLongRow<T>, &find_long_rows<T, T>, &find_short_rows<T>>, &find_lanes<T, T>};

template <class T, class S, Grouping kGrouping>
void statistics(int64_t n, int64_t count, ConstPanel x, void* max, void* rest, double* log_sum) {
    kFind<T, S>[kGrouping](n, count, x, {static_cast<T*>(max), static_cast<T*>(rest), log_sum});
}

/// Where element c of fibre f is in a panel.
template <Grouping kGrouping>
int64_t at(int64_t stride, int64_t f, int64_t c) {
    return kGrouping == kRows ? f * stride + c : c * stride + f;
}

/// The classes of a group, 0 where a fibre does not count, and their weights. Without branches: neither can be foreseen.
struct Classes {
    int64_t of[kGroup];
    double weight[kGroup];

    Classes(int64_t count, const HardTargets& q) {
        const auto counts = [&](int64_t f) { return -static_cast<int64_t>(q.labels[f] != q.ignored); };
        const auto counted = [&](int64_t f, double x) {
            return std::bit_cast<double>(std::bit_cast<int64_t>(x) & counts(f));
        };
        for (int64_t f = 0; f < count; ++f) of[f] = q.labels[f] & counts(f);
        for (int64_t f = 0; f < count; ++f) weight[f] = counted(f, 1);
        for (int64_t f = 0; f < count && q.weight; ++f) weight[f] = counted(f, q.weight[of[f]]);
    }
};

template <class T, Grouping kGrouping>
void hard_losses(int64_t n, int64_t count, ConstPanel x, const HardTargets& q, void* max, void* rest,
                 double* loss) {
    statistics<T, T, kGrouping>(n, count, x, max, rest, loss);
    const Classes classes(count, q);
    T at_class[kGroup];
    for (int64_t f = 0; f < count; ++f)
        at_class[f] = static_cast<const T*>(x.data)[at<kGrouping>(x.stride, f, classes.of[f])];
    for_each_wide(count, [&](int64_t l, int64_t some) {
        T* rests = static_cast<T*>(rest) + l;
        const Vec<double> maxima = get(static_cast<const T*>(max) + l, some);
        const Vec<double> lacking = maxima - maxima;  // 0, or NaN: no probabilities without a finite maximum
        put(rests, get(rests, some) + lacking, some);
        const Vec<double> weights = load(classes.weight + l);
        const Vec<double> unweighted =
            (maxima - load_as<double>(at_class + l)) + (get(loss + l, some) + lacking);
        put(loss + l, zero_where(weights == Vec<double>(0), weights * unweighted), some);
    });
}

// ---- Exponentials

/// For each fibre its maximum and what factor · e^(z - max) / (1 + rest) is there, how far its exponentials
/// are lifted, and the number that turns lifted exponentials into the others.
template <class T>
struct Scales {
    T max[kGroup];
    T top[kGroup];
    T lift[kGroup];
    T scale[kGroup];
    double share[kGroup];  // top, not rounded

    Scales(int64_t count, const T* maxima, const T* rest, const double* factor) {
        Found<T, kGroup> found;
        int64_t l = 0;
        do {  // vectors of fibres are read as a whole, the last one's too
            const Vec<T> max_z = l + kWidth<T> <= count ? load(maxima + l) : load_some(maxima + l, count - l);
            max_z.store_unaligned(max + l);
            found.settle_top(l, max_z, ShiftedExp<T>(max_z));
        } while ((l += kWidth<T>) < count);
        alignas(Vec<double>) double tops[kGroup];
        for (int64_t k = 0; k < l; k += kWidth<double>) found.tops(k).store_aligned(tops + k);
        for (int64_t k = 0; k < l; k += kWidth<double>) {
            const int64_t first = std::min(k, count - 1);
            const int64_t some = std::min(count - first, kWidth<double>);
            const Vec<double> all = get(factor + first, some) / (Vec<double>(1) + get(rest + first, some));
            const Vec<double> scaled = all / load(tops + k);
            const auto tiny = xsimd::abs(scaled) < Vec<double>(kTinyFactor<T>);
            const Vec<double> unlifted = scaled * Vec<double>(static_cast<double>(math::kUnlift<T>));
            all.store_unaligned(share + k);
            store_as(top + k, all);
            store_as(scale + k, xsimd::select(tiny, scaled, unlifted));
            store_as(lift + k, zero_where(tiny, Vec<double>(static_cast<double>(math::kLift<T>))));
        }
    }
    /// f(the map of fibres from l on, all of one vector).
    void at(const Vec<T>& max_z, const Vec<T>& max_y, const Vec<T>& lifts, const Vec<T>& scales,
            const auto& f) const {
        with_exponential<T>(max_z, lifts, [&](const auto& exponential) {
            f([&](const Vec<T>& z) { return xsimd::select(z == max_z, max_y, exponential(z) * scales); });
        });
    }
    /// Turns elements, one of each fibre, into their map less the factor: p - 1 is at least 1/2, or -rest / (1 + rest) where
    /// the element attains the maximum.
    REEL_FLATTEN void subtract(int64_t count, const T* rest, const double* factor, T* elements) const {
        T p[kGroup];
        for (int64_t l = 0; l < count; l += kWidth<T>)
            at_lanes(l, [&](const auto& map) { map(load(elements + l)).store_unaligned(p + l); });
        for_each_wide(count, [&](int64_t l, int64_t some) {
            const auto attains = load_as<double>(elements + l) == load_as<double>(max + l);
            const Vec<double> others = -load(share + l) * get(rest + l, some);
            store_as(elements + l,
                     xsimd::select(attains, others, load_as<double>(p + l) - get(factor + l, some)));
        });
    }
    void at_row(int64_t l, const auto& f) const {
        at(Vec<T>(max[l]), Vec<T>(top[l]), Vec<T>(lift[l]), Vec<T>(scale[l]), f);
    }
    void at_lanes(int64_t l, const auto& f) const {
        at(load(max + l), load(top + l), load(lift + l), load(scale + l), f);
    }
};

template <class T>
REEL_FLATTEN void map_long_rows(int64_t n, int64_t count, ConstPanel x, const Scales<T>& scales, Panel y) {
    for (int64_t f = 0; f < count; ++f) {
        scales.at_row(f, [&](const auto& map) {
            map_row<T>(n, fibre<T, kRows>(x, f), fibre<T, kRows>(y, f), y.streams, map);
        });
    }
    finish(y);
}

template <class T>
REEL_FLATTEN void map_short_rows(int64_t n, int64_t count, ConstPanel x, const Scales<T>& scales, Panel y) {
    alignas(Vec<T>) T near[kMaxFibres * kLongBackwardRow<T>];
    T max[kGroup];
    const ShortRows<T> rows(n, count, x, near, max);
    rows.for_each([&](int64_t l, int64_t some, const auto& z) {
        scales.at_lanes(l, [&](const auto& map) {
            map_fibres<T, kRows>(n, some, z, rows.near_of(l), fibre<T, kRows>(y, l), y.stride, map);
        });
    });
}

template <class T>
REEL_FLATTEN void map_all_lanes(int64_t n, int64_t count, ConstPanel x, const Scales<T>& scales, Panel y) {
    for_each_vector<T>(count, [&](int64_t l, int64_t lanes) {
        scales.at_lanes(l, [&](const auto& map) {
            with_lanes<T>(lanes, fibre<T, kLanes>(x, l), x.stride, [&](const auto& z) {
                map_lanes<T>(n, lanes, z, fibre<T, kLanes>(y, l), y.stride, map);
            });
        });
    });
}

template <class T>
using Map = void (*)(int64_t n, int64_t count, ConstPanel x, const Scales<T>& scales, Panel y);
template <class T>
inline constexpr Map<T> kMap[] = {
    &rows_by_length<T, kLongBackwardRow<T>, &map_long_rows<T>, &map_short_rows<T>>, &map_all_lanes<T>};

template <class T, Grouping kGrouping>
void exponentials(int64_t n, int64_t count, ConstPanel x, const void* max, const void* rest,
                  const double* factor, Panel y) {
    const Scales<T> scales(count, static_cast<const T*>(max), static_cast<const T*>(rest), factor);
    kMap<T>[kGrouping](n, count, x, scales, y);
}

template <class T, Grouping kGrouping>
void hard_gradient(int64_t n, int64_t count, ConstPanel x, const HardTargets& q, const void* max,
                   const void* rest, double* factor, Panel y) {
    const Classes classes(count, q);
    for_each_wide(count, [&](int64_t l, int64_t some) {
        const Vec<double> weights = load(classes.weight + l);
        put(factor + l, zero_where(weights == Vec<double>(0), weights * get(factor + l, some)), some);
    });
    const Scales<T> scales(count, static_cast<const T*>(max), static_cast<const T*>(rest), factor);
    kMap<T>[kGrouping](n, count, x, scales, y);
    alignas(Vec<T>) T at_class[kGroup];
    for (int64_t f = 0; f < count; ++f)
        at_class[f] = static_cast<const T*>(x.data)[at<kGrouping>(x.stride, f, classes.of[f])];
    scales.subtract(count, static_cast<const T*>(rest), factor, at_class);
    for (int64_t f = 0; f < count; ++f)
        static_cast<T*>(y.data)[at<kGrouping>(y.stride, f, classes.of[f])] = at_class[f];
}

template <class T>
void add_statistics(Table& table) {
    Softmax& kernels = table.softmax[static_cast<std::size_t>(dtype_of<T>())];
    const auto add = [&](auto grouping) {
        constexpr Grouping kGrouping = decltype(grouping)::value;
        kernels.statistics[kGrouping] = &statistics<T, T, kGrouping>;
        kernels.wide_statistics[kGrouping] = &statistics<double, T, kGrouping>;
        kernels.hard_losses[kGrouping] = &hard_losses<T, kGrouping>;
        kernels.exponentials[kGrouping] = &exponentials<T, kGrouping>;
        kernels.hard_gradient[kGrouping] = &hard_gradient<T, kGrouping>;
    };
    add(std::integral_constant<Grouping, kRows>());
    add(std::integral_constant<Grouping, kLanes>());
}

}  // namespace

void install_softmax_statistics(Table& table) {
    add_statistics<float>(table);
    add_statistics<double>(table);
}

}  // namespace reel::kernels::REEL_SET
