// Functions of every element, forward and pullback side by side. The vector mathematics is in
// `kernels/transcendental.cpp`.
#include "ops/pointwise/transcendental.hpp"

#include <cmath>
#include <numbers>

#include "autograd/tape.hpp"
#include "ops/pointwise/activations.hpp"
#include "ops/pointwise/by_promotion.hpp"
#include "ops/pointwise/compare.hpp"
#include "tensor/factory.hpp"

namespace reel {

namespace {

using kernels::Fn;

/// d erf(x) / dx at 0.
constexpr double kErfSlope = 2 * std::numbers::inv_sqrtpi;

/// xᵉ for an e that one instruction or two compute.
std::optional<Fn> short_power(double exponent) {
    if (exponent == 2) return Fn::kSquare;
    if (exponent == 3) return Fn::kCube;
    if (exponent == 0.5) return Fn::kSqrt;
    if (exponent == -1) return Fn::kReciprocal;
    if (exponent == -0.5) return Fn::kRsqrt;
    return std::nullopt;
}

Tensor power(const Tensor& x, Scalar exponent) {
    const DType result = result_type({x, exponent});
    if (is_floating_point(result)) {
        if (const auto fn = short_power(exponent.to<double>())) {
            return apply({"pow", *fn, compute_dtype(result), result, nullptr}, {x});
        }
    } else if (exponent.to<std::int64_t>() < 0) {
        fail<DTypeError>("pow: integers have no negative powers (", exponent, "); convert with to(kFloat32)");
    }
    return combine("pow", Fn::kPow, {x, exponent});
}

/// xᵉ as a factor of a gradient: of the powers that are one operation two are short here alone.
Tensor power_of(const Tensor& x, double e) {
    if (e == 1) return x;
    return e == -2 ? square(reciprocal(x)) : pow(x, e);
}

/// y_bar u / (x² + y²), and 0 at the origin, in the widest of the types.
Tensor over_square(const Tensor& y_bar, const Tensor& u, const Tensor& x, const Tensor& y) {
    const DType compute = compute_dtype(y_bar.dtype());
    const Tensor squares = square(x.to(compute)) + square(y.to(compute));
    return where(eq(squares, 0), 0, y_bar * (u / squares));
}

void check_same_type(const char* name, const Tensor& a, const Tensor& b) {
    check_floating(name, a);
    if (a.dtype() != b.dtype()) {
        fail<DTypeError>(name, ": operands of one type are needed, not ", a.dtype(), " and ", b.dtype(),
                         "; convert with to()");
    }
}

}  // namespace

Tensor exp(const Tensor& x) {
    return unary_floating("exp", Fn::kExp, x, [](const Tensor& y_bar, const Tensor& y) { return y_bar * y; });
}

Tensor expm1(const Tensor& x) {
    return unary_floating("expm1", Fn::kExpm1, x, [x](const Tensor& y_bar) { return y_bar * exp(wide(x)); });
}

Tensor log(const Tensor& x) {
    return unary_floating("log", Fn::kLog, x, [x](const Tensor& y_bar) { return y_bar / x; });
}

Tensor log1p(const Tensor& x) {
    return unary_floating("log1p", Fn::kLog1p, x, [x](const Tensor& y_bar) { return y_bar / (wide(x) + 1); });
}

Tensor sqrt(const Tensor& x) {
    return unary_floating("sqrt", Fn::kSqrt, x,
                          [](const Tensor& y_bar, const Tensor& y) { return y_bar / (2 * y); });
}

Tensor rsqrt(const Tensor& x) {
    return unary_floating("rsqrt", Fn::kRsqrt, x, [](const Tensor& y_bar, const Tensor& y) {
        return (-0.5 * wide(y_bar) * y) * square(wide(y));
    });
}

Tensor pow(const Tensor& x, Scalar exponent) {
    return record("pow", power(x, exponent), {{x, [x, exponent](const Tensor& y_bar) {
                                                   const auto e = exponent.to<double>();
                                                   if (e == 0) return zeros_like(y_bar);
                                                   return y_bar * (e * power_of(wide(x), e - 1));
                                               }}});
}

Tensor pow(const Tensor& x, const Tensor& exponent) {
    return record("pow", combine("pow", Fn::kPow, {x, exponent}),
                  {{x,
                    [x, exponent](const Tensor& y_bar) {
                        const Tensor e = wide(exponent);
                        return where(eq(e, 0), 0, y_bar * (e * pow(wide(x), e - 1)));
                    }},
                   {exponent, [x, exponent](const Tensor& y_bar, const Tensor& y) {
                        const Tensor flat = logical_and(eq(x, 0), ge(exponent, 0));
                        const Tensor base = x.to(compute_dtype(y.dtype()));
                        return wide(y_bar) * (y * log(where(flat, 1, base)));
                    }}});
}

Tensor pow(Scalar x, const Tensor& exponent) {
    return record("pow", combine("pow", Fn::kPow, {x, exponent}),
                  {{exponent, [x, exponent](const Tensor& y_bar, const Tensor& y) {
                        const Tensor slope = wide(y_bar) * y * std::log(x.to<double>());
                        return x.to<double>() == 0 ? where(ge(exponent, 0), 0, slope) : slope;
                    }}});
}

Tensor sin(const Tensor& x) {
    return unary_floating("sin", Fn::kSin, x, [x](const Tensor& y_bar) { return y_bar * cos(wide(x)); });
}

Tensor cos(const Tensor& x) {
    return unary_floating("cos", Fn::kCos, x, [x](const Tensor& y_bar) { return -y_bar * sin(wide(x)); });
}

Tensor tan(const Tensor& x) {
    return unary_floating("tan", Fn::kTan, x,
                          [](const Tensor& y_bar, const Tensor& y) { return y_bar * (1 + square(wide(y))); });
}

Tensor atan2(const Tensor& y, const Tensor& x) {
    return record("atan2", combine_floating("atan2", Fn::kAtan2, {y, x}),
                  {{y, [y, x](const Tensor& y_bar) { return over_square(y_bar, x, x, y); }},
                   {x, [y, x](const Tensor& y_bar) { return -over_square(y_bar, y, x, y); }}});
}

Tensor erf(const Tensor& x) {
    return unary_floating("erf", Fn::kErf, x,
                          [x](const Tensor& y_bar) { return y_bar * (kErfSlope * exp(-square(wide(x)))); });
}

Tensor logaddexp(const Tensor& a, const Tensor& b) {
    return record("logaddexp", combine_floating("logaddexp", Fn::kLogAddExp, {a, b}),
                  {{a, [a, b](const Tensor& y_bar) { return y_bar * sigmoid(wide(a) - b); }},
                   {b, [a, b](const Tensor& y_bar) { return y_bar * sigmoid(wide(b) - a); }}});
}

Tensor xlogy(const Tensor& x, const Tensor& y) {
    return record("xlogy", combine_floating("xlogy", Fn::kXlogy, {x, y}),
                  {{x,
                    [x, y](const Tensor& y_bar) {
                        const Tensor flat = logical_and(eq(x, 0), le(y, 0));
                        return where(flat, 0, xlogy(wide(y_bar), where(flat, 1, y)));
                    }},
                   {y, [x, y](const Tensor& y_bar) { return wide(y_bar) * x / y; }}});
}

Tensor xlogy(const Tensor& x, Scalar y) {
    return record("xlogy", combine_floating("xlogy", Fn::kXlogy, {x, y}), {{x, [x, y](const Tensor& y_bar) {
                                                                                if (y.to<double>() > 0)
                                                                                    return xlogy(y_bar, y);
                                                                                return where(eq(x, 0), 0,
                                                                                             xlogy(y_bar, y));
                                                                            }}});
}

Tensor xlogy(Scalar x, const Tensor& y) {
    return record("xlogy", combine_floating("xlogy", Fn::kXlogy, {x, y}),
                  {{y, [x, y](const Tensor& y_bar) { return wide(y_bar) * x / y; }}});
}

Tensor lerp(const Tensor& a, const Tensor& b, const Tensor& weight) {
    check_same_type("lerp", a, b);
    check_same_type("lerp", a, weight);
    return record("lerp", combine("lerp", Fn::kLerp, {a, b, weight}),
                  {{a, [weight](const Tensor& y_bar) { return y_bar * (1 - wide(weight)); }},
                   {b, [weight](const Tensor& y_bar) { return y_bar * weight; }},
                   {weight, [a, b](const Tensor& y_bar) { return y_bar * (wide(b) - a); }}});
}

Tensor lerp(const Tensor& a, const Tensor& b, Scalar weight) {
    check_same_type("lerp", a, b);
    const auto w = weight.to<double>();
    return record("lerp", combine("lerp", Fn::kLerp, {a, b, w}),
                  {{a, [w](const Tensor& y_bar) { return y_bar * (1 - w); }},
                   {b, [w](const Tensor& y_bar) { return y_bar * w; }}});
}

}  // namespace reel
