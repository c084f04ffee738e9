// Choices between values, forward and pullback side by side.
#include "ops/pointwise/conditional.hpp"

#include <limits>

#include "autograd/tape.hpp"
#include "ops/pointwise/arithmetic.hpp"
#include "ops/pointwise/by_promotion.hpp"
#include "ops/pointwise/clamp.hpp"
#include "ops/pointwise/compare.hpp"

namespace reel {

namespace {

using kernels::Fn;

void check_condition(const char* name, const Tensor& condition) {
    if (condition.dtype() != kBool) {
        fail<DTypeError>(name, ": the condition must be bool, not ", condition.dtype(),
                         "; compare it, or use to(kBool)");
    }
}

/// a where the condition holds, else b.
Tensor select_by(const Tensor& condition, Operand a, Operand b) {
    check_condition("where", condition);
    const DType result = result_type({a, b});
    return apply({"where", Fn::kWhere, compute_dtype(result), result, nullptr, result}, {condition, a, b});
}

/// The number in a 0-d tensor.
Scalar number_in(const Tensor& value) {
    return value.is_floating_point() ? Scalar(value.item<double>()) : Scalar(value.item<std::int64_t>());
}

Tensor filled(const Tensor& x, const Tensor& mask, Operand value) {
    check_condition("masked_fill", mask);
    return apply({"masked_fill", Fn::kWhere, compute_dtype(x.dtype()), x.dtype(), nullptr, x.dtype()},
                 {mask, value, x});
}

/// ȳ for one side of a choice: all, half at a tie, nothing where `loses`.
Tensor share(const Tensor& y_bar, const Tensor& tie, const Tensor& loses) {
    return where(loses, 0, where(tie, y_bar / 2, y_bar));
}

std::optional<Operand> operand(const std::optional<Tensor>& bound) {
    if (!bound || !bound->defined()) return None;
    return Operand(*bound);
}

std::optional<Operand> operand(const std::optional<Scalar>& bound) { return bound; }

template <class Bound>
Tensor clamped(const Tensor& x, const std::optional<Bound>& min, const std::optional<Bound>& max) {
    const Clamp clamp("clamp", x, operand(min), operand(max));
    return reel::apply(clamp.how(), clamp.of());
}

/// The largest number of a floating type.
double largest(DType dtype) {
    if (dtype == kFloat16) return 0x1.ffcp15;
    if (dtype == kBFloat16) return 0x1.fep127;
    return dtype == kFloat32 ? 0x1.fffffep127 : std::numeric_limits<double>::max();
}

}  // namespace

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
    return record("where", select_by(condition, a, b),
                  {{a, [condition](const Tensor& y_bar) { return where(condition, y_bar, 0); }},
                   {b, [condition](const Tensor& y_bar) { return where(condition, 0, y_bar); }}});
}

Tensor where(const Tensor& condition, const Tensor& a, Scalar b) {
    return record("where", select_by(condition, a, b),
                  {{a, [condition](const Tensor& y_bar) { return where(condition, y_bar, 0); }},
                   {nonfinite_input(b), pass}});
}

Tensor where(const Tensor& condition, Scalar a, const Tensor& b) {
    return record("where", select_by(condition, a, b),
                  {{b, [condition](const Tensor& y_bar) { return where(condition, 0, y_bar); }},
                   {nonfinite_input(a), pass}});
}

Tensor where(const Tensor& condition, Scalar a, Scalar b) { return select_by(condition, a, b); }

Tensor masked_fill(const Tensor& x, const Tensor& mask, Scalar value) {
    return record(
        "masked_fill", filled(x, mask, value),
        {{x, [mask](const Tensor& y_bar) { return where(mask, 0, y_bar); }}, {nonfinite_input(value), pass}});
}

Tensor masked_fill(const Tensor& x, const Tensor& mask, const Tensor& value) {
    if (value.dim() != 0) {
        fail<ShapeError>("masked_fill: a 0-d value is needed, not one of shape ", value.sizes());
    }
    check_number("masked_fill", number_in(value), x.dtype());
    return record("masked_fill", filled(x, mask, value),
                  {{x, [mask](const Tensor& y_bar) { return where(mask, 0, y_bar); }},
                   {value, [mask](const Tensor& y_bar) { return where(mask, y_bar, 0); }}});
}

Tensor maximum(const Tensor& a, const Tensor& b) {
    return record("maximum", combine("maximum", Fn::kMaximum, {a, b}),
                  {{a, [a, b](const Tensor& y_bar) { return share(y_bar, eq(a, b), lt(a, b)); }},
                   {b, [a, b](const Tensor& y_bar) { return share(y_bar, eq(a, b), gt(a, b)); }}});
}

Tensor minimum(const Tensor& a, const Tensor& b) {
    return record("minimum", combine("minimum", Fn::kMinimum, {a, b}),
                  {{a, [a, b](const Tensor& y_bar) { return share(y_bar, eq(a, b), gt(a, b)); }},
                   {b, [a, b](const Tensor& y_bar) { return share(y_bar, eq(a, b), lt(a, b)); }}});
}

Tensor clamp(const Tensor& x, std::optional<Scalar> min, std::optional<Scalar> max) {
    return record("clamp", clamped(x, min, max),
                  {{x, [x, min, max](const Tensor& y_bar) { return where(within(x, min, max), y_bar, 0); }}});
}

Tensor clamp(const Tensor& x, const std::optional<Tensor>& min, const std::optional<Tensor>& max) {
    const Tensor low = min.value_or(Tensor());
    const Tensor high = max.value_or(Tensor());
    return record("clamp", clamped(x, min, max),
                  {{x, [x, min, max](const Tensor& y_bar) { return where(within(x, min, max), y_bar, 0); }},
                   {low,
                    [x, low, high](const Tensor& y_bar) {
                        const Tensor below = lt(x, low);
                        return where(high.defined() ? logical_and(below, le(low, high)) : below, y_bar, 0);
                    }},
                   {high, [x, low, high](const Tensor& y_bar) {
                        const Tensor above = gt(x, high);
                        return where(low.defined() ? logical_or(above, lt(high, low)) : above, y_bar, 0);
                    }}});
}

Tensor nan_to_num(const Tensor& x, std::optional<double> nan, std::optional<double> posinf,
                  std::optional<double> neginf) {
    if (!x.is_floating_point()) return x.clone();
    const double most = largest(x.dtype());
    const double parameters[] = {nan.value_or(0), posinf.value_or(most), neginf.value_or(-most)};
    for (const double number : parameters) check_number("nan_to_num", number, x.dtype());
    return unary(
        "nan_to_num", Fn::kNanToNum, x, [x](const Tensor& y_bar) { return where(isfinite(x), y_bar, 0); },
        parameters);
}

}  // namespace reel
