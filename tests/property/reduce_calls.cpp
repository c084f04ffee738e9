// Calls of ops/reduce/reduce.hpp, scan.hpp, sort.hpp and softmax.hpp.
#include "tests/property/calls.hpp"

namespace reel::property {

namespace {

using Type = DType (Draw::*)();
constexpr Type kFloating = &Draw::floating;
constexpr Type kNumber = &Draw::number;
constexpr Type kAny = &Draw::any_type;

/// Sums of 700 numbers up to 4, in another order of blocks.
constexpr double kSumUlps = 4;
constexpr double kSumSize = 100;
/// Each factor may round the product once.
constexpr double kProductUlps = 25;

/// Without empty dimensions: there must be something to choose from.
Shape filled_shape(Draw& draw, std::int64_t least = 0) {
    Shape sizes = draw.shape(least);
    for (std::int64_t& size : sizes) size = std::max<std::int64_t>(size, 1);
    return sizes;
}

using Reduction = Tensor (*)(const Tensor&, const Shape&, bool);
Operation reduction(const char* name, Reduction f, Type type = kAny, double ulps = 0) {
    return {
        name, [=](Draw& draw) {
            const Tensor x = draw.tensor(filled_shape(draw), (draw.*type)());
            const Shape dims = draw.dims(x.dim());
            const bool keepdim = draw.chance(0.5);
            return Call{
                {x}, [=](const Inputs& in) -> Inputs { return {f(in[0], dims, keepdim)}; }, ulps, kSumSize};
        }};
}

/// The function of a tensor and a dimension that has elements.
template <class F>
Operation along(const char* name, F f, Type type = kNumber, double ulps = 0) {
    return {
        name, [=](Draw& draw) {
            const Tensor x = draw.tensor(filled_shape(draw, 1), (draw.*type)());
            const std::int64_t dim = draw.dim(x.dim());
            const bool flag = draw.chance(0.5);
            return Call{{x}, [=](const Inputs& in) -> Inputs { return f(in[0], dim, flag); }, ulps, kSumSize};
        }};
}

Inputs both(const ValuesIndices& pair) { return {pair.values, pair.indices}; }

Tensor norm_of(const Tensor& x, double p, const Shape& dims, bool keepdim) {
    return norm(x, p, dims, keepdim);
}

Operations reductions() {
    return {
        reduction("sum", sum, kAny, kSumUlps),
        reduction("mean", mean, kFloating, kSumUlps),
        {"prod",
         [](Draw& draw) {
             // So few that nothing overflows: 0 · ∞ would depend on the order.
             const Tensor x = draw.tensor({draw.whole(1, 5), draw.whole(1, 5)}, draw.any_type());
             const Shape dims = draw.dims(x.dim());
             return Call{{x}, [=](const Inputs& in) -> Inputs { return {prod(in[0], dims)}; }, kProductUlps};
         }},
        reduction(
            "var", [](const Tensor& x, const Shape& d, bool k) { return var(x, d, true, k); }, kFloating,
            kSumUlps),
        reduction(
            "std", [](const Tensor& x, const Shape& d, bool k) { return reel::std(x, d, false, k); },
            kFloating, kSumUlps),
        reduction(
            "norm 2", [](const Tensor& x, const Shape& d, bool k) { return norm_of(x, 2, d, k); }, kFloating,
            kSumUlps),
        reduction(
            "norm 1", [](const Tensor& x, const Shape& d, bool k) { return norm_of(x, 1, d, k); }, kFloating,
            kSumUlps),
        reduction(
            "norm 2.5", [](const Tensor& x, const Shape& d, bool k) { return norm_of(x, 2.5, d, k); },
            kFloating, kSumUlps),
        reduction(
            "norm inf", [](const Tensor& x, const Shape& d, bool k) { return norm_of(x, INFINITY, d, k); },
            kFloating),
        reduction("amax", amax),
        reduction("amin", amin),
        reduction("logsumexp", logsumexp, kNumber, kSumUlps),
        reduction("any", any),
        reduction("all", all),
        reduction("count_nonzero", count_nonzero),
    };
}

Operations orders() {
    return {
        along("max of all", [](const Tensor& x, std::int64_t, bool) -> Inputs { return {max(x)}; }),
        along("min of all", [](const Tensor& x, std::int64_t, bool) -> Inputs { return {min(x)}; }),
        along("max", [](const Tensor& x, std::int64_t d, bool k) { return both(max(x, d, k)); }),
        along("min", [](const Tensor& x, std::int64_t d, bool k) { return both(min(x, d, k)); }),
        along("argmax", [](const Tensor& x, std::int64_t d, bool k) -> Inputs { return {argmax(x, d, k)}; }),
        along("argmin", [](const Tensor& x, std::int64_t d, bool k) -> Inputs { return {argmin(x, d, k)}; }),
        along("argmax of all", [](const Tensor& x, std::int64_t, bool) -> Inputs { return {argmax(x)}; }),
        along(
            "cumsum", [](const Tensor& x, std::int64_t d, bool) -> Inputs { return {cumsum(x, d)}; }, kAny),
        along(
            "cumprod", [](const Tensor& x, std::int64_t d, bool) -> Inputs { return {cumprod(x, d)}; }, kAny),
        along(
            "exclusive_cumprod",
            [](const Tensor& x, std::int64_t d, bool) -> Inputs { return {exclusive_cumprod(x, d)}; },
            kFloating),
        along(
            "sort", [](const Tensor& x, std::int64_t d, bool down) { return both(sort(x, d, down)); }, kAny),
        along(
            "argsort",
            [](const Tensor& x, std::int64_t d, bool down) -> Inputs { return {argsort(x, d, down)}; }, kAny),
        along("topk", [](const Tensor& x, std::int64_t d,
                         bool largest) { return both(topk(x, (x.size(d) + 1) / 2, d, largest)); }),
    };
}

Operations softmaxes() {
    return {
        along(
            "softmax", [](const Tensor& x, std::int64_t d, bool) -> Inputs { return {softmax(x, d)}; },
            kFloating, kSumUlps),
        along(
            "log_softmax",
            [](const Tensor& x, std::int64_t d, bool) -> Inputs { return {log_softmax(x, d)}; }, kFloating,
            kSumUlps),
        {"masked_softmax",
         [](Draw& draw) {
             const Shape sizes = filled_shape(draw, 1);
             const std::int64_t dim = draw.dim(static_cast<std::int64_t>(sizes.size()));
             return Call{{draw.tensor(sizes, draw.floating()), draw.tensor(draw.narrower(sizes), kBool)},
                         [dim](const Inputs& x) -> Inputs { return {masked_softmax(x[0], x[1], dim)}; },
                         kSumUlps};
         }},
        {"linear_recurrence",
         [](Draw& draw) {
             const Shape sizes = filled_shape(draw, 1);
             const DType type = draw.pick({kFloat32, kFloat64});
             const std::int64_t dim = draw.dim(static_cast<std::int64_t>(sizes.size()));
             const bool from_end = draw.chance(0.5);
             return Call{
                 {draw.tensor(sizes, type), draw.reals(sizes, type, -1, 1)},
                 [=](const Inputs& x) -> Inputs { return {linear_recurrence(x[0], x[1], dim, from_end)}; }};
         }},
    };
}

}  // namespace

Operations reduce_calls() {
    Operations calls;
    for (const Operations& part : {reductions(), orders(), softmaxes()}) {
        calls.insert(calls.end(), part.begin(), part.end());
    }
    return calls;
}

}  // namespace reel::property
