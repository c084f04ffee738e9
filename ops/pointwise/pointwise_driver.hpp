/// \file
/// The one way in which a pointwise kernel meets tensors: broadcasting, promotion, any layout, threads.
#pragma once

#include <initializer_list>
#include <span>

#include "ops/kernels/table.hpp"
#include "tensor/tensor.hpp"

namespace reel {

/// An operand of a pointwise operation: a tensor or a number.
class Operand {
public:
    Operand() = default;
    Operand(const Tensor& tensor) : tensor_(&tensor) {}
    Operand(Scalar number) : number_(number) {}
    template <class T>
    requires std::is_arithmetic_v<T> Operand(T number) : number_(number) {}

    const Tensor* tensor() const { return tensor_; }
    Scalar number() const { return number_; }
    Promotable promotable() const;

private:
    const Tensor* tensor_ = nullptr;
    Scalar number_ = 0;
};

struct Operands : std::span<const Operand> {
    using span::span;
    Operands(std::initializer_list<Operand> operands) : span(operands.begin(), operands.size()) {}
};

/// The type in which PyTorch computes an operation of these operands.
DType result_type(Operands operands);
/// The common shape of the operands.
Shape broadcast_shapes(const char* name, Operands operands);

/// How the elements are computed.
struct Elementwise {
    const char* name;  ///< for errors
    kernels::Fn fn;
    DType compute;  ///< what the operands are converted to (but the condition of `where`)
    DType result;   ///< what the result is converted to
    const double* parameters = nullptr;
    DType rounded =
        compute;  ///< a 16-bit type that the operands are rounded to before they are computed with
};

/// A new tensor f(operands), of their common shape. Keeps the memory order of the first operand, as PyTorch
/// does.
Tensor apply(const Elementwise& f, Operands operands);
/// Writes f(operands) to `y`, whose shape they must broadcast to. Right also where an operand overlaps `y`.
void apply_to(const Tensor& y, const Elementwise& f, Operands operands);

}  // namespace reel
