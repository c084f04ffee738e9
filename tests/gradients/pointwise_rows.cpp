// Rows of ops/pointwise/arithmetic.cpp, ops/pointwise/conditional.cpp, ops/pointwise/transcendental.cpp and
// ops/pointwise/activations.cpp.
#include "tests/gradients/rows.hpp"

namespace reel::testing {

namespace {

using Inputs = std::vector<Tensor>;
using Unary = Tensor (*)(const Tensor&);
using Binary = Tensor (*)(const Tensor&, const Tensor&);

/// Of a function that is constant where it is checked, between its jumps.
Row flat(const char* operation, Tensor (*f)(const Tensor&)) {
    Row row{operation, "", [f](const Inputs& x) { return f(x[0]); }, {numbers({2, 3}, 0.1, 0.4)}};
    row.flat = true;
    return row;
}

Row unary(const char* operation, const char* variant, Unary f, double low = -2, double high = 2) {
    return {operation, variant, [f](const Inputs& x) { return f(x[0]); }, {numbers({2, 3}, low, high)}};
}

/// Of a matrix and, broadcast, a row; or the other way round.
Row binary(const char* operation, const char* variant, Binary f, double low = -2, double high = 2) {
    return {operation,
            variant,
            [f](const Inputs& x) { return f(x[0], x[1]); },
            {numbers({2, 3}, low, high, 1), numbers({3}, low, high, 2)}};
}
Row mirrored(const char* operation, const char* variant, Binary f, double low = -2, double high = 2) {
    return {operation,
            variant,
            [f](const Inputs& x) { return f(x[1], x[0]); },
            {numbers({2, 3}, low, high, 1), numbers({3}, low, high, 2)}};
}

/// The fused backward pass of `f`, a function of the cotangent and of x.
Row backward(const char* operation, Unary f, bool second_order = true) {
    return {operation,
            "",
            [f](const Inputs& x) { return gradient(f, x[1], x[0]); },
            {numbers({2, 3}, -2, 2, 1), numbers({2, 3}, -2, 2, 2)},
            second_order};
}

Rows arithmetic_rows() {
    return {
        binary("add", "", [](const Tensor& a, const Tensor& b) { return a + b; }),
        mirrored("add", "alpha", [](const Tensor& a, const Tensor& b) { return add(a, b, 0.7); }),
        unary("add", "number", [](const Tensor& x) { return x + 0.7; }),
        binary("sub", "", [](const Tensor& a, const Tensor& b) { return a - b; }),
        mirrored("sub", "alpha", [](const Tensor& a, const Tensor& b) { return sub(a, b, 0.7); }),
        unary("sub", "number", [](const Tensor& x) { return x - 0.7; }),
        unary("sub", "from a number", [](const Tensor& x) { return 0.7 - x; }),
        binary("mul", "", [](const Tensor& a, const Tensor& b) { return a * b; }),
        unary("mul", "by itself", [](const Tensor& x) { return x * x; }),
        unary("mul", "number", [](const Tensor& x) { return x * 0.7; }),
        binary(
            "div", "", [](const Tensor& a, const Tensor& b) { return a / b; }, 0.5, 2),
        mirrored(
            "div", "by a matrix", [](const Tensor& a, const Tensor& b) { return a / b; }, -2, -0.5),
        unary("div", "number", [](const Tensor& x) { return x / 0.7; }),
        unary(
            "div", "a number by", [](const Tensor& x) { return 0.7 / x; }, 0.5, 2),
        unary("neg", "", neg),
        unary("abs", "", abs),
        unary("square", "", square),
        unary("reciprocal", "", reciprocal, 0.5, 2),
        binary(
            "fmod", "", [](const Tensor& a, const Tensor& b) { return fmod(8 * a, b); }, 1.1, 2),
        unary("fmod", "number", [](const Tensor& x) { return fmod(x, 0.7); }),
        binary(
            "remainder", "", [](const Tensor& a, const Tensor& b) { return remainder(-8 * a, b); }, 1.1, 2),
        unary("remainder", "number", [](const Tensor& x) { return remainder(x, 0.7); }),
        unary(
            "remainder", "of a number", [](const Tensor& x) { return remainder(7.3, x); }, 1.1, 2),
        flat("sign", sign),
        flat("floor", floor),
        flat("ceil", ceil),
        flat("round", round),
        flat("trunc", trunc),
        flat("bernoulli", [](const Tensor& p) { return bernoulli(p * 0); }),
    };
}

Rows choice_rows() {
    const Tensor mask = tensor({{true, false, true}, {false, true, true}});
    const auto clamp_between = [](const Inputs& x) { return clamp(x[0], x[1], x[2]); };
    return {
        {"where",
         "",
         [mask](const Inputs& x) { return where(mask, x[0], x[1]); },
         {numbers({2, 3}), numbers({3}, -2, 2, 2)}},
        {"where", "number below", [mask](const Inputs& x) { return where(mask, x[0], 0.7); }, {numbers({3})}},
        {"where", "number above", [mask](const Inputs& x) { return where(mask, 0.7, x[0]); }, {numbers({3})}},
        {"masked_fill",
         "number",
         [mask](const Inputs& x) { return masked_fill(square(x[0]), mask, 0.7); },
         {numbers({2, 3})}},
        {"masked_fill",
         "tensor",
         [mask](const Inputs& x) { return masked_fill(square(x[0]), mask, x[1]); },
         {numbers({2, 3}), numbers({}, -2, 2, 2)}},
        binary("maximum", "", maximum),
        binary("minimum", "", minimum),
        unary("clamp", "numbers", [](const Tensor& x) { return clamp(x, -0.9, 0.8); }),
        unary("clamp", "above only", [](const Tensor& x) { return clamp(x, None, 0.8); }),
        {"clamp",
         "tensors",
         clamp_between,
         {numbers({2, 3}, -2, 2, 1), numbers({3}, -1.5, -0.2, 2), numbers({3}, 0.2, 1.5, 3)}},
        unary("nan_to_num", "", [](const Tensor& x) { return nan_to_num(x); }),
    };
}

Rows function_rows() {
    return {
        unary("exp", "", exp),
        unary("expm1", "", expm1),
        unary("log", "", log, 0.5, 2),
        unary("log1p", "", log1p, -0.5, 2),
        unary("sqrt", "", sqrt, 0.5, 2),
        unary("rsqrt", "", rsqrt, 0.5, 2),
        unary("sin", "", sin),
        unary("cos", "", cos),
        unary("tan", "", tan, -1, 1),
        unary("erf", "", erf),
        binary(
            "pow", "", [](const Tensor& a, const Tensor& b) { return pow(a, b); }, 0.5, 2),
        mirrored(
            "pow", "negative exponents", [](const Tensor& a, const Tensor& b) { return pow(a, -b); }, 0.5, 2),
        unary("pow", "cube", [](const Tensor& x) { return pow(x, 3); }),
        unary("pow", "square", [](const Tensor& x) { return pow(x, 2); }),
        unary(
            "pow", "root", [](const Tensor& x) { return pow(x, 0.5); }, 0.5, 2),
        unary(
            "pow", "number", [](const Tensor& x) { return pow(x, -2.5); }, 0.5, 2),
        unary("pow", "of a number", [](const Tensor& x) { return pow(1.7, x); }),
        binary("atan2", "", atan2),
        binary("logaddexp", "", logaddexp),
        binary(
            "xlogy", "", [](const Tensor& a, const Tensor& b) { return xlogy(a, b); }, 0.5, 2),
        unary("xlogy", "number", [](const Tensor& x) { return xlogy(x, 1.7); }),
        unary(
            "xlogy", "of a number", [](const Tensor& x) { return xlogy(1.7, x); }, 0.5, 2),
        {"lerp",
         "",
         [](const Inputs& x) { return lerp(x[0], x[1], x[2]); },
         {numbers({2, 3}), numbers({3}, -2, 2, 2), numbers({2, 1}, -0.5, 1.5, 3)}},
        binary("lerp", "number", [](const Tensor& a, const Tensor& b) { return lerp(a, b, 0.7); }),
    };
}

Rows activation_rows() {
    const Unary gelu_tanh = [](const Tensor& x) { return gelu(x, "tanh"); };
    const Unary leaky = [](const Tensor& x) { return leaky_relu(x, 0.3); };
    const Unary gelu_exact = [](const Tensor& x) { return gelu(x); };
    return {
        unary("relu", "", relu),
        unary("leaky_relu", "", leaky),
        unary("elu", "", [](const Tensor& x) { return elu(x, 1.3); }),
        unary("tanh", "", tanh),
        unary("sigmoid", "", sigmoid),
        unary("logsigmoid", "", logsigmoid),
        unary("softplus", "", [](const Tensor& x) { return softplus(x, 2, 3); }),
        unary("silu", "", silu),
        unary("gelu", "", gelu_exact),
        unary("gelu_tanh", "", gelu_tanh),
        backward("relu_backward", relu),
        backward("leaky_relu_backward", leaky),
        backward("tanh_backward", tanh),
        backward("sigmoid_backward", sigmoid),
        backward("silu_backward", silu),
        backward("gelu_backward", gelu_exact),
        backward("gelu_tanh_backward", gelu_tanh),
    };
}

}  // namespace

Rows pointwise_rows() {
    Rows rows;
    for (const Rows& part : {arithmetic_rows(), choice_rows(), function_rows(), activation_rows()}) {
        rows.insert(rows.end(), part.begin(), part.end());
    }
    return rows;
}

}  // namespace reel::testing
