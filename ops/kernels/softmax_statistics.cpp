// The statistics of a group of fibres, and exponentials made from them: what cross-entropy keeps between its
// forward and its backward pass. Softmax itself, which has both in one: `softmax.cpp`.
#include "ops/kernels/fibre_sums.hpp"

namespace reel::kernels::REEL_SET {

namespace {

/// max, rest and log(1 + rest) of each fibre.
template <class T>
void conclude(int64_t count, const Found<T, kGroup>& found, void* max, void* rest, double* log_sum) {
    alignas(Vec<double>) double rests[kGroup];
    alignas(Vec<double>) double logs[kGroup];
    for (int64_t l = 0; l < count; l += kWidth<double>) {
        const Vec<double> rest_of = found.rests(l);
        rest_of.store_aligned(rests + l);
        math::log1p_as<T>(rest_of).store_aligned(logs + l);
    }
    for (int64_t l = 0; l < count; ++l) {
        static_cast<T*>(max)[l] = found.max[l];
        static_cast<T*>(rest)[l] = static_cast<T>(rests[l]);
        log_sum[l] = logs[l];
    }
}

template <class T, class S>
REEL_FLATTEN void row_statistics(int64_t n, int64_t count, ConstPanel x, void* max, void* rest,
                                 double* log_sum) {
    Found<T, kGroup> found;
    const int64_t few = rows_at_once(n);
    for (int64_t f = 0; f < count; f += few)
        find_rows<T>(
            n, std::min(few, count - f), static_cast<const S*>(x.data) + f * x.stride, x.stride,
            [](int64_t) { return KeepNothing(); }, found, f);
    conclude<T>(count, found, max, rest, log_sum);
}

template <class T, class S>
REEL_FLATTEN void lane_statistics(int64_t n, int64_t count, ConstPanel x, void* max, void* rest,
                                  double* log_sum) {
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
    conclude<T>(count, found, max, rest, log_sum);
}

/// For each fibre its maximum and what factor · e^(z - max) / (1 + rest) is there, how far its exponentials
/// are lifted, and the number that turns lifted exponentials into the others.
template <class T>
struct Scales {
    T max[kGroup];
    T top[kGroup];
    T lift[kGroup];
    T scale[kGroup];

    Scales(int64_t count, const T* maxima, const T* rest, const double* factor) {
        Found<T, kGroup> found;
        for (int64_t l = 0; l < count; ++l) found.max[l] = maxima[l];
        for (int64_t l = 0; l < count; l += kWidth<T>) {
            const Vec<T> max_z = load(found.max + l);
            found.settle(l, max_z, ShiftedExp<T>(max_z));
        }
        using Wide = Vec<double>;
        alignas(Wide) double share[kGroup];
        alignas(Wide) double part[kGroup];
        alignas(Wide) double lifts[kGroup];
        for (int64_t l = 0; l < count; l += kWidth<double>) {
            const int64_t some = std::min(count - l, kWidth<double>);
            const Wide others =
                some == kWidth<double> ? load_as<double>(rest + l) : load_some_as<double>(rest + l, some);
            const Wide factors = some == kWidth<double> ? load(factor + l) : load_some(factor + l, some);
            const Wide all = factors / (Wide(1) + others);
            const Wide scaled = all / found.tops(l);
            const auto tiny = xsimd::abs(scaled) < Wide(kTinyFactor<T>);
            all.store_aligned(share + l);
            xsimd::select(tiny, scaled, scaled * Wide(static_cast<double>(math::kUnlift<T>)))
                .store_aligned(part + l);
            xsimd::select(tiny, Wide(0), Wide(static_cast<double>(math::kLift<T>))).store_aligned(lifts + l);
        }
        for (int64_t l = 0; l < count; ++l) {
            max[l] = maxima[l];
            top[l] = static_cast<T>(share[l]);
            lift[l] = static_cast<T>(lifts[l]);
            scale[l] = static_cast<T>(part[l]);
        }
        for (int64_t l = count; l < kGroup; ++l) max[l] = top[l] = lift[l] = scale[l] = 0;
    }
};

template <class T>
REEL_FLATTEN void row_exponentials(int64_t n, int64_t count, ConstPanel x, const void* max, const void* rest,
                                   const double* factor, Panel y) {
    const Scales<T> scales(count, static_cast<const T*>(max), static_cast<const T*>(rest), factor);
    for (int64_t f = 0; f < count; ++f) {
        const Vec<T> scale(scales.scale[f]);
        const Vec<T> max_z(scales.max[f]);
        const Vec<T> max_y(scales.top[f]);
        with_exponential<T>(max_z, Vec<T>(scales.lift[f]), [&](const auto& exponential) {
            map_row<T>(n, static_cast<const T*>(x.data) + f * x.stride,
                       static_cast<T*>(y.data) + f * y.stride, y.streams, [&](const Vec<T>& z) {
                           return xsimd::select(z == max_z, max_y, exponential(z) * scale);
                       });
        });
    }
    finish(y);
}

template <class T>
REEL_FLATTEN void lane_exponentials(int64_t n, int64_t count, ConstPanel x, const void* max, const void* rest,
                                    const double* factor, Panel y) {
    const Scales<T> scales(count, static_cast<const T*>(max), static_cast<const T*>(rest), factor);
    for_each_vector<T>(count, [&](int64_t l, int64_t lanes) {
        const Vec<T> scale = load(scales.scale + l);
        const Vec<T> max_z = load(scales.max + l);
        const Vec<T> max_y = load(scales.top + l);
        const T* from = static_cast<const T*>(x.data) + l;
        with_exponential<T>(max_z, load(scales.lift + l), [&](const auto& exponential) {
            with_lanes<T>(lanes, from, x.stride, [&](const auto& element) {
                map_lanes<T>(n, lanes, element, static_cast<T*>(y.data) + l, y.stride, [&](const Vec<T>& z) {
                    return xsimd::select(z == max_z, max_y, exponential(z) * scale);
                });
            });
        });
    });
}

template <class T>
void add_statistics(Table& table) {
    Softmax& kernels = table.softmax[static_cast<std::size_t>(dtype_of<T>())];
    kernels.statistics[kRows] = &row_statistics<T, T>;
    kernels.statistics[kLanes] = &lane_statistics<T, T>;
    kernels.wide_statistics[kRows] = &row_statistics<double, T>;
    kernels.wide_statistics[kLanes] = &lane_statistics<double, T>;
    kernels.exponentials[kRows] = &row_exponentials<T>;
    kernels.exponentials[kLanes] = &lane_exponentials<T>;
}

}  // namespace

void install_softmax_statistics(Table& table) {
    add_statistics<float>(table);
    add_statistics<double>(table);
}

}  // namespace reel::kernels::REEL_SET
