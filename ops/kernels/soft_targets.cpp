// Cross-entropy against target probabilities: every class of a fibre has a share in the loss. The gradient is a
// difference of probabilities that may be close, so it is computed in double precision.
// Class labels need none of this: `softmax_statistics.cpp` has what they use.
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

/// Where the first element of row f is.
template <class T>
const T* row_of(const ConstPanel& panel, int64_t f) {
    return panel.data ? static_cast<const T*>(panel.data) + f * panel.stride : nullptr;
}

/// q = weight · (share · p + floor), without the excess.
class Target {
public:
    explicit Target(const SoftTargets& q) : weight_(q.weight), share_(q.share), floor_(q.floor) {}
    /// Of `n` classes from c on, of a row whose probabilities are p.
    template <class T>
    Wide in_row(const T* p, int64_t c, int64_t n) const {
        return of(p ? load_wide(p + c, n) : Wide(0), weight_ ? load_wide(weight_ + c, n) : Wide(1));
    }
    /// Of class c of `n` fibres side by side, whose probabilities are at p.
    template <class T>
    Wide in_lanes(const T* p, int64_t c, int64_t n) const {
        return of(p ? load_wide(p, n) : Wide(0), Wide(weight_ ? weight_[c] : 1));
    }

private:
    Wide of(const Wide& p, const Wide& weight) const { return weight * multiply_add(p, share_, floor_); }
    const double* weight_;
    Wide share_, floor_;
};

/// Lane by lane q at one class after the other, of `n` fibres from fibre l on.
template <class T>
class LaneTarget {
public:
    LaneTarget(const SoftTargets& q, int64_t l, int64_t n)
        : target_(q),
          p_(q.probability.data ? static_cast<const T*>(q.probability.data) + l : nullptr),
          stride_(q.probability.stride),
          n_(n),
          label_(q.classes ? load_wide(q.classes + l, n) : Wide(-1)),
          excess_(q.classes ? load_wide(q.excess + l, n) : Wide(0)) {}
    Wide operator()(int64_t c) const {
        const Wide q = target_.in_lanes(p_ ? p_ + c * stride_ : nullptr, c, n_);
        return q + xsimd::select(label_ == Wide(static_cast<double>(c)), excess_, Wide(0));
    }

private:
    Target target_;
    const T* p_;
    int64_t stride_, n_;
    Wide label_, excess_;
};

/// Σ q and Σ q (max - z).
template <class T>
struct Expectation {
    Sums<double, T> mass, distance;
    void add(const Wide& q, const Wide& below_max) {
        mass.add(q);
        distance.add(xsimd::select(q == Wide(0), Wide(0), q * below_max));
    }
};

/// Of a row but for what its last few classes have: q there is added one by one.
template <class T>
Expectation<T> row_expectation(int64_t n, const T* z, const T* p, double max, const Target& q, bool both) {
    Expectation<T> sums;
    int64_t c = 0;
    if (!both) {
        for (; c + kWide <= n; c += kWide) sums.mass.add(q.in_row(p, c, kWide));
    } else {
        for (; c + kWide <= n; c += kWide)
            sums.add(q.in_row(p, c, kWide), Wide(max) - load_wide(z + c, kWide));
    }
    if (c == n) return sums;
    alignas(Wide) double last[kWide] = {};
    store_some(last, q.in_row(p, c, n - c), n - c);
    sums.add(load(last), Wide(max) - load_wide(z + c, n - c));
    return sums;
}

template <class T>
REEL_FLATTEN void row_expectations(int64_t n, int64_t count, ConstPanel x, const void* max,
                                   const SoftTargets& q, double* mass, double* distance) {
    const Target target(q);
    for (int64_t f = 0; f < count; ++f) {
        const T* z = row_of<T>(x, f);
        const auto top = static_cast<double>(static_cast<const T*>(max)[f]);
        const Expectation<T> sums =
            row_expectation(n, z, row_of<T>(q.probability, f), top, target, distance != nullptr);
        const bool has_excess = q.classes && q.excess[f] != 0;
        mass[f] = sums.mass.total() + (has_excess ? q.excess[f] : 0);
        if (!distance) continue;
        distance[f] = sums.distance.total();
        if (has_excess) distance[f] += q.excess[f] * (top - static_cast<double>(z[q.classes[f]]));
    }
}

template <class T>
REEL_FLATTEN void lane_expectations(int64_t n, int64_t count, ConstPanel x, const void* max,
                                    const SoftTargets& q, double* mass, double* distance) {
    for_each_vector<double>(count, [&](int64_t l, int64_t lanes) {
        const T* z = static_cast<const T*>(x.data) + l;
        const Wide top = load_wide(static_cast<const T*>(max) + l, lanes);
        const LaneTarget<T> target(q, l, lanes);
        Expectation<T> sums;
        for (int64_t c = 0; c < n; ++c) sums.add(target(c), top - load_wide(z + c * x.stride, lanes));
        double all[2][kWide];
        sums.mass.lanes(all[0]);
        sums.distance.lanes(all[1]);
        std::copy_n(all[0], lanes, mass + l);
        if (distance) std::copy_n(all[1], lanes, distance + l);
    });
}

