// How the battery calls reductions, scans and order.
#include "tests/battery/battery.hpp"

namespace reel::testing {

namespace {

/// f(x, dims, keepdim).
Operation reduction(Tensor (*f)(const Tensor&, const Shape&, bool)) {
    return [f](const Inputs& x, const Arguments& a) {
        return f(x[0], shape(a, "dim"), a.value("keepdim", false));
    };
}

/// f(x, dims, unbiased, keepdim).
Operation moment(Tensor (*f)(const Tensor&, const Shape&, bool, bool)) {
    return [f](const Inputs& x, const Arguments& a) {
        return f(x[0], shape(a, "dim"), a.value("unbiased", true), a.value("keepdim", false));
    };
}

Outputs norm_case(const Inputs& x, const Arguments& a) {
    const Scalar p = a.contains("p") ? scalar(a["p"]) : 2;
    if (a.contains("dim") || a.contains("keepdim"))
        return norm(x[0], p, shape(a, "dim"), a.value("keepdim", false));
    return norm(x[0], p);
}

using All = Tensor (*)(const Tensor&);
using Along = ValuesIndices (*)(const Tensor&, std::int64_t, bool);

/// max and min: of all, or along a dim with their places.
Operation extreme(All of_all, Along along) {
    return [=](const Inputs& x, const Arguments& a) -> Outputs {
        if (!a.contains("dim")) return of_all(x[0]);
        return along(x[0], a["dim"], a.value("keepdim", false));
    };
}

Operation place(Tensor (*f)(const Tensor&, std::optional<std::int64_t>, bool)) {
    return [f](const Inputs& x, const Arguments& a) {
        return f(x[0], integer(a, "dim"), a.value("keepdim", false));
    };
}

Operation scan(Tensor (*f)(const Tensor&, std::int64_t)) {
    return [f](const Inputs& x, const Arguments& a) { return f(x[0], a["dim"]); };
}

}  // namespace

Table reduce_table() {
    return {
        {"sum", reduction(sum)},
        {"mean", reduction(mean)},
        {"prod", reduction(prod)},
        {"amax", reduction(amax)},
        {"amin", reduction(amin)},
        {"any", reduction(any)},
        {"all", reduction(all)},
        {"count_nonzero", reduction(count_nonzero)},
        {"var", moment(var)},
        {"std", moment(std)},
        {"norm", norm_case},
        {"max", extreme(max, max)},
        {"min", extreme(min, min)},
        {"argmax", place(argmax)},
        {"argmin", place(argmin)},
        {"cumsum", scan(cumsum)},
        {"cumprod", scan(cumprod)},
        {"exclusive_cumprod", scan(exclusive_cumprod)},
        {"linear_recurrence",
         [](const Inputs& x, const Arguments& a) {
             return linear_recurrence(x[0], x[1], a["dim"], a["from_end"].get<bool>());
         }},
        {"sort",
         [](const Inputs& x, const Arguments& a) {
             return sort(x[0], a.value("dim", std::int64_t{-1}), a.value("descending", false));
         }},
        {"argsort",
         [](const Inputs& x, const Arguments& a) {
             return argsort(x[0], a.value("dim", std::int64_t{-1}), a.value("descending", false));
         }},
        {"topk",
         [](const Inputs& x, const Arguments& a) {
             return topk(x[0], a["k"], a.value("dim", std::int64_t{-1}), a.value("largest", true));
         }},
    };
}

}  // namespace reel::testing
