// Losses of single elements, of x and its target, and their fused backward passes.
#include "ops/kernels/loops.hpp"
#include "ops/kernels/math.hpp"

namespace reel::kernels::REEL_SET {

namespace {

/// With n the distance, at most δ: n (distance − n / 2) on both sides of it. Its derivative is x − target within ±δ.
struct Huber {
    explicit Huber(const double* parameters) : delta(parameters[0]) {}
    double delta;
    template <class V>
    V operator()(const V& x, const V& target) const {
        using T = typename V::value_type;
        const V distance = xsimd::abs(x - target);
        const V near = smaller(V(static_cast<T>(delta)), distance);
        return near * (distance - near * V(static_cast<T>(0.5)));
    }
};
struct HuberBackward {
    explicit HuberBackward(const double* parameters) : delta(parameters[0]) {}
    double delta;
    template <class V>
    V operator()(const V& g, const V& x, const V& target) const {
        const V end(static_cast<typename V::value_type>(delta));
        return g * smaller(end, larger(-end, x - target));
    }
};

}  // namespace

void install_losses(Table& table) {
    add_floating<2>(table, Fn::kSquaredDistance,
                    [](const auto& x, const auto& target) { return (x - target) * (x - target); });
    add_floating<3>(
        table, Fn::kSquaredDistanceBackward,
        []<class V>(const V& g, const V& x, const V& target) { return g * (V(2) * (x - target)); });
    add_floating<Huber, 2>(table, Fn::kHuber);
    add_floating<HuberBackward, 3>(table, Fn::kHuberBackward);
    // Of the logit z, the target t and the weight p of the positive class −(1 − t) ln σ(−z) − p t ln σ(z), with the
    // smaller logarithm, log(1 + e^−|z|), taken once: no exponent overflows, and nothing cancels.
    add_floating<3>(table, Fn::kBinaryCrossEntropy, []<class V>(const V& z, const V& t, const V& p) {
        const V rest = V(1) - t;
        const V positive = p * t;
        const V size = xsimd::abs(z);
        return xsimd::select(z > V(0), rest, positive) * size + (rest + positive) * math::log1p_exp(-size);
    });
    // (1 − t) σ(z) − p t σ(−z).
    add_floating<3>(table, Fn::kBinaryCrossEntropyBackward, []<class V>(const V& z, const V& t, const V& p) {
        const math::BothSigmoids<V> sigmoid(z);
        return (V(1) - t) * sigmoid.above - p * t * sigmoid.below;
    });
}

}  // namespace reel::kernels::REEL_SET
