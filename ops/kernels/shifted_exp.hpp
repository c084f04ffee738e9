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

/// In how many parts 2 to a whole power is split, each with a number from a table: eight, and the polynomial has two terms,
/// not five (rows of 1,000: 0.8 of the time; AMD EPYC, Zen 4). Not with AVX-512, whose 16 picks would take the units of the
/// multiplications that they save.
template <class T>
inline constexpr int kParts = 1;
#if defined(__AVX2__) && !defined(__AVX512F__)
template <>
inline constexpr int kParts<float> = 8;
#endif
/// 2^(j/8), and (eʳ − 1 − r) / r² for |r| ≤ log 2 / 16, to 2⁻²⁵ of eʳ.
inline constexpr math::Lines<1, 8> kEighths{{{0x1p+0f, 0x1.172b84p+0f, 0x1.306fep+0f, 0x1.4bfdaep+0f, 0x1.6a09e6p+0f,
                                              0x1.8ace54p+0f, 0x1.ae89fap+0f, 0x1.d5818ep+0f}}};
inline constexpr float kShortExpTail[] = {0.500064485f, 0.166668584f};

/// z ↦ e^z 2^(lift − N) in every lane, where N is the integer of the lane's maximum (0 and e^(z − max)
/// where that is far out; 0 and e^z where it is -inf). NaN stays NaN.
template <class T>
class ShiftedExp {
public:
    explicit ShiftedExp(const Vec<T>& max, const Vec<T>& lift = Vec<T>(math::kLift<T>)) {
        const auto near = xsimd::abs(max) < Vec<T>(kFarMax<T>);
        const Vec<T> rounder(math::kRounder<T>);
        const auto is_shifted = !near && (max > Vec<T>(-std::numeric_limits<T>::infinity()));
        shift_ = xsimd::select(is_shifted, max, Vec<T>(0));
        top_ = xsimd::select(near, max, Vec<T>(0));
        exponent_ = multiply_add(top_, Vec<T>(math::kLog2E<T>), rounder) - rounder;
        low_ = top_ - xsimd::select(lift == Vec<T>(0), Vec<T>(kReach<T>), Vec<T>(kReachLifted<T>));
        const T bias = kParts<T> == 1 ? math::kBias<T> : T(0);
        rounder_ = rounder + Vec<T>(T(kParts<T>)) * (Vec<T>(bias) + lift - exponent_);
    }

    Vec<T> operator()(const Vec<T>& z) const {
        const Vec<T> x = larger(low_, z - shift_);  // NaN where z is
        const Vec<T> rounded = multiply_add(x, Vec<T>(kParts<T> * math::kLog2E<T>), rounder_);
        const Vec<T> n = rounded - rounder_;
        const Vec<T> coarse = multiply_add(n, Vec<T>(-kShortLog2<T> / kParts<T>), x);
        const Vec<T> r = multiply_add(n, Vec<T>(-kShortLog2Rest<T> / kParts<T>), coarse);
        if constexpr (kParts<T> == 8) {
            const auto part = math::bits<T>(rounded);
            const auto whole = (part << (math::kFraction<T> - 3)) & Vec<math::Bits<T>>(0xff800000u);
            const Vec<T> power = math::number<T>(math::bits<T>(kEighths.pick(0, part)) + whole);
            const Vec<T> tail = multiply_add(Vec<T>(kShortExpTail[1]), r, Vec<T>(kShortExpTail[0]));
            return multiply_add(power, multiply_add(r * r, tail, r), power);
        } else {
            return (Vec<T>(1) + math::expm1_of_remainder<T>(r)) *
                   math::number<T>(math::bits<T>(rounded) << math::kFraction<T>);
        }
    }

    /// The maximum as it is exponentiated, and its N.
    const Vec<T>& top() const { return top_; }
    const Vec<T>& exponent() const { return exponent_; }

private:
    Vec<T> shift_, top_, exponent_, low_, rounder_;
};

