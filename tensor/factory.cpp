#include "tensor/factory.hpp"

#include <cmath>
#include <memory>

#include "tensor/checked.hpp"
#include "tensor/iterate.hpp"
#include "tensor/parallel.hpp"

namespace reel {

TensorData::TensorData(Scalar value) { append(value); }

TensorData::TensorData(std::initializer_list<TensorData> rows) {
    sizes_ = Shape(static_cast<std::int64_t>(rows.size()));
    const TensorData* first = rows.begin();
    for (const TensorData& row : rows) {
        if (row.sizes_ != first->sizes_) {
            fail<ShapeError>("tensor: the braces are ragged: rows of shapes ", first->sizes_, " and ",
                             row.sizes_);
        }
        for (const Scalar& value : row.values_) append(value);
        dtype_ = promote(dtype_, row.dtype_);
    }
    if (rows.size() == 0) dtype_ = kFloat64;
    if (rows.size() > 0) {
        for (std::int64_t size : first->sizes_) sizes_.push_back(size);
    }
}

void TensorData::append(Scalar value) {
    values_.push_back(value);
    dtype_ = promote(dtype_, value.dtype());
}

Tensor tensor(const TensorData& data, std::optional<DType> dtype) {
    Tensor result = Tensor::empty(data.sizes(), dtype.value_or(data.dtype()));
    dispatch(result.dtype(), [&](auto zero) {
        using T = decltype(zero);
        auto* to = reinterpret_cast<T*>(result.raw());
        for (std::size_t i = 0; i < data.values().size(); ++i) to[i] = data.values()[i].element<T>("tensor");
    });
    return result;
}

namespace {

constexpr std::int64_t kFillBlock = 4096;  // elements: threads share no cache line

/// The type that a number makes a tensor of: floating numbers the default float32.
DType natural_dtype(Scalar value) { return value.dtype() == kFloat64 ? kFloat32 : value.dtype(); }

/// `count` as a size.
template <class Number>
std::int64_t count_of(Number count) {
    constexpr auto kMost = std::int64_t{1} << 60;
    if (count > static_cast<Number>(kMost))
        fail<ShapeError>("arange: more steps than a tensor can have elements");
    return static_cast<std::int64_t>(count);
}

/// Element i is f(i).
Tensor generate(std::int64_t count, DType dtype, const auto& f) {
    Tensor result = Tensor::empty({count}, dtype);
    dispatch(dtype, [&](auto zero) {
        using T = decltype(zero);
        auto* to = reinterpret_cast<T*>(result.raw());
        parallel_for(count, kFillBlock, 1, [&](std::int64_t begin, std::int64_t end) {
            const auto element = f;  // what is written cannot change a copy
            for (std::int64_t i = begin; i < end; ++i) to[i] = convert_element<T>(element(i));
        });
    });
    return result;
}

}  // namespace

Tensor full(const Shape& sizes, Scalar value, std::optional<DType> dtype) {
    const Tensor result = Tensor::empty(sizes, dtype.value_or(natural_dtype(value)));
    dispatch(result.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const T element = value.element<T>("full");
        parallel_for(result.numel(), kFillBlock, 1, [&](std::int64_t begin, std::int64_t end) {
            constexpr auto kSize = static_cast<std::int64_t>(sizeof(T));
            repeat_element(kSize, reinterpret_cast<const std::byte*>(&element), end - begin,
                           result.raw() + begin * kSize);
        });
    });
    return result;
}

