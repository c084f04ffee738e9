/// \file
/// e^(z − max) along a row, and the sum of it: what softmax, logsumexp and cross-entropy are made of. The
/// loops are in `fibre_sums.hpp`.
///
/// Note [Exponentials without a rounded difference]
/// z − max, rounded, is off by up to half a unit in its last place, which exp magnifies by |z − max|: 40 ulp
/// in a float32 probability of 1e-35. So the maximum is not subtracted: with z = n log 2 + r and the
/// maximum's own integer N, e^z 2^-N = e^r 2^(n − N) needs no difference of rounded numbers, and
/// costs less than one. Only where |max| is large is it subtracted, and there the difference is exact
/// (Sterbenz) for every z that is near enough to count. Dukhan & Ablavatski, "The Two-Pass Softmax
/// Algorithm", 2020, have the shift by powers of two.
///
/// The powers of two are lifted, so that no term of a sum is subnormal; the factor that follows takes the
/// lift back, and rounds a subnormal result once.
#pragma once

#include "ops/kernels/math.hpp"
#include "ops/kernels/stored_as.hpp"

namespace reel::kernels::REEL_SET {

/// Beyond this the maximum is subtracted.
template <class T>
inline constexpr T kFarMax = sizeof(T) == 4 ? T(256) : T(2048);
/// How far below the maximum exponentials count, with the lift and without: what is farther below gives zero
/// all the same.
template <class T>
inline constexpr T kReachLifted = sizeof(T) == 4 ? T(125) : T(1000);
template <class T>
inline constexpr T kReach = sizeof(T) == 4 ? T(86) : T(700);
/// Below this a factor is small enough to do without the lift.
template <class T>
inline constexpr double kTinyFactor = sizeof(T) == 4 ? 0x1p-40 : 0x1p-300;

/// log 2 in two parts, the first so short that its product with an exponent is exact also without fma.
template <class T>
inline constexpr T kShortLog2 = static_cast<T>(0x1.63p-1);
template <class T>
inline constexpr T kShortLog2Rest = static_cast<T>(-0x1.bd0105c610ca8p-13);
template <>
inline constexpr double kShortLog2<double> = math::kLog2High<double>;
template <>
inline constexpr double kShortLog2Rest<double> = math::kLog2Low<double>;

/// z ↦ e^z 2^(lift − N) in every lane, where N is the integer of the lane's maximum (0 and e^(z − max)
/// where that is far out; 0 and e^z where it is -inf). NaN stays NaN. Where all are known to be `kNear`, nothing is subtracted.
template <class T, bool kNear = false>
class ShiftedExp {
public:
    explicit ShiftedExp(const Vec<T>& max, const Vec<T>& lift = Vec<T>(math::kLift<T>)) {
        const Vec<T> rounder(math::kRounder<T>);
        Vec<T> top = max;
        if constexpr (!kNear) {
            const auto near = is_near(max);
            const auto is_shifted = !near && (max > Vec<T>(-std::numeric_limits<T>::infinity()));
            shift_ = xsimd::select(is_shifted, max, Vec<T>(0));
            top = xsimd::select(near, max, Vec<T>(0));
        }
        exponent_ = multiply_add(top, Vec<T>(math::kLog2E<T>), rounder) - rounder;
        low_ = top - xsimd::select(lift == Vec<T>(0), Vec<T>(kReach<T>), Vec<T>(kReachLifted<T>));
        const T bias = math::kHasParts ? T(0) : math::kBias<T>;  // the parts have it
        rounder_ = rounder + Vec<T>(math::kParts<T>) * (Vec<T>(bias) + lift - exponent_);
    }
    static auto is_near(const Vec<T>& max) { return xsimd::abs(max) < Vec<T>(kFarMax<T>); }

    Vec<T> operator()(const Vec<T>& z) const {
        // NaN where z is; an infinite maximum is none more than itself.
        const Vec<T> x = larger(low_, kNear ? z : xsimd::select(z == shift_, Vec<T>(0), z - shift_));
        const Vec<T> rounded = multiply_add(x, Vec<T>(math::kParts<T> * math::kLog2E<T>), rounder_);
        const Vec<T> n = rounded - rounder_;
        const Vec<T> coarse = multiply_add(n, Vec<T>(-kShortLog2<T> / math::kParts<T>), x);
        const Vec<T> r = multiply_add(n, Vec<T>(-kShortLog2Rest<T> / math::kParts<T>), coarse);
#if defined(__AVX2__) && !defined(__AVX512F__)
        const Vec<T> power = math::power_of_parts<T>(rounded);
        return multiply_add(power, math::expm1_of_part<T>(r), power);
#else
        const Vec<T> power = math::number<T>(math::bits<T>(rounded) << math::kFraction<T>);
        return (Vec<T>(1) + math::expm1_of_remainder<T>(r)) * power;
#endif
    }

