// Functions that are approximated: exp, log, sin, … The mathematics is in `math/`; activation functions made
// of it are in `activations.cpp`. Also the remainders, which share its exact products.
#include "ops/kernels/loops.hpp"
#include "ops/kernels/math.hpp"

namespace reel::kernels::REEL_SET {

void install_transcendental(Table& table) {
    add_floating<1>(table, Fn::kExp, [](const auto& x) { return math::exp(x); });
    add_floating<1>(table, Fn::kExpm1, [](const auto& x) { return math::expm1(x); });
    add_floating<1>(table, Fn::kLog, [](const auto& x) { return math::log(x); });
    add_floating<1>(table, Fn::kLog1p, [](const auto& x) { return math::log1p(x); });
    add_floating<1>(table, Fn::kSin, [](const auto& x) { return math::sin(x); });
    add_floating<1>(table, Fn::kCos, [](const auto& x) { return math::cos(x); });
    add_floating<1>(table, Fn::kTan, [](const auto& x) { return math::tan(x); });
    add_floating<1>(table, Fn::kErf, [](const auto& x) { return math::erf(x); });
    add_floating<2>(table, Fn::kPow, [](const auto& x, const auto& y) { return math::pow(x, y); });
    add_floating<2>(table, Fn::kAtan2, [](const auto& y, const auto& x) { return math::atan2(y, x); });
    add_floating<2>(table, Fn::kLogAddExp,
                    [](const auto& a, const auto& b) { return math::logaddexp(a, b); });
    // x log y; 0 where x is 0, unless y is NaN.
    add_floating<2>(table, Fn::kXlogy, []<class V>(const V& x, const V& y) {
        return xsimd::select((x == V(0)) && (y == y), V(0), math::times_log(x, y));
    });
    add_floating<2>(table, Fn::kFmod, [](const auto& a, const auto& b) { return math::fmod(a, b); });
    // fmod brought to the side of b.
    add_floating<2>(table, Fn::kRemainder, []<class V>(const V& a, const V& b) {
        const V zero(0);
        const V rest = math::fmod(a, b);
        return xsimd::select(((rest < zero) && (b > zero)) || ((rest > zero) && (b < zero)), rest + b, rest);
    });
}

}  // namespace reel::kernels::REEL_SET
