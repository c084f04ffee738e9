/// \file
/// Element types: their names, sizes and promotion. What an element *is*; how elements are laid out is
/// `shape.hpp`.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <limits>
#include <type_traits>

#pragma GCC visibility push(default)
namespace reel {

/// The element types, in the order of promotion.
enum class DType : std::uint8_t { kBool, kInt64, kFloat16, kBFloat16, kFloat32, kFloat64 };

inline constexpr DType kBool = DType::kBool;
inline constexpr DType kInt64 = DType::kInt64;
inline constexpr DType kFloat16 = DType::kFloat16;
inline constexpr DType kBFloat16 = DType::kBFloat16;
inline constexpr DType kFloat32 = DType::kFloat32;
inline constexpr DType kFloat64 = DType::kFloat64;

/// A truth value as memory holds it: any byte but 0 is true. (Memory of the caller may hold any; a C++ `bool`
/// that is neither 0 nor 1 is undefined behaviour.)
struct Bool {
    std::uint8_t byte = 0;
    Bool() = default;
    explicit Bool(bool value) : byte(value ? 1 : 0) {}
    explicit operator bool() const { return byte != 0; }
};

/// An IEEE 754 binary16 number: 1 sign, 5 exponent, 10 fraction bits. Stored, never computed with: convert to
/// float.
struct Half {
    std::uint16_t bits = 0;
    Half() = default;
    /// The nearest binary16 number, ties to even; overflow gives an infinity, NaN stays NaN.
    explicit Half(float value);
    explicit Half(double value);
    explicit operator float() const;
};

/// The upper half of a binary32 number: 1 sign, 8 exponent, 7 fraction bits.
struct BFloat16 {
    std::uint16_t bits = 0;
    BFloat16() = default;
    /// The nearest bfloat16 number, ties to even; NaN stays NaN.
    explicit BFloat16(float value);
    explicit BFloat16(double value);
    explicit operator float() const;
};

/// Bytes of one element.
constexpr std::int64_t itemsize(DType dtype) {
    constexpr std::int64_t kBytes[] = {1, 8, 2, 2, 4, 8};  // in the order of the enumeration
    return kBytes[static_cast<std::size_t>(dtype)];
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
    return dtype == kFloat16 ? 11 : dtype == kBFloat16 ? 8 : dtype == kFloat32 ? 24 : 53;
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
    if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, Bool>) {
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
            return f(Bool{});
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

/// A float64 number as the float32 number next to it towards 0, its last bit set unless it is exact. Rounded
/// to 16 bits, that gives what the float64 number itself would give (Boldo and Melquiond, "Emulation of a FMA
/// and correctly rounded sums: proved algorithms using rounding to odd", 2008).
inline float round_to_odd(double value) {
    const auto nearest = static_cast<float>(value);
    auto bits = std::bit_cast<std::uint32_t>(nearest);
    if (std::abs(static_cast<double>(nearest)) > std::abs(value)) --bits;
    if (static_cast<double>(std::bit_cast<float>(bits)) != value) bits |= 1U;
    return std::bit_cast<float>(bits);
}

/// An integer as a float64 number, rounded to odd: what its last 11 bits hold is one bit above them.
inline double round_to_odd(std::int64_t value) {
    constexpr std::uint64_t kLow = (std::uint64_t{1} << 11) - 1;
    const std::uint64_t sign = value < 0 ? ~std::uint64_t{0} : 0;
    const std::uint64_t size = (static_cast<std::uint64_t>(value) ^ sign) - sign;
    const std::uint64_t odd = size >> 53 == 0 ? size : (size & ~kLow) | ((size & kLow) != 0 ? kLow + 1 : 0);
    const auto magnitude = static_cast<double>(odd);
    return value < 0 ? -magnitude : magnitude;
}

template <class T>
inline constexpr bool kIs16Bit = std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>;

/// An element converted as PyTorch does: to bool by `!= 0`, to integers towards 0, to 16 bits rounded once. What
/// int64 does not hold becomes its least number, as on x86.
template <class To, class From>
To convert_element(From value) {
    if constexpr (std::is_same_v<From, Bool>) {
        return convert_element<To>(static_cast<bool>(value));
    } else if constexpr (std::is_same_v<To, Bool>) {
        return Bool(convert_element<bool>(value));
    } else if constexpr (std::is_same_v<From, To>) {
        return value;
    } else if constexpr (kIs16Bit<From>) {
        return convert_element<To>(static_cast<float>(value));
    } else if constexpr (std::is_same_v<To, bool>) {
        return value != From{};
    } else if constexpr (kIs16Bit<To> && std::is_same_v<From, float>) {
        return To(value);
    } else if constexpr (kIs16Bit<To> && std::is_integral_v<From>) {
        return To(round_to_odd(static_cast<std::int64_t>(value)));
    } else if constexpr (kIs16Bit<To>) {
        return To(static_cast<double>(value));
    } else if constexpr (std::is_same_v<To, std::int64_t> && std::is_floating_point_v<From>) {
        const From end = static_cast<From>(0x1p63);
        return value >= -end && value < end ? static_cast<To>(value) : std::numeric_limits<To>::min();
    } else {
        return static_cast<To>(value);
    }
}

/// Whether `To` holds a number of C++: a bool holds any, an integer type those whose part before the point is in its
/// range, a floating type infinities, NaN, and all that do not round to infinity.
template <class To, class From>
bool holds(From value) {
    using Limits = std::numeric_limits<To>;
    if constexpr (std::is_same_v<From, To> || std::is_same_v<From, bool> || dtype_of<To>() == kBool) {
        return true;
    } else if constexpr (!std::is_integral_v<To>) {
        using Float = std::conditional_t<kIs16Bit<To>, float, To>;
        return std::isfinite(static_cast<Float>(convert_element<To>(value))) || !std::isfinite(value);
    } else if constexpr (std::is_integral_v<From>) {
        const bool enough = value >= 0 || (Limits::is_signed && static_cast<std::int64_t>(value) >=
                                                                    static_cast<std::int64_t>(Limits::min()));
        return enough &&
               (value <= 0 || static_cast<std::uint64_t>(value) <= static_cast<std::uint64_t>(Limits::max()));
    } else {
        const From whole = std::trunc(value);
        const From end = std::ldexp(From(1), Limits::digits);
        return whole < end && whole >= (Limits::is_signed ? -end : From(0));
    }
}

class Scalar;
/// `value` scaled: of the category of `value`, or floating when `scale` is.
Scalar operator*(Scalar value, Scalar scale);

namespace detail {

/// Throws an `Error`: `operation` cannot put the number into this type.
[[noreturn]] void fail_number(const char* operation, const Scalar& number, const char* type);
/// The same for a number that is beyond int64 itself.
[[noreturn]] void fail_number(std::uint64_t number);

template <class T>
const char* type_name() {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
        constexpr const char* kNames[2][4] = {{"uint8", "uint16", "uint32", "uint64"},
                                              {"int8", "int16", "int32", "int64"}};
        return kNames[std::is_signed_v<T>][sizeof(T) == 8 ? 3 : sizeof(T) / 2];
    } else {
        return name(dtype_of<T>());
    }
}

}  // namespace detail

/// The number as a `To`. Throws an `Error` that names `operation`, number and type where `To` does not hold it.
template <class To, class From>
To checked_element(const char* operation, From value);

/// A number of C++ on its way into an operation. It has a category (bool, integer, floating) and no width, so
/// that it never widens a tensor inside one category. An integer beyond int64 throws.
class Scalar {
public:
    template <class T>
    requires std::is_arithmetic_v<T> Scalar(T value)
        : dtype_(std::is_floating_point_v<T> ? kFloat64 : dtype_of<T>()) {
        if constexpr (std::is_floating_point_v<T>) {
            floating_ = static_cast<double>(value);
        } else {
            integer_ = static_cast<std::int64_t>(value);
            if constexpr (std::is_unsigned_v<T> && sizeof(T) == sizeof(integer_)) {
                if (!holds<std::int64_t>(value)) detail::fail_number(value);
            }
        }
    }