    /// N, and how a maximum is exponentiated: 0 where it is not finite.
    const Vec<T>& exponent() const { return exponent_; }
    Vec<T> top(const Vec<T>& max) const {
        return kNear ? max : only_where(max - max == Vec<T>(0), max - shift_);
    }

private:
    Vec<T> shift_, exponent_, low_, rounder_;
};

/// f(the exponential that suits these maxima).
template <class T>
void with_exponential(const Vec<T>& max, const Vec<T>& lift, const auto& f) {
    if (xsimd::all(ShiftedExp<T>::is_near(max))) {
        f(ShiftedExp<T, true>(max, lift));
    } else {
        f(ShiftedExp<T>(max, lift));
    }
}
template <class T>
void with_exponential(const Vec<T>& max, const auto& f) {
    with_exponential<T>(max, Vec<T>(math::kLift<T>), f);
}

/// e^top 2^-exponent of float32 numbers in double precision; the exponent may be that of a smaller top.
inline Vec<double> top_exponential(const float* top, const float* exponent) {
    const Vec<double> x = load_as<double>(top);
    const Vec<double> rounder(math::kRounder<double>);
    const Vec<double> whole = multiply_add(x, Vec<double>(math::kLog2E<double>), rounder) - rounder;
    return math::power_of_two(whole - load_as<double>(exponent)) *
           math::short_exp2(multiply_subtract(x, Vec<double>(math::kLog2E<double>), whole));
}

/// Sums in every lane of numbers of double precision that are made of such, in twice that: what a sum loses to rounding is
/// summed beside it (Knuth's two-sum).
class LaneSums {
public:
    void add(const Vec<double>& x) { *this = sum_of(*this, {x, Vec<double>(0)}); }
    /// The sum of each lane.
    void lanes(double* to) const { result(*this).store_unaligned(to); }
    double total() const {
        return first_lane(result(combine_lanes<double>(*this, [](const LaneSums& part, const auto& exchange) {
            return sum_of(part, {exchange(part.sum_), exchange(part.lost_)});
        })));
    }

    LaneSums() = default;

private:
    LaneSums(const Vec<double>& sum, const Vec<double>& lost) : sum_(sum), lost_(lost) {}

    static LaneSums sum_of(const LaneSums& a, const LaneSums& b) {
        const Vec<double> sum = a.sum_ + b.sum_;
        const Vec<double> part = sum - a.sum_;
        return {sum, (a.lost_ + b.lost_) + ((a.sum_ - (sum - part)) + (b.sum_ - part))};
    }
    /// A sum that is not finite has lost nothing.
    static Vec<double> result(const LaneSums& x) {
        return x.sum_ + only_where(x.sum_ - x.sum_ == Vec<double>(0), x.lost_);
    }

    Vec<double> sum_ = Vec<double>(0);
    Vec<double> lost_ = Vec<double>(0);
};

/// The same of numbers of type T that are made of float32 ones, for which double precision is enough.
template <class T>
class WideSums {
public:
    void add(const Vec<double>& x) { sums_[0] = sums_[0] + x; }
    void add(const Vec<float>& x) {
        const Halves wide = halves(x);
        sums_[0] = sums_[0] + wide.low;
        sums_[1] = sums_[1] + wide.high;
    }
    void lanes(double* to) const {
        for (std::int64_t i = 0; i < kParts; ++i) sums_[i].store_unaligned(to + i * kWidth<double>);
    }
    double total() const { return sum_of_lanes(kParts == 1 ? sums_[0] : sums_[0] + sums_[kParts - 1]); }

private:
    static constexpr std::int64_t kParts = sizeof(double) / sizeof(T);
    Vec<double> sums_[kParts] = {};
};
/// Sums in `T` of numbers that are made of fibres stored as `S`.
template <class T, class S>
using Sums = std::conditional_t<(sizeof(S) < sizeof(double)), WideSums<T>, LaneSums>;

}  // namespace reel::kernels::REEL_SET
