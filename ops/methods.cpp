// The method forms: each is the free function of the same name. (Views and in-place operations, which are
// methods first, are in `views.cpp` and `inplace.cpp`.)
#include "ops/linalg/matmul.hpp"
#include "ops/nn/layers.hpp"
#include "ops/pointwise/activations.hpp"
#include "ops/pointwise/compare.hpp"
#include "ops/pointwise/transcendental.hpp"
#include "ops/reduce/reduce.hpp"
#include "ops/reduce/scan.hpp"
#include "ops/reduce/sort.hpp"
#include "ops/shape/join.hpp"
#include "ops/softmax/softmax.hpp"
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
Tensor Tensor::expm1() const { return reel::expm1(*this); }
Tensor Tensor::log() const { return reel::log(*this); }
Tensor Tensor::log1p() const { return reel::log1p(*this); }
Tensor Tensor::sqrt() const { return reel::sqrt(*this); }
Tensor Tensor::rsqrt() const { return reel::rsqrt(*this); }
Tensor Tensor::square() const { return reel::square(*this); }
Tensor Tensor::reciprocal() const { return reel::reciprocal(*this); }
Tensor Tensor::pow(const Tensor& exponent) const { return reel::pow(*this, exponent); }
Tensor Tensor::pow(Scalar exponent) const { return reel::pow(*this, exponent); }
Tensor Tensor::sin() const { return reel::sin(*this); }
Tensor Tensor::cos() const { return reel::cos(*this); }
Tensor Tensor::tan() const { return reel::tan(*this); }
Tensor Tensor::tanh() const { return reel::tanh(*this); }
Tensor Tensor::erf() const { return reel::erf(*this); }
Tensor Tensor::sigmoid() const { return reel::sigmoid(*this); }
Tensor Tensor::relu() const { return reel::relu(*this); }
Tensor Tensor::clamp(std::optional<Scalar> min, std::optional<Scalar> max) const {
    return reel::clamp(*this, min, max);
}
Tensor Tensor::clamp(const std::optional<Tensor>& min, const std::optional<Tensor>& max) const {
    return reel::clamp(*this, min, max);
}
Tensor Tensor::maximum(const Tensor& other) const { return reel::maximum(*this, other); }
Tensor Tensor::minimum(const Tensor& other) const { return reel::minimum(*this, other); }
Tensor Tensor::where(const Tensor& condition, const Tensor& other) const {
    return reel::where(condition, *this, other);
}
Tensor Tensor::masked_fill(const Tensor& mask, Scalar value) const {
    return reel::masked_fill(*this, mask, value);
}
Tensor Tensor::masked_fill(const Tensor& mask, const Tensor& value) const {
    return reel::masked_fill(*this, mask, value);
}
Tensor Tensor::lerp(const Tensor& end, const Tensor& weight) const { return reel::lerp(*this, end, weight); }
Tensor Tensor::lerp(const Tensor& end, Scalar weight) const { return reel::lerp(*this, end, weight); }
Tensor Tensor::fmod(const Tensor& other) const { return reel::fmod(*this, other); }
Tensor Tensor::fmod(Scalar other) const { return reel::fmod(*this, other); }
Tensor Tensor::remainder(const Tensor& other) const { return reel::remainder(*this, other); }
Tensor Tensor::remainder(Scalar other) const { return reel::remainder(*this, other); }
Tensor Tensor::floor() const { return reel::floor(*this); }
Tensor Tensor::ceil() const { return reel::ceil(*this); }
Tensor Tensor::round() const { return reel::round(*this); }
Tensor Tensor::trunc() const { return reel::trunc(*this); }
Tensor Tensor::atan2(const Tensor& other) const { return reel::atan2(*this, other); }
Tensor Tensor::logaddexp(const Tensor& other) const { return reel::logaddexp(*this, other); }
Tensor Tensor::xlogy(const Tensor& other) const { return reel::xlogy(*this, other); }
Tensor Tensor::xlogy(Scalar other) const { return reel::xlogy(*this, other); }
Tensor Tensor::nan_to_num(std::optional<double> nan, std::optional<double> posinf,
                          std::optional<double> neginf) const {
    return reel::nan_to_num(*this, nan, posinf, neginf);
}

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
Tensor Tensor::prod(const Shape& dims, bool keepdim) const { return reel::prod(*this, dims, keepdim); }
Tensor Tensor::var(const Shape& dims, bool unbiased, bool keepdim) const {
    return reel::var(*this, dims, unbiased, keepdim);
}
Tensor Tensor::std(const Shape& dims, bool unbiased, bool keepdim) const {
    return reel::std(*this, dims, unbiased, keepdim);
}
Tensor Tensor::norm(Scalar p) const { return reel::norm(*this, p); }
Tensor Tensor::norm(Scalar p, const Shape& dims, bool keepdim) const {
    return reel::norm(*this, p, dims, keepdim);
}
Tensor Tensor::amax(const Shape& dims, bool keepdim) const { return reel::amax(*this, dims, keepdim); }
Tensor Tensor::amin(const Shape& dims, bool keepdim) const { return reel::amin(*this, dims, keepdim); }
Tensor Tensor::any(const Shape& dims, bool keepdim) const { return reel::any(*this, dims, keepdim); }
Tensor Tensor::all(const Shape& dims, bool keepdim) const { return reel::all(*this, dims, keepdim); }
Tensor Tensor::count_nonzero(const Shape& dims, bool keepdim) const {
    return reel::count_nonzero(*this, dims, keepdim);
}
Tensor Tensor::max() const { return reel::max(*this); }
Tensor Tensor::min() const { return reel::min(*this); }
ValuesIndices Tensor::max(std::int64_t dim, bool keepdim) const { return reel::max(*this, dim, keepdim); }
ValuesIndices Tensor::min(std::int64_t dim, bool keepdim) const { return reel::min(*this, dim, keepdim); }
Tensor Tensor::max(const Tensor& other) const { return reel::max(*this, other); }
Tensor Tensor::min(const Tensor& other) const { return reel::min(*this, other); }
Tensor Tensor::argmax(std::optional<std::int64_t> dim, bool keepdim) const {
    return reel::argmax(*this, dim, keepdim);
}
Tensor Tensor::argmin(std::optional<std::int64_t> dim, bool keepdim) const {
    return reel::argmin(*this, dim, keepdim);
}
Tensor Tensor::cumsum(std::int64_t dim) const { return reel::cumsum(*this, dim); }
Tensor Tensor::cumprod(std::int64_t dim) const { return reel::cumprod(*this, dim); }
ValuesIndices Tensor::sort(std::int64_t dim, bool descending) const {
    return reel::sort(*this, dim, descending);
}
Tensor Tensor::argsort(std::int64_t dim, bool descending) const {
    return reel::argsort(*this, dim, descending);
}
ValuesIndices Tensor::topk(std::int64_t k, std::int64_t dim, bool largest, bool sorted) const {
    return reel::topk(*this, k, dim, largest, sorted);
}

Tensor Tensor::repeat(const Shape& repeats) const { return reel::repeat(*this, repeats); }
Tensor Tensor::repeat_interleave(std::int64_t repeats, std::optional<std::int64_t> dim) const {
    return reel::repeat_interleave(*this, repeats, dim);
}
Tensor Tensor::repeat_interleave(const Tensor& repeats, std::optional<std::int64_t> dim) const {
    return reel::repeat_interleave(*this, repeats, dim);
}
Tensor Tensor::roll(const Shape& shifts, const Shape& dims) const { return reel::roll(*this, shifts, dims); }
Tensor Tensor::tril(std::int64_t diagonal) const { return reel::tril(*this, diagonal); }
Tensor Tensor::triu(std::int64_t diagonal) const { return reel::triu(*this, diagonal); }

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

Tensor Tensor::softmax(std::int64_t dim) const { return reel::softmax(*this, dim); }
Tensor Tensor::log_softmax(std::int64_t dim) const { return reel::log_softmax(*this, dim); }
Tensor Tensor::logsumexp(const Shape& dims, bool keepdim) const {
    return reel::logsumexp(*this, dims, keepdim);
}

}  // namespace reel
