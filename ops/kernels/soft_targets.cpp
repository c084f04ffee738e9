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
    if (n == kWide) return store_as(y, v);
    alignas(Wide) double wide[kWide];
    v.store_aligned(wide);
    for (int64_t i = 0; i < n; ++i) y[i] = static_cast<T>(wide[i]);
}

/// One dense fibre of `n` classes, kWide of them at a time.
template <class T>
struct OneRow {
    const T* z;
    int64_t n;

    /// f(class, how many from it on).
    void each(const auto& f) const {
        int64_t c = 0;
        for (; c + kWide <= n; c += kWide) f(c, kWide);
        if (c < n) f(c, n - c);
    }
    /// The same, where a class may come twice: the last vector overlaps the one before.
    void each_at_least_once(const auto& f) const {
        int64_t c = 0;
        for (; c + kWide <= n; c += kWide) f(c, kWide);
        if (c < n) c > 0 ? f(n - kWide, kWide) : f(c, n);
    }
    /// What is missing in the last vector is -inf.
    Wide logits(int64_t c, int64_t some) const {
        return some == kWide ? load_as<double>(z + c) : row_tail<double>(z + c, some);
    }
    static int64_t kept(int64_t c) { return c; }
    static Wide sum(const auto& sums) { return Wide(sums.total()); }
};

/// `lanes` fibres side by side, each of `n` classes: one class of all of them at a time.
template <class T>
struct SideBySide {
    const T* z;
    int64_t stride;
    int64_t n;
    int64_t lanes;

    void each(const auto& f) const {
        if (lanes == kWide) {
            for (int64_t c = 0; c < n; ++c) f(c, kWide);
        } else {
            for (int64_t c = 0; c < n; ++c) f(c, lanes);
        }
    }
    void each_at_least_once(const auto& f) const { each(f); }
    Wide logits(int64_t c, int64_t some) const { return load_wide(z + c * stride, some); }
    static int64_t kept(int64_t c) { return c * kWide; }
    static Wide sum(const auto& sums) {
        alignas(Wide) double all[kWide];
        sums.lanes(all);
        return Wide::load_aligned(all);
    }
};

/// Where q is p itself, without a share, a weight or a label.
bool is_plain(const SoftTargets& q) {
    return q.probability.data && q.share == 1 && q.floor == 0 && !q.weight && !q.classes;
}

/// q = weight · (share · p + floor).
class Mixture {
public:
    explicit Mixture(const SoftTargets& q) : share_(q.share), floor_(q.floor) {}
    Wide operator()(const Wide& p, const Wide& weight) const {
        return weight * multiply_add(p, share_, floor_);
    }

private:
    Wide share_, floor_;
};

/// q of fibre f, a row, without the excess of its label.
template <class T, bool kPlain>
class RowTarget {
public:
    RowTarget(const SoftTargets& q, int64_t f)
        : mixture_(q),
          p_(q.probability.data ? static_cast<const T*>(q.probability.data) + f * q.probability.stride
                                : nullptr),
          weight_(q.weight),
          label_(q.classes ? q.classes[f] : 0),
          excess_(q.classes ? q.excess[f] : 0) {}
    /// 0 for classes that are missing in the last vector.
    Wide operator()(int64_t c, int64_t some) const {
        const auto load_part = [&](const auto* from) {
            return some == kWide ? load_as<double>(from + c) : load_first_as<double>(from + c, some);
        };
        const Wide q = kPlain
                           ? load_part(p_)
                           : mixture_(p_ ? load_part(p_) : Wide(0), weight_ ? load_part(weight_) : Wide(1));
        if (some == kWide) return q;
        return only_where(load(kIota<double>) < Wide(static_cast<double>(some)), q);
    }
    int64_t label() const { return label_; }
    double excess() const { return excess_; }

private:
    Mixture mixture_;
    const T* p_;
    const double* weight_;
    int64_t label_;
    double excess_;
};

