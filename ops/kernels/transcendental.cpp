// Functions that are approximated: exp, log, sin, … The mathematics is in `math/`; activation functions made
// of it are in `activations.cpp`. Also the remainders, which share its exact products.
#include "ops/kernels/loops.hpp"
#include "ops/kernels/math.hpp"

namespace reel::kernels::REEL_SET {

namespace {

template <class V>
using Element = typename V::value_type;

struct Exp {
    template <class V>
    V operator()(const V& x) const {
        return math::exp<Element<V>>(x);
    }
};
struct Expm1 {
    template <class V>
    V operator()(const V& x) const {
        return math::expm1<Element<V>>(x);
    }
};
struct Log {
    template <class V>
    V operator()(const V& x) const {
        return math::log<Element<V>>(x);
    }
};
struct Log1p {
    template <class V>
    V operator()(const V& x) const {
        return math::log1p<Element<V>>(x);
    }
};
struct Sin {
    template <class V>
    V operator()(const V& x) const {
        return math::sin<Element<V>>(x);
    }
};
struct Cos {
    template <class V>
    V operator()(const V& x) const {
        return math::cos<Element<V>>(x);
    }
};
struct Tan {
    template <class V>
    V operator()(const V& x) const {
        return math::tan<Element<V>>(x);
    }
};
struct Erf {
    template <class V>
    V operator()(const V& x) const {
        return math::erf<Element<V>>(x);
    }
};
struct Pow {
    template <class V>
    V operator()(const V& x, const V& y) const {
        return math::pow<Element<V>>(x, y);
    }
};
struct Atan2 {
    template <class V>
    V operator()(const V& y, const V& x) const {
        return math::atan2<Element<V>>(y, x);
    }
};
struct LogAddExp {
    template <class V>
    V operator()(const V& a, const V& b) const {
        return math::logaddexp<Element<V>>(a, b);
    }
};
/// x log y; 0 where x is 0, unless y is NaN.
struct Xlogy {
    template <class V>
    V operator()(const V& x, const V& y) const {
        return xsimd::select((x == V(0)) && (y == y), V(0), math::times_log<Element<V>>(x, y));
    }
};
struct Fmod {
    template <class V>
    V operator()(const V& a, const V& b) const {
        return math::fmod<Element<V>>(a, b);
    }
};
/// fmod brought to the side of b.
struct Remainder {
    template <class V>
    V operator()(const V& a, const V& b) const {
        const V zero(0);
        const V rest = math::fmod<Element<V>>(a, b);
        return xsimd::select(((rest < zero) && (b > zero)) || ((rest > zero) && (b < zero)), rest + b, rest);
    }
};

}  // namespace

void install_transcendental(Table& table) {
    add_floating<Exp, 1>(table, Fn::kExp);
    add_floating<Expm1, 1>(table, Fn::kExpm1);
    add_floating<Log, 1>(table, Fn::kLog);
    add_floating<Log1p, 1>(table, Fn::kLog1p);
    add_floating<Sin, 1>(table, Fn::kSin);
    add_floating<Cos, 1>(table, Fn::kCos);
    add_floating<Tan, 1>(table, Fn::kTan);
    add_floating<Erf, 1>(table, Fn::kErf);
    add_floating<Pow, 2>(table, Fn::kPow);
    add_floating<Atan2, 2>(table, Fn::kAtan2);
    add_floating<LogAddExp, 2>(table, Fn::kLogAddExp);
    add_floating<Xlogy, 2>(table, Fn::kXlogy);
    add_floating<Fmod, 2>(table, Fn::kFmod);
    add_floating<Remainder, 2>(table, Fn::kRemainder);
}

}  // namespace reel::kernels::REEL_SET