/// factor · (mass · e^(z - max) / (1 + rest) - q) of kWide fibres. Where a maximum has most of the probability, that is
/// written as 1 - rest / (1 + rest), so that what is left of mass - q is not lost in it.
class Residual {
public:
    template <int64_t N>
    Residual(const Found<double, N>& found, int64_t l, const Wide& mass, const Wide& factor)
        : mass_(mass), factor_(factor) {
        const Wide nan(std::numeric_limits<double>::quiet_NaN());
        const Wide max = load(found.max + l);
        const Concluded<double> fibres(found, l);
        const Wide rest =
            xsimd::select(max - max == Wide(0), fibres.rest, nan);  // no finite maximum: all NaN
        const Wide sum = Wide(1) + rest;
        leader_ = xsimd::select(rest < Wide(1), max, nan);
        scale_ = mass * Wide(math::kUnlift<double>) / (fibres.top * sum);
        others_ = mass * (rest / sum);
    }
    /// With e the lifted exponential of z.
    Wide operator()(const Wide& z, const Wide& e, const Wide& q) const {
        const Wide leading = (mass_ - q) - others_;
        return factor_ * xsimd::select(z == leader_, leading, multiply_add(e, scale_, -q));
    }

private:
    Wide leader_, mass_, factor_, scale_, others_;
};

template <class T>
REEL_FLATTEN void row_residuals(int64_t n, int64_t count, ConstPanel x, const void* max, const SoftTargets& q,
                                const double* mass, const double* factor, void* scratch, Panel y) {
    const Target target(q);
    const int64_t few = rows_at_once(n);
    const int64_t room = (n + kWide - 1) / kWide * kWide;
    auto* exponentials = static_cast<double*>(scratch);
    for (int64_t first = 0; first < count; first += few) {
        const int64_t rows = std::min(few, count - first);
        Found<double, kFewRows<double>> found{};
        std::copy_n(static_cast<const T*>(max) + first, rows, found.max);
        find_row_sums<double>(
            n, rows, row_of<T>(x, first), x.stride,
            [&](int64_t f) { return KeepAll<double>{exponentials + f * room}; }, found, 0);
        for (int64_t l = 0; l < rows; l += kWide) {
            const int64_t some = std::min(kWide, rows - l);
            const Residual all(found, l, load_wide(mass + first + l, some),
                               load_wide(factor + first + l, some));
            for (int64_t f = l; f < l + some; ++f) {
                const T* z = row_of<T>(x, first + f);
                const T* p = row_of<T>(q.probability, first + f);
                const double* e = exponentials + f * room;
                const Residual residual = only_lane<double>(all, f - l);
                T* to = static_cast<T*>(y.data) + (first + f) * y.stride;
                int64_t c = 0;
                for (; c + kWide <= n; c += kWide)
                    store_narrow(to + c,
                                 residual(load_wide(z + c, kWide), load(e + c), target.in_row(p, c, kWide)),
                                 kWide);
                if (c < n)
                    store_narrow(to + c,
                                 residual(load_wide(z + c, n - c), load(e + c), target.in_row(p, c, n - c)),
                                 n - c);
                if (!q.classes || q.excess[first + f] == 0) continue;
                const int64_t t = q.classes[first + f];
                const Wide here = target.in_row(p, t, 1) + Wide(q.excess[first + f]);
                store_narrow(to + t, residual(Wide(static_cast<double>(z[t])), Wide(e[t]), here), 1);
            }
        }
    }
}

template <class T>
REEL_FLATTEN void lane_residuals(int64_t n, int64_t count, ConstPanel x, const void* max,
                                 const SoftTargets& q, const double* mass, const double* factor,
                                 void* scratch, Panel y) {
    auto* exponentials = static_cast<double*>(scratch);
    for_each_vector<double>(count, [&](int64_t l, int64_t lanes) {
        const T* z = static_cast<const T*>(x.data) + l;
        T* to = static_cast<T*>(y.data) + l;
        Found<double, kWide> found{};
        with_lanes<double>(lanes, z, x.stride, [&](const auto& element) {
            find_lane_sums<double, T>(n, load_wide(static_cast<const T*>(max) + l, lanes), element,
                                      KeepAll<double>{exponentials}, found, 0);
        });
        const Residual residual(found, 0, load_wide(mass + l, lanes), load_wide(factor + l, lanes));
        const LaneTarget<T> target(q, l, lanes);
        for (int64_t c = 0; c < n; ++c) {
            store_narrow(
                to + c * y.stride,
                residual(load_wide(z + c * x.stride, lanes), load(exponentials + c * kWide), target(c)),
                lanes);
        }
    });
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
