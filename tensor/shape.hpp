/// \file
/// Sizes, strides and the arithmetic on them: broadcasting, `-1`, contiguous and view strides. Pure
/// functions; no memory is touched here. The handle that puts a shape on a storage is `tensor.hpp`.
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#pragma GCC visibility push(default)
namespace reel {

/// A short list of integers: sizes, strides or dimensions. Up to four are inside the object, more on the
/// heap. Made from `{2, 3}`, a vector, a span, or one integer.
class Shape {
public:
    Shape() = default;
    Shape(std::initializer_list<std::int64_t> values) : Shape(values.begin(), values.size()) {}
    Shape(const std::vector<std::int64_t>& values) : Shape(values.data(), values.size()) {}
    Shape(std::span<const std::int64_t> values) : Shape(values.data(), values.size()) {}
    template <class Integer>
    requires(std::is_integral_v<Integer> && !std::is_same_v<Integer, bool>) Shape(Integer value)
        : Shape({static_cast<std::int64_t>(value)}) {}
    Shape(const Shape& other) {
        if (other.is_inline()) [[likely]] {
            copy_inline(other);
        } else {
            copy_heap(other);
        }
    }
    Shape(Shape&& other) noexcept { take(other); }
    Shape& operator=(const Shape& other) {
        if (this != &other) *this = Shape(other);
        return *this;
    }
    Shape& operator=(Shape&& other) noexcept {
        if (this != &other) {
            release();
            take(other);
        }
        return *this;
    }
    ~Shape() { release(); }

    /// `count` times `value`.
    static Shape filled(std::size_t count, std::int64_t value) {
        Shape shape;
        for (std::size_t i = 0; i < count; ++i) shape.push_back(value);
        return shape;
    }

    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    std::int64_t* data() { return is_inline() ? inline_ : heap_; }
    const std::int64_t* data() const { return is_inline() ? inline_ : heap_; }
    std::int64_t* begin() { return data(); }
    std::int64_t* end() { return data() + size_; }
    const std::int64_t* begin() const { return data(); }
    const std::int64_t* end() const { return data() + size_; }
    std::int64_t& operator[](std::integral auto i) { return data()[i]; }
    std::int64_t operator[](std::integral auto i) const { return data()[i]; }
    std::int64_t& back() { return data()[size_ - 1]; }
    std::int64_t back() const { return data()[size_ - 1]; }

    void push_back(std::int64_t value) {
        const bool full = size_ >= kInline && std::has_single_bit(size_);
        (full ? grow() : data())[size_] = value;
        ++size_;
    }
    void insert(std::integral auto position, std::int64_t value) {
        push_back(value);
        std::copy_backward(begin() + position, end() - 1, end());
        begin()[position] = value;
    }
    void erase(std::integral auto position) {
        std::copy(begin() + position + 1, end(), begin() + position);
        if (--size_ == kInline) move_in();
    }

    std::vector<std::int64_t> vec() const { return {begin(), end()}; }
    operator std::vector<std::int64_t>() const { return vec(); }

    friend bool operator==(const Shape& a, const Shape& b) {
        if (a.size_ != b.size_) return false;
        const std::int64_t* x = a.data();
        const std::int64_t* y = b.data();
        for (std::size_t i = 0; i < a.size_; ++i) {
            if (x[i] != y[i]) return false;
        }
        return true;
    }

private:
    static constexpr std::size_t kInline = 4;

    Shape(const std::int64_t* values, std::size_t count) {
        std::int64_t* own = count > kInline ? heap_ = new std::int64_t[std::bit_ceil(count)] : inline_;
        for (std::size_t i = 0; i < count; ++i) own[i] = values[i];
        size_ = count;
    }
    bool is_inline() const { return size_ <= kInline; }
    /// One by one, as they were written: to load two at once is to wait until the stores of both have left the core (the sum of 16
    /// numbers takes 0.83 of the time so; AMD EPYC, Zen 4).
    void copy_inline(const Shape& other) {
        size_ = other.size_;
#pragma GCC unroll 4
        for (std::size_t i = 0; i < kInline; ++i) {
            std::int64_t value = other.inline_[i];
            asm("" : "+r"(value));  // so that the compiler does not move two at once
            inline_[i] = value;
        }
    }
    void copy_heap(const Shape& other);
    /// The numbers in a heap block of twice the room.
    std::int64_t* grow();
    /// Back from the heap, where the last of `kInline` + 1 was erased.
    void move_in();
    void release() {
        if (!is_inline()) delete[] heap_;
    }
    void take(Shape& other) noexcept {
        if (other.is_inline()) [[likely]] {
            copy_inline(other);
        } else {
            size_ = other.size_;
            heap_ = other.heap_;
        }
        other.size_ = 0;
    }

    // More than kInline are on the heap, in a block whose size is the next power of two or more.
    std::size_t size_ = 0;
    union {
        std::int64_t inline_[kInline] = {};
        std::int64_t* heap_;
    };
};

/// "[2, 3]"
std::ostream& operator<<(std::ostream& out, const Shape& shape);

/// The most dimensions that a tensor has, so that whoever recurses over them has stack enough. (PyTorch
/// reduces over no more.)
inline constexpr std::size_t kMostDims = 64;

/// The product of the sizes; 1 for a 0-d shape. Throws a `ShapeError` for more than `kMostDims` sizes, for a
/// negative one, or an overflow, even one that a size of 0 would hide: the strides would overflow too.
std::int64_t numel(const Shape& sizes);

/// Row-major strides: the last is 1, every other one the product of the sizes after it.
Shape contiguous_strides(const Shape& sizes);

/// Whether `strides` address the elements in row-major order without gaps (dimensions of size 1 do not
/// count).
bool is_contiguous(const Shape& sizes, const Shape& strides);

/// `dim` counted from the front. A 0-d tensor is treated as having one dimension. Throws an `IndexError` that
/// names `operation`.
std::int64_t wrap_dim(std::int64_t dim, std::int64_t ndim, const char* operation);

/// The dims wrapped; an empty list means all of them. Throws a `ShapeError` where one is named twice.
Shape wrap_dims(const Shape& dims, std::int64_t ndim, const char* operation);

/// The common shape of two shapes aligned at their last dimension, where 1 stretches. Throws a `ShapeError`.
Shape broadcast_shapes(const Shape& a, const Shape& b, const char* operation);

/// The strides that read `sizes` as the larger `target`: 0 in every stretched dimension.
Shape broadcast_strides(const Shape& sizes, const Shape& strides, const Shape& target);

/// `shape` with its one `-1` replaced so that it has `numel` elements. Throws a `ShapeError`.
Shape infer_sizes(const Shape& shape, std::int64_t numel, const char* operation);

/// The strides under which the memory of (`sizes`, `strides`) reads as `shape` without a copy, if there are
/// any.
std::optional<Shape> view_strides(const Shape& sizes, const Shape& strides, const Shape& shape);

/// `sizes` after a reduction over the (wrapped) `dims`: 1 in their place with `keepdim`, else gone.
Shape reduced_sizes(const Shape& sizes, const Shape& dims, bool keepdim);

/// The lowest and the highest place of a layout, counted from its first element.
struct OffsetRange {
    std::int64_t low = 0;
    std::int64_t high = 0;
    /// The elements of memory from the one to the other.
    std::int64_t extent() const { return high - low + 1; }
};
OffsetRange offset_range(const Shape& sizes, const Shape& strides);

/// Whether `value` is among `values`.
bool contains(const Shape& values, std::int64_t value);

}  // namespace reel
#pragma GCC visibility pop
