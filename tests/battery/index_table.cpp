// How the battery calls what reads and writes at places, and what works in place (on a copy of the first
// input).
#include "tests/battery/battery.hpp"

namespace reel::testing {

namespace {

std::optional<std::int64_t> bound(const Arguments& value) {
    if (value.is_null()) return None;
    return value.get<std::int64_t>();
}

/// Numbers and bools, null for None, "...", [start, stop, step], and {"in": k} for input k.
TensorIndices words(const Arguments& index, const Inputs& x) {
    TensorIndices said;
    for (const Arguments& word : index) {
        if (word.is_null()) {
            said.emplace_back(None);
        } else if (word.is_string()) {
            said.emplace_back(Ellipsis);
        } else if (word.is_boolean()) {
            said.emplace_back(word.get<bool>());
        } else if (word.is_number()) {
            said.emplace_back(word.get<std::int64_t>());
        } else if (word.is_array()) {
            said.emplace_back(Slice(bound(word[0]), bound(word[1]), bound(word[2])));
        } else {
            said.emplace_back(x.at(word["in"].get<std::size_t>()));
        }
    }
    return said;
}

Table places() {
    return {
        {"index", [](const Inputs& x, const Arguments& a) { return index(x[0], words(a["index"], x)); }},
        {"index_put",
         [](const Inputs& x, const Arguments& a) {
             return index_put(x[0], words(a["index"], x), x[1], a["accumulate"].get<bool>());
         }},
        {"index_select",
         [](const Inputs& x, const Arguments& a) { return index_select(x[0], a["dim"], x[1]); }},
        {"gather", [](const Inputs& x, const Arguments& a) { return gather(x[0], a["dim"], x[1]); }},
        {"scatter",
         [](const Inputs& x, const Arguments& a) {
             if (a.contains("value")) return scatter(x[0], a["dim"], x[1], scalar(a["value"]));
             return scatter(x[0], a["dim"], x[1], x[2]);
         }},
        {"scatter_add",
         [](const Inputs& x, const Arguments& a) { return scatter_add(x[0], a["dim"], x[1], x[2]); }},
        {"take_along_dim",
         [](const Inputs& x, const Arguments& a) { return take_along_dim(x[0], x[1], integer(a, "dim")); }},
        {"masked_select", masked_select},
        {"nonzero", nonzero},
        {"one_hot", [](const Inputs& x,
                       const Arguments& a) { return one_hot(x[0], integer(a, "num_classes").value_or(-1)); }},
        {"embedding", embedding},
    };
}

/// f(copy of the first input, the second input or the number `other`, alpha).
template <class F>
Operation in_place(F f) {
    return [f](const Inputs& x, const Arguments& a) {
        const Tensor y = x[0].clone();
        if (a.contains("other")) {
            f(y, scalar(a["other"]), 1);
        } else {
            f(y, x[1], a.contains("alpha") ? scalar(a["alpha"]) : 1);
        }
        return y;
    };
}

/// Likewise for what takes a mask or nothing in between, and the last input or the number `value`.
template <class F>
Operation filling(F f) {
    return [f](const Inputs& x, const Arguments& a) {
        const Tensor y = x[0].clone();
        if (a.contains("value")) {
            f(y, x, scalar(a["value"]));
        } else {
            f(y, x, x.back());
        }
        return y;
    };
}

Table changes() {
    return {
        {"add_", in_place([](const Tensor& y, const auto& b, Scalar alpha) { y.add_(b, alpha); })},
        {"sub_", in_place([](const Tensor& y, const auto& b, Scalar alpha) { y.sub_(b, alpha); })},
        {"mul_", in_place([](const Tensor& y, const auto& b, Scalar) { y.mul_(b); })},
        {"div_", in_place([](const Tensor& y, const auto& b, Scalar) { y.div_(b); })},
        {"fill_", filling([](const Tensor& y, const Inputs&, const auto& value) { y.fill_(value); })},
        {"masked_fill_",
         filling([](const Tensor& y, const Inputs& x, const auto& value) { y.masked_fill_(x[1], value); })},
        {"copy_", [](const Inputs& x) { return x[0].clone().copy_(x[1]); }},
        {"zero_", [](const Inputs& x) { return x[0].clone().zero_(); }},
        {"clamp_",
         [](const Inputs& x, const Arguments& a) {
             return x[0].clone().clamp_(optional_scalar(a, "min"), optional_scalar(a, "max"));
         }},
        {"index_put_",
         [](const Inputs& x, const Arguments& a) {
             return x[0].clone().index_put_(words(a["index"], x), x[1], a["accumulate"].get<bool>());
         }},
    };
}

}  // namespace

Table index_table() {
    Table all = places();
    for (Table table : {changes()}) all.merge(table);
    return all;
}

}  // namespace reel::testing
