// Calls of ops/pointwise/arithmetic.hpp, conditional.hpp, compare.hpp, transcendental.hpp and activations.hpp.
#include "tests/property/calls.hpp"

namespace reel::property {

namespace {

using Type = DType (Draw::*)();
using F1 = Tensor (*)(const Tensor&);
constexpr Type kFloating = &Draw::floating;
constexpr Type kNumber = &Draw::number;
constexpr Type kAny = &Draw::any_type;

Operation unary(const char* name, F1 f, Type type = kFloating) {
    return {name, [f, type](Draw& draw) {
                return Call{{draw.tensor(draw.shape(), (draw.*type)())},
                            [f](const Inputs& x) -> Inputs { return {f(x[0])}; }};
            }};
}

Operation binary(const Binary& function) {
    return {function.name, [function](Draw& draw) {
                const Shape sizes = draw.shape();
                Inputs x = {draw.tensor(sizes, (draw.*function.type)()),
                            draw.tensor(draw.narrower(sizes), (draw.*function.type)())};
                if (draw.chance(0.5)) std::swap(x[0], x[1]);
                return Call{x, [function](const Inputs& in) -> Inputs { return {function.f(in[0], in[1])}; }};
            }};
}

/// With a number that is drawn.
template <class F>
Operation with_number(const char* name, F f, Type type = kFloating) {
    return {name, [f, type](Draw& draw) {
                const double number = draw.real(-3, 3);
                return Call{{draw.tensor(draw.shape(), (draw.*type)())},
                            [f, number](const Inputs& x) -> Inputs { return {f(x[0], number)}; }};
            }};
}

Operations unary_calls() {
    return {
        unary("neg", neg, kNumber),
        unary("abs", abs, kNumber),
        unary("sign", sign, kNumber),
        unary("square", square, kAny),
        unary("reciprocal", reciprocal, kAny),
        unary("floor", floor, kNumber),
        unary("ceil", ceil, kNumber),
        unary("round", round, kNumber),
        unary("trunc", trunc, kNumber),
        unary("exp", exp, kAny),
        unary("expm1", expm1, kAny),
        unary("log", log, kAny),
        unary("log1p", log1p, kAny),
        unary("sqrt", sqrt, kAny),
        unary("rsqrt", rsqrt, kAny),
        unary("sin", sin, kAny),
        unary("cos", cos, kAny),
        unary("tan", tan, kAny),
        unary("erf", erf, kAny),
        unary("tanh", tanh, kAny),
        unary("sigmoid", sigmoid, kAny),
        unary("relu", relu, kNumber),
        unary("leaky_relu", [](const Tensor& x) { return leaky_relu(x, 0.25); }),
        unary("elu", [](const Tensor& x) { return elu(x, 1.3); }),
        unary("logsigmoid", logsigmoid),
        unary("softplus", [](const Tensor& x) { return softplus(x, 2, 3); }),
        unary("silu", silu),
        unary("gelu", [](const Tensor& x) { return gelu(x); }),
        unary("gelu tanh", [](const Tensor& x) { return gelu(x, "tanh"); }),
        unary(
            "nan_to_num", [](const Tensor& x) { return nan_to_num(x, 0, 4, -4); }, kNumber),
        unary("isnan", isnan, kAny),
        unary("isinf", isinf, kAny),
        unary("isfinite", isfinite, kAny),
        unary("logical_not", logical_not, kAny),
    };
}

Operations number_calls() {
    return {
        with_number(
            "add number", [](const Tensor& x, double n) { return x + n; }, kAny),
        with_number(
            "sub number", [](const Tensor& x, double n) { return n - x; }, kNumber),
        with_number(
            "mul number", [](const Tensor& x, double n) { return x * n; }, kAny),
        with_number(
            "div number", [](const Tensor& x, double n) { return x / n; }, kAny),
        with_number(
            "div of number", [](const Tensor& x, double n) { return n / x; }, kAny),
        with_number("pow number", [](const Tensor& x, double n) { return pow(x, n); }),
        with_number("pow of number", [](const Tensor& x, double n) { return pow(n, x); }),
        with_number("fmod number", [](const Tensor& x, double n) { return fmod(x, n); }),
        with_number("remainder number", [](const Tensor& x, double n) { return remainder(x, n); }),
        with_number("xlogy number", [](const Tensor& x, double n) { return xlogy(x, n); }),
        with_number(
            "lt number", [](const Tensor& x, double n) { return x < n; }, kAny),
        with_number(
            "clamp numbers", [](const Tensor& x, double n) { return clamp(x, n, n + 1); }, kNumber),
        with_number("masked_fill number",
                    [](const Tensor& x, double n) { return masked_fill(x, x.gt(0), n); }),
    };
}

Operations three_calls() {
    const auto three = [](Draw& draw, DType first, DType others) -> Inputs {
        const Shape sizes = draw.shape();
        return {draw.tensor(sizes, first), draw.tensor(draw.narrower(sizes), others),
                draw.tensor(draw.narrower(sizes), others)};
    };
    return {
        {"where",
         [three](Draw& draw) {
             return Call{three(draw, kBool, draw.any_type()),
                         [](const Inputs& x) -> Inputs { return {where(x[0], x[1], x[2])}; }};
         }},
        {"clamp",
         [three](Draw& draw) {
             return Call{three(draw, draw.number(), draw.number()),
                         [](const Inputs& x) -> Inputs { return {clamp(x[0], x[1], x[2])}; }};
         }},
        {"lerp",
         [](Draw& draw) {
             const Shape sizes = draw.shape();
             const DType type = draw.floating();
             return Call{{draw.tensor(sizes, type), draw.tensor(draw.narrower(sizes), type),
                          draw.reals(draw.narrower(sizes), type, 0, 1)},
                         [](const Inputs& x) -> Inputs { return {lerp(x[0], x[1], x[2])}; }};
         }},
        {"equal",
         [](Draw& draw) {
             const Tensor x = draw.tensor(draw.shape(), draw.any_type());
             const Tensor y = draw.chance(0.5) ? x.clone() : draw.tensor(x.sizes(), x.dtype());
             return Call{{x, y}, [](const Inputs& in) -> Inputs { return {tensor(equal(in[0], in[1]))}; }};
         }},
        {"masked_fill",
         [](Draw& draw) {
             const Shape sizes = draw.shape();
             const DType type = draw.any_type();
             return Call{
                 {draw.tensor(sizes, type), draw.tensor(draw.narrower(sizes), kBool), draw.tensor({}, type)},
                 [](const Inputs& x) -> Inputs { return {masked_fill(x[0], x[1], x[2])}; }};
         }},
    };
}

}  // namespace

const std::vector<Binary>& binary_functions() {
    static const std::vector<Binary> functions = {
        {"add", [](const Tensor& a, const Tensor& b) { return a + b; }, kAny},
        {"add alpha", [](const Tensor& a, const Tensor& b) { return add(a, b, 0.5); }, kFloating},
        {"sub", [](const Tensor& a, const Tensor& b) { return a - b; }, kNumber},
        {"mul", [](const Tensor& a, const Tensor& b) { return a * b; }, kAny},
        {"div", [](const Tensor& a, const Tensor& b) { return a / b; }, kAny},
        {"pow", [](const Tensor& a, const Tensor& b) { return pow(a, b); }, kNumber},
        {"fmod", [](const Tensor& a, const Tensor& b) { return fmod(a, b); }, kFloating},
        {"remainder", [](const Tensor& a, const Tensor& b) { return remainder(a, b); }, kFloating},
        {"atan2", atan2, kNumber},
        {"logaddexp", logaddexp, kFloating},
        {"xlogy", [](const Tensor& a, const Tensor& b) { return xlogy(a, b); }, kNumber},
        {"maximum", maximum, kAny},
        {"minimum", minimum, kAny},
        {"max of two", [](const Tensor& a, const Tensor& b) { return max(a, b); }, kAny},
        {"min of two", [](const Tensor& a, const Tensor& b) { return min(a, b); }, kAny},
        {"eq", [](const Tensor& a, const Tensor& b) { return a == b; }, kAny},
        {"ne", [](const Tensor& a, const Tensor& b) { return a != b; }, kAny},
        {"lt", [](const Tensor& a, const Tensor& b) { return a < b; }, kAny},
        {"le", [](const Tensor& a, const Tensor& b) { return a <= b; }, kAny},
        {"gt", [](const Tensor& a, const Tensor& b) { return a > b; }, kAny},
        {"ge", [](const Tensor& a, const Tensor& b) { return a >= b; }, kAny},
        {"logical_and", logical_and, kAny},
        {"logical_or", logical_or, kAny},
        {"logical_xor", logical_xor, kAny},
        {"allclose", [](const Tensor& a, const Tensor& b) { return reel::tensor(allclose(a, b, 0.5, 0.5)); },
         kNumber},
        {"isclose", [](const Tensor& a, const Tensor& b) { return isclose(a, b, 0.5, 0.5); }, kNumber},
    };
    return functions;
}

Operations pointwise_calls() {
    Operations calls;
    for (const Operations& part : {unary_calls(), number_calls(), three_calls()}) {
        calls.insert(calls.end(), part.begin(), part.end());
    }
    for (const Binary& function : binary_functions()) calls.push_back(binary(function));
    return calls;
}

Operations all_calls() {
    Operations calls;
    for (const Operations& part : {reduce_calls(), pointwise_calls(), view_calls(), shape_calls(),
                                   index_calls(), product_calls(), layer_calls()}) {
        calls.insert(calls.end(), part.begin(), part.end());
    }
    return calls;
}

}  // namespace reel::property
