// Comparisons and predicates.
#include "ops/pointwise/compare.hpp"

#include "ops/pointwise/pointwise_driver.hpp"
#include "ops/pointwise/transcendental.hpp"

namespace reel {

namespace {

using kernels::Fn;

/// Of operands rounded to their common type: in float16, 0.1 is the number that a tensor holds for it.
Tensor predicate(const char* name, Fn fn, Operands operands) {
    const DType common = result_type(operands);
    return apply({name, fn, compute_dtype(common), kBool, nullptr, common}, operands);
}

/// isnan and its kin: integers and bools have one answer.
Tensor classify(const char* name, Fn fn, const Tensor& x, bool of_integers) {
    if (x.is_floating_point()) return predicate(name, fn, {x});
    const Tensor y = Tensor::empty(x.sizes(), kBool);
    y.fill_(of_integers);
    return y;
}

}  // namespace

Tensor eq(const Tensor& a, const Tensor& b) { return predicate("eq", Fn::kEq, {a, b}); }
Tensor eq(const Tensor& a, Scalar b) { return predicate("eq", Fn::kEq, {a, b}); }
Tensor ne(const Tensor& a, const Tensor& b) { return predicate("ne", Fn::kNe, {a, b}); }
Tensor ne(const Tensor& a, Scalar b) { return predicate("ne", Fn::kNe, {a, b}); }
Tensor lt(const Tensor& a, const Tensor& b) { return predicate("lt", Fn::kLt, {a, b}); }
Tensor lt(const Tensor& a, Scalar b) { return predicate("lt", Fn::kLt, {a, b}); }
Tensor le(const Tensor& a, const Tensor& b) { return predicate("le", Fn::kLe, {a, b}); }
Tensor le(const Tensor& a, Scalar b) { return predicate("le", Fn::kLe, {a, b}); }
Tensor gt(const Tensor& a, const Tensor& b) { return predicate("gt", Fn::kGt, {a, b}); }
Tensor gt(const Tensor& a, Scalar b) { return predicate("gt", Fn::kGt, {a, b}); }
Tensor ge(const Tensor& a, const Tensor& b) { return predicate("ge", Fn::kGe, {a, b}); }
Tensor ge(const Tensor& a, Scalar b) { return predicate("ge", Fn::kGe, {a, b}); }
Tensor logical_and(const Tensor& a, const Tensor& b) {
    return predicate("logical_and", Fn::kLogicalAnd, {a, b});
}
Tensor logical_or(const Tensor& a, const Tensor& b) {
    return predicate("logical_or", Fn::kLogicalOr, {a, b});
}
Tensor logical_xor(const Tensor& a, const Tensor& b) {
    return predicate("logical_xor", Fn::kLogicalXor, {a, b});
}
Tensor logical_not(const Tensor& x) { return predicate("logical_not", Fn::kLogicalNot, {x}); }
Tensor isnan(const Tensor& x) { return classify("isnan", Fn::kIsNan, x, false); }
Tensor isinf(const Tensor& x) { return classify("isinf", Fn::kIsInf, x, false); }
Tensor isfinite(const Tensor& x) { return classify("isfinite", Fn::kIsFinite, x, true); }

Tensor isclose(const Tensor& a, const Tensor& b, double rtol, double atol, bool equal_nan) {
    if (!(rtol >= 0 && atol >= 0)) {
        fail<Error>("isclose: the tolerances must be at least 0, not rtol ", rtol, " and atol ", atol);
    }
    const Tensor x = a.detach();
    const Tensor y = b.detach();
    Tensor close = eq(x, y);
    if (equal_nan) close = logical_or(close, logical_and(isnan(x), isnan(y)));
    if (rtol == 0 && atol == 0) return close;
    // Integers are measured in float64, where no distance overflows.
    const DType common = result_type({x, y});
    const DType measured = is_floating_point(common) ? common : kFloat64;
    const Tensor size = abs(y.to(measured));
    const Tensor distance = abs(sub(x.to(measured), y.to(measured)));
    const Tensor near = le(distance, add(mul(size, rtol), atol));
    return logical_or(close, logical_and(isfinite(distance), near));
}

bool allclose(const Tensor& a, const Tensor& b, double rtol, double atol, bool equal_nan) {
    return isclose(a, b, rtol, atol, equal_nan).all().item<bool>();
}

bool equal(const Tensor& a, const Tensor& b) { return a.sizes() == b.sizes() && eq(a, b).all().item<bool>(); }

}  // namespace reel