/// q of fibres l … side by side.
template <class T, bool kPlain>
class LaneTarget {
public:
    LaneTarget(const SoftTargets& q, int64_t l, int64_t lanes)
        : mixture_(q),
          p_(q.probability.data ? static_cast<const T*>(q.probability.data) + l : nullptr),
          stride_(q.probability.stride),
          weight_(q.weight),
          label_(q.classes ? load_wide(q.classes + l, lanes) : Wide(-1)),
          excess_(q.classes ? load_wide(q.excess + l, lanes) : Wide(0)) {}
    Wide operator()(int64_t c, int64_t some) const {
        if constexpr (kPlain) return load_wide(p_ + c * stride_, some);
        const Wide q =
            mixture_(p_ ? load_wide(p_ + c * stride_, some) : Wide(0), Wide(weight_ ? weight_[c] : 1));
        return q + only_where(label_ == Wide(static_cast<double>(c)), excess_);
    }
    static double excess() { return 0; }
    static int64_t label() { return 0; }

private:
    Mixture mixture_;
    const T* p_;
    int64_t stride_;
    const double* weight_;
    Wide label_, excess_;
};

/// f(fibres, their target, which is the first, how many) for each row, or vector of fibres side by side.
template <class T, Grouping kGrouping, bool kPlain>
void for_each_fibre(int64_t n, int64_t count, const ConstPanel& x, const SoftTargets& q, const auto& f) {
    const T* z = static_cast<const T*>(x.data);
    if constexpr (kGrouping == kRows) {
        for (int64_t i = 0; i < count; ++i)
            f(OneRow<T>{z + i * x.stride, n}, RowTarget<T, kPlain>(q, i), i, 1);
    } else {
        for_each_vector<double>(count, [&](int64_t l, int64_t lanes) {
            f(SideBySide<T>{z + l, x.stride, n, lanes}, LaneTarget<T, kPlain>(q, l, lanes), l, lanes);
        });
    }
}

/// q (max - z), where 0 · inf is 0.
template <class T>
Wide distance_of(const Wide& q, const Wide& below_max) {
    if constexpr (sizeof(T) < sizeof(double)) {
        // Times a number beyond all of T: infinite in T, if q is not 0.
        return q * smaller(Wide(std::numeric_limits<double>::max()), below_max);
    } else {
        return zero_where(q == Wide(0), q * below_max);
    }
}

template <class T, Grouping kGrouping, bool kPlain>
REEL_FLATTEN void expect(int64_t n, int64_t count, ConstPanel x, const void* max, const SoftTargets& q,
                         double* mass, double* distance) {
    const auto each = [&](const auto& fibres, const auto& target, int64_t f, int64_t some) {
        const Wide top = load_wide(static_cast<const T*>(max) + f, some);
        Sums<double, T> masses;
        Sums<double, T> distances;
        fibres.each([&](int64_t c, int64_t k) {
            const Wide share = target(c, k);
            masses.add(share);
            distances.add(distance_of<T>(share, top - fibres.logits(c, k)));
        });
        const bool has_excess = target.excess() != 0;
        const Wide all = fibres.sum(masses);
        store_some(mass + f, has_excess ? all + Wide(target.excess()) : all, some);
        store_some(distance + f, fibres.sum(distances), some);
        if (has_excess)
            distance[f] +=
                target.excess() * (first_lane(top) - static_cast<double>(fibres.z[target.label()]));
    };
    for_each_fibre<T, kGrouping, kPlain>(n, count, x, q, each);
}

/// Where rest = Σ' e^(z - max) is below this, the maximum's probability is written as 1 - rest / (1 + rest), so that what is
/// left of mass - q is not lost in it: in double precision that of float32 logits has digits enough while it is not 1 to the
/// last digit of a float32.
template <class T>
constexpr double kLead = sizeof(T) < sizeof(double) ? 0x1p-24 : 1;

