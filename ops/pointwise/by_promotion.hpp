/// \file
/// Pointwise kernels applied by promotion rule, for the operations of `arithmetic.cpp` and its neighbours.
/// Nothing here is recorded.
#pragma once

#include "ops/pointwise/pointwise_driver.hpp"

namespace reel {

/// The pullback of an input whose elements stand in the result.
inline Tensor pass(const Tensor& y_bar) { return y_bar; }

/// f of one tensor in its own type; the result has that type.
inline Tensor map(const char* name, kernels::Fn fn, const Tensor& x, const double* parameters = nullptr) {
    return apply({name, fn, compute_dtype(x.dtype()), x.dtype(), parameters}, {x});
}

/// f of operands in their common type.
inline Tensor combine(const char* name, kernels::Fn fn, Operands operands,
                      const double* parameters = nullptr) {
    const DType result = result_type(operands);
    return apply({name, fn, compute_dtype(result), result, parameters}, operands);
}

/// Likewise in floating point: integers and bools become float32.
inline Tensor combine_floating(const char* name, kernels::Fn fn, Operands operands,
                               const double* parameters = nullptr) {
    const DType result = to_floating(result_type(operands));
    return apply({name, fn, compute_dtype(result), result, parameters}, operands);
}
inline Tensor map_floating(const char* name, kernels::Fn fn, const Tensor& x,
                           const double* parameters = nullptr) {
    return combine_floating(name, fn, {x}, parameters);
}

/// Throws for bool operands, with what to use instead.
inline void check_no_bool(const char* name, Operands operands, const char* remedy) {
    for (const Operand& operand : operands) {
        if (operand.promotable().dtype == kBool) {
            fail<DTypeError>(name, ": bool operands are not taken; use ", remedy);
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
