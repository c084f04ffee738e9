/// \file
/// Pointwise kernels applied by promotion rule, for the operations of `arithmetic.cpp` and its neighbours. Only
/// `unary` and `unary_floating` record themselves.
#pragma once

#include "autograd/tape.hpp"
#include "ops/pointwise/pointwise_driver.hpp"

namespace reel {

/// The pullback of an input whose elements are in the result.
inline Tensor pass(const Tensor& y_bar) { return y_bar; }

/// ȳ times a number, which is often 1.
inline Tensor times(const Tensor& y_bar, Scalar factor) {
    return factor.to<double>() == 1 ? y_bar : y_bar.mul(factor);
}
/// What a pullback of several steps computes with: numbers of 16 bits as float32, so that it rounds once.
inline Tensor wide(const Tensor& x) { return x.to(compute_dtype(x.dtype())); }

/// Throws for a floating α where the result is of integers, and for a bool where it is not of bools.
inline void check_alpha(const char* name, Operands operands, Scalar alpha) {
    if (alpha.dtype() == kInt64) return;
    const DType result = result_type(operands);
    if (alpha.dtype() == kFloat64 ? is_floating_point(result) : result == kBool) return;
    fail<DTypeError>(name, alpha.dtype() == kBool ? ": a bool alpha (" : ": a floating alpha (", alpha,
                     ") for ", result, " tensors");
}
/// α b, as it is added to `a`: for bools a bool, whatever α is, else a number.
inline Scalar scaled(const Tensor& a, Scalar b, Scalar alpha) {
    if (b.dtype() != kBool) return b * alpha;
    if (a.dtype() == kBool) return b.to<bool>() && alpha.to<bool>();
    return Scalar(b.to<std::int64_t>()) * alpha;
}

/// f of operands in their common type.
inline Tensor combine(const char* name, kernels::Fn fn, Operands operands,
                      const double* parameters = nullptr) {
    const DType result = result_type(operands);
    return apply({name, fn, compute_dtype(result), result, parameters}, operands);
}

/// The same of operands that are rounded to their common type first, also where that has 16 bits.
inline Tensor combine_rounded(const char* name, kernels::Fn fn, Operands operands) {
    const DType common = result_type(operands);
    return apply({name, fn, compute_dtype(common), common, nullptr, common}, operands);
}

/// The same in floating point: integers and bools become float32.
inline Tensor combine_floating(const char* name, kernels::Fn fn, Operands operands,
                               const double* parameters = nullptr) {
    const DType result = to_floating(result_type(operands));
    return apply({name, fn, compute_dtype(result), result, parameters}, operands);
}

/// f of one tensor in its own type, as an operation with its pullback.
Tensor unary(const char* name, kernels::Fn fn, const Tensor& x, const auto& pullback,
             const double* parameters = nullptr) {
    return record(name, apply({name, fn, compute_dtype(x.dtype()), x.dtype(), parameters}, {x}),
                  {{x, pullback}});
}
/// The same in floating point.
Tensor unary_floating(const char* name, kernels::Fn fn, const Tensor& x, const auto& pullback,
                      const double* parameters = nullptr) {
    return record(name, combine_floating(name, fn, {x}, parameters), {{x, pullback}});
}

/// Throws for bool operands, with what to use instead.
inline void check_no_bool(const char* name, Operands operands, const char* remedy) {
    for (const Operand& operand : operands) {
        if (operand.promotable().dtype == kBool) {
            fail<DTypeError>(name, ": bool operands are not supported; use ", remedy);
        }
    }
}

/// Throws unless the tensor is of floating numbers.
inline void check_floating(const char* name, const Tensor& x) {
    if (!x.is_floating_point()) {
        fail<DTypeError>(name, ": a floating tensor is needed, not ", x.dtype(),
                         "; convert it with to(kFloat32)");
    }
}

}  // namespace reel
