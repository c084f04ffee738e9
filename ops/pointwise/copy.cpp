// Copies: the same elements in memory of their own. In-place changes are in `inplace.cpp`.
#include "autograd/tape.hpp"
#include "ops/pointwise/dense_driver.hpp"

namespace reel {

Tensor Tensor::contiguous() const { return is_contiguous() ? *this : clone(); }

Tensor Tensor::clone() const {
    return record("clone", dense_copy(*this, dtype()), {{*this, [](const Tensor& y_bar) { return y_bar; }}});
}

Tensor Tensor::to(DType dtype) const {
    if (dtype == this->dtype()) return *this;
    return record("to", dense_copy(*this, dtype),
                  {{*this, [from = this->dtype()](const Tensor& y_bar) { return y_bar.to(from); }}});
}

}  // namespace reel