/// e^top 2^-exponent as numbers of double precision.
template <class T>
Vec<double> top_exponential(const T* top, const T* exponent) {
    const Vec<double> whole = load_as<double>(exponent);
    if constexpr (sizeof(T) < sizeof(double))
        return math::short_exp2(
            multiply_subtract(load_as<double>(top), Vec<double>(math::kLog2E<double>), whole));
    const Vec<double> coarse = multiply_add(whole, Vec<double>(-kShortLog2<double>), load_as<double>(top));
    const Vec<double> r = multiply_add(whole, Vec<double>(-kShortLog2Rest<double>), coarse);
    return Vec<double>(1) + math::expm1_of_remainder<double>(r);
}

/// Sums of many numbers in every lane, in twice the precision of `T`: what a sum loses to rounding is summed
/// beside it (Knuth's two-sum).
template <class T>
class LaneSums {
public:
    void add(const Vec<T>& x) { *this = sum_of(*this, {x, Vec<T>(0)}); }
    /// The sum of each lane.
    void lanes(double* to) const {
        for_each_part([&](std::int64_t i, const Vec<double>& part) { part.store_unaligned(to + i); });
    }
    double total() const {
        if constexpr (sizeof(T) < sizeof(double)) {  // a quarter of the steps
            Vec<double> all(0);
            for_each_part([&](std::int64_t, const Vec<double>& part) { all = all + part; });
            return sum_of_lanes(all);
        }
        const LaneSums all = combine_lanes<T>(*this, [](const LaneSums& part, const auto& exchange) {
            return sum_of(part, {exchange(part.sum_), exchange(part.lost_)});
        });
        return first_lane(all.sum_ + only_where(is_finite(all.sum_), all.lost_));
    }

    LaneSums() = default;

private:
    LaneSums(const Vec<T>& sum, const Vec<T>& lost) : sum_(sum), lost_(lost) {}

    static LaneSums sum_of(const LaneSums& a, const LaneSums& b) {
        const Vec<T> sum = a.sum_ + b.sum_;
        const Vec<T> part = sum - a.sum_;
        return {sum, (a.lost_ + b.lost_) + ((a.sum_ - (sum - part)) + (b.sum_ - part))};
    }
    /// Else a sum has lost nothing.
    static auto is_finite(const Vec<T>& sum) { return sum - sum == Vec<T>(0); }
    /// f(first lane, the sums of so many lanes as fill a vector of doubles).
    void for_each_part(const auto& f) const {
        alignas(Vec<T>) T sums[kWidth<T>];
        alignas(Vec<T>) T losses[kWidth<T>];
        sum_.store_aligned(sums);
        only_where(is_finite(sum_), lost_).store_aligned(losses);
        for (std::int64_t i = 0; i < kWidth<T>; i += kWidth<double>)
            f(i, load_as<double>(sums + i) + load_as<double>(losses + i));
    }
    Vec<T> sum_ = Vec<T>(0);
    Vec<T> lost_ = Vec<T>(0);
};

/// The same where nothing of the sums' last digits is needed: those in double precision of float32 numbers.
class PlainSums {
public:
    void add(const Vec<double>& x) { sum_ = sum_ + x; }
    void lanes(double* to) const { sum_.store_unaligned(to); }
    double total() const { return sum_of_lanes(sum_); }

private:
    Vec<double> sum_ = Vec<double>(0);
};
/// Sums in `T` of numbers that are made of fibres stored as `S`.
template <class T, class S>
using Sums = std::conditional_t<(sizeof(S) < sizeof(T)), PlainSums, LaneSums<T>>;

/// The most fibres of a group, and room for the last vector to run over.
inline constexpr std::int64_t kGroup = kMaxFibres + 16;

/// Calls f(l, lanes) for every vector of the group's lanes; the last one overlaps its neighbour, or is
/// partly filled where there are fewer lanes than a vector has.
template <class T, class F>
void for_each_vector(std::int64_t count, const F& f) {
    constexpr std::int64_t w = kWidth<T>;
    if (count < w) return f(std::int64_t{0}, count);
    for (std::int64_t l = 0; l < count; l += w) f(l + w <= count ? l : count - w, w);
}

}  // namespace reel::kernels::REEL_SET