// Integers are counted exactly. Where one of the three numbers has a fraction, the steps are counted with it, and
// an integer type takes start and step without, as PyTorch does.
Tensor arange(Scalar start, Scalar end, Scalar step, std::optional<DType> dtype) {
    const bool floating = start.dtype() == kFloat64 || end.dtype() == kFloat64 || step.dtype() == kFloat64;
    const DType result = dtype.value_or(floating ? kFloat32 : kInt64);
    const double first = start.to<double>();
    const double span = end.to<double>() - first;
    const double pace = step.to<double>();
    if (!std::isfinite(span) || !std::isfinite(pace) || pace == 0 || span / pace < 0) {
        fail<Error>("arange: from ", start, " to ", end, " by ", step, " in ", result,
                    pace == 0         ? ": the step must not be 0"
                    : span / pace < 0 ? ": the step has the wrong sign"
                                      : ": start, end and step must be finite");
    }
    if (!is_reduced(result)) {
        for (const Scalar number : {start, end, step}) check_number("arange", number, result);
    }
    if (is_floating_point(result)) {
        return generate(count_of(std::ceil(span / pace)), result,
                        [first, pace](std::int64_t i) { return first + static_cast<double>(i) * pace; });
    }
    const auto from = start.to<std::int64_t>();
    const auto by = step.to<std::int64_t>();
    const auto whole_steps = [&] {
        const Wide distance = Wide{end.to<std::int64_t>()} - from;
        return count_of((distance + by - (by > 0 ? 1 : -1)) / by);
    };
    return generate(
        floating ? count_of(std::ceil(span / pace)) : whole_steps(), result, [from, by](std::int64_t i) {
            return static_cast<std::int64_t>(static_cast<std::uint64_t>(from) +  // i · by alone may overflow
                                             static_cast<std::uint64_t>(i) * static_cast<std::uint64_t>(by));
        });
}

Tensor linspace(Scalar start, Scalar end, std::int64_t steps, DType dtype) {
    if (steps < 0) fail<ShapeError>("linspace: ", steps, " steps; at least 0 are needed");
    for (const Scalar end_point : {start, end}) check_number("linspace", end_point, dtype);
    const auto number = [&](Scalar end_point) {  // of a whole type the ends are made whole first
        return is_floating_point(dtype) ? end_point.to<double>()
                                        : static_cast<double>(end_point.to<std::int64_t>());
    };
    const double first = number(start);
    const double last = number(end);
    const double step = steps > 1 ? (last - first) / static_cast<double>(steps - 1) : 0;
    // From the nearer end, so that both ends are exact.
    return generate(steps, dtype, [=](std::int64_t i) {
        return i < steps / 2 || steps == 1 ? first + static_cast<double>(i) * step
                                           : last - static_cast<double>(steps - 1 - i) * step;
    });
}

Tensor eye(std::int64_t n, std::int64_t m, DType dtype) {
    const Tensor result = zeros({n, m}, dtype);
    result.diagonal().fill_(1);
    return result;
}

Tensor from_blob(void* data, const Shape& sizes, const Shape& strides, DType dtype) {
    if (sizes.size() != strides.size()) {
        fail<ShapeError>("from_blob: ", sizes.size(), " sizes ", sizes, " and ", strides.size(), " strides ",
                         strides);
    }
    const std::int64_t count = numel(sizes);
    if (!data && count > 0) fail<Error>("from_blob: a null pointer for a tensor of shape ", sizes);
    std::int64_t held = count == 0 ? 0 : 1;
    for (std::size_t i = 0; i < sizes.size() && count > 0; ++i) {
        if (strides[i] < 0 && sizes[i] > 1)
            fail<ShapeError>("from_blob: negative strides ", strides, "; use flip");
        held = to_int64(held + Wide{sizes[i] - 1} * strides[i], "from_blob: the memory of sizes ", sizes,
                        " and strides ", strides);
    }
    const std::int64_t bytes = to_int64(Wide{held} * itemsize(dtype), "from_blob: the memory of sizes ",
                                        sizes, " and strides ", strides);
    return Tensor::make(Storage::borrow(data, static_cast<std::size_t>(bytes)), dtype, sizes, strides, 0);
}

Tensor from_blob(void* data, const Shape& sizes, const Shape& strides,
                 const std::function<void(void*)>& deleter, DType dtype) {
    auto owner = std::make_unique<std::function<void(void*)>>(deleter);
    Tensor tensor = from_blob(data, sizes, strides, dtype);
    if (deleter) tensor.impl().storage->deleter = owner.release();
    return tensor;
}

}  // namespace reel
