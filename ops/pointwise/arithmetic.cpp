// Arithmetic and rounding, forward and pullback side by side. How a kernel meets tensors is in `pointwise_driver.cpp`;
// the vector code in `kernels/`.
#include "ops/pointwise/arithmetic.hpp"

#include "autograd/tape.hpp"
#include "ops/pointwise/by_promotion.hpp"
#include "ops/pointwise/compare.hpp"
#include "ops/pointwise/conditional.hpp"
#include "tensor/factory.hpp"

namespace reel {

namespace {

using kernels::Fn;

constexpr const char* kBoolRemedy = "logical_xor, logical_not, or to(kInt64)";

Tensor negated(const Tensor& y_bar) { return -y_bar; }
/// a + α b, with a and b rounded to their common type first and the product rounded before the sum.
Tensor add_scaled(const char* name, const Tensor& a, const Tensor& b, Scalar alpha) {
    check_alpha(name, {a, b}, alpha);
    if (alpha.to<double>() == 1) return combine(name, Fn::kAdd, {a, b});
    const DType result = result_type({a, b});
    if (result == kBool) return combine(name, Fn::kAdd, {a, combine(name, Fn::kMul, {b, alpha.to<bool>()})});
    if (!is_floating_point(result)) {
        return combine(name, Fn::kAdd, {a, combine(name, Fn::kMul, {b, alpha})});
    }
    check_number(name, alpha, compute_dtype(result));
    const auto factor = alpha.to<double>();
    return combine(name, Fn::kAxpy, {a, b}, &factor);
}

void check_divisor(const char* name, Operand a, Operand b) {
    if (is_floating_point(result_type({a, b})) || numel(broadcast_shapes(name, {a, b})) == 0) return;
    const bool zero = b.tensor() ? eq(*b.tensor(), 0).any().item<bool>() : b.number().to<std::int64_t>() == 0;
    if (zero) fail<Error>(name, ": an integer is divided by 0; convert with to(kFloat32) to get NaN");
}

/// Of operands rounded to their common type.
Tensor divided(const char* name, Fn fn, Operand a, Operand b) {
    check_divisor(name, a, b);
    return combine_rounded(name, fn, {a, b});
}

// Quotients in gradients. They are constant between their jumps, so they have no history.

/// The integer (a − y) / b that leaves the remainder y. a / b may have been rounded up to the next one;
/// it counts where b is 0 or a infinite.
Tensor truncated_quotient(const Tensor& a, const Tensor& b, const Tensor& y) {
    const NoGradGuard quiet;
    return where(isfinite(y), round((wide(a) - y) / b), trunc(wide(a) / b));
}
/// The same, with y of b's sign: where b is infinite and its sign is not that of a, so is y, and the quotient
/// −1.
Tensor floored_quotient(const Tensor& a, const Tensor& b, const Tensor& y) {
    const NoGradGuard quiet;
    const Tensor special = where(isinf(y), -1, where(eq(b, 0), wide(a) / b, y));
    return where(isfinite(y), round((wide(a) - y) / b), special);
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b, Scalar alpha) {
    return record("add", add_scaled("add", a, b, alpha),
                  {{a, pass}, {b, [alpha](const Tensor& y_bar) { return times(y_bar, alpha); }}});
}

Tensor add(const Tensor& a, Scalar b, Scalar alpha) {
    check_alpha("add", {a, b}, alpha);
    return record("add", combine("add", Fn::kAdd, {a, scaled(a, b, alpha)}), {{a, pass}});
}

Tensor sub(const Tensor& a, const Tensor& b, Scalar alpha) {
    check_no_bool("sub", {a, b}, kBoolRemedy);
    check_alpha("sub", {a, b}, alpha);
    if (alpha.to<double>() == 1) {
        return record("sub", combine("sub", Fn::kSub, {a, b}), {{a, pass}, {b, negated}});
    }
    return record("sub", add_scaled("sub", a, b, -alpha),
                  {{a, pass}, {b, [alpha](const Tensor& y_bar) { return times(y_bar, -alpha); }}});
}

Tensor sub(const Tensor& a, Scalar b, Scalar alpha) {
    check_no_bool("sub", {a, b}, kBoolRemedy);
    check_alpha("sub", {a, b}, alpha);
    return record("sub", combine("sub", Fn::kSub, {a, scaled(a, b, alpha)}), {{a, pass}});
}

Tensor operator-(Scalar a, const Tensor& b) {
    check_no_bool("sub", {a, b}, kBoolRemedy);
    return record("sub", combine("sub", Fn::kSub, {a, b}), {{b, negated}});
}

Tensor mul(const Tensor& a, const Tensor& b) {
    return record("mul", combine("mul", Fn::kMul, {a, b}),
                  {{a, [b](const Tensor& y_bar) { return y_bar * b; }},
                   {b, [a](const Tensor& y_bar) { return y_bar * a; }}});
}

Tensor mul(const Tensor& a, Scalar b) {
    return record("mul", combine("mul", Fn::kMul, {a, b}),
                  {{a, [b](const Tensor& y_bar) { return y_bar * b; }}});
}

Tensor div(const Tensor& a, const Tensor& b) {
    return record("div", combine_floating("div", Fn::kDiv, {a, b}),
                  {{a, [b](const Tensor& y_bar) { return y_bar / b; }},
                   {b, [b](const Tensor& y_bar, const Tensor& y) { return -(wide(y_bar) * y) / b; }}});
}

Tensor div(const Tensor& a, Scalar b) {
    return record("div", combine_floating("div", Fn::kDiv, {a, b}),
                  {{a, [b](const Tensor& y_bar) { return y_bar / b; }}});
}

Tensor div(Scalar a, const Tensor& b) {
    return record("div", combine_floating("div", Fn::kDiv, {a, b}),
                  {{b, [b](const Tensor& y_bar, const Tensor& y) { return -(wide(y_bar) * y) / b; }}});
}

Tensor neg(const Tensor& x) {
    check_no_bool("neg", {x}, kBoolRemedy);
    return unary("neg", Fn::kNeg, x, negated);
}

Tensor abs(const Tensor& x) {
    return unary("abs", Fn::kAbs, x, [x](const Tensor& y_bar) { return y_bar * sign(x); });
}

Tensor sign(const Tensor& x) { return unary("sign", Fn::kSign, x, zero_gradient); }

Tensor square(const Tensor& x) {
    if (x.dtype() == kBool) return square(x.to(kInt64));
    return unary("square", Fn::kSquare, x, [x](const Tensor& y_bar) { return y_bar * (2 * x); });
}

Tensor reciprocal(const Tensor& x) {
    return unary_floating("reciprocal", Fn::kReciprocal, x,
                          [](const Tensor& y_bar, const Tensor& y) { return -(wide(y_bar) * y) * y; });
}

Tensor fmod(const Tensor& a, const Tensor& b) {
    return record("fmod", divided("fmod", Fn::kFmod, a, b),
                  {{a, pass}, {b, [a, b](const Tensor& y_bar, const Tensor& y) {
                                   return -y_bar * truncated_quotient(a, b, y);
                               }}});
}

Tensor fmod(const Tensor& a, Scalar b) {
    return record("fmod", divided("fmod", Fn::kFmod, a, b), {{a, pass}});
}

Tensor remainder(const Tensor& a, const Tensor& b) {
    return record("remainder", divided("remainder", Fn::kRemainder, a, b),
                  {{a, pass}, {b, [a, b](const Tensor& y_bar, const Tensor& y) {
                                   return -y_bar * floored_quotient(a, b, y);
                               }}});
}

Tensor remainder(const Tensor& a, Scalar b) {
    return record("remainder", divided("remainder", Fn::kRemainder, a, b), {{a, pass}});
}

Tensor remainder(Scalar a, const Tensor& b) {
    return record("remainder", divided("remainder", Fn::kRemainder, a, b),
                  {{b, [a, b](const Tensor& y_bar, const Tensor& y) {
                        return -y_bar * floored_quotient(full({}, a, b.dtype()), b, y);
                    }}});
}

Tensor floor(const Tensor& x) { return unary("floor", Fn::kFloor, x, zero_gradient); }
Tensor ceil(const Tensor& x) { return unary("ceil", Fn::kCeil, x, zero_gradient); }
Tensor round(const Tensor& x) { return unary("round", Fn::kRound, x, zero_gradient); }
Tensor trunc(const Tensor& x) { return unary("trunc", Fn::kTrunc, x, zero_gradient); }

}  // namespace reel
