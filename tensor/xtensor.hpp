/// \file
/// The bridge to xtensor (0.24 and later), without a copy. Not part of `reel.hpp`, which needs no xtensor:
/// include it as well, `#include <reel/xtensor.hpp>`.
#pragma once

#include <algorithm>
#include <memory>

#if __has_include(<xtensor/containers/xadapt.hpp>)
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/containers/xarray.hpp>
#include <xtensor/containers/xtensor.hpp>
#else
#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#include <xtensor/xtensor.hpp>
#endif

#include "factory.hpp"
#include "tensor.hpp"

#pragma GCC visibility push(default)
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
                   [](const auto& value) { return checked_element<Stored>("from_xtensor", value); });
    return result;
}

namespace detail {

/// A tensor on the memory of a container that moves to the heap and lives as long as it; a copy where reel stores the
/// elements in another type.
template <class Container>
Tensor take_over(Container&& container) {
    using Value = typename std::remove_cvref_t<Container>::value_type;
    constexpr bool kSame = std::is_same_v<Value, float> || std::is_same_v<Value, double> ||
                           std::is_same_v<Value, bool> ||
                           (std::is_integral_v<Value> && std::is_signed_v<Value> && sizeof(Value) == 8);
    if constexpr (!kSame) {
        return from_xtensor(static_cast<const xt::xexpression<std::remove_cvref_t<Container>>&>(container));
    } else {
        const auto owner = std::make_shared<std::remove_cvref_t<Container>>(std::move(container));
        Shape sizes;
        Shape strides;
        for (const auto size : owner->shape()) sizes.push_back(static_cast<std::int64_t>(size));
        for (const auto stride : owner->strides()) strides.push_back(static_cast<std::int64_t>(stride));
        return from_blob(
            owner->data(), sizes, strides, [owner](void*) {}, dtype_of<Value>());
    }
}

}  // namespace detail

/// Takes over the memory of an xtensor container, without a copy: `from_xtensor(std::move(x))`. A container of elements
/// that reel stores in another type (integers of less than 64 bits) is copied.
template <class Memory, xt::layout_type layout, class Sizes, class Tag>
Tensor from_xtensor(xt::xarray_container<Memory, layout, Sizes, Tag>&& container) {
    return detail::take_over(std::move(container));
}
template <class Memory, std::size_t dims, xt::layout_type layout, class Tag>
Tensor from_xtensor(xt::xtensor_container<Memory, dims, layout, Tag>&& container) {
    return detail::take_over(std::move(container));
}

}  // namespace reel
#pragma GCC visibility pop
