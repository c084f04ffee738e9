/// \file
/// The words of `t.index({...})`: integers, `Slice`, `None`, `Ellipsis`, masks and index tensors. What they
/// select is decided in `ops/indexing/indexing.cpp`.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <vector>

namespace [[gnu::visibility("default")]] reel {

class Tensor;

/// A new dimension of size 1 in an index; "not given" in a `Slice`.
inline constexpr std::nullopt_t None = std::nullopt;

/// As many full slices as are needed to index every dimension.
struct EllipsisType {};
inline constexpr EllipsisType Ellipsis{};

/// The elements `start, start + step, …` before `stop`, with Python's rules for negative and missing values.
/// A negative step walks backwards; like every slice it is a view.
struct Slice {
    Slice(std::optional<std::int64_t> first = None, std::optional<std::int64_t> end = None,
          std::optional<std::int64_t> by = None)
        : start(first), stop(end), step(by) {}
    std::optional<std::int64_t> start;
    std::optional<std::int64_t> stop;
    std::optional<std::int64_t> step;
};

/// One entry of an index.
class TensorIndex {
public:
    enum class Kind : std::uint8_t { kInteger, kSlice, kNone, kEllipsis, kBoolean, kTensor };

    template <class Integer>
        requires(std::is_integral_v<Integer> && !std::is_same_v<Integer, bool>)
    TensorIndex(Integer value) : kind_(Kind::kInteger), integer_(static_cast<std::int64_t>(value)) {}
    template <class Boolean>
        requires std::is_same_v<Boolean, bool>
    TensorIndex(Boolean value) : kind_(Kind::kBoolean), integer_(value ? 1 : 0) {}
    TensorIndex(Slice slice) : kind_(Kind::kSlice), slice_(slice) {}
    TensorIndex(std::nullopt_t) : kind_(Kind::kNone) {}
    TensorIndex(EllipsisType) : kind_(Kind::kEllipsis) {}
    /// "..." is `Ellipsis`; every other text is an `IndexError`.
    TensorIndex(const char* text);
    TensorIndex(const Tensor& tensor);
    TensorIndex(const TensorIndex& other);
    TensorIndex(TensorIndex&& other) noexcept;
    TensorIndex& operator=(TensorIndex other) noexcept;
    ~TensorIndex();

    Kind kind() const { return kind_; }
    std::int64_t integer() const { return integer_; }
    const Slice& slice() const { return slice_; }
    const Tensor& tensor() const { return *tensor_; }

private:
    Kind kind_;
    std::int64_t integer_ = 0;
    Slice slice_;
    Tensor* tensor_ = nullptr;
};

using TensorIndices = std::vector<TensorIndex>;

}  // namespace reel
