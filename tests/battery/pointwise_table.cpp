// How the battery calls the pointwise operations.
#include "tests/battery/battery.hpp"

namespace reel::testing {

namespace {

using Numbers = Tensor (*)(const Tensor&, Scalar);
using Tensors = Tensor (*)(const Tensor&, const Tensor&);
using Reversed = Tensor (*)(Scalar, const Tensor&);

/// An operation of two tensors, of a tensor and a number (`other` or `exponent`) and, where there is such a
/// form, of a number (`self`) and a tensor.
Operation binary(Tensors of_tensors, Numbers of_number, Reversed reversed = nullptr) {
    return [=](const Inputs& x, const Arguments& a) -> Outputs {
        if (a.contains("self")) return reversed(scalar(a["self"]), x[0]);
        if (a.contains("other")) return of_number(x[0], scalar(a["other"]));
        if (a.contains("exponent")) return of_number(x[0], scalar(a["exponent"]));
        return of_tensors(x[0], x[1]);
    };
}

/// add and sub: also with a factor alpha.
using ScaledNumbers = Tensor (*)(const Tensor&, Scalar, Scalar);
using ScaledTensors = Tensor (*)(const Tensor&, const Tensor&, Scalar);

Operation scaled(ScaledTensors of_tensors, ScaledNumbers of_number, Reversed reversed) {
    return [=](const Inputs& x, const Arguments& a) -> Outputs {
        const Scalar alpha = a.contains("alpha") ? scalar(a["alpha"]) : 1;
        if (a.contains("self")) return reversed(scalar(a["self"]), x[0]);
        if (a.contains("other")) return of_number(x[0], scalar(a["other"]), alpha);
        return of_tensors(x[0], x[1], alpha);
    };
}

Outputs clamp_case(const Inputs& x, const Arguments& a) {
    if (x.size() == 1) return clamp(x[0], optional_scalar(a, "min"), optional_scalar(a, "max"));
    if (a.contains("only") && a["only"] == "max") return clamp(x[0], None, std::optional(x[1]));
    return clamp(x[0], std::optional(x[1]), x.size() == 3 ? std::optional(x[2]) : None);
}

Outputs where_case(const Inputs& x, const Arguments& a) {
    if (x.size() == 1) return where(x[0], scalar(a["self"]), scalar(a["other"]));
    if (a.contains("other")) return where(x[0], x[1], scalar(a["other"]));
    if (a.contains("self")) return where(x[0], scalar(a["self"]), x[1]);
    return where(x[0], x[1], x[2]);
}

Table arithmetic() {
    return {
        {"add", scaled(add, add, [](Scalar a, const Tensor& b) { return a + b; })},
        {"sub", scaled(sub, sub, [](Scalar a, const Tensor& b) { return a - b; })},
        {"mul", binary(mul, mul)},
        {"div", binary(div, div, div)},
        {"fmod", binary(fmod, fmod)},
        {"remainder", binary(remainder, remainder, remainder)},
        {"neg", neg},
        {"abs", abs},
        {"sign", sign},
        {"square", square},
        {"reciprocal", reciprocal},
        {"floor", floor},
        {"ceil", ceil},
        {"round", round},
        {"trunc", trunc},
    };
}

Table functions() {
    return {
        {"exp", exp},
        {"expm1", expm1},
        {"log", log},
        {"log1p", log1p},
        {"sqrt", sqrt},
        {"rsqrt", rsqrt},
        {"sin", sin},
        {"cos", cos},
        {"tan", tan},
        {"erf", erf},
        {"atan2", atan2},
        {"logaddexp", logaddexp},
        {"pow", binary(pow, pow, pow)},
        {"xlogy", binary(xlogy, xlogy, xlogy)},
        {"lerp",
         [](const Inputs& x, const Arguments& a) {
             return a.contains("weight") ? lerp(x[0], x[1], scalar(a["weight"])) : lerp(x[0], x[1], x[2]);
         }},
    };
}

Table activations() {
    return {
        {"tanh", tanh},
        {"sigmoid", sigmoid},
        {"relu", relu},
        {"leaky_relu", [](const Inputs& x,
                          const Arguments& a) { return leaky_relu(x[0], a.value("negative_slope", 0.01)); }},
        {"elu", [](const Inputs& x, const Arguments& a) { return elu(x[0], a.value("alpha", 1.0)); }},
        {"gelu",
         [](const Inputs& x, const Arguments& a) { return gelu(x[0], a.value("approximate", "none")); }},
        {"silu", silu},
        {"softplus",
         [](const Inputs& x, const Arguments& a) {
             return softplus(x[0], a.value("beta", 1.0), a.value("threshold", 20.0));
         }},
        {"logsigmoid", logsigmoid},
    };
}

Table choices() {
    return {
        {"where", where_case},
        {"clamp", clamp_case},
        {"maximum", maximum},
        {"minimum", minimum},
        {"max", [](const Inputs& x) { return max(x[0], x[1]); }},
        {"min", [](const Inputs& x) { return min(x[0], x[1]); }},
        {"masked_fill",
         [](const Inputs& x, const Arguments& a) {
             return x.size() == 3 ? masked_fill(x[0], x[1], x[2])
                                  : masked_fill(x[0], x[1], scalar(a["value"]));
         }},
        {"nan_to_num",
         [](const Inputs& x, const Arguments& a) {
             return nan_to_num(x[0], optional_number(a, "nan"), optional_number(a, "posinf"),
                               optional_number(a, "neginf"));
         }},
    };
}

Table comparisons() {
    return {
        {"eq", binary(eq, eq)},
        {"ne", binary(ne, ne)},
        {"lt", binary(lt, lt)},
        {"le", binary(le, le)},
        {"gt", binary(gt, gt)},
        {"ge", binary(ge, ge)},
        {"logical_and", logical_and},
        {"logical_or", logical_or},
        {"logical_xor", logical_xor},
        {"logical_not", logical_not},
        {"isnan", isnan},
        {"isinf", isinf},
        {"isfinite", isfinite},
        {"isclose",
         [](const Inputs& x, const Arguments& a) {
             return isclose(x[0], x[1], a.value("rtol", 1e-5), a.value("atol", 1e-8),
                            a.value("equal_nan", false));
         }},
        {"allclose", [](const Inputs& x) { return allclose(x[0], x[1]); }},
        {"equal", [](const Inputs& x) { return equal(x[0], x[1]); }},
    };
}

}  // namespace

Table pointwise_table() {
    Table all;
    for (Table table : {arithmetic(), functions(), activations(), choices(), comparisons()}) all.merge(table);
    return all;
}

}  // namespace reel::testing
