// Cross-entropy against target probabilities: every class of a fibre has a share in the loss. The gradient is a
// difference of probabilities that may be close, so it is computed in double precision.
// Class labels need none of this: `softmax_statistics.cpp` has what they use.
#include <array>

#include "ops/kernels/fibre_sums.hpp"

namespace reel::kernels::REEL_SET {

namespace {

using Wide = Vec<double>;
constexpr int64_t kWide = kWidth<double>;

template <class S>
Wide load_wide(const S* x, int64_t n) {
    return n == kWide ? load_as<double>(x) : load_some_as<double>(x, n);
}

template <class T>
void store_narrow(T* y, const Wide& v, int64_t n) {
#if defined(__AVX512F__)
    if (std::is_same_v<T, float> && n == kWide)
        return _mm256_storeu_ps(reinterpret_cast<float*>(y), _mm512_cvtpd_ps(v));
#elif defined(__AVX__)
    if (std::is_same_v<T, float> && n == kWide)
        return _mm_storeu_ps(reinterpret_cast<float*>(y), _mm256_cvtpd_ps(v));
#endif
    alignas(Wide) double wide[kWide];
    v.store_aligned(wide);
    if (n == kWide) {
        for (int64_t i = 0; i < kWide; ++i) y[i] = static_cast<T>(wide[i]);
    } else {
        for (int64_t i = 0; i < n; ++i) y[i] = static_cast<T>(wide[i]);
    }
}

/// weight · (share · p + floor).
Wide target(const SoftTargets& q, const Wide& weight, const Wide& p) {
    return weight * multiply_add(p, Wide(q.share), Wide(q.floor));
}

/// q of classes c … c + n - 1 of one fibre.
template <class T>
Wide row_target(const SoftTargets& q, const T* p, int64_t c, int64_t n) {
    return target(q, q.weight ? load_wide(q.weight + c, n) : Wide(1), p ? load_wide(p + c, n) : Wide(0));
}

/// q of class c of `n` fibres side by side.
template <class T>
Wide lane_target(const SoftTargets& q, const T* p, int64_t c, int64_t n) {
    return target(q, Wide(q.weight ? q.weight[c] : 1),
                  p ? load_wide(p + c * q.probability.stride, n) : Wide(0));
}

/// Sums of the terms of float32 and of float64 fibres: the former need no compensation.
class PlainSums {
public:
    void add(const Wide& x) { sum_ = sum_ + x; }
    double lane(int64_t l) const { return lanes()[static_cast<std::size_t>(l)]; }
    double total() const {
        double sum = 0;
        for (double lane : lanes()) sum += lane;
        return sum;
    }

private:
    std::array<double, static_cast<std::size_t>(kWide)> lanes() const {
        std::array<double, static_cast<std::size_t>(kWide)> lanes;
        sum_.store_unaligned(lanes.data());
        return lanes;
    }
    Wide sum_ = Wide(0);
};
template <class T>
using Sums = std::conditional_t<sizeof(T) == 4, PlainSums, LaneSums<double>>;

/// Σ q and Σ q (max - z).
template <class T>
struct Expectation {
    Sums<T> mass;
    Sums<T> distance;
    void add(const Wide& q, const Wide& below_max) {
        mass.add(q);
        distance.add(xsimd::select(q == Wide(0), Wide(0), q * below_max));
    }
};

/// Where the first element of fibre f is.
template <class T>
const T* row_of(const ConstPanel& panel, int64_t f) {
    return panel.data ? static_cast<const T*>(panel.data) + f * panel.stride : nullptr;
}
template <class T>
const T* lane_of(const ConstPanel& panel, int64_t l) {
    return panel.data ? static_cast<const T*>(panel.data) + l : nullptr;
}

void add_excess(double excess, double below_max, double& mass, double& distance) {
    if (excess == 0) return;
    mass += excess;
    distance += excess * below_max;
}

template <class T>
REEL_FLATTEN void row_expectations(int64_t n, int64_t count, ConstPanel x, const double* max,
                                   const SoftTargets& q, double* mass, double* distance) {
    for (int64_t f = 0; f < count; ++f) {
        const T* z = row_of<T>(x, f);
        const T* p = row_of<T>(q.probability, f);
        const double top = max[f];
        Expectation<T> sums;
        int64_t c = 0;
        for (; c + kWide <= n; c += kWide)
            sums.add(row_target<T>(q, p, c, kWide), Wide(top) - load_wide(z + c, kWide));
        mass[f] = sums.mass.total();
        distance[f] = sums.distance.total();
        for (; c < n; ++c) {
            alignas(Wide) double share[kWide];
            row_target<T>(q, p, c, 1).store_aligned(share);
            add_excess(share[0], top - static_cast<double>(z[c]), mass[f], distance[f]);
        }
        if (q.classes)
            add_excess(q.excess[f], top - static_cast<double>(z[q.classes[f]]), mass[f], distance[f]);
    }
}

template <class T>
REEL_FLATTEN void lane_expectations(int64_t n, int64_t count, ConstPanel x, const double* max,
                                    const SoftTargets& q, double* mass, double* distance) {
    for_each_vector<double>(count, [&](int64_t l, int64_t lanes) {
        const T* z = lane_of<T>(x, l);
        const T* p = lane_of<T>(q.probability, l);
        const Wide top = load_wide(max + l, lanes);
        Expectation<T> sums;
        for (int64_t c = 0; c < n; ++c)
            sums.add(lane_target<T>(q, p, c, lanes), top - load_wide(z + c * x.stride, lanes));
        for (int64_t i = 0; i < lanes; ++i) {
            mass[l + i] = sums.mass.lane(i);
            distance[l + i] = sums.distance.lane(i);
        }
    });
    if (!q.classes) return;
    for (int64_t f = 0; f < count; ++f) {
        const double top = max[f];
        const T z = static_cast<const T*>(x.data)[q.classes[f] * x.stride + f];
        add_excess(q.excess[f], top - static_cast<double>(z), mass[f], distance[f]);
    }
}

/// factor · (mass · e^(z - max) / (1 + rest) - q) of kWide fibres. Where a maximum has most of the probability, that is
/// written as 1 - rest / (1 + rest), so that what is left of mass - q is not lost in it.
class Residual {
public:
    Residual(const Wide& max, const Wide& rest, const Wide& mass, const Wide& factor)
        : leader_(xsimd::select(rest < Wide(1), max, Wide(std::numeric_limits<double>::quiet_NaN()))),
          mass_(mass),
          factor_(factor) {
        const ShiftedExp<double> exponential(max);
        alignas(Wide) double top[kWide];
        alignas(Wide) double exponent[kWide];
        exponential.top().store_aligned(top);
        exponential.exponent().store_aligned(exponent);
        const Wide sum = Wide(1) + rest;
        scale_ = mass * Wide(math::kUnlift<double>) / (top_exponential<double>(top, exponent) * sum);
        others_ = mass * (rest / sum);
    }
    /// That of fibre f alone, in all lanes.
    Residual only(int64_t f) const {
        Residual one = *this;
        for (Wide* each : {&one.leader_, &one.mass_, &one.factor_, &one.scale_, &one.others_}) {
            alignas(Wide) double lanes[kWide];
            each->store_aligned(lanes);
            *each = Wide(lanes[f]);
        }
        return one;
    }
    /// With e the lifted exponential of z.
    Wide operator()(const Wide& z, const Wide& e, const Wide& q) const {
        const Wide leading = (mass_ - q) - others_;
        return factor_ * xsimd::select(z == leader_, leading, multiply_add(e, scale_, -q));
    }

private:
    Wide leader_, mass_, factor_, scale_, others_;
};

/// The element at the fibre's class, where q has its excess.
template <class T>
void correct(const SoftTargets& q, int64_t f, const Residual& residual, const Wide& base, T z, double e,
             T* y) {
    store_narrow(y, residual(Wide(static_cast<double>(z)), Wide(e), base + Wide(q.excess[f])), 1);
}

/// rest of fibres l …; NaN without a finite maximum.
template <int64_t N>
Wide rest_of(const Found<double, N>& found, int64_t l) {
    const Wide max = load(found.max + l);
    const Wide nan(std::numeric_limits<double>::quiet_NaN());
    return xsimd::select(max - max == Wide(0), Concluded<double>(found, l).rest, nan);
}

/// A few short rows at a time, so that their numbers are put together in one vector.
template <class T>
REEL_FLATTEN void row_residuals(int64_t n, int64_t count, ConstPanel x, const SoftTargets& q,
                                const double* mass, const double* factor, void* scratch, Panel y) {
    const int64_t few = n > kShortRow ? 1 : std::min(kWide, kShortRows);
    const int64_t room = (n + kWide - 1) / kWide * kWide;
    auto* exponentials = static_cast<double*>(scratch);
    for (int64_t first = 0; first < count; first += few) {
        const int64_t rows = std::min(few, count - first);
        Found<double, kWide> found{};
        for (int64_t f = 0; f < rows; ++f)
            find_row<double>(n, row_of<T>(x, first + f), x.stride, KeepAll<double>{exponentials + f * room},
                             found, f);
        const Residual all(load(found.max), rest_of(found, 0), load_wide(mass + first, rows),
                           load_wide(factor + first, rows));
        for (int64_t f = 0; f < rows; ++f) {
            const T* z = row_of<T>(x, first + f);
            const T* p = row_of<T>(q.probability, first + f);
            const double* e = exponentials + f * room;
            T* to = static_cast<T*>(y.data) + (first + f) * y.stride;
            const Residual residual = all.only(f);
            int64_t c = 0;
            for (; c + kWide <= n; c += kWide)
                store_narrow(to + c,
                             residual(load_wide(z + c, kWide), load(e + c), row_target<T>(q, p, c, kWide)),
                             kWide);
            if (c < n)
                store_narrow(to + c,
                             residual(load_wide(z + c, n - c), load(e + c), row_target<T>(q, p, c, n - c)),
                             n - c);
            if (!q.classes || q.excess[first + f] == 0) continue;
            const int64_t t = q.classes[first + f];
            correct(q, first + f, residual, row_target<T>(q, p, t, 1), z[t], e[t], to + t);
        }
    }
}

template <class T>
REEL_FLATTEN void lane_residuals(int64_t n, int64_t count, ConstPanel x, const SoftTargets& q,
                                 const double* mass, const double* factor, void* scratch, Panel y) {
    auto* exponentials = static_cast<double*>(scratch);
    Found<double, kGroup> found{};
    double rest[kGroup];
    for_each_vector<double>(count, [&](int64_t l, int64_t lanes) {
        const T* z = lane_of<T>(x, l);
        const T* p = lane_of<T>(q.probability, l);
        T* to = static_cast<T*>(y.data) + l;
        with_lanes<double>(lanes, z, x.stride, [&](const auto& element) {
            find_lanes<double>(n, element, element, KeepAll<double>{exponentials}, found, l);
        });
        const Wide rests = rest_of(found, l);
        rests.store_unaligned(rest + l);
        const Residual residual(load(found.max + l), rests, load_wide(mass + l, lanes),
                                load_wide(factor + l, lanes));
        for (int64_t c = 0; c < n; ++c) {
            store_narrow(to + c * y.stride,
                         residual(load_wide(z + c * x.stride, lanes), load(exponentials + c * kWide),
                                  lane_target<T>(q, p, c, lanes)),
                         lanes);
        }
    });
    if (!q.classes) return;
    for (int64_t f = 0; f < count; ++f) {
        if (q.excess[f] == 0) continue;
        const Residual residual{Wide(found.max[f]), Wide(rest[f]), Wide(mass[f]), Wide(factor[f])};
        const int64_t t = q.classes[f];
        const T z = static_cast<const T*>(x.data)[t * x.stride + f];
        const double e = first_lane(ShiftedExp<double>(Wide(found.max[f]))(Wide(static_cast<double>(z))));
        correct(q, f, residual, lane_target<T>(q, lane_of<T>(q.probability, f), t, 1), z, e,
                static_cast<T*>(y.data) + t * y.stride + f);
    }
}

template <class T>
void add_soft_targets(Table& table) {
    Softmax& kernels = table.softmax[static_cast<std::size_t>(dtype_of<T>())];
    kernels.expectations[kRows] = &row_expectations<T>;
    kernels.expectations[kLanes] = &lane_expectations<T>;
    kernels.residuals[kRows] = &row_residuals<T>;
    kernels.residuals[kLanes] = &lane_residuals<T>;
}

}  // namespace

void install_soft_targets(Table& table) {
    add_soft_targets<float>(table);
    add_soft_targets<double>(table);
}

}  // namespace reel::kernels::REEL_SET
