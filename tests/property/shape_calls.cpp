// Calls of ops/shape/join.hpp: tensors laid out and put together anew.
#include "tests/property/calls.hpp"

namespace reel::property {

namespace {

std::int64_t dims_of(const Shape& sizes) { return static_cast<std::int64_t>(sizes.size()); }

/// A call on one tensor with at least `least` dimensions; what else is drawn, `prepare` puts into the
/// function.
using Prepare = std::function<std::function<Tensor(const Tensor&)>(Draw&, const Tensor&)>;
Operation on_one(const char* name, std::int64_t least, const Prepare& prepare) {
    return {name, [=](Draw& draw) {
                const Tensor x = draw.tensor(draw.shape(least), draw.any_type());
                return Call{{x}, [f = prepare(draw, x)](const Inputs& in) -> Inputs { return {f(in[0])}; }};
            }};
}

using Function = std::function<Tensor(const Tensor&)>;

Operations layout_calls() {
    return {
        on_one("repeat", 0,
               [](Draw& draw, const Tensor& x) -> Function {
                   Shape times =
                       Shape::filled(x.sizes().size() + static_cast<std::size_t>(draw.whole(0, 1)), 1);
                   for (std::int64_t& n : times) n = draw.whole(0, 3);
                   return [=](const Tensor& in) { return repeat(in, times); };
               }),
        on_one("repeat_interleave", 1,
               [](Draw& draw, const Tensor& x) -> Function {
                   const std::int64_t times = draw.whole(0, 3);
                   const std::int64_t dim = draw.dim(x.dim());
                   return [=](const Tensor& in) { return repeat_interleave(in, times, dim); };
               }),
        on_one("roll", 1,
               [](Draw& draw, const Tensor& x) -> Function {
                   const Shape shifts = {draw.whole(-9, 9)};
                   const Shape dims = draw.chance(0.2) ? Shape{} : Shape{draw.dim(x.dim())};
                   return [=](const Tensor& in) { return roll(in, shifts, dims); };
               }),
        on_one("pad", 1,
               [](Draw& draw, const Tensor& x) -> Function {
                   Shape pads;
                   for (std::int64_t i = draw.whole(1, x.dim()); i > 0; --i) {
                       pads.push_back(draw.whole(0, 3));
                       pads.push_back(draw.whole(0, 3));
                   }
                   return [=](const Tensor& in) { return pad(in, pads, "constant", 1); };
               }),
        on_one("pad circular", 1,
               [](Draw& draw, const Tensor& x) -> Function {
                   const Shape pads = {std::min<std::int64_t>(draw.whole(0, 2), x.size(-1)), 0};
                   return [=](const Tensor& in) { return pad(in, pads, "circular"); };
               }),
        on_one("tril", 2,
               [](Draw& draw, const Tensor&) -> Function {
                   const std::int64_t diagonal = draw.whole(-3, 3);
                   return [=](const Tensor& in) { return tril(in, diagonal); };
               }),
        on_one("triu", 2,
               [](Draw& draw, const Tensor&) -> Function {
                   const std::int64_t diagonal = draw.whole(-3, 3);
                   return [=](const Tensor& in) { return triu(in, diagonal); };
               }),
    };
}

Operations join_calls() {
    return {
        {"cat",
         [](Draw& draw) {
             Shape sizes = draw.shape(1);
             const std::int64_t dim = draw.dim(dims_of(sizes));
             Inputs parts;
             for (std::int64_t i = draw.whole(1, 4); i > 0; --i) {
                 sizes[static_cast<std::size_t>(dim < 0 ? dim + dims_of(sizes) : dim)] = draw.whole(0, 4);
                 parts.push_back(draw.tensor(sizes, draw.any_type()));
             }
             return Call{parts, [dim](const Inputs& in) -> Inputs { return {cat(in, dim)}; }};
         }},
        {"stack",
         [](Draw& draw) {
             const Shape sizes = draw.shape(0, 3);
             const std::int64_t dim = draw.dim(dims_of(sizes) + 1);
             Inputs parts;
             for (std::int64_t i = draw.whole(1, 4); i > 0; --i) {
                 parts.push_back(draw.tensor(sizes, draw.any_type()));
             }
             return Call{parts, [dim](const Inputs& in) -> Inputs { return {stack(in, dim)}; }};
         }},
        {"repeat_interleave by tensor",
         [](Draw& draw) {
             const Tensor x = draw.tensor(draw.shape(1), draw.any_type());
             const std::int64_t dim = draw.dim(x.dim());
             return Call{{x, draw.wholes({x.size(dim)}, kInt64, 0, 3)}, [dim](const Inputs& in) -> Inputs {
                             return {repeat_interleave(in[0], in[1], dim)};
                         }};
         }},
    };
}

}  // namespace

Operations shape_calls() {
    Operations calls;
    for (const Operations& part : {layout_calls(), join_calls()}) {
        calls.insert(calls.end(), part.begin(), part.end());
    }
    return calls;
}

}  // namespace reel::property
