// Activation functions, forward and pullback side by side.
#include "ops/pointwise/activations.hpp"

#include <numbers>

#include "autograd/tape.hpp"
#include "ops/pointwise/by_promotion.hpp"
#include "ops/pointwise/compare.hpp"
#include "ops/pointwise/transcendental.hpp"

namespace reel {

namespace {

using kernels::Fn;

/// ȳ f′(x), where `at` is x or y = f(x): one pass over memory.
Tensor fused(const char* name, Fn fn, const Tensor& y_bar, const Tensor& at) {
    return combine(name, fn, {y_bar, at});
}

/// g where y > 0 or NaN, else 0, with g = ȳ. Of a cotangent v, ḡ = v where y > 0 or NaN, else 0.
Tensor relu_backward(const Tensor& y_bar, const Tensor& y) {
    return record("relu_backward", fused("relu_backward", Fn::kReluBackward, y_bar, y),
                  {{y_bar, [y](const Tensor& v) { return relu_backward(v, y); }}});
}

/// g where x > 0, else slope · g, with g = ȳ. Of a cotangent v, ḡ is the same of v.
Tensor leaky_relu_backward(const Tensor& y_bar, const Tensor& x, double slope) {
    return record("leaky_relu_backward",
                  combine("leaky_relu_backward", Fn::kLeakyReluBackward, {y_bar, x}, &slope),
                  {{y_bar, [x, slope](const Tensor& v) { return leaky_relu_backward(v, x, slope); }}});
}

/// g (1 − y²), with g = ȳ. Of a cotangent v, ḡ = v (1 − y²), ȳ = −2 v g y.
Tensor tanh_backward(const Tensor& y_bar, const Tensor& y) {
    return record("tanh_backward", fused("tanh_backward", Fn::kTanhBackward, y_bar, y),
                  {{y_bar, [y](const Tensor& v) { return tanh_backward(v, y); }},
                   {y, [y_bar, y](const Tensor& v) { return v * (-2 * y_bar * y); }}});
}

/// g y (1 − y), with g = ȳ. Of a cotangent v, ḡ = v y (1 − y), ȳ = v g (1 − 2y).
Tensor sigmoid_backward(const Tensor& y_bar, const Tensor& y) {
    return record("sigmoid_backward", fused("sigmoid_backward", Fn::kSigmoidBackward, y_bar, y),
                  {{y_bar, [y](const Tensor& v) { return sigmoid_backward(v, y); }},
                   {y, [y_bar, y](const Tensor& v) { return v * (y_bar * (1 - 2 * y)); }}});
}

/// g σ (1 + x (1 − σ)) with σ = sigmoid(x), with g = ȳ. Of a cotangent v, ḡ = v σ (1 + x (1 − σ)), x̄ = v g σ (1 − σ) (2 +
/// x (1 − 2σ)).
Tensor silu_backward(const Tensor& y_bar, const Tensor& x) {
    return record("silu_backward", fused("silu_backward", Fn::kSiluBackward, y_bar, x),
                  {{y_bar, [x](const Tensor& v) { return silu_backward(v, x); }},
                   {x, [y_bar, x](const Tensor& v) {
                        const Tensor s = sigmoid(x);
                        return v * y_bar * (s * (1 - s) * (2 + x * (1 - 2 * s)));
                    }}});
}

/// The density of the normal distribution.
Tensor normal_density(const Tensor& x) {
    return exp(square(x) / -2) * (0.5 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi);
}

/// g (Φ(x) + x φ(x)), with g = ȳ. Of a cotangent v, ḡ = v (Φ(x) + x φ(x)), x̄ = v g φ(x) (2 − x²).
Tensor gelu_backward(const Tensor& y_bar, const Tensor& x) {
    return record(
        "gelu_backward", fused("gelu_backward", Fn::kGeluBackward, y_bar, x),
        {{y_bar, [x](const Tensor& v) { return gelu_backward(v, x); }},
         {x, [y_bar, x](const Tensor& v) { return v * y_bar * (normal_density(x) * (2 - square(x))); }}});
}

/// With u(x) = 2 √(2/π) (x + 0.044715x³), gelu is x σ(u).
constexpr double kGeluSlope = 2 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
constexpr double kGeluCubic = 0.044715;

/// g (σ + x σ (1 − σ) u′), where σ = sigmoid(u(x)), with g = ȳ. Of a cotangent v, ḡ = v (σ + x σ (1 − σ) u′), x̄ = v g σ
/// (1 − σ) (2u′ + x (u″ + (1 − 2σ) u′²)).
Tensor gelu_tanh_backward(const Tensor& y_bar, const Tensor& x) {
    return record("gelu_tanh_backward", fused("gelu_tanh_backward", Fn::kGeluTanhBackward, y_bar, x),
                  {{y_bar, [x](const Tensor& v) { return gelu_tanh_backward(v, x); }},
                   {x, [y_bar, x](const Tensor& v) {
                        const Tensor xx = square(x);
                        const Tensor s = sigmoid(kGeluSlope * (x * (1 + kGeluCubic * xx)));
                        const Tensor u1 = kGeluSlope * (1 + 3 * kGeluCubic * xx);
                        const Tensor u2 = 6 * kGeluSlope * kGeluCubic * x;
                        return v * y_bar * (s * (1 - s) * (2 * u1 + x * (u2 + (1 - 2 * s) * square(u1))));
                    }}});
}

}  // namespace

Tensor tanh(const Tensor& x) { return unary_floating("tanh", Fn::kTanh, x, tanh_backward); }

Tensor relu(const Tensor& x) {
    check_no_bool("relu", {x}, "to(kInt64)");
    return unary("relu", Fn::kRelu, x, relu_backward);
}

Tensor leaky_relu(const Tensor& x, double negative_slope) {
    check_floating("leaky_relu", x);
    check_number("leaky_relu", negative_slope, compute_dtype(x.dtype()));
    return unary(
        "leaky_relu", Fn::kLeakyRelu, x,
        [x, negative_slope](const Tensor& y_bar) { return leaky_relu_backward(y_bar, x, negative_slope); },
        &negative_slope);
}

Tensor elu(const Tensor& x, double alpha) {
    check_floating("elu", x);
    check_number("elu", alpha, compute_dtype(x.dtype()));
    return unary(
        "elu", Fn::kElu, x,
        [x, alpha](const Tensor& y_bar) {
            return where(x > 0, y_bar, y_bar * (alpha * exp(clamp(wide(x), None, 0))));
        },
        &alpha);
}

Tensor sigmoid(const Tensor& x) { return unary_floating("sigmoid", Fn::kSigmoid, x, sigmoid_backward); }

Tensor logsigmoid(const Tensor& x) {
    check_floating("logsigmoid", x);
    return unary("logsigmoid", Fn::kLogSigmoid, x,
                 [x](const Tensor& y_bar) { return y_bar * sigmoid(-wide(x)); });
}

Tensor softplus(const Tensor& x, double beta, double threshold) {
    check_floating("softplus", x);
    const double parameters[] = {beta, threshold};
    return unary(
        "softplus", Fn::kSoftplus, x,
        [x, beta, threshold](const Tensor& y_bar) {
            const Tensor z = beta * wide(x);
            return where(z > threshold, y_bar, y_bar * sigmoid(z));
        },
        parameters);
}

Tensor silu(const Tensor& x) {
    check_floating("silu", x);
    return unary("silu", Fn::kSilu, x, [x](const Tensor& y_bar) { return silu_backward(y_bar, x); });
}

Tensor gelu(const Tensor& x, std::string_view approximate) {
    check_floating("gelu", x);
    if (approximate == "none") {
        return unary("gelu", Fn::kGelu, x, [x](const Tensor& y_bar) { return gelu_backward(y_bar, x); });
    }
    if (approximate != "tanh") {
        fail<Error>("gelu: approximate is \"none\" or \"tanh\", not \"", approximate, "\"");
    }
    return record("gelu_tanh", combine("gelu_tanh", Fn::kGeluTanh, {x}),
                  {{x, [x](const Tensor& y_bar) { return gelu_tanh_backward(y_bar, x); }}});
}

}  // namespace reel
