#include "tensor/dtype.hpp"

#include <bit>
#include <iterator>
#include <optional>
#include <ostream>

#include "tensor/error.hpp"

namespace reel {

namespace {

/// bool 0, integer 1, floating 2.
int category(DType dtype) { return dtype == kBool ? 0 : dtype == kInt64 ? 1 : 2; }

}  // namespace

Half::Half(float value) {
    const auto f = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t magnitude = f & 0x7fffffffu;
    std::uint32_t rounded = 0;
    if (magnitude > 0x7f800000u) {  // NaN: made quiet
        rounded = 0x7e00u | ((magnitude >> 13) & 0x3ffu);
    } else if (magnitude >= 0x477ff000u) {  // 65520 and above round to infinity
        rounded = 0x7c00u;
    } else if (magnitude >= 113u << 23) {  // the exponent moves by 112, and what is cut off carries into it
        rounded = (magnitude - (112u << 23) + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
    } else {  // subnormal: a sum with ½ leaves multiples of 2⁻²⁴ in the lowest bits
        rounded = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) -
                  std::bit_cast<std::uint32_t>(0.5f);
    }
    bits = static_cast<std::uint16_t>(((f >> 16) & 0x8000u) | rounded);
}

Half::Half(double value) : Half(round_to_odd(value)) {}
BFloat16::BFloat16(double value) : BFloat16(round_to_odd(value)) {}

Half::operator float() const {
    const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
    const std::uint32_t exponent = (bits >> 10) & 0x1fu;
    const std::uint32_t fraction = bits & 0x3ffu;
    if (exponent == 31) {  // infinity, or NaN: made quiet
        const std::uint32_t quiet = fraction == 0 ? 0u : 0x400000u;
        return std::bit_cast<float>(sign | 0x7f800000u | quiet | (fraction << 13));
    }
    if (exponent == 0) {
        const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
        return sign ? -magnitude : magnitude;
    }
    return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
}

BFloat16::BFloat16(float value) {
    const auto f = std::bit_cast<std::uint32_t>(value);
    if ((f & 0x7fffffffu) > 0x7f800000u) {
        bits = static_cast<std::uint16_t>((f >> 16) | 0x40u);
        return;
    }
    bits = static_cast<std::uint16_t>((f + 0x7fffu + ((f >> 16) & 1u)) >> 16);
}

BFloat16::operator float() const { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

const char* name(DType dtype) {
    constexpr const char* kNames[] = {"bool", "int64", "float16", "bfloat16", "float32", "float64"};
    return kNames[static_cast<std::size_t>(dtype)];
}

std::ostream& operator<<(std::ostream& out, DType dtype) { return out << name(dtype); }

void detail::fail_number(const char* operation, const Scalar& number, const char* type) {
    fail<Error>(operation, ": the number ", number, " does not fit into ", type);
}
void detail::fail_number(std::uint64_t number) {
    fail<Error>("the number ", number, " does not fit into int64");
}

void check_number(const char* operation, Scalar value, DType dtype) {
    dispatch(dtype, [&](auto zero) { static_cast<void>(value.checked<decltype(zero)>(operation)); });
}

Scalar Scalar::operator-() const {
    if (dtype_ == kFloat64) return -floating_;
    if (integer_ == std::numeric_limits<std::int64_t>::min()) {
        fail<Error>("the negative of the number ", integer_, " does not fit into int64");
    }
    return -integer_;
}

Scalar operator*(Scalar value, Scalar scale) {
    if (value.dtype_ == kFloat64 || scale.dtype_ == kFloat64) return value.to<double>() * scale.to<double>();
    std::int64_t product = 0;
    if (__builtin_mul_overflow(value.integer_, scale.integer_, &product)) {
        fail<Error>("the number ", value.integer_, " times ", scale.integer_, " does not fit into int64");
    }
    return value.dtype_ == kBool ? Scalar(product != 0) : Scalar(product);
}

std::ostream& operator<<(std::ostream& out, const Scalar& value) {
    if (value.dtype() == kBool) return out << (value.to<bool>() ? "true" : "false");
    if (value.dtype() == kInt64) return out << value.to<std::int64_t>();
    return out << value.to<double>();
}

DType promote(DType a, DType b) {
    if (is_reduced(a) && is_reduced(b) && a != b) return kFloat32;
    return a < b ? b : a;
}

DType result_type(std::initializer_list<Promotable> operands) {
    std::optional<DType> widest[3];  // of each rank, the weakest first
    for (const Promotable& operand : operands) {
        const bool is_default = operand.rank == Promotable::Rank::kScalar && operand.dtype == kFloat64;
        const DType dtype = is_default ? kFloat32 : operand.dtype;
        std::optional<DType>& of_rank = widest[static_cast<std::size_t>(operand.rank)];
        of_rank = of_rank ? promote(*of_rank, dtype) : dtype;
    }
    std::optional<DType> best;
    for (std::size_t rank = std::size(widest); rank-- > 0;) {
        if (widest[rank] && (!best || category(*widest[rank]) > category(*best))) best = widest[rank];
    }
    return best.value_or(kBool);
}

}  // namespace reel
