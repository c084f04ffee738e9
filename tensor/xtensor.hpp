/// \file
/// The bridge to xtensor (0.24 and later), without a copy. Not part of `reel.hpp`, which needs no xtensor:
/// include it as well, `#include <reel/xtensor.hpp>`.
#pragma once

#include <algorithm>
#include <memory>

#if __has_include(<xtensor/containers/xadapt.hpp>)
#include <xtensor/containers/xadapt.hpp>
#else
#include <xtensor/xadapt.hpp>
#endif

#include "tensor.hpp"

namespace reel {

/// What `as_xtensor` returns: an xtensor container on a tensor's memory, which it keeps alive.
template <class T>
using XtensorBuffer = xt::xbuffer_adaptor<T*, xt::smart_ownership, std::shared_ptr<const Tensor>>;
template <class T>
using XtensorView = xt::xarray_adaptor<XtensorBuffer<T>, xt::layout_type::dynamic>;

/// The elements of `tensor`, of any strides, as an xtensor expression. `T` stores `tensor.dtype()`, or is
/// that type with const; else a `DTypeError`. What is written through it is neither recorded nor noticed by
/// the checks for overwritten values.
///
/// As with every container of xtensor an expression refers to a named view and takes an unnamed one in:
/// `xt::eval(as_xtensor<float>(t) + 1)`.
template <class T>
XtensorView<T> as_xtensor(const Tensor& tensor) {
    T* const data = tensor.data_ptr<std::remove_const_t<T>>();
    typename XtensorView<T>::shape_type shape(tensor.sizes().size());
    typename XtensorView<T>::strides_type strides(shape.size());
    std::copy(tensor.sizes().begin(), tensor.sizes().end(), shape.begin());
    std::copy(tensor.strides().begin(), tensor.strides().end(), strides.begin());
    const auto size = static_cast<std::size_t>(tensor.numel());
    return {XtensorBuffer<T>(data, size, std::make_shared<const Tensor>(tensor)), shape, strides};
}

/// The value of an xtensor expression as a tensor of its own: bool, integers as int64, float32, float64.
template <class E>
Tensor from_xtensor(const xt::xexpression<E>& expression) {
    using Value = typename E::value_type;
    using Stored = std::conditional_t<dtype_of<Value>() == kInt64, std::int64_t, Value>;
    const E& values = expression.derived_cast();
    Shape sizes;
    for (const auto size : values.shape()) sizes.push_back(static_cast<std::int64_t>(size));
    Tensor result = Tensor::empty(sizes, dtype_of<Value>());
    std::transform(values.template begin<xt::layout_type::row_major>(),
                   values.template end<xt::layout_type::row_major>(), result.data_ptr<Stored>(),
                   [](const auto& value) { return static_cast<Stored>(value); });
    return result;
}

}  // namespace reel
