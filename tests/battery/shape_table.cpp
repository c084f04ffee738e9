// How the battery calls views, and what puts tensors together or lays them out anew.
#include "tests/battery/battery.hpp"

namespace reel::testing {

namespace {

std::int64_t dim_or(const Arguments& a, std::int64_t missing) { return integer(a, "dim").value_or(missing); }

Table views() {
    return {
        {"flatten",
         [](const Inputs& x, const Arguments& a) {
             return flatten(x[0], integer(a, "start_dim").value_or(0), integer(a, "end_dim").value_or(-1));
         }},
        {"reshape", [](const Inputs& x, const Arguments& a) { return reshape(x[0], shape(a, "shape")); }},
        // Whether the strides allow a view is another question (tests/ops/shape/views_test.cpp).
        {"view",
         [](const Inputs& x, const Arguments& a) { return x[0].contiguous().view(shape(a, "shape")); }},
        {"view_as", [](const Inputs& x) { return x[0].contiguous().view_as(x[1]); }},
        {"reshape_as", [](const Inputs& x) { return x[0].reshape_as(x[1]); }},
        {"unflatten",
         [](const Inputs& x, const Arguments& a) { return x[0].unflatten(a["dim"], shape(a, "sizes")); }},
        {"squeeze",
         [](const Inputs& x, const Arguments& a) {
             return a.contains("dim") ? squeeze(x[0], a["dim"].get<std::int64_t>()) : squeeze(x[0]);
         }},
        {"unsqueeze", [](const Inputs& x, const Arguments& a) { return unsqueeze(x[0], a["dim"]); }},
        {"transpose",
         [](const Inputs& x, const Arguments& a) { return transpose(x[0], a["dim0"], a["dim1"]); }},
        {"t", [](const Inputs& x) { return x[0].t(); }},
        {"permute", [](const Inputs& x, const Arguments& a) { return permute(x[0], shape(a, "dims")); }},
        {"movedim",
         [](const Inputs& x, const Arguments& a) {
             return movedim(x[0], shape(a, "source"), shape(a, "destination"));
         }},
        {"broadcast_to",
         [](const Inputs& x, const Arguments& a) { return broadcast_to(x[0], shape(a, "size")); }},
        {"expand", [](const Inputs& x, const Arguments& a) { return x[0].expand(shape(a, "size")); }},
        {"expand_as", [](const Inputs& x) { return x[0].expand_as(x[1]); }},
        {"flip", [](const Inputs& x, const Arguments& a) { return flip(x[0], shape(a, "dims")); }},
        {"as_strided",
         [](const Inputs& x, const Arguments& a) {
             return as_strided(x[0].contiguous(), shape(a, "sizes"), shape(a, "strides"),
                               integer(a, "offset"));
         }},
    };
}

Table parts() {
    return {
        {"select", [](const Inputs& x, const Arguments& a) { return select(x[0], a["dim"], a["index"]); }},
        {"narrow",
         [](const Inputs& x, const Arguments& a) { return narrow(x[0], a["dim"], a["start"], a["length"]); }},
        {"slice",
         [](const Inputs& x, const Arguments& a) {
             return x[0].slice(dim_or(a, 0), integer(a, "start"), integer(a, "end"),
                               integer(a, "step").value_or(1));
         }},
        {"diagonal",
         [](const Inputs& x, const Arguments& a) {
             return diagonal(x[0], integer(a, "offset").value_or(0), integer(a, "dim1").value_or(0),
                             integer(a, "dim2").value_or(1));
         }},
        {"unbind", [](const Inputs& x, const Arguments& a) { return unbind(x[0], dim_or(a, 0)); }},
        {"split",
         [](const Inputs& x, const Arguments& a) {
             if (a["split_size"].is_number())
                 return split(x[0], a["split_size"].get<std::int64_t>(), dim_or(a, 0));
             return split(x[0], a["split_size"].get<std::vector<std::int64_t>>(), dim_or(a, 0));
         }},
        {"chunk", [](const Inputs& x, const Arguments& a) { return chunk(x[0], a["chunks"], dim_or(a, 0)); }},
        {"unfold",
         [](const Inputs& x, const Arguments& a) { return x[0].unfold(a["dim"], a["size"], a["step"]); }},
    };
}

Outputs repeat_interleave_case(const Inputs& x, const Arguments& a) {
    if (x.size() == 2) return repeat_interleave(x[0], x[1], integer(a, "dim"));
    return repeat_interleave(x[0], a["repeats"].get<std::int64_t>(), integer(a, "dim"));
}

Outputs pad_case(const Inputs& x, const Arguments& a) {
    const Scalar value = a.contains("value") ? scalar(a["value"]) : 0;
    return pad(x[0], shape(a, "pad"), a.value("mode", "constant"), value);
}

Table copies() {
    return {
        {"clone", [](const Inputs& x) { return x[0].clone(); }},
        {"contiguous", [](const Inputs& x) { return x[0].contiguous(); }},
        {"detach", [](const Inputs& x) { return x[0].detach(); }},
        {"to", [](const Inputs& x, const Arguments& a) { return x[0].to(dtype_named(a["dtype"])); }},
        {"cat", [](const Inputs& x, const Arguments& a) { return cat(x, dim_or(a, 0)); }},
        {"stack", [](const Inputs& x, const Arguments& a) { return stack(x, dim_or(a, 0)); }},
        {"repeat", [](const Inputs& x, const Arguments& a) { return repeat(x[0], shape(a, "repeats")); }},
        {"repeat_interleave", repeat_interleave_case},
        {"roll", [](const Inputs& x,
                    const Arguments& a) { return roll(x[0], shape(a, "shifts"), shape(a, "dims")); }},
        {"pad", pad_case},
        {"tril",
         [](const Inputs& x, const Arguments& a) { return tril(x[0], integer(a, "diagonal").value_or(0)); }},
        {"triu",
         [](const Inputs& x, const Arguments& a) { return triu(x[0], integer(a, "diagonal").value_or(0)); }},
    };
}

}  // namespace

Table shape_table() {
    Table all = views();
    for (Table table : {parts(), copies()}) all.merge(table);
    return all;
}

}  // namespace reel::testing
