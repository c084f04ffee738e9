/// \file
/// The long way of `pointwise_driver.cpp`, for operands that are not all dense, of one shape and of the kernel's types:
/// blocks are gathered, converted and scattered. See Note [Dense blocks] in `tensor/iterate.hpp`.
#pragma once

#include "ops/pointwise/pointwise_driver.hpp"

namespace reel {

inline constexpr std::size_t kMaxOperands = 3;
inline constexpr std::int64_t kOperandBlock = 1024;  ///< elements of a block: a few of them fit in L1

/// What operand `k` is converted to.
inline DType operand_type(const Elementwise& f, std::size_t k) {
    return f.fn == kernels::Fn::kWhere && k == 0 ? kBool : f.compute;
}
/// What the kernel computes.
inline DType computed_type(const Elementwise& f) { return kernels::gives_bool(f.fn) ? kBool : f.compute; }

/// Writes the number as an element that f reads. Throws where f's type does not hold it; a comparison takes the
/// nearest number, or an infinity, instead.
void store(const Elementwise& f, Scalar number, DType dtype, std::byte* to);

/// Writes f(operands) to `y`, in the order of its memory; without a loop, the one operand itself.
void run_strided(const Tensor& y, const Elementwise& f, Operands operands, kernels::Loop loop);

}  // namespace reel
