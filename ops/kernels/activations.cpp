// Activation functions and their fused backward passes.
#include "ops/kernels/loops.hpp"
#include "ops/kernels/math.hpp"

namespace reel::kernels::REEL_SET {

namespace {

struct Gelu {
    template <class V>
    V operator()(const V& x) const {
        using T = typename V::value_type;
        return x * V(T(0.5)) * (V(1) + xsimd::erf(x * V(T(0.70710678118654752440))));
    }
};
struct ReluBackward {
    template <class V>
    V operator()(const V& g, const V& y) const {
        return xsimd::select(y > V(0), g, V(0));
    }
};
/// g (1 − y²), without cancellation.
struct TanhBackward {
    template <class V>
    V operator()(const V& g, const V& y) const {
        return g * ((V(1) - y) * (V(1) + y));
    }
};
struct SigmoidBackward {
    template <class V>
    V operator()(const V& g, const V& y) const {
        return g * (y * (V(1) - y));
    }
};
struct GeluBackward {
    template <class V>
    V operator()(const V& g, const V& x) const {
        using T = typename V::value_type;
        const V cdf = V(T(0.5)) * (V(1) + xsimd::erf(x * V(T(0.70710678118654752440))));
        return g * (cdf + x * V(T(0.39894228040143267794)) * math::exp<T>(x * x * V(T(-0.5))));
    }
};

}  // namespace

void install_activations(Table& table) {
    add_floating<Gelu, 1>(table, Fn::kGelu);
    add_floating<ReluBackward, 2>(table, Fn::kReluBackward);
    add_floating<TanhBackward, 2>(table, Fn::kTanhBackward);
    add_floating<SigmoidBackward, 2>(table, Fn::kSigmoidBackward);
    add_floating<GeluBackward, 2>(table, Fn::kGeluBackward);
}

}  // namespace reel::kernels::REEL_SET
