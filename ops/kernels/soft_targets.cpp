// Cross-entropy against target probabilities: every class of a fibre has a share in the loss. The gradient is a
// difference of probabilities that may be close, so it is computed in double precision.
// Class labels need none of this: `softmax_statistics.cpp` has what they use.
#include <optional>

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
/// last digit of a float32. Two maxima, of which rest is 1 but for rounding, have none that leads.
template <class T>
constexpr double kLead = sizeof(T) < sizeof(double) ? 0x1p-24 : 0.5;

/// factor · (mass · e^(z - max) / (1 + rest) - q) for all of a row, or of fibres side by side: first the exponentials and their
/// sum, later what becomes of them. Where a maximum has most of the probability (`kLeads`), it is left out of the sum.
template <class T, bool kLeads, class Fibre, class Target>
class Residuals {
public:
    /// The mass is summed where it is not given.
    Residuals(const Fibre& fibre, const Target& target, const Wide& max, const Wide& rest, const Wide* mass,
              const Wide& factor, double* exponentials)
        : fibre_(fibre), target_(target), factor_(factor), exponentials_(exponentials) {
        const Wide nan(std::numeric_limits<double>::quiet_NaN());
        leader_ = xsimd::select(rest < Wide(kLead<T>), max, nan);
        Sums<double, T> sums;
        Sums<double, T> masses;
        Wide peak;
        with_exponential<double>(max, [&](const auto& exponential) {
            fibre.each([&](int64_t c, int64_t k) {
                const Wide z = fibre.logits(c, k);
                const Wide e = exponential(z);
                e.store_unaligned(exponentials + fibre.kept(c));
                sums.add(kLeads ? zero_where(z == leader_, e) : e);
                if (!mass) masses.add(target(c, k));
            });
            if (kLeads) peak = exponential(max);
        });
        mass_ = mass ? *mass : fibre.sum(masses);
        const Wide others = fibre.sum(sums);
        const Wide all = kLeads ? others + only_where(leader_ == max, peak) : others;
        scale_ = xsimd::select(max - max == Wide(0), mass_ / all, nan);  // no finite maximum: all NaN
        if (kLeads) lacking_ = mass_ * (others / all);
    }
    /// store(class, residual, how many).
    void write(const auto& store) const {
        const auto one = [&](int64_t c, int64_t k, const Wide& q) {
            Wide residual = multiply_subtract(load(exponentials_ + fibre_.kept(c)), scale_, q);
            if (kLeads)
                residual = xsimd::select(fibre_.logits(c, k) == leader_, (mass_ - q) - lacking_, residual);
            store(c, factor_ * residual, k);
        };
        fibre_.each_at_least_once([&](int64_t c, int64_t k) { one(c, k, target_(c, k)); });
        const int64_t label = target_.label();
        if (target_.excess() != 0) one(label, 1, target_(label, 1) + Wide(target_.excess()));
    }

private:
    Fibre fibre_;
    Target target_;
    Wide factor_, leader_, mass_, scale_, lacking_;
    double* exponentials_;
};

/// Few fibres take each step together: the quotient of one waits for its sum (8,192 rows of 64 take 0.8 of the time; AMD EPYC,
/// Zen 4).
template <class T, Grouping kGrouping, bool kPlain, bool kLeads>
REEL_FLATTEN void write_residuals(int64_t n, int64_t count, ConstPanel x, const void* max, const void* rest,
                                  const SoftTargets& q, const double* mass, const double* factor,
                                  void* scratch, Panel y) {
    using Fibre = std::conditional_t<kGrouping == kRows, OneRow<T>, SideBySide<T>>;
    using Target = std::conditional_t<kGrouping == kRows, RowTarget<T, kPlain>, LaneTarget<T, kPlain>>;
    constexpr int64_t kNear = 1024;  // exponentials that stay in L1
    constexpr int64_t kFew = 8;
    alignas(Wide) double near[kNear];
    const int64_t room = kGrouping == kRows ? n + kWide : n * kWide;
    const int64_t few = std::clamp<int64_t>(kNear / std::max<int64_t>(room, 1), 1, kFew);
    std::optional<Residuals<T, kLeads, Fibre, Target>> residuals[kFew];
    int64_t fibres[kFew];
    int64_t taken = 0;
    const auto write = [&] {
        for (int64_t i = 0; i < taken; ++i) {
            const int64_t step = kGrouping == kRows ? 1 : y.stride;
            T* to = static_cast<T*>(y.data) + fibres[i] * (kGrouping == kRows ? y.stride : 1);
            residuals[i]->write([&](int64_t c, const Wide& residual, int64_t k) {
                store_narrow(to + c * step, residual, k);
            });
        }
        taken = 0;
    };
    for_each_fibre<T, kGrouping, kPlain>(
        n, count, x, q, [&](const Fibre& fibre, const Target& target, int64_t f, int64_t some) {
            const Wide given = mass ? load_wide(mass + f, some) : Wide(0);
            residuals[taken].emplace(fibre, target, load_wide(static_cast<const T*>(max) + f, some),
                                     load_wide(static_cast<const T*>(rest) + f, some),
                                     mass ? &given : nullptr, load_wide(factor + f, some),
                                     few > 1 ? near + taken * room : static_cast<double*>(scratch));
            fibres[taken] = f;
            if (++taken == few) write();
        });
    write();
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
    const T* others = static_cast<const T*>(rest);
    const bool leads = std::any_of(others, others + count, [](T each) { return each < kLead<T>; });
    const auto write = is_plain(q) ? leads ? &write_residuals<T, kGrouping, true, true>
                                           : &write_residuals<T, kGrouping, true, false>
                       : leads ? &write_residuals<T, kGrouping, false, true>
                                   : &write_residuals<T, kGrouping, false, false>;
    write(n, count, x, max, rest, q, mass, factor, scratch, y);
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
