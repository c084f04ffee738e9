// Arithmetic, comparisons, logic and selection. Functions that need more than the processor's own
// instructions are in `transcendental.cpp`.
#include <cmath>

#include "ops/kernels/loops.hpp"
#include "ops/kernels/math/numbers.hpp"
#include "ops/kernels/wrapping.hpp"

namespace reel::kernels::REEL_SET {

namespace {

// ---- Functions on vectors of floating numbers

struct Neg {
    template <class V>
    V operator()(const V& x) const {
        return math::negated<typename V::value_type>(x);
    }
};
struct Abs {
    auto operator()(const auto& x) const { return xsimd::abs(x); }
};
/// 0 for both zeros and, as in PyTorch, for NaN.
struct Sign {
    template <class V>
    V operator()(const V& x) const {
        const V zero(0);
        return xsimd::select(x > zero, V(1), xsimd::select(x < zero, V(-1), zero));
    }
};
struct Sqrt {
    auto operator()(const auto& x) const { return square_root(x); }
};
struct Rsqrt {
    template <class V>
    V operator()(const V& x) const {
        return quotient(V(1), square_root(x));
    }
};
struct Square {
    auto operator()(const auto& x) const { return x * x; }
};
struct Cube {
    auto operator()(const auto& x) const { return x * x * x; }
};
struct Reciprocal {
    template <class V>
    V operator()(const V& x) const {
        return quotient(V(1), x);
    }
};
/// max(x, 0); NaN stays NaN.
struct Relu {
    template <class V>
    V operator()(const V& x) const {
        return xsimd::select(x < V(0), V(0), x);
    }
};
struct LeakyRelu {
    explicit LeakyRelu(const double* parameters) : slope(parameters[0]) {}
    double slope;
    template <class V>
    V operator()(const V& x) const {
        return xsimd::select(x < V(0), V(static_cast<typename V::value_type>(slope)) * x, x);
    }
};
/// NaN, +Inf and -Inf replaced by the three parameters.
struct NanToNum {
    explicit NanToNum(const double* parameters)
        : nan(parameters[0]), posinf(parameters[1]), neginf(parameters[2]) {}
    double nan, posinf, neginf;
    template <class V>
    V operator()(const V& x) const {
        using T = typename V::value_type;
        const V inf(std::numeric_limits<T>::infinity());
        V y = xsimd::select(is_nan(x), V(static_cast<T>(nan)), x);
        y = xsimd::select(x == inf, V(static_cast<T>(posinf)), y);
        return xsimd::select(x == -inf, V(static_cast<T>(neginf)), y);
    }
};
// Rounding keeps the sign of zeros: xsimd's own does not for some sets.
struct Floor {
    template <class V>
    V operator()(const V& x) const {
        return math::with_sign<typename V::value_type>(xsimd::floor(x), x);
    }
};
struct Ceil {
    template <class V>
    V operator()(const V& x) const {
        return math::with_sign<typename V::value_type>(xsimd::ceil(x), x);
    }
};
/// Halves to even.
struct Round {
    template <class V>
    V operator()(const V& x) const {
        return math::with_sign<typename V::value_type>(xsimd::nearbyint(x), x);
    }
};
struct Trunc {
    template <class V>
    V operator()(const V& x) const {
        return math::with_sign<typename V::value_type>(xsimd::trunc(x), x);
    }
};

struct Add {
    auto operator()(const auto& a, const auto& b) const { return a + b; }
};
struct Sub {
    auto operator()(const auto& a, const auto& b) const { return a - b; }
};
struct Mul {
    auto operator()(const auto& a, const auto& b) const { return a * b; }
};
struct Div {
    template <class V>
    V operator()(const V& a, const V& b) const {
        return quotient(a, b);
    }
};
/// a + α b, the product rounded before the sum as in `a + (b * alpha)`.
struct Axpy {
    explicit Axpy(const double* parameters) : alpha(parameters[0]) {}
    double alpha;
    template <class V>
    V operator()(const V& a, const V& b) const {
        return a + b * V(static_cast<typename V::value_type>(alpha));
    }
};
/// The larger one; a NaN on either side gives NaN.
struct Maximum {
    template <class V>
    V operator()(const V& a, const V& b) const {
        return xsimd::select(is_nan(a), a, larger(a, b));
    }
};
struct Minimum {
    template <class V>
    V operator()(const V& a, const V& b) const {
        return xsimd::select(is_nan(a), a, smaller(a, b));
    }
};
/// min(max(x, low), high); a NaN anywhere gives NaN: one of x passes through, one of a bound is in their sum.
struct Clamp {
    template <class V>
    V operator()(const V& x, const V& low, const V& high) const {
        const V inside = smaller(high, larger(low, x));
        return xsimd::select((low == low) && (high == high), inside, low + high);
    }
};
/// start + weight · (end − start), from the nearer end.
struct Lerp {
    template <class V>
    V operator()(const V& start, const V& end, const V& weight) const {
        const V near_start = start + weight * (end - start);
        const V near_end = end - (end - start) * (V(1) - weight);
        return xsimd::select(xsimd::abs(weight) < V(static_cast<typename V::value_type>(0.5)), near_start,
                             near_end);
    }
};

// ---- Functions on single elements

using std::int64_t;

// Integer arithmetic wraps, as in PyTorch.
constexpr std::uint64_t bits(int64_t x) { return static_cast<std::uint64_t>(x); }
constexpr int64_t number(std::uint64_t x) { return static_cast<int64_t>(x); }

struct IntNeg {
    int64_t operator()(int64_t x) const { return number(0 - bits(x)); }
};
struct IntAbs {
    int64_t operator()(int64_t x) const { return x < 0 ? number(0 - bits(x)) : x; }
};
struct IntSign {
    int64_t operator()(int64_t x) const { return (x > 0) - (x < 0); }
};
struct IntSquare {
    int64_t operator()(int64_t x) const { return number(bits(x) * bits(x)); }
};
struct IntRelu {
    int64_t operator()(int64_t x) const { return x > 0 ? x : 0; }
};
struct Same {
    auto operator()(auto x) const { return x; }
};
struct IntAdd {
    int64_t operator()(int64_t a, int64_t b) const { return plus(a, b); }
};
struct IntSub {
    int64_t operator()(int64_t a, int64_t b) const { return number(bits(a) - bits(b)); }
};
struct IntMul {
    int64_t operator()(int64_t a, int64_t b) const { return times(a, b); }
};
struct IntMaximum {
    int64_t operator()(int64_t a, int64_t b) const { return a > b ? a : b; }
};
struct IntMinimum {
    int64_t operator()(int64_t a, int64_t b) const { return a < b ? a : b; }
};
struct IntClamp {
    int64_t operator()(int64_t x, int64_t low, int64_t high) const {
        const int64_t raised = x > low ? x : low;
        return raised < high ? raised : high;
    }
};
/// aᵇ by squaring; for b < 0 what is left of 1 / a⁻ᵇ: 0 but for ±1.
struct IntPow {
    int64_t operator()(int64_t a, int64_t b) const {
        if (b < 0) return a == 1 ? 1 : a == -1 ? (b % 2 ? -1 : 1) : 0;
        std::uint64_t power = 1;
        for (std::uint64_t base = bits(a); b > 0; b >>= 1, base *= base) {
            if (b & 1) power *= base;
        }
        return number(power);
    }
};
/// b is not 0: the operation has checked that. (−2⁶³ divided by −1 would trap.)
struct IntFmod {
    int64_t operator()(int64_t a, int64_t b) const { return b == -1 ? 0 : a % b; }
};
struct IntRemainder {
    int64_t operator()(int64_t a, int64_t b) const {
        const int64_t rest = b == -1 ? 0 : a % b;
        return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
    }
};

struct Eq {
    bool operator()(auto a, auto b) const { return a == b; }
};
struct Ne {
    bool operator()(auto a, auto b) const { return a != b; }
};
struct Lt {
    bool operator()(auto a, auto b) const { return a < b; }
};
struct Le {
    bool operator()(auto a, auto b) const { return a <= b; }
};
struct Gt {
    bool operator()(auto a, auto b) const { return a > b; }
};
struct Ge {
    bool operator()(auto a, auto b) const { return a >= b; }
};
struct LogicalAnd {
    template <class T>
    bool operator()(T a, T b) const {
        return (a != T{}) & (b != T{});
    }
};
struct LogicalOr {
    template <class T>
    bool operator()(T a, T b) const {
        return (a != T{}) | (b != T{});
    }
};
struct LogicalXor {
    template <class T>
    bool operator()(T a, T b) const {
        return (a != T{}) != (b != T{});
    }
};
struct LogicalNot {
    template <class T>
    bool operator()(T x) const {
        return x == T{};
    }
};
struct IsNan {
    bool operator()(auto x) const { return x != x; }
};
struct IsInf {
    template <class T>
    bool operator()(T x) const {
        return std::abs(x) == std::numeric_limits<T>::infinity();
    }
};
struct IsFinite {
    bool operator()(auto x) const { return x - x == decltype(x){}; }
};

/// y = condition ? a : b, on the bits: a branch would be mispredicted half of the time, and no compiler makes
/// vectors of one.
template <class Bits>
void where(int64_t n, void* y, const void* const* x, const double*) {
    const auto* condition = static_cast<const Bool*>(x[0]);
    const auto* a = static_cast<const Bits*>(x[1]);
    const auto* b = static_cast<const Bits*>(x[2]);
    auto* to = static_cast<Bits*>(y);
    for (int64_t i = 0; i < n; ++i) {
        const auto all =
            static_cast<Bits>(-static_cast<std::make_signed_t<Bits>>(static_cast<bool>(condition[i])));
        to[i] = static_cast<Bits>((a[i] & all) | (b[i] & ~all));
    }
}

template <class F, std::size_t kOperands>
void add_predicate(Table& table, Fn fn) {
    add_each<F, bool, float, kOperands>(table, fn);
    add_each<F, bool, double, kOperands>(table, fn);
    add_each<F, bool, int64_t, kOperands>(table, fn);
    add_each<F, bool, bool, kOperands>(table, fn);
}

}  // namespace

void install_pointwise(Table& table) {
    add_floating<Neg, 1>(table, Fn::kNeg);
    add_floating<Abs, 1>(table, Fn::kAbs);
    add_floating<Sign, 1>(table, Fn::kSign);
    add_floating<Sqrt, 1>(table, Fn::kSqrt);
    add_floating<Rsqrt, 1>(table, Fn::kRsqrt);
    add_floating<Square, 1>(table, Fn::kSquare);
    add_floating<Cube, 1>(table, Fn::kCube);
    add_floating<Reciprocal, 1>(table, Fn::kReciprocal);
    add_floating<Relu, 1>(table, Fn::kRelu);
    add_floating<LeakyRelu, 1>(table, Fn::kLeakyRelu);
    add_floating<NanToNum, 1>(table, Fn::kNanToNum);
    add_floating<Floor, 1>(table, Fn::kFloor);
    add_floating<Ceil, 1>(table, Fn::kCeil);
    add_floating<Round, 1>(table, Fn::kRound);
    add_floating<Trunc, 1>(table, Fn::kTrunc);
    add_arithmetic<Add>(table, Fn::kAdd);
    add_arithmetic<Sub>(table, Fn::kSub);
    add_arithmetic<Mul>(table, Fn::kMul);
    add_arithmetic<Div>(table, Fn::kDiv);
    add_floating<Axpy, 2>(table, Fn::kAxpy);
    add_floating<Maximum, 2>(table, Fn::kMaximum);
    add_floating<Minimum, 2>(table, Fn::kMinimum);
    add_floating<Clamp, 3>(table, Fn::kClamp);
    add_floating<Lerp, 3>(table, Fn::kLerp);

    add_each<IntNeg, int64_t, int64_t, 1>(table, Fn::kNeg);
    add_each<IntAbs, int64_t, int64_t, 1>(table, Fn::kAbs);
    add_each<IntSign, int64_t, int64_t, 1>(table, Fn::kSign);
    add_each<IntSquare, int64_t, int64_t, 1>(table, Fn::kSquare);
    add_each<IntRelu, int64_t, int64_t, 1>(table, Fn::kRelu);
    add_each<IntAdd, int64_t, int64_t, 2>(table, Fn::kAdd);
    add_each<IntSub, int64_t, int64_t, 2>(table, Fn::kSub);
    add_each<IntMul, int64_t, int64_t, 2>(table, Fn::kMul);
    add_each<IntMaximum, int64_t, int64_t, 2>(table, Fn::kMaximum);
    add_each<IntMinimum, int64_t, int64_t, 2>(table, Fn::kMinimum);
    add_each<IntClamp, int64_t, int64_t, 3>(table, Fn::kClamp);
    add_each<IntPow, int64_t, int64_t, 2>(table, Fn::kPow);
    add_each<IntFmod, int64_t, int64_t, 2>(table, Fn::kFmod);
    add_each<IntRemainder, int64_t, int64_t, 2>(table, Fn::kRemainder);
    for (Fn fn : {Fn::kFloor, Fn::kCeil, Fn::kRound, Fn::kTrunc})
        add_each<Same, int64_t, int64_t, 1>(table, fn);

    // Bools: + is or, · is and, as in PyTorch.
    add_each<LogicalOr, bool, bool, 2>(table, Fn::kAdd);
    add_each<LogicalAnd, bool, bool, 2>(table, Fn::kMul);
    add_each<LogicalOr, bool, bool, 2>(table, Fn::kMaximum);
    add_each<LogicalAnd, bool, bool, 2>(table, Fn::kMinimum);
    add_each<Same, bool, bool, 1>(table, Fn::kSign);

    add_predicate<Eq, 2>(table, Fn::kEq);
    add_predicate<Ne, 2>(table, Fn::kNe);
    add_predicate<Lt, 2>(table, Fn::kLt);
    add_predicate<Le, 2>(table, Fn::kLe);
    add_predicate<Gt, 2>(table, Fn::kGt);
    add_predicate<Ge, 2>(table, Fn::kGe);
    add_predicate<LogicalAnd, 2>(table, Fn::kLogicalAnd);
    add_predicate<LogicalOr, 2>(table, Fn::kLogicalOr);
    add_predicate<LogicalXor, 2>(table, Fn::kLogicalXor);
    add_predicate<LogicalNot, 1>(table, Fn::kLogicalNot);
    add_each<IsNan, bool, float, 1>(table, Fn::kIsNan);
    add_each<IsNan, bool, double, 1>(table, Fn::kIsNan);
    add_each<IsInf, bool, float, 1>(table, Fn::kIsInf);
    add_each<IsInf, bool, double, 1>(table, Fn::kIsInf);
    add_each<IsFinite, bool, float, 1>(table, Fn::kIsFinite);
    add_each<IsFinite, bool, double, 1>(table, Fn::kIsFinite);

    auto& row = table.pointwise[static_cast<std::size_t>(Fn::kWhere)];
    row[static_cast<std::size_t>(kFloat32)] = &where<std::uint32_t>;
    row[static_cast<std::size_t>(kFloat64)] = &where<std::uint64_t>;
    row[static_cast<std::size_t>(kInt64)] = &where<std::uint64_t>;
    row[static_cast<std::size_t>(kBool)] = &where<std::uint8_t>;
}

}  // namespace reel::kernels::REEL_SET
