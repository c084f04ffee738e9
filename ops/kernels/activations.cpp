// Activation functions and their fused backward passes.
#include "ops/kernels/loops.hpp"
#include "ops/kernels/math.hpp"

namespace reel::kernels::REEL_SET {

namespace {

template <class V>
using Element = typename V::value_type;

/// A constant in the type of the vector's elements.
template <class V>
V constant(double value) {
    return V(static_cast<Element<V>>(value));
}

/// log(1 + exp(βx)) / β; x where βx is above the threshold. β in two parts: the exponential would magnify what one
/// of float32 loses.
struct Softplus {
    explicit Softplus(const double* parameters) : beta(parameters[0]), threshold(parameters[1]) {}
    double beta, threshold;
    template <class V>
    V operator()(const V& x) const {
        using T = Element<V>;
        if (beta == 1) [[likely]]
            return xsimd::select(x > constant<V>(threshold), x, math::softplus<T>(x));
        const V b = constant<V>(beta);
        const double rest = beta - static_cast<double>(static_cast<T>(beta));
        const auto z = math::two_product<T>(b, x);
        const V low = z.low + constant<V>(rest) * x;
        const V log = math::softplus<T>(z.high, low);
        const V y = quotient(log, b);
        if (rest == 0) return xsimd::select(z.high > constant<V>(threshold), x, y);
        const auto back =
            math::two_product<T>(y, b);  // what the quotient leaves of the logarithm, by all of β
        const V left = ((log - back.high) - back.low) - y * constant<V>(rest);
        const V exact =
            xsimd::select(xsimd::abs(y) < V(math::kInfinity<T>), y + left * constant<V>(1 / beta), y);
        return xsimd::select(z.high > constant<V>(threshold), x, exact);
    }
};
/// x where x > 0, else α (eˣ − 1).
struct Elu {
    explicit Elu(const double* parameters) : alpha(parameters[0]) {}
    double alpha;
    template <class V>
    V operator()(const V& x) const {
        using T = Element<V>;
        const V a = constant<V>(alpha);
        const auto y = math::expm1_pair<T>(x);
        const V below = math::times_pair<T>(a, y.high, y.low);
        const V small = xsimd::select(xsimd::abs(x) < V(4 * math::kSmallest<T>), a * x, below);
        return xsimd::select(x > V(0), x, small);
    }
};
/// g where x > 0, else slope · g: at NaN, too.
struct LeakyReluBackward {
    explicit LeakyReluBackward(const double* parameters) : slope(parameters[0]) {}
    double slope;
    template <class V>
    V operator()(const V& g, const V& x) const {
        return xsimd::select(x > V(0), g, constant<V>(slope) * g);
    }
};
/// |x| at most `end`, where the tails of these functions have vanished: beyond, ∞ · 0 would be NaN.
template <class V>
V bounded(const V& x, double end) {
    const V high = constant<V>(end);
    return smaller(high, larger(-high, x));
}

}  // namespace

void install_activations(Table& table) {
    add_floating<1>(table, Fn::kTanh, [](const auto& x) { return math::tanh(x); });
    add_floating<1>(table, Fn::kSigmoid, [](const auto& x) { return math::sigmoid(x); });
    add_floating<1>(table, Fn::kLogSigmoid,
                    []<class V>(const V& x) { return math::negated(math::softplus(-x)); });
    add_floating<Softplus, 1>(table, Fn::kSoftplus);
    add_floating<Elu, 1>(table, Fn::kElu);
    add_floating<1>(table, Fn::kSilu, [](const auto& x) { return math::silu(x); });
    add_floating<1>(table, Fn::kGelu, [](const auto& x) { return math::gelu(x); });
    add_floating<1>(table, Fn::kGeluTanh, [](const auto& x) { return math::gelu_tanh(x); });

    // 0 where y ≤ 0, else g: at NaN, too.
    add_floating<2>(table, Fn::kReluBackward,
                    []<class V>(const V& g, const V& y) { return xsimd::select(y <= V(0), V(0), g); });
    add_floating<LeakyReluBackward, 2>(table, Fn::kLeakyReluBackward);
    // g (1 − y²), without cancellation.
    add_floating<2>(table, Fn::kTanhBackward,
                    []<class V>(const V& g, const V& y) { return g * ((V(1) - y) * (V(1) + y)); });
    // g y (1 − y).
    add_floating<2>(table, Fn::kSigmoidBackward,
                    []<class V>(const V& g, const V& y) { return g * (y * (V(1) - y)); });
    // g σ (1 + x (1 − σ)).
    add_floating<2>(table, Fn::kSiluBackward, []<class V>(const V& g, const V& x) {
        const V z = bounded(x, 800);
        const math::BothSigmoids<V> sigmoid(x);
        return g * (sigmoid.above * (V(1) + z * sigmoid.below));
    });
    // g (Φ(x) + x φ(x)).
    add_floating<2>(table, Fn::kGeluBackward,
                    [](const auto& g, const auto& x) { return g * math::gelu_slope(x); });
    // g (σ + x σ (1 − σ) v′), σ = sigmoid(v(x)).
    add_floating<2>(table, Fn::kGeluTanhBackward, []<class V>(const V& g, const V& x) {
        const V z = bounded(x, 50);
        const V square = z * z;
        const V slope = constant<V>(math::kGeluSlope);
        const V cubic = constant<V>(math::kGeluCubic);
        const math::BothSigmoids<V> sigmoid(slope * z * (V(1) + cubic * square));
        const V v_slope = slope * (V(1) + V(3) * cubic * square);
        return g * (sigmoid.above + z * (sigmoid.above * sigmoid.below) * v_slope);
    });
}

}  // namespace reel::kernels::REEL_SET
