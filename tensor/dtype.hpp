/// \file
/// Element types: their names, sizes and promotion. What an element *is*; how elements are laid out is
/// `shape.hpp`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <limits>
#include <type_traits>

namespace [[gnu::visibility("default")]] reel {

/// The element types, in the order of promotion.
enum class DType : std::uint8_t { kBool, kInt64, kFloat16, kBFloat16, kFloat32, kFloat64 };

inline constexpr DType kBool = DType::kBool;
inline constexpr DType kInt64 = DType::kInt64;
inline constexpr DType kFloat16 = DType::kFloat16;
inline constexpr DType kBFloat16 = DType::kBFloat16;
inline constexpr DType kFloat32 = DType::kFloat32;
inline constexpr DType kFloat64 = DType::kFloat64;

/// An IEEE 754 binary16 number: 1 sign, 5 exponent, 10 fraction bits. Stored, never computed with: convert to
/// float.
struct Half {
    std::uint16_t bits = 0;
    Half() = default;
    /// The nearest binary16 number, ties to even; overflow gives an infinity, NaN stays NaN.
    explicit Half(float value);
    explicit operator float() const;
};

/// The upper half of a binary32 number: 1 sign, 8 exponent, 7 fraction bits.
struct BFloat16 {
    std::uint16_t bits = 0;
    BFloat16() = default;
    /// The nearest bfloat16 number, ties to even; NaN stays NaN.
    explicit BFloat16(float value);
    explicit operator float() const;
};

/// Bytes of one element.
constexpr std::int64_t itemsize(DType dtype) {
    switch (dtype) {
        case kBool:
            return 1;
        case kFloat16:
        case kBFloat16:
            return 2;
        case kFloat32:
            return 4;
        default:
            return 8;
    }
}

constexpr bool is_floating_point(DType dtype) { return dtype >= kFloat16; }

/// 16-bit storage types, whose arithmetic is done in float32.
constexpr bool is_reduced(DType dtype) { return dtype == kFloat16 || dtype == kBFloat16; }

/// The type in which values of `dtype` are computed: float32 for the 16-bit types, else `dtype` itself.
constexpr DType compute_dtype(DType dtype) { return is_reduced(dtype) ? kFloat32 : dtype; }

/// `dtype` if it is floating, else float32: what `/` and the transcendental functions turn integers into.
constexpr DType to_floating(DType dtype) { return is_floating_point(dtype) ? dtype : kFloat32; }

/// The binary digits of a floating type, with the hidden one: the next number after 1 is 1 + 2^(1 − digits).
constexpr int significand_bits(DType dtype) {
    switch (dtype) {
        case kFloat16:
            return 11;
        case kBFloat16:
            return 8;
        case kFloat32:
            return std::numeric_limits<float>::digits;
        default:
            return std::numeric_limits<double>::digits;
    }
}

/// "float32", "int64", …
const char* name(DType dtype);
std::ostream& operator<<(std::ostream& out, DType dtype);

/// The smallest type that both convert to: bool < int64 < float16 / bfloat16 < float32 < float64. float16
/// with bfloat16 gives float32.
DType promote(DType a, DType b);

/// The element type of a C++ type; `long long` and friends are int64, `double` literals are the caller's
/// business.
template <class T>
constexpr DType dtype_of() {
    if constexpr (std::is_same_v<T, bool>) {
        return kBool;
    } else if constexpr (std::is_integral_v<T>) {
        return kInt64;
    } else if constexpr (std::is_same_v<T, Half>) {
        return kFloat16;
    } else if constexpr (std::is_same_v<T, BFloat16>) {
        return kBFloat16;
    } else if constexpr (std::is_same_v<T, float>) {
        return kFloat32;
    } else {
        static_assert(std::is_same_v<T, double>, "reel: no element type for this C++ type");
        return kFloat64;
    }
}

/// Calls `f(T{})` with the C++ type that stores `dtype`.
template <class F>
decltype(auto) dispatch(DType dtype, F&& f) {
    switch (dtype) {
        case kBool:
            return f(bool{});
        case kInt64:
            return f(std::int64_t{});
        case kFloat16:
            return f(Half{});
        case kBFloat16:
            return f(BFloat16{});
        case kFloat32:
            return f(float{});
        default:
            return f(double{});
    }
}

/// An element converted as PyTorch does: bool is `!= 0`, the 16-bit types go through float32.
template <class To, class From>
To convert_element(From value) {
    if constexpr (std::is_same_v<From, To>) {
        return value;
    } else if constexpr (std::is_same_v<From, Half> || std::is_same_v<From, BFloat16>) {
        return convert_element<To>(static_cast<float>(value));
    } else if constexpr (std::is_same_v<To, bool>) {
        return value != From{};
    } else if constexpr (std::is_same_v<To, Half> || std::is_same_v<To, BFloat16>) {
        return To(static_cast<float>(value));
    } else {
        return static_cast<To>(value);
    }
}

/// A number of C++ on its way into an operation. It has a category (bool, integer, floating) and no width, so
/// that it never widens a tensor inside one category.
class Scalar {
public:
    template <class T>
        requires std::is_arithmetic_v<T>
    Scalar(T value) : dtype_(std::is_floating_point_v<T> ? kFloat64 : dtype_of<T>()) {
        if constexpr (std::is_floating_point_v<T>) {
            floating_ = static_cast<double>(value);
        } else {
            integer_ = static_cast<std::int64_t>(value);
        }
    }

    /// kBool, kInt64 or kFloat64: the category.
    DType dtype() const { return dtype_; }

    /// The value as `T`, converted as an element is.
    template <class T>
    T to() const {
        return dtype_ == kFloat64 ? convert_element<T>(floating_) : convert_element<T>(integer_);
    }

    Scalar operator-() const { return dtype_ == kFloat64 ? Scalar(-floating_) : Scalar(-integer_); }

    /// `value` scaled: of the category of `value`, or floating when `scale` is.
    friend Scalar operator*(Scalar value, Scalar scale) {
        if (value.dtype_ == kFloat64 || scale.dtype_ == kFloat64) {
            return value.to<double>() * scale.to<double>();
        }
        const std::int64_t product = value.integer_ * scale.integer_;
        return value.dtype_ == kBool ? Scalar(product != 0) : Scalar(product);
    }

private:
    DType dtype_;
    union {
        std::int64_t integer_;
        double floating_;
    };
};

std::ostream& operator<<(std::ostream& out, const Scalar& value);

/// What takes part in a promotion: a type and how strongly it speaks.
struct Promotable {
    DType dtype;
    enum class Rank : std::uint8_t { kScalar, kZeroDim, kDimensioned } rank;
};

/// The type of a result of several operands: the widest of the strongest rank, unless a weaker rank has a
/// higher category (bool < integer < floating); a C++ floating scalar that decides gives the default type,
/// float32.
DType result_type(std::initializer_list<Promotable> operands);

}  // namespace reel
