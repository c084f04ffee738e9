// In-place operations: each writes to its tensor, notes the write in the storage's version, and gives the
// tensor its new history on the tape. Right also where source and destination overlap (`apply_to` sees to
// that).
#include "autograd/tape.hpp"
#include "ops/pointwise/by_promotion.hpp"
#include "ops/pointwise/clamp.hpp"
#include "ops/pointwise/compare.hpp"
#include "ops/pointwise/dense_driver.hpp"
#include "ops/pointwise/transcendental.hpp"
#include "tensor/factory.hpp"

namespace reel {

namespace {

using kernels::Fn;

/// Throws unless a result of the operands' common type can be written to `self`: a floating one not to
/// integers.
void check_result(const char* name, const Tensor& self, DType result) {
    const bool fits =
        is_floating_point(result) ? self.is_floating_point() : result == kBool || self.dtype() != kBool;
    if (!fits) {
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

/// Overwrites `self` by f(operands).
void write(const Tensor& self, Elementwise f, Operands operands, std::initializer_list<Edge> edges) {
    check_result(f.name, self, f.result);
    f.result = self.dtype();
    InPlaceWrite write(f.name, self, edges);
    apply_to(self, f, operands);
    write.commit();
}

/// The same, computed in the operands' common type.
void write(const char* name, const Tensor& self, Fn fn, Operands operands, DType common,
           std::initializer_list<Edge> edges) {
    write(self, {name, fn, compute_dtype(common), common, nullptr}, operands, edges);
}

/// Overwrites `self` by `value`.
void overwrite(const char* name, const Tensor& self, const Tensor& value, std::initializer_list<Edge> edges) {
    InPlaceWrite write(name, self, edges);
    copy_elements(self, value);
    write.commit();
}

/// A copy of `x` that is in its place on the tape: what pullbacks use of a value that is overwritten.
Tensor snapshot(const Tensor& x) {
    const Tensor copy = dense_copy(x, x.dtype());
    copy_history(x, copy);
    return copy;
}

/// The old value of `self` where a pullback will need it.
Tensor old_value(const Tensor& self, bool needed) { return needed ? snapshot(self) : Tensor(); }

/// An operand of a write to `self` as it is before: a copy where it is in the memory that is written.
Tensor operand_of(const Tensor& self, const Tensor& other) {
    return is_recording() && other.shares_storage(self) ? snapshot(other) : other;
}

/// α other, computed as `add` does: for bools it stays a bool, whatever α is.
Tensor scaled(const Tensor& self, const Tensor& other, Scalar alpha) {
    if (alpha.to<double>() == 1) return other;
    const bool logical = self.dtype() == kBool && other.dtype() == kBool;
    return mul(other.detach(), logical ? Scalar(alpha.to<bool>()) : alpha);
}

}  // namespace

const Tensor& Tensor::copy_(const Tensor& src) const {
    check_broadcast("copy_", *this, src);
    overwrite("copy_", *this, src, {{*this, zero_gradient}, {src, pass}});
    return *this;
}

const Tensor& Tensor::fill_(Scalar value) const {
    if (!is_reduced(dtype())) check_number("fill_", value, dtype());  // 16 bits take ±inf
    const Tensor number = full({}, value, dtype());
    overwrite("fill_", *this, number, {{*this, zero_gradient}, {number, pass}});
    return *this;
}

const Tensor& Tensor::fill_(const Tensor& value) const {
    if (value.dim() != 0) fail<ShapeError>("fill_: a 0-d value is needed, not one of shape ", value.sizes());
    return copy_(value);
}

const Tensor& Tensor::zero_() const { return fill_(0); }

const Tensor& Tensor::add_(const Tensor& other, Scalar alpha) const {
    check_alpha("add_", {*this, other}, alpha);
    check_broadcast("add_", *this, other);
    const Tensor term = scaled(*this, other, alpha);
    write("add_", *this, Fn::kAdd, {*this, term}, result_type({*this, other}),
          {{*this, pass}, {other, [alpha](const Tensor& y_bar) { return times(y_bar, alpha); }}});
    return *this;
}

const Tensor& Tensor::add_(Scalar other, Scalar alpha) const {
    check_alpha("add_", {*this, other}, alpha);
    const Scalar term = scaled(*this, other, alpha);
    write("add_", *this, Fn::kAdd, {*this, term}, result_type({*this, term}), {{*this, pass}});
    return *this;
}

const Tensor& Tensor::sub_(const Tensor& other, Scalar alpha) const {
    check_no_bool("sub_", {*this, other}, "logical_xor");
    check_alpha("sub_", {*this, other}, alpha);
    check_broadcast("sub_", *this, other);
    const Tensor term = scaled(*this, other, alpha);
    write("sub_", *this, Fn::kSub, {*this, term}, result_type({*this, other}),
          {{*this, pass}, {other, [alpha](const Tensor& y_bar) { return -times(y_bar, alpha); }}});
    return *this;
}

const Tensor& Tensor::sub_(Scalar other, Scalar alpha) const {
    check_no_bool("sub_", {*this, other}, "logical_xor");
    check_alpha("sub_", {*this, other}, alpha);
    const Scalar term = scaled(*this, other, alpha);
    write("sub_", *this, Fn::kSub, {*this, term}, result_type({*this, term}), {{*this, pass}});
    return *this;
}

const Tensor& Tensor::mul_(const Tensor& other) const {
    const Composite whole;
    check_broadcast("mul_", *this, other);
    const Tensor old = old_value(*this, is_recorded(other));
    const Tensor factor = operand_of(*this, other);
    write("mul_", *this, Fn::kMul, {*this, other}, result_type({*this, other}),
          {{*this, [factor](const Tensor& y_bar) { return y_bar * factor; }},
           {other, [old](const Tensor& y_bar) { return y_bar * old; }}});
    return *this;
}

const Tensor& Tensor::mul_(Scalar other) const {
    write("mul_", *this, Fn::kMul, {*this, other}, result_type({*this, other}),
          {{*this, [other](const Tensor& y_bar) { return y_bar * other; }}});
    return *this;
}

const Tensor& Tensor::div_(const Tensor& other) const {
    const Composite whole;
    check_broadcast("div_", *this, other);
    const Tensor old = old_value(*this, is_recorded(other));
    const Tensor divisor = operand_of(*this, other);
    write("div_", *this, Fn::kDiv, {*this, other}, to_floating(result_type({*this, other})),
          {{*this, [divisor](const Tensor& y_bar) { return y_bar / divisor; }},
           {other, [old, divisor](const Tensor& y_bar) {
                return -(wide(y_bar) * (wide(old) / divisor)) / divisor;
            }}});
    return *this;
}

const Tensor& Tensor::div_(Scalar other) const {
    write("div_", *this, Fn::kDiv, {*this, other}, to_floating(result_type({*this, other})),
          {{*this, [other](const Tensor& y_bar) { return y_bar / other; }}});
    return *this;
}

const Tensor& Tensor::clamp_(std::optional<Scalar> min, std::optional<Scalar> max) const {
    const Composite whole;
    const Clamp clamp("clamp_", *this, min, max);
    const Tensor old = old_value(*this, is_recorded(*this));
    write(*this, clamp.how(), clamp.of(), {{*this, [old, min, max](const Tensor& y_bar) {
                                                return reel::where(within(old, min, max), y_bar, 0);
                                            }}});
    return *this;
}

const Tensor& Tensor::masked_fill_(const Tensor& mask, Scalar value) const {
    const Composite whole;
    check_broadcast("masked_fill_", *this, mask);
    const Tensor filled = detach().masked_fill(mask, value);
    const Tensor holds = operand_of(*this, mask);
    overwrite("masked_fill_", *this, filled,
              {{*this, [holds](const Tensor& y_bar) { return reel::where(holds, 0, y_bar); }},
               {nonfinite_input(value), pass}});
    return *this;
}

const Tensor& Tensor::masked_fill_(const Tensor& mask, const Tensor& value) const {
    const Composite whole;
    check_broadcast("masked_fill_", *this, mask);
    const Tensor filled = detach().masked_fill(mask, value.detach());
    const Tensor holds = operand_of(*this, mask);
    overwrite("masked_fill_", *this, filled,
              {{*this, [holds](const Tensor& y_bar) { return reel::where(holds, 0, y_bar); }},
               {value, [holds](const Tensor& y_bar) { return reel::where(holds, y_bar, 0); }}});
    return *this;
}

}  // namespace reel