/// store(class, factor · (mass · e^(z - max) / (1 + rest) - q), how many) for all of a row, or of fibres side by side; the mass
/// is summed here where it is not given. Where a maximum has most of the probability (`kLeads`), it is left out of the sum.
template <class T, bool kLeads>
void residuals_of(const auto& fibres, const auto& target, const Wide& max, const Wide& rest,
                  const Wide* given, const Wide& factor, double* exponentials, const auto& store) {
    const Wide nan(std::numeric_limits<double>::quiet_NaN());
    const Wide leader = xsimd::select(rest < Wide(kLead<T>), max, nan);
    const ShiftedExp<double> exponential(max);
    Sums<double, T> sums;
    Sums<double, T> masses;
    fibres.each([&](int64_t c, int64_t k) {
        const Wide z = fibres.logits(c, k);
        const Wide e = exponential(z);
        e.store_unaligned(exponentials + fibres.kept(c));
        sums.add(kLeads ? zero_where(z == leader, e) : e);
        if (!given) masses.add(target(c, k));
    });
    const Wide mass = given ? *given : fibres.sum(masses);
    const Wide others = fibres.sum(sums);
    const Wide all = kLeads ? others + only_where(leader == max, exponential(max)) : others;
    const Wide scale = xsimd::select(max - max == Wide(0), mass / all, nan);  // no finite maximum: all NaN
    const Wide lacking = mass * (others / all);
    const auto write = [&](int64_t c, int64_t k, const Wide& q) {
        Wide residual = multiply_subtract(load(exponentials + fibres.kept(c)), scale, q);
        if (kLeads) residual = xsimd::select(fibres.logits(c, k) == leader, (mass - q) - lacking, residual);
        store(c, factor * residual, k);
    };
    fibres.each_at_least_once([&](int64_t c, int64_t k) { write(c, k, target(c, k)); });
    if (target.excess() != 0) write(target.label(), 1, target(target.label(), 1) + Wide(target.excess()));
}

template <class T, Grouping kGrouping, bool kPlain>
REEL_FLATTEN void write_residuals(int64_t n, int64_t count, ConstPanel x, const void* max, const void* rest,
                                  const SoftTargets& q, const double* mass, const double* factor,
                                  void* scratch, Panel y) {
    const auto each = [&](const auto& fibres, const auto& target, int64_t f, int64_t some) {
        const Wide others = load_wide(static_cast<const T*>(rest) + f, some);
        const Wide given = mass ? load_wide(mass + f, some) : Wide(0);
        const auto run = [&](auto leads) {
            residuals_of<T, decltype(leads)::value>(
                fibres, target, load_wide(static_cast<const T*>(max) + f, some), others,
                mass ? &given : nullptr, load_wide(factor + f, some), static_cast<double*>(scratch),
                [&](int64_t c, const Wide& residual, int64_t k) {
                    store_narrow(
                        static_cast<T*>(y.data) + (kGrouping == kRows ? f * y.stride + c : c * y.stride + f),
                        residual, k);
                });
        };
        if (xsimd::any(others < Wide(kLead<T>))) {
            run(std::true_type());
        } else {
            run(std::false_type());
        }
    };
    for_each_fibre<T, kGrouping, kPlain>(n, count, x, q, each);
}

template <class T, Grouping kGrouping>
void expectations(int64_t n, int64_t count, ConstPanel x, const void* max, const SoftTargets& q, double* mass,
                  double* distance) {
    (is_plain(q) ? expect<T, kGrouping, true> : expect<T, kGrouping, false>)(n, count, x, max, q, mass,
                                                                             distance);
}

template <class T, Grouping kGrouping>
void residuals(int64_t n, int64_t count, ConstPanel x, const void* max, const void* rest,
               const SoftTargets& q, const double* mass, const double* factor, void* scratch, Panel y) {
    (is_plain(q) ? write_residuals<T, kGrouping, true>
                 : write_residuals<T, kGrouping, false>)(n, count, x, max, rest, q, mass, factor, scratch, y);
}

template <class T>
void add_soft_targets(Table& table) {
    Softmax& kernels = table.softmax[static_cast<std::size_t>(dtype_of<T>())];
    kernels.expectations[kRows] = &expectations<T, kRows>;
    kernels.expectations[kLanes] = &expectations<T, kLanes>;
    kernels.residuals[kRows] = &residuals<T, kRows>;
    kernels.residuals[kLanes] = &residuals<T, kLanes>;
}

}  // namespace

void install_soft_targets(Table& table) {
    add_soft_targets<float>(table);
    add_soft_targets<double>(table);
}

}  // namespace reel::kernels::REEL_SET
