/// \file
/// Fibres of logits and their target probabilities in double precision: a row, a vector of classes at a time, or as many fibres side by
/// side as a vector has lanes, class by class.
#pragma once

#include "ops/kernels/fibre_sums.hpp"

namespace reel::kernels::REEL_SET {

using Wide = Vec<double>;
inline constexpr int64_t kWide = kWidth<double>;

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
inline bool is_plain(const SoftTargets& q) {
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

}  // namespace reel::kernels::REEL_SET
