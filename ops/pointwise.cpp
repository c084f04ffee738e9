// Arithmetic and the functions of one element, forward and pullback side by side. How a kernel meets tensors
// is in `apply.cpp`; the vector code in `kernels/`.
#include "ops/pointwise.hpp"

#include "autograd/tape.hpp"
#include "ops/apply.hpp"
#include "ops/compare.hpp"

namespace reel {

namespace {

using kernels::Fn;

/// f of one tensor in its own type; the result has that type.
Tensor map(const char* name, Fn fn, const Tensor& x, const double* parameters = nullptr) {
    return apply({name, fn, compute_dtype(x.dtype()), x.dtype(), parameters}, {x});
}

/// f of one tensor in floating point: integers and bools become float32.
Tensor map_floating(const char* name, Fn fn, const Tensor& x, const double* parameters = nullptr) {
    const DType result = to_floating(x.dtype());
    return apply({name, fn, compute_dtype(result), result, parameters}, {x});
}

/// f of operands in their common type.
Tensor combine(const char* name, Fn fn, Operands operands, const double* parameters = nullptr) {
    const DType result = result_type(operands);
    return apply({name, fn, compute_dtype(result), result, parameters}, operands);
}

/// Likewise in floating point.
Tensor combine_floating(const char* name, Fn fn, Operands operands) {
    const DType result = to_floating(result_type(operands));
    return apply({name, fn, compute_dtype(result), result, nullptr}, operands);
}

void check_alpha(const char* name, DType result, Scalar alpha) {
    if (!is_floating_point(result) && alpha.dtype() == kFloat64) {
        fail<DTypeError>(name, ": a floating alpha (", alpha, ") for ", result, " tensors");
    }
}

void check_no_bool(const char* name, Operands operands) {
    for (const Operand& operand : operands) {
        if (operand.promotable().dtype == kBool) {
            fail<DTypeError>(name,
                             ": bool operands are not taken; use logical_xor, logical_not, or to(int64)");
        }
    }
}

/// a where the condition holds, else b.
Tensor select_by(const Tensor& condition, Operand a, Operand b) {
    if (condition.dtype() != kBool) {
        fail<DTypeError>("where: the condition must be bool, not ", condition.dtype(),
                         "; compare it, or use to(kBool)");
    }
    const DType result = result_type({a, b});
    return apply({"where", Fn::kWhere, compute_dtype(result), result, nullptr}, {condition, a, b});
}

/// The share of ȳ for `a` in a choice between a and b: all, half at a tie, nothing. A NaN goes to the side
/// that has it.
Tensor winner(const Tensor& y, const Tensor& a, const Tensor& b) {
    const Tensor wins = eq(a, y).to(y.dtype());
    return wins - 0.5 * eq(a, b).to(y.dtype());
}

Tensor choose(const char* name, Fn fn, const Tensor& a, const Tensor& b) {
    const auto share = [](const Tensor& mine, const Tensor& other) {
        return [mine, other](const Tensor& y_bar, const Tensor& y) {
            return y_bar * winner(y.detach(), mine.detach(), other.detach());
        };
    };
    return record(name, combine(name, fn, {a, b}), {{a, share(a, b)}, {b, share(b, a)}});
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b, Scalar alpha) {
    check_alpha("add", result_type({a, b}), alpha);
    if (alpha.to<double>() == 1) {
        return record("add", combine("add", Fn::kAdd, {a, b}),
                      {{a, [](const Tensor& g) { return g; }}, {b, [](const Tensor& g) { return g; }}});
    }
    return add(a, mul(b, alpha));
}

Tensor add(const Tensor& a, Scalar b, Scalar alpha) {
    check_alpha("add", result_type({a, b}), alpha);
    return record("add", combine("add", Fn::kAdd, {a, b * alpha}), {{a, [](const Tensor& g) { return g; }}});
}

Tensor sub(const Tensor& a, const Tensor& b, Scalar alpha) {
    check_no_bool("sub", {a, b});
    check_alpha("sub", result_type({a, b}), alpha);
    if (alpha.to<double>() == 1) {
        return record("sub", combine("sub", Fn::kSub, {a, b}),
                      {{a, [](const Tensor& g) { return g; }}, {b, [](const Tensor& g) { return -g; }}});
    }
    return sub(a, mul(b, alpha));
}

Tensor sub(const Tensor& a, Scalar b, Scalar alpha) {
    check_no_bool("sub", {a, b});
    check_alpha("sub", result_type({a, b}), alpha);
    return record("sub", combine("sub", Fn::kSub, {a, b * alpha}), {{a, [](const Tensor& g) { return g; }}});
}

Tensor operator-(Scalar a, const Tensor& b) {
    check_no_bool("sub", {a, b});
    return record("sub", combine("sub", Fn::kSub, {a, b}), {{b, [](const Tensor& g) { return -g; }}});
}

Tensor mul(const Tensor& a, const Tensor& b) {
    return record("mul", combine("mul", Fn::kMul, {a, b}),
                  {{a, [b](const Tensor& g) { return g * b; }}, {b, [a](const Tensor& g) { return g * a; }}});
}

Tensor mul(const Tensor& a, Scalar b) {
    return record("mul", combine("mul", Fn::kMul, {a, b}), {{a, [b](const Tensor& g) { return g * b; }}});
}

Tensor div(const Tensor& a, const Tensor& b) {
    return record("div", combine_floating("div", Fn::kDiv, {a, b}),
                  {{a, [b](const Tensor& g) { return g / b; }},
                   {b, [b](const Tensor& g, const Tensor& y) { return -(g * y) / b; }}});
}

Tensor div(const Tensor& a, Scalar b) {
    return record("div", combine_floating("div", Fn::kDiv, {a, b}),
                  {{a, [b](const Tensor& g) { return g / b; }}});
}

Tensor div(Scalar a, const Tensor& b) {
    return record("div", combine_floating("div", Fn::kDiv, {a, b}),
                  {{b, [b](const Tensor& g, const Tensor& y) { return -(g * y) / b; }}});
}

Tensor neg(const Tensor& x) {
    check_no_bool("neg", {x});
    return record("neg", map("neg", Fn::kNeg, x), {{x, [](const Tensor& g) { return -g; }}});
}

Tensor abs(const Tensor& x) {
    return record("abs", map("abs", Fn::kAbs, x), {{x, [x](const Tensor& g) { return g * sign(x); }}});
}

Tensor sign(const Tensor& x) { return map("sign", Fn::kSign, x); }

Tensor exp(const Tensor& x) {
    return record("exp", map_floating("exp", Fn::kExp, x),
                  {{x, [](const Tensor& g, const Tensor& y) { return g * y; }}});
}

Tensor log(const Tensor& x) {
    return record("log", map_floating("log", Fn::kLog, x), {{x, [x](const Tensor& g) { return g / x; }}});
}

Tensor sqrt(const Tensor& x) {
    return record("sqrt", map_floating("sqrt", Fn::kSqrt, x),
                  {{x, [](const Tensor& g, const Tensor& y) { return g / (2 * y); }}});
}

Tensor square(const Tensor& x) {
    return record("square", map("square", Fn::kSquare, x),
                  {{x, [x](const Tensor& g) { return g * (2 * x); }}});
}

Tensor reciprocal(const Tensor& x) {
    return record("reciprocal", map_floating("reciprocal", Fn::kReciprocal, x),
                  {{x, [](const Tensor& g, const Tensor& y) { return -g * square(y); }}});
}

Tensor tanh(const Tensor& x) {
    return record("tanh", map_floating("tanh", Fn::kTanh, x),
                  {{x, [](const Tensor& g, const Tensor& y) { return g * (1 - square(y)); }}});
}

Tensor sigmoid(const Tensor& x) {
    return record("sigmoid", map_floating("sigmoid", Fn::kSigmoid, x),
                  {{x, [](const Tensor& g, const Tensor& y) { return g * (y * (1 - y)); }}});
}

Tensor relu(const Tensor& x) {
    return record("relu", map("relu", Fn::kRelu, x),
                  {{x, [](const Tensor& g, const Tensor& y) { return where(gt(y, 0), g, 0); }}});
}

Tensor maximum(const Tensor& a, const Tensor& b) { return choose("maximum", Fn::kMaximum, a, b); }
Tensor minimum(const Tensor& a, const Tensor& b) { return choose("minimum", Fn::kMinimum, a, b); }

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
    return record("where", select_by(condition, a, b),
                  {{a, [condition](const Tensor& g) { return where(condition, g, 0); }},
                   {b, [condition](const Tensor& g) { return where(condition, 0, g); }}});
}

Tensor where(const Tensor& condition, const Tensor& a, Scalar b) {
    return record("where", select_by(condition, a, b),
                  {{a, [condition](const Tensor& g) { return where(condition, g, 0); }}});
}

Tensor where(const Tensor& condition, Scalar a, const Tensor& b) {
    return record("where", select_by(condition, a, b),
                  {{b, [condition](const Tensor& g) { return where(condition, 0, g); }}});
}

Tensor where(const Tensor& condition, Scalar a, Scalar b) { return select_by(condition, a, b); }

}  // namespace reel
