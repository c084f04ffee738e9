// Activation functions, forward and pullback side by side.
#include "ops/pointwise/activations.hpp"

#include <cmath>
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

/// g where y > 0 or NaN, else 0. Of a cotangent h, ḡ = h where y > 0 or NaN, else 0.
Tensor relu_backward(const Tensor& g, const Tensor& y) {
    return record("relu_backward", fused("relu_backward", Fn::kReluBackward, g, y),
                  {{g, [y](const Tensor& h) { return relu_backward(h, y); }}});
}

/// g (1 − y²). Of a cotangent h, ḡ = h (1 − y²), ȳ = −2 h g y.
Tensor tanh_backward(const Tensor& g, const Tensor& y) {
    return record("tanh_backward", fused("tanh_backward", Fn::kTanhBackward, g, y),
                  {{g, [y](const Tensor& h) { return tanh_backward(h, y); }},
                   {y, [g, y](const Tensor& h) { return h * (-2 * g * y); }}});
}

/// g y (1 − y). Of a cotangent h, ḡ = h y (1 − y), ȳ = h g (1 − 2y).
Tensor sigmoid_backward(const Tensor& g, const Tensor& y) {
    return record("sigmoid_backward", fused("sigmoid_backward", Fn::kSigmoidBackward, g, y),
                  {{g, [y](const Tensor& h) { return sigmoid_backward(h, y); }},
                   {y, [g, y](const Tensor& h) { return h * (g * (1 - 2 * y)); }}});
}

/// g σ (1 + x (1 − σ)) with σ = sigmoid(x). Of a cotangent h, ḡ = h σ (1 + x (1 − σ)), x̄ = h g σ (1 − σ) (2 +
/// x (1 − 2σ)).
Tensor silu_backward(const Tensor& g, const Tensor& x) {
    return record("silu_backward", fused("silu_backward", Fn::kSiluBackward, g, x),
                  {{g, [x](const Tensor& h) { return silu_backward(h, x); }},
                   {x, [g, x](const Tensor& h) {
                        const Tensor s = sigmoid(x);
                        return h * g * (s * (1 - s) * (2 + x * (1 - 2 * s)));
                    }}});
}

/// The density of the normal distribution.
Tensor normal_density(const Tensor& x) {
    return exp(square(x) / -2) * (0.5 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi);
}

/// g (Φ(x) + x φ(x)). Of a cotangent h, ḡ = h (Φ(x) + x φ(x)), x̄ = h g φ(x) (2 − x²).
Tensor gelu_backward(const Tensor& g, const Tensor& x) {
    return record("gelu_backward", fused("gelu_backward", Fn::kGeluBackward, g, x),
                  {{g, [x](const Tensor& h) { return gelu_backward(h, x); }},
                   {x, [g, x](const Tensor& h) { return h * g * (normal_density(x) * (2 - square(x))); }}});
}

/// With v(x) = 2 √(2/π) (x + 0.044715x³), gelu is x σ(v).
constexpr double kGeluSlope = 2 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
constexpr double kGeluCubic = 0.044715;

/// g (σ + x σ (1 − σ) v′), where σ = sigmoid(v(x)). Of a cotangent h, ḡ = h (σ + x σ (1 − σ) v′), x̄ = h g σ
/// (1 − σ) (2v′ + x (v″ + (1 − 2σ) v′²)).
Tensor gelu_tanh_backward(const Tensor& g, const Tensor& x) {
    return record("gelu_tanh_backward", fused("gelu_tanh_backward", Fn::kGeluTanhBackward, g, x),
                  {{g, [x](const Tensor& h) { return gelu_tanh_backward(h, x); }},
                   {x, [g, x](const Tensor& h) {
                        const Tensor xx = square(x);
                        const Tensor s = sigmoid(kGeluSlope * (x * (1 + kGeluCubic * xx)));
                        const Tensor v1 = kGeluSlope * (1 + 3 * kGeluCubic * xx);
                        const Tensor v2 = 6 * kGeluSlope * kGeluCubic * x;
                        return h * g * (s * (1 - s) * (2 * v1 + x * (v2 + (1 - 2 * s) * square(v1))));
                    }}});
}

}  // namespace

Tensor tanh(const Tensor& x) {
    return record("tanh", map_floating("tanh", Fn::kTanh, x),
                  {{x, [](const Tensor& g, const Tensor& y) { return tanh_backward(g, y); }}});
}

Tensor relu(const Tensor& x) {
    check_no_bool("relu", {x}, "to(kInt64)");
    return record("relu", map("relu", Fn::kRelu, x),
                  {{x, [](const Tensor& g, const Tensor& y) { return relu_backward(g, y); }}});
}

Tensor leaky_relu(const Tensor& x, double negative_slope) {
    check_floating("leaky_relu", x);
    check_number("leaky_relu", negative_slope, compute_dtype(x.dtype()));
    return record(
        "leaky_relu", map("leaky_relu", Fn::kLeakyRelu, x, &negative_slope),
        {{x, [x, negative_slope](const Tensor& g) { return where(x > 0, g, negative_slope * g); }}});
}

Tensor elu(const Tensor& x, double alpha) {
    check_floating("elu", x);
    check_number("elu", alpha, compute_dtype(x.dtype()));
    return record("elu", map("elu", Fn::kElu, x, &alpha),
                  {{x, [x, alpha](const Tensor& g) {
                        return where(x > 0, g, g * (alpha * exp(clamp(wide(x), None, 0))));
                    }}});
}

Tensor sigmoid(const Tensor& x) {
    return record("sigmoid", map_floating("sigmoid", Fn::kSigmoid, x),
                  {{x, [](const Tensor& g, const Tensor& y) { return sigmoid_backward(g, y); }}});
}

Tensor logsigmoid(const Tensor& x) {
    check_floating("logsigmoid", x);
    return record("logsigmoid", map("logsigmoid", Fn::kLogSigmoid, x),
                  {{x, [x](const Tensor& g) { return g * sigmoid(-wide(x)); }}});
}

Tensor softplus(const Tensor& x, double beta, double threshold) {
    check_floating("softplus", x);
    const double parameters[] = {beta, threshold};
    return record("softplus", map("softplus", Fn::kSoftplus, x, parameters),
                  {{x, [x, beta, threshold](const Tensor& g) {
                        const Tensor z = beta * wide(x);
                        return where(z > threshold, g, g * sigmoid(z));
                    }}});
}

Tensor silu(const Tensor& x) {
    check_floating("silu", x);
    return record("silu", map("silu", Fn::kSilu, x),
                  {{x, [x](const Tensor& g) { return silu_backward(g, x); }}});
}

Tensor gelu(const Tensor& x, std::string_view approximate) {
    check_floating("gelu", x);
    if (approximate == "none") {
        return record("gelu", map("gelu", Fn::kGelu, x),
                      {{x, [x](const Tensor& g) { return gelu_backward(g, x); }}});
    }
    if (approximate != "tanh") {
        fail<Error>("gelu: approximate is \"none\" or \"tanh\", not \"", approximate, "\"");
    }
    return record("gelu_tanh", map("gelu_tanh", Fn::kGeluTanh, x),
                  {{x, [x](const Tensor& g) { return gelu_tanh_backward(g, x); }}});
}

}  // namespace reel
