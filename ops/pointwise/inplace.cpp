// In-place operations: each writes to its tensor, notes the write in the storage's version, and gives the
// tensor its new history on the tape. Right also where source and destination overlap (`apply_to` sees to
// that).
#include "autograd/tape.hpp"
#include "ops/pointwise/by_promotion.hpp"
#include "ops/pointwise/compare.hpp"
#include "ops/pointwise/transcendental.hpp"

namespace reel {

namespace {

using kernels::Fn;

/// Throws unless a result of the operands' common type can be written to `self`: a floating one not to
/// integers.
void check_result(const char* name, const Tensor& self, DType result) {
    const auto category = [](DType dtype) { return dtype == kBool ? 0 : dtype == kInt64 ? 1 : 2; };
    if (category(result) > category(self.dtype())) {
        fail<DTypeError>(name, ": the result is ", result, " and cannot be written to a tensor of ",
                         self.dtype());
    }
}

void check_broadcast(const char* name, const Tensor& self, const Tensor& other) {
    if (broadcast_shapes(self.sizes(), other.sizes(), name) != self.sizes()) {
        fail<ShapeError>(name, ": shape ", other.sizes(), " does not broadcast to the shape ", self.sizes(),
                         " of the tensor written to");
    }
}

void check_no_bool(const char* name, Operands operands) {
    for (const Operand& operand : operands) {
        if (operand.promotable().dtype != kBool) continue;
        fail<DTypeError>(name, ": bool operands are not taken; use logical_xor");
    }
}

void write(const char* name, const Tensor& self, Fn fn, Operands operands, DType compute) {
    check_result(name, self, compute);
    check_in_place(name, self);
    apply_to(self, {name, fn, compute_dtype(compute), self.dtype(), nullptr}, operands);
    self.impl().storage->overwrite(name);
}

/// A copy of `x` that stands in its place on the tape: what pullbacks use of a value that is overwritten.
Tensor snapshot(const Tensor& x) {
    const Tensor copy = dense_copy(x, x.dtype());
    if (is_recorded(x)) copy.impl().slot = x.impl().slot;
    return copy;
}

/// The old value of `self` where a pullback will need it.
Tensor old_value(const Tensor& self, bool needed) { return needed ? snapshot(self) : Tensor(); }

/// An operand of a write to `self` as it is before: a copy where it stands in the memory that is written.
Tensor operand_of(const Tensor& self, const Tensor& other) {
    return is_recorded(self) && other.shares_storage(self) ? snapshot(other) : other;
}

}  // namespace

const Tensor& Tensor::copy_(const Tensor& src) const {
    check_broadcast("copy_", *this, src);
    check_in_place("copy_", *this);
    copy_elements(*this, src);
    impl().storage->overwrite("copy_");
    record_in_place("copy_", *this, {{src, pass}});
    return *this;
}

const Tensor& Tensor::fill_(Scalar value) const {
    check_in_place("fill_", *this);
    const Tensor number = empty({}, dtype());
    dispatch(dtype(), [&](auto zero) {
        *reinterpret_cast<decltype(zero)*>(number.raw()) = value.to<decltype(zero)>();
    });
    copy_elements(*this, number);
    impl().storage->overwrite("fill_");
    record_in_place("fill_", *this, {{number, pass}});
    return *this;
}

const Tensor& Tensor::fill_(const Tensor& value) const {
    if (value.dim() != 0) fail<ShapeError>("fill_: a 0-d value is needed, not one of shape ", value.sizes());
    return copy_(value);
}

const Tensor& Tensor::zero_() const { return fill_(0); }

const Tensor& Tensor::add_(const Tensor& other, Scalar alpha) const {
    check_broadcast("add_", *this, other);
    const bool logical = dtype() == kBool && other.dtype() == kBool;  // stays so, whatever α is
    const Tensor term = alpha.to<double>() == 1 ? other : other.mul(logical ? alpha.to<bool>() : alpha);
    write("add_", *this, Fn::kAdd, {*this, term}, result_type({*this, term}));
    record_in_place("add_", *this, {{*this, pass}, {term, pass}});
    return *this;
}

const Tensor& Tensor::add_(Scalar other, Scalar alpha) const {
    const Scalar term = other * alpha;
    write("add_", *this, Fn::kAdd, {*this, term}, result_type({*this, term}));
    record_in_place("add_", *this, {{*this, pass}});
    return *this;
}

const Tensor& Tensor::sub_(const Tensor& other, Scalar alpha) const {
    check_no_bool("sub_", {*this, other});
    check_broadcast("sub_", *this, other);
    const Tensor term = alpha.to<double>() == 1 ? other : other.mul(alpha);
    write("sub_", *this, Fn::kSub, {*this, term}, result_type({*this, term}));
    record_in_place("sub_", *this, {{*this, pass}, {term, [](const Tensor& g) { return -g; }}});
    return *this;
}

const Tensor& Tensor::sub_(Scalar other, Scalar alpha) const {
    check_no_bool("sub_", {*this, other});
    const Scalar term = other * alpha;
    write("sub_", *this, Fn::kSub, {*this, term}, result_type({*this, term}));
    record_in_place("sub_", *this, {{*this, pass}});
    return *this;
}

const Tensor& Tensor::mul_(const Tensor& other) const {
    check_broadcast("mul_", *this, other);
    const Tensor old = old_value(*this, is_recorded(other));
    const Tensor factor = operand_of(*this, other);
    write("mul_", *this, Fn::kMul, {*this, other}, result_type({*this, other}));
    record_in_place("mul_", *this,
                    {{*this, [factor](const Tensor& g) { return g * factor; }},
                     {other, [old](const Tensor& g) { return g * old; }}});
    return *this;
}

const Tensor& Tensor::mul_(Scalar other) const {
    write("mul_", *this, Fn::kMul, {*this, other}, result_type({*this, other}));
    record_in_place("mul_", *this, {{*this, [other](const Tensor& g) { return g * other; }}});
    return *this;
}

const Tensor& Tensor::div_(const Tensor& other) const {
    check_broadcast("div_", *this, other);
    const Tensor old = old_value(*this, is_recorded(other));
    const Tensor divisor = operand_of(*this, other);
    write("div_", *this, Fn::kDiv, {*this, other}, to_floating(result_type({*this, other})));
    record_in_place(
        "div_", *this,
        {{*this, [divisor](const Tensor& g) { return g / divisor; }},
         {other, [old, divisor](const Tensor& g) { return -(g * old) / reel::square(divisor); }}});
    return *this;
}

const Tensor& Tensor::div_(Scalar other) const {
    write("div_", *this, Fn::kDiv, {*this, other}, to_floating(result_type({*this, other})));
    record_in_place("div_", *this, {{*this, [other](const Tensor& g) { return g / other; }}});
    return *this;
}

const Tensor& Tensor::clamp_(std::optional<Scalar> min, std::optional<Scalar> max) const {
    const Tensor clamped = detach().clamp(min, max);
    check_result("clamp_", *this, clamped.dtype());
    const Tensor old = old_value(*this, is_recorded(*this));
    check_in_place("clamp_", *this);
    copy_elements(*this, clamped);
    impl().storage->overwrite("clamp_");
    record_in_place("clamp_", *this, {{*this, [old, min, max](const Tensor& g) {
                                           Tensor inside = min ? old.ge(*min) : old.le(*max);
                                           if (min && max) inside = inside.logical_and(old.le(*max));
                                           return reel::where(inside, g, 0);
                                       }}});
    return *this;
}

const Tensor& Tensor::masked_fill_(const Tensor& mask, Scalar value) const {
    check_broadcast("masked_fill_", *this, mask);
    const Tensor filled = detach().masked_fill(mask, value);
    check_in_place("masked_fill_", *this);
    copy_elements(*this, filled);
    impl().storage->overwrite("masked_fill_");
    record_in_place(
        "masked_fill_", *this,
        {{*this, [mask](const Tensor& g) { return reel::where(mask, 0, g); }}, {unless_finite(value), pass}});
    return *this;
}

const Tensor& Tensor::masked_fill_(const Tensor& mask, const Tensor& value) const {
    check_broadcast("masked_fill_", *this, mask);
    const Tensor filled = detach().masked_fill(mask, value.detach());
    check_in_place("masked_fill_", *this);
    copy_elements(*this, filled);
    impl().storage->overwrite("masked_fill_");
    record_in_place("masked_fill_", *this,
                    {{*this, [mask](const Tensor& g) { return reel::where(mask, 0, g); }},
                     {value, [mask](const Tensor& g) { return reel::where(mask, g, 0); }}});
    return *this;
}

}  // namespace reel
