/// \file
/// Derivatives of functions: jacobian, hessian, and their products with vectors. They need no tape, disturb
/// none, and return constants; for derivatives that are themselves differentiated use `grad` with
/// `create_graph`.
#pragma once

#include <utility>
#include <vector>

#include "function.hpp"

#pragma GCC visibility push(default)
namespace reel {

/// ∂f(x)/∂x, of shape f(x).sizes() + x.sizes(). One rewind for each element of f(x).
Tensor jacobian(const TensorFunction& f, const Tensor& x);
/// The same for each of several inputs.
std::vector<Tensor> jacobian(const TensorFunction& f, const std::vector<Tensor>& inputs);

/// ∂²f(x)/∂x², of shape x.sizes() + x.sizes(), for an f whose result has one element (else a `ShapeError`).
Tensor hessian(const TensorFunction& f, const Tensor& x);
/// The blocks [i][j] = ∂²f/∂xᵢ∂xⱼ, of shape xᵢ.sizes() + xⱼ.sizes().
std::vector<std::vector<Tensor>> hessian(const TensorFunction& f, const std::vector<Tensor>& inputs);

/// f(x), and the hessian times v, which has the shape of x. Two rewinds; the hessian is never made.
std::pair<Tensor, Tensor> hvp(const TensorFunction& f, const Tensor& x, const Tensor& v);
std::pair<Tensor, std::vector<Tensor>> hvp(const TensorFunction& f, const std::vector<Tensor>& inputs,
                                           const std::vector<Tensor>& v);

/// f(x), and v times the jacobian: v has the shape of f(x), and may be left out where that has one element.
std::pair<Tensor, Tensor> vjp(const TensorFunction& f, const Tensor& x, const Tensor& v = {});
std::pair<Tensor, std::vector<Tensor>> vjp(const TensorFunction& f, const std::vector<Tensor>& inputs,
                                           const Tensor& v = {});

}  // namespace reel
#pragma GCC visibility pop
