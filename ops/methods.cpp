// The method forms: each is the free function of the same name. (Views and in-place operations, which are
// methods first, stand in `views.cpp` and `change.cpp`.)
#include "ops/compare.hpp"
#include "ops/matmul.hpp"
#include "ops/pointwise.hpp"
#include "ops/reduce.hpp"
#include "tensor/random.hpp"

namespace reel {

Tensor Tensor::add(const Tensor& other, Scalar alpha) const { return reel::add(*this, other, alpha); }
Tensor Tensor::add(Scalar other, Scalar alpha) const { return reel::add(*this, other, alpha); }
Tensor Tensor::sub(const Tensor& other, Scalar alpha) const { return reel::sub(*this, other, alpha); }
Tensor Tensor::sub(Scalar other, Scalar alpha) const { return reel::sub(*this, other, alpha); }
Tensor Tensor::mul(const Tensor& other) const { return reel::mul(*this, other); }
Tensor Tensor::mul(Scalar other) const { return reel::mul(*this, other); }
Tensor Tensor::div(const Tensor& other) const { return reel::div(*this, other); }
Tensor Tensor::div(Scalar other) const { return reel::div(*this, other); }
Tensor Tensor::neg() const { return reel::neg(*this); }
Tensor Tensor::abs() const { return reel::abs(*this); }
Tensor Tensor::sign() const { return reel::sign(*this); }
Tensor Tensor::exp() const { return reel::exp(*this); }
Tensor Tensor::log() const { return reel::log(*this); }
Tensor Tensor::sqrt() const { return reel::sqrt(*this); }
Tensor Tensor::square() const { return reel::square(*this); }
Tensor Tensor::reciprocal() const { return reel::reciprocal(*this); }
Tensor Tensor::tanh() const { return reel::tanh(*this); }
Tensor Tensor::sigmoid() const { return reel::sigmoid(*this); }
Tensor Tensor::relu() const { return reel::relu(*this); }
Tensor Tensor::maximum(const Tensor& other) const { return reel::maximum(*this, other); }
Tensor Tensor::minimum(const Tensor& other) const { return reel::minimum(*this, other); }

Tensor Tensor::eq(const Tensor& other) const { return reel::eq(*this, other); }
Tensor Tensor::eq(Scalar other) const { return reel::eq(*this, other); }
Tensor Tensor::ne(const Tensor& other) const { return reel::ne(*this, other); }
Tensor Tensor::ne(Scalar other) const { return reel::ne(*this, other); }
Tensor Tensor::lt(const Tensor& other) const { return reel::lt(*this, other); }
Tensor Tensor::lt(Scalar other) const { return reel::lt(*this, other); }
Tensor Tensor::le(const Tensor& other) const { return reel::le(*this, other); }
Tensor Tensor::le(Scalar other) const { return reel::le(*this, other); }
Tensor Tensor::gt(const Tensor& other) const { return reel::gt(*this, other); }
Tensor Tensor::gt(Scalar other) const { return reel::gt(*this, other); }
Tensor Tensor::ge(const Tensor& other) const { return reel::ge(*this, other); }
Tensor Tensor::ge(Scalar other) const { return reel::ge(*this, other); }
Tensor Tensor::logical_and(const Tensor& other) const { return reel::logical_and(*this, other); }
Tensor Tensor::logical_or(const Tensor& other) const { return reel::logical_or(*this, other); }
Tensor Tensor::logical_xor(const Tensor& other) const { return reel::logical_xor(*this, other); }
Tensor Tensor::logical_not() const { return reel::logical_not(*this); }
Tensor Tensor::isnan() const { return reel::isnan(*this); }
Tensor Tensor::isinf() const { return reel::isinf(*this); }
Tensor Tensor::isfinite() const { return reel::isfinite(*this); }
Tensor Tensor::isclose(const Tensor& other, double rtol, double atol, bool equal_nan) const {
    return reel::isclose(*this, other, rtol, atol, equal_nan);
}
bool Tensor::allclose(const Tensor& other, double rtol, double atol, bool equal_nan) const {
    return reel::allclose(*this, other, rtol, atol, equal_nan);
}
bool Tensor::equal(const Tensor& other) const { return reel::equal(*this, other); }

Tensor Tensor::sum(const Shape& dims, bool keepdim) const { return reel::sum(*this, dims, keepdim); }
Tensor Tensor::mean(const Shape& dims, bool keepdim) const { return reel::mean(*this, dims, keepdim); }
Tensor Tensor::amax(const Shape& dims, bool keepdim) const { return reel::amax(*this, dims, keepdim); }
Tensor Tensor::amin(const Shape& dims, bool keepdim) const { return reel::amin(*this, dims, keepdim); }
Tensor Tensor::any(const Shape& dims, bool keepdim) const { return reel::any(*this, dims, keepdim); }
Tensor Tensor::all(const Shape& dims, bool keepdim) const { return reel::all(*this, dims, keepdim); }

Tensor Tensor::matmul(const Tensor& other) const { return reel::matmul(*this, other); }
Tensor Tensor::mm(const Tensor& other) const { return reel::mm(*this, other); }
Tensor Tensor::bmm(const Tensor& other) const { return reel::bmm(*this, other); }
Tensor Tensor::mv(const Tensor& vector) const { return reel::mv(*this, vector); }
Tensor Tensor::dot(const Tensor& other) const { return reel::dot(*this, other); }
Tensor Tensor::outer(const Tensor& other) const { return reel::outer(*this, other); }
Tensor Tensor::addmm(const Tensor& mat1, const Tensor& mat2, Scalar beta, Scalar alpha) const {
    return reel::addmm(*this, mat1, mat2, beta, alpha);
}

Tensor Tensor::multinomial(std::int64_t num_samples, bool replacement) const {
    return reel::multinomial(*this, num_samples, replacement);
}
Tensor Tensor::bernoulli() const { return reel::bernoulli(*this); }

Tensor Tensor::masked_fill(const Tensor& mask, Scalar value) const { return reel::where(mask, value, *this); }

}  // namespace reel
