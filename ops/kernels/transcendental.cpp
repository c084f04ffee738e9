// Functions that are approximated: exp, log, tanh, … and what is made of them, with their fused backward
// passes.
#include <cmath>

#include "ops/kernels/loops.hpp"
#include "ops/kernels/math.hpp"

namespace reel::kernels::REEL_SET {

namespace {

struct Exp {
    template <class V>
    V operator()(const V& x) const {
        return math::exp<typename V::value_type>(x);
    }
};
struct Log {
    auto operator()(const auto& x) const { return xsimd::log(x); }
};
struct Tanh {
    auto operator()(const auto& x) const { return xsimd::tanh(x); }
};
struct Erf {
    auto operator()(const auto& x) const { return xsimd::erf(x); }
};
/// 1 / (1 + exp(−x)).
struct Sigmoid {
    template <class V>
    V operator()(const V& x) const {
        return V(1) / (V(1) + xsimd::exp(-x));
    }
};
struct Pow {
    auto operator()(const auto& x, const auto& y) const { return xsimd::pow(x, y); }
};

}  // namespace

void install_transcendental(Table& table) {
    add_floating<Exp, 1>(table, Fn::kExp);
    add_floating<Log, 1>(table, Fn::kLog);
    add_floating<Tanh, 1>(table, Fn::kTanh);
    add_floating<Erf, 1>(table, Fn::kErf);
    add_floating<Sigmoid, 1>(table, Fn::kSigmoid);
    add_floating<Pow, 2>(table, Fn::kPow);
}

}  // namespace reel::kernels::REEL_SET
