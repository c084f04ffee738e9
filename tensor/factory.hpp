/// \file
/// Making tensors: from values, filled, counted, over memory of the caller. Random ones are in `random.hpp`.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <vector>

#include "tensor.hpp"

#pragma GCC visibility push(default)
namespace reel {

/// What `tensor(…)` takes: a number, nested braces of numbers, or a vector of numbers.
class TensorData {
public:
    template <class T>
    requires std::is_arithmetic_v<T> TensorData(T value) : TensorData(Scalar(value)) {}
    TensorData(Scalar value);
    TensorData(std::initializer_list<TensorData> rows);
    template <class T>
    requires std::is_arithmetic_v<T> TensorData(const std::vector<T>& values)
        : TensorData(Shape(static_cast<std::int64_t>(values.size()))) {
        values_.reserve(values.size());
        for (const T value : values) append(Scalar(value));
        if (values.empty()) dtype_ = Scalar(T{}).dtype();
    }

    const Shape& sizes() const { return sizes_; }
    const std::vector<Scalar>& values() const { return values_; }
    /// int64 for integers, bool for bools, the default float32 for floating numbers.
    DType dtype() const { return dtype_ == kFloat64 ? kFloat32 : dtype_; }

private:
    explicit TensorData(Shape sizes) : sizes_(std::move(sizes)) {}
    void append(Scalar value);

    Shape sizes_;
    std::vector<Scalar> values_;
    DType dtype_ = kBool;
};

/// A tensor of the given values: `tensor(3.0)`, `tensor({{1, 2}, {3, 4}})`, `tensor(vector)`. Integers
/// make int64, floating ones float32, bools bool. Throws a `ShapeError` for ragged braces, an `Error` for a
/// number that the type does not hold; in 16 bits it becomes ±inf.
Tensor tensor(const TensorData& data, std::optional<DType> dtype = None);
inline Tensor tensor(std::initializer_list<TensorData> data, std::optional<DType> dtype = None) {
    return tensor(TensorData(data), dtype);
}
template <class T>
requires std::is_arithmetic_v<T> Tensor tensor(const std::vector<T>& values,
                                               std::optional<DType> dtype = None) {
    const DType natural = std::is_floating_point_v<T> ? kFloat32 : dtype_of<T>();
    const Tensor result = Tensor::empty(values.size(), dtype.value_or(natural));
    dispatch(result.dtype(), [&](auto zero) {
        auto* to = result.data_ptr<decltype(zero)>();
        for (const T value : values) *to++ = Scalar(value).element<decltype(zero)>("tensor");
    });
    return result;
}

/// Uninitialised elements.
inline Tensor empty(const Shape& sizes, DType dtype = kFloat32) { return Tensor::empty(sizes, dtype); }
/// Every element `value`; integers make int64, bools bool. Throws an `Error` where the type does not hold
/// it; in 16 bits it becomes ±inf.
Tensor full(const Shape& sizes, Scalar value, std::optional<DType> dtype = None);
inline Tensor zeros(const Shape& sizes, DType dtype = kFloat32) { return full(sizes, 0, dtype); }
inline Tensor ones(const Shape& sizes, DType dtype = kFloat32) { return full(sizes, 1, dtype); }
/// `start, start + step, …` before `end`; integers make int64. For an integer type `start` and `step` lose
/// their fractions after the steps are counted.
Tensor arange(Scalar start, Scalar end, Scalar step = 1, std::optional<DType> dtype = None);
inline Tensor arange(Scalar start, Scalar end, std::optional<DType> dtype) {
    return arange(start, end, 1, dtype);
}
inline Tensor arange(Scalar end, std::optional<DType> dtype = None) { return arange(0, end, 1, dtype); }
/// `steps` numbers from `start` to `end`, both included, evenly spaced.
Tensor linspace(Scalar start, Scalar end, std::int64_t steps, DType dtype = kFloat32);
/// Ones on the diagonal of an n × m matrix (m = n unless given).
Tensor eye(std::int64_t n, std::int64_t m, DType dtype = kFloat32);
inline Tensor eye(std::int64_t n, DType dtype = kFloat32) { return eye(n, n, dtype); }

inline Tensor empty_like(const Tensor& like, std::optional<DType> dtype = None) {
    return empty(like.sizes(), dtype.value_or(like.dtype()));
}
inline Tensor full_like(const Tensor& like, Scalar value, std::optional<DType> dtype = None) {
    return full(like.sizes(), value, dtype.value_or(like.dtype()));
}
inline Tensor zeros_like(const Tensor& like, std::optional<DType> dtype = None) {
    return full_like(like, 0, dtype);
}
inline Tensor ones_like(const Tensor& like, std::optional<DType> dtype = None) {
    return full_like(like, 1, dtype);
}

// A shape is {2, 3}: zeros(2, 3) would be one of dimension 2 and type 3.
template <std::integral... More>
Tensor empty(std::int64_t, std::integral auto, More...) = delete;
template <std::integral... More>
Tensor zeros(std::int64_t, std::integral auto, More...) = delete;
template <std::integral... More>
Tensor ones(std::int64_t, std::integral auto, More...) = delete;

/// A tensor on memory of the caller, which is neither copied nor freed and must outlive every view of it.
Tensor from_blob(void* data, const Shape& sizes, const Shape& strides, DType dtype = kFloat32);
inline Tensor from_blob(void* data, const Shape& sizes, DType dtype = kFloat32) {
    return from_blob(data, sizes, contiguous_strides(sizes), dtype);
}
/// The same on memory that is handed over: `deleter(data)` is called once, when the last tensor on it has gone. Where
/// `from_blob` throws it is not called.
Tensor from_blob(void* data, const Shape& sizes, const Shape& strides,
                 const std::function<void(void*)>& deleter, DType dtype = kFloat32);
inline Tensor from_blob(void* data, const Shape& sizes, const std::function<void(void*)>& deleter,
                        DType dtype = kFloat32) {
    return from_blob(data, sizes, contiguous_strides(sizes), deleter, dtype);
}

}  // namespace reel
#pragma GCC visibility pop
