// Cross-entropy against target probabilities: every class of a fibre has a share in the loss. The gradient is a
// difference of probabilities that may be close, so it is computed in double precision.
// Class labels need none of this: `softmax_statistics.cpp` has what they use.
#include "ops/kernels/target_fibres.hpp"

namespace reel::kernels::REEL_SET {

namespace {

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
