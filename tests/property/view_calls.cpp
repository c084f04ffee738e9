// Calls of ops/shape/views.hpp and of the views and copies that are methods only.
#include "tests/property/calls.hpp"

namespace reel::property {

namespace {

using Function = std::function<Tensor(const Tensor&)>;

/// A call on one tensor with at least `least` dimensions; what else is drawn, `prepare` puts into the
/// function.
using Prepare = std::function<Function(Draw&, const Tensor&)>;
Operation on_one(const char* name, std::int64_t least, const Prepare& prepare) {
    return {name, [=](Draw& draw) {
                const Tensor x = draw.tensor(draw.shape(least), draw.any_type());
                return Call{{x}, [f = prepare(draw, x)](const Inputs& in) -> Inputs { return {f(in[0])}; }};
            }};
}

/// A call with one dimension that is drawn.
Operation along(const char* name, Tensor (*f)(const Tensor&, std::int64_t)) {
    return on_one(name, 1, [f](Draw& draw, const Tensor& x) -> Function {
        return [f, dim = draw.dim(x.dim())](const Tensor& in) { return f(in, dim); };
    });
}

/// A call with nothing but the tensor.
Operation plain(const char* name, std::int64_t least, Tensor (*f)(const Tensor&)) {
    return on_one(name, least, [f](Draw&, const Tensor&) -> Function { return f; });
}

Shape last_as_pair(const Tensor& x) {
    Shape sizes = x.sizes();
    sizes.insert(sizes.size() - 1, 1);
    return sizes;
}

Operations drawn_calls() {
    return {
        on_one("reshape", 0,
               [](Draw& draw, const Tensor& x) -> Function {
                   const std::int64_t n = x.numel();
                   const Shape to = n > 0 && n % 2 == 0 && draw.chance(0.5) ? Shape{2, n / 2} : Shape{n};
                   return [to](const Tensor& in) { return reshape(in, to); };
               }),
        on_one("flatten", 1,
               [](Draw& draw, const Tensor& x) -> Function {
                   const std::int64_t start = draw.whole(0, x.dim() - 1);
                   const std::int64_t end = draw.whole(start, x.dim() - 1);
                   return [=](const Tensor& in) { return flatten(in, start, end); };
               }),
        on_one("diagonal", 2,
               [](Draw& draw, const Tensor&) -> Function {
                   const std::int64_t offset = draw.whole(-2, 2);
                   return [=](const Tensor& in) { return diagonal(in, offset, 0, -1); };
               }),
        on_one("unfold", 1,
               [](Draw& draw, const Tensor& x) -> Function {
                   const std::int64_t dim = draw.dim(x.dim());
                   const std::int64_t size = draw.whole(0, x.size(dim));
                   const std::int64_t step = draw.whole(1, 3);
                   return [=](const Tensor& in) { return in.unfold(dim, size, step); };
               }),
        on_one("permute", 0,
               [](Draw& draw, const Tensor& x) -> Function {
                   return [dims = Shape(draw.permutation(x.dim()))](const Tensor& in) {
                       return permute(in, dims);
                   };
               }),
        on_one("expand", 0,
               [](Draw& draw, const Tensor& x) -> Function {
                   Shape sizes = Shape::filled(x.sizes().size() + 1, -1);
                   sizes[0] = draw.whole(1, 3);
                   return [=](const Tensor& in) { return in.expand(sizes); };
               }),
        on_one("flip", 1,
               [](Draw& draw, const Tensor& x) -> Function {
                   Shape dims = {draw.dim(x.dim())};
                   return [=](const Tensor& in) { return flip(in, dims); };
               }),
    };
}

Operations dim_calls() {
    using T = const Tensor&;
    return {
        along("unsqueeze", [](T x, std::int64_t d) { return unsqueeze(x, d); }),
        along("squeeze", [](T x, std::int64_t d) { return squeeze(x, d); }),
        along("transpose", [](T x, std::int64_t d) { return transpose(x, 0, d); }),
        along("movedim", [](T x, std::int64_t d) { return movedim(x, d, 0); }),
        along("select", [](T x, std::int64_t d) { return x.size(d) == 0 ? x : select(x, d, -1); }),
        along("narrow", [](T x, std::int64_t d) { return narrow(x, d, x.size(d) / 3, x.size(d) / 2); }),
        along("slice", [](T x, std::int64_t d) { return x.slice(d, 1, None, 2); }),
        along("unflatten",
              [](T x, std::int64_t d) {
                  return x.unflatten(d, {x.size(d), 1});
              }),
        along("unbind", [](T x, std::int64_t d) { return x.size(d) == 0 ? x : unbind(x, d).back(); }),
        along("split", [](T x, std::int64_t d) { return split(x, 2, d).back(); }),
        along("chunk", [](T x, std::int64_t d) { return chunk(x, 2, d).back(); }),
    };
}

Operations plain_calls() {
    using T = const Tensor&;
    return {
        plain("t", 0, [](T x) { return x.flatten().t(); }),
        plain("expand_as", 0, [](T x) { return x.expand_as(x.unsqueeze(0)); }),
        plain("broadcast_to", 0, [](T x) { return broadcast_to(x, x.unsqueeze(0).sizes()); }),
        plain("reshape_as", 0, [](T x) { return x.reshape_as(x.unsqueeze(0)); }),
        plain("view", 1, [](T x) { return x.view(last_as_pair(x)); }),
        plain("view_as", 0, [](T x) { return x.view_as(x.unsqueeze(0)); }),
        plain("as_strided", 1,
              [](T x) {
                  return x.clone().as_strided({x.numel() / 2, 2}, {1, 0});
              }),
        plain("to", 0, [](T x) { return x.to(kFloat64); }),
        plain("to float16", 0, [](T x) { return x.to(kFloat16); }),
        plain("to bool", 0, [](T x) { return x.to(kBool); }),
        plain("clone", 0, [](T x) { return x.clone(); }),
        plain("contiguous", 0, [](T x) { return x.contiguous(); }),
        plain("detach", 0, [](T x) { return x.detach(); }),
    };
}

/// In place, on a copy of the first input.
template <class F>
Operation in_place(const char* name, F f) {
    return {name, [f](Draw& draw) {
                const Shape sizes = draw.shape();
                const DType type = draw.floating();
                return Call{{draw.tensor(sizes, type), draw.tensor(draw.narrower(sizes), type)},
                            [f](const Inputs& in) -> Inputs {
                                const Tensor x = in[0].clone();
                                f(x, in[1]);
                                return {x};
                            }};
            }};
}

Operations change_calls() {
    using T = const Tensor&;
    return {
        in_place("copy_", [](T x, T y) { x.copy_(y); }),
        in_place("fill_", [](T x, T) { x.fill_(0.5); }),
        in_place("zero_", [](T x, T) { x.zero_(); }),
        in_place("add_", [](T x, T y) { x.add_(y); }),
        in_place("sub_", [](T x, T y) { x.sub_(y); }),
        in_place("mul_", [](T x, T y) { x.mul_(y); }),
        in_place("div_", [](T x, T y) { x.div_(y); }),
        in_place("clamp_", [](T x, T) { x.clamp_(-1, 1); }),
        {"masked_fill_",
         [](Draw& draw) {
             const Shape sizes = draw.shape();
             return Call{{draw.tensor(sizes, draw.floating()), draw.tensor(draw.narrower(sizes), kBool)},
                         [](const Inputs& in) -> Inputs {
                             const Tensor x = in[0].clone();
                             x.masked_fill_(in[1], 0.5);
                             return {x};
                         }};
         }},
        in_place("index_put_", [](T x, T y) { x.index_put_({Ellipsis}, y, true); }),
    };
}

}  // namespace

Operations view_calls() {
    Operations calls;
    for (const Operations& part : {drawn_calls(), dim_calls(), plain_calls(), change_calls()}) {
        calls.insert(calls.end(), part.begin(), part.end());
    }
    return calls;
}

}  // namespace reel::property
