// The largest and smallest elements, alone or with their index. NaN wins everywhere.
#include "autograd/tape.hpp"
#include "ops/indexing/indexing.hpp"
#include "ops/pointwise/by_promotion.hpp"
#include "ops/pointwise/compare.hpp"
#include "ops/pointwise/dense_driver.hpp"
#include "ops/pointwise/transcendental.hpp"
#include "ops/reduce/reduce.hpp"
#include "ops/reduce/reduce_driver.hpp"
#include "tensor/factory.hpp"

namespace reel {

namespace {

using kernels::ReduceOp;

void check_not_empty(const char* name, const Tensor& x, const ReducedDims& r) {
    if (r.count == 0 && numel(r.result) > 0) {
        fail<ShapeError>(name, ": no elements to choose from in a tensor of shape ", x.sizes(), " over dims ",
                         r.dims);
    }
}

Tensor reduced(const char* name, ReduceOp op, const Tensor& x, const ReducedDims& r) {
    check_not_empty(name, x, r);
    return dense(r.shaped(reduce(op, x, r.dims, {compute_dtype(x.dtype())})), x.dtype());
}

/// The gradient for x: the winners share it evenly.
Tensor shared(const Tensor& y_bar, const Tensor& winners, const ReducedDims& r) {
    const Tensor shares = winners.to(compute_dtype(y_bar.dtype()));
    return (r.unreduced(wide(y_bar)) / shares.sum(r.dims, true)) * shares;
}

/// Every element equal to the extreme is a winner. Nothing is equal to NaN, and then the gradient is NaN.
Tensor extremum(const char* name, ReduceOp op, const Tensor& x, const Shape& dims, bool keepdim) {
    const ReducedDims r(name, x, dims, keepdim);
    const auto pull = [x, r](const Tensor& y_bar, const Tensor& y) {
        return shared(y_bar, eq(x, r.unreduced(y.detach())), r);
    };
    return record(name, reduced(name, op, x, r), {{x, pull}});
}

/// Of all elements. Here, as in PyTorch, NaNs are winners where the extreme is one.
Tensor extremum(const char* name, ReduceOp op, const Tensor& x) {
    const ReducedDims r(name, x, {}, false);
    const auto pull = [x, r](const Tensor& y_bar, const Tensor& y) {
        const Tensor best = y.detach();
        return shared(y_bar, isnan(best).item<bool>() ? isnan(x) : eq(x, best), r);
    };
    return record(name, reduced(name, op, x, r), {{x, pull}});
}

/// What elements stored as T are compared as.
template <class T>
using Compared =
    std::conditional_t<std::is_same_v<T, Bool>, std::uint8_t, std::conditional_t<kIs16Bit<T>, float, T>>;

/// f(states, a 0 of what elements are compared as) of the winners, each of which is a `kernels::Extreme` of that type. Of bools,
/// as bytes that are 0 or 1: one truth is no larger than another.
auto with_winners(ReduceOp op, const Tensor& x, const ReducedDims& r, const auto& f) {
    const Tensor comparable = x.dtype() == kBool ? ne(x, false) : x;
    const States states = reduce_states(op, comparable, r.dims, {compute_dtype(x.dtype())});
    return dispatch(x.dtype(), [&](auto zero) { return f(states, Compared<decltype(zero)>{}); });
}

/// Where the winners stood.
template <class T>
Tensor indices_of(const States& states, const ReducedDims& r) {
    return r.shaped(states.map<kernels::Extreme<T>>(kInt64, [](const auto& s) { return s.index; }));
}

/// The one winner along `dim` gets the whole gradient: ȳ at its index, 0 elsewhere.
ValuesIndices extremum(const char* name, ReduceOp op, const Tensor& x, std::int64_t dim, bool keepdim) {
    const ReducedDims r(name, x, dim, keepdim);
    check_not_empty(name, x, r);
    auto [values, indices] = with_winners(op, x, r, [&](const States& states, auto zero) -> ValuesIndices {
        using T = decltype(zero);
        const auto value = [](const kernels::Extreme<T>& s) { return s.value; };
        return {r.shaped(states.map<kernels::Extreme<T>>(x.dtype(), value)), indices_of<T>(states, r)};
    });
    return {record(name, values,
                   {{x,
                     [r, winners = indices, sizes = x.sizes()](const Tensor& y_bar) {
                         if (sizes.empty()) return y_bar;
                         return scatter(zeros(sizes, y_bar.dtype()), r.dims[0], r.unreduced(winners),
                                        r.unreduced(y_bar));
                     }}}),
            indices};
}

Tensor index_of(const char* name, ReduceOp op, const Tensor& x, std::optional<std::int64_t> dim,
                bool keepdim) {
    check_no_bool(name, {x}, "to(kInt64)");
    const ReducedDims r(name, x, dim ? Shape(*dim) : Shape(), keepdim);
    check_not_empty(name, x, r);
    return with_winners(
        op, x, r, [&](const States& states, auto zero) { return indices_of<decltype(zero)>(states, r); });
}

}  // namespace

Tensor amax(const Tensor& x, const Shape& dims, bool keepdim) {
    return extremum("amax", ReduceOp::kMax, x, dims, keepdim);
}
Tensor amin(const Tensor& x, const Shape& dims, bool keepdim) {
    return extremum("amin", ReduceOp::kMin, x, dims, keepdim);
}

Tensor max(const Tensor& x) { return extremum("max", ReduceOp::kMax, x); }
Tensor min(const Tensor& x) { return extremum("min", ReduceOp::kMin, x); }

ValuesIndices max(const Tensor& x, std::int64_t dim, bool keepdim) {
    return extremum("max", ReduceOp::kArgMax, x, dim, keepdim);
}
ValuesIndices min(const Tensor& x, std::int64_t dim, bool keepdim) {
    return extremum("min", ReduceOp::kArgMin, x, dim, keepdim);
}

Tensor max(const Tensor& a, const Tensor& b) { return maximum(a, b); }
Tensor min(const Tensor& a, const Tensor& b) { return minimum(a, b); }

Tensor argmax(const Tensor& x, std::optional<std::int64_t> dim, bool keepdim) {
    return index_of("argmax", ReduceOp::kArgMax, x, dim, keepdim);
}
Tensor argmin(const Tensor& x, std::optional<std::int64_t> dim, bool keepdim) {
    return index_of("argmin", ReduceOp::kArgMin, x, dim, keepdim);
}

}  // namespace reel