    /// kBool, kInt64 or kFloat64: the category.
    DType dtype() const { return dtype_; }

    /// The value as `T`, converted as an element is.
    template <class T>
    T to() const {
        return dtype_ == kFloat64 ? convert_element<T>(floating_) : convert_element<T>(integer_);
    }
    /// The same for `operation`. Throws an `Error` that names it, number and type where `T` does not hold the
    /// number.
    template <class T>
    T checked(const char* operation) const {
        return dtype_ == kFloat64 ? checked_element<T>(operation, floating_)
                                  : checked_element<T>(operation, integer_);
    }
    /// The same, but what 16 bits do not hold becomes ±inf there: what tensors are made of and filled with.
    template <class T>
    T element(const char* operation) const {
        if constexpr (kIs16Bit<T>) return to<T>();
        return checked<T>(operation);
    }

    Scalar operator-() const;

    friend Scalar operator*(Scalar value, Scalar scale);

private:
    DType dtype_;
    union {
        std::int64_t integer_;
        double floating_;
    };
};

std::ostream& operator<<(std::ostream& out, const Scalar& value);

template <class To, class From>
To checked_element(const char* operation, From value) {
    if constexpr (std::is_same_v<From, Bool>) {
        return checked_element<To>(operation, static_cast<bool>(value));
    } else if constexpr (kIs16Bit<From>) {
        return checked_element<To>(operation, static_cast<float>(value));
    } else {
        if (!holds<To>(value)) [[unlikely]]
            detail::fail_number(operation, Scalar(value), detail::type_name<To>());
        return convert_element<To>(value);
    }
}

/// Throws as `Scalar::checked` does.
void check_number(const char* operation, Scalar value, DType dtype);

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
#pragma GCC visibility pop
