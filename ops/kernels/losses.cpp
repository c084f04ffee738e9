// Losses of single elements, of x and its target, and their fused backward passes.
#include "ops/kernels/loops.hpp"
#include "ops/kernels/math.hpp"

namespace reel::kernels::REEL_SET {

namespace {

struct SquaredDistance {
    auto operator()(const auto& x, const auto& target) const { return (x - target) * (x - target); }
};
struct SquaredDistanceBackward {
    template <class V>
    V operator()(const V& g, const V& x, const V& target) const {
        return g * (V(2) * (x - target));
    }
};

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

/// Of the logit z, the target t and the weight p of the positive class −(1 − t) ln σ(−z) − p t ln σ(z), with the smaller
/// logarithm, log(1 + e^−|z|), taken once: no exponent overflows, and nothing cancels.
struct BinaryCrossEntropy {
    template <class V>
    V operator()(const V& z, const V& t, const V& p) const {
        const V rest = V(1) - t;
        const V positive = p * t;
        const V size = xsimd::abs(z);
        const V log = math::log1p_exp<typename V::value_type>(-size, V(0));
        return xsimd::select(z > V(0), rest, positive) * size + (rest + positive) * log;
    }
};
/// (1 − t) σ(z) − p t σ(−z).
struct BinaryCrossEntropyBackward {
    template <class V>
    V operator()(const V& z, const V& t, const V& p) const {
        const math::BothSigmoids<V> sigmoid(z);
        return (V(1) - t) * sigmoid.above - p * t * sigmoid.below;
    }
};

}  // namespace

void install_losses(Table& table) {
    add_floating<SquaredDistance, 2>(table, Fn::kSquaredDistance);
    add_floating<SquaredDistanceBackward, 3>(table, Fn::kSquaredDistanceBackward);
    add_floating<Huber, 2>(table, Fn::kHuber);
    add_floating<HuberBackward, 3>(table, Fn::kHuberBackward);
    add_floating<BinaryCrossEntropy, 3>(table, Fn::kBinaryCrossEntropy);
    add_floating<BinaryCrossEntropyBackward, 3>(table, Fn::kBinaryCrossEntropyBackward);
}

}  // namespace reel::kernels::REEL_SET
