// Rows of ops/reduce/reduce.cpp, ops/reduce/norm.cpp and ops/reduce/extremes.cpp.
#include <limits>

#include "tests/gradients/rows.hpp"

namespace reel::testing {

namespace {

using Inputs = std::vector<Tensor>;

/// `numbers` with zeros at some places.
Tensor with_zeros(const Shape& sizes, const std::vector<std::int64_t>& places) {
    const Tensor x = numbers(sizes, 0.5, 2);
    for (std::int64_t place : places) x.data_ptr<double>()[place] = 0;
    return x;
}

Row row(const char* operation, const char* variant, const Shape& sizes, Tensor (*f)(const Tensor&)) {
    return {operation, variant, [f](const Inputs& x) { return f(x[0]); }, {numbers(sizes)}};
}

Row prod_row(const char* variant, const Tensor& x, Tensor (*f)(const Tensor&)) {
    return {"prod", variant, [f](const Inputs& in) { return f(in[0]); }, {x}};
}

Rows sum_rows() {
    return {
        row("sum", "all", {2, 3}, [](const Tensor& x) { return sum(x); }),
        row("sum", "inner dim", {2, 3}, [](const Tensor& x) { return sum(x, -1); }),
        row("sum", "outer dim, kept", {2, 3}, [](const Tensor& x) { return sum(x, 0, true); }),
        row("sum", "two dims apart", {2, 3, 2},
            [](const Tensor& x) {
                return sum(x, {0, 2});
            }),
        row("mean", "all", {2, 3}, [](const Tensor& x) { return mean(x); }),
        row("mean", "middle dim", {2, 3, 2}, [](const Tensor& x) { return mean(x, 1); }),
        row("var", "all", {2, 3}, [](const Tensor& x) { return var(x); }),
        row("var", "biased, two dims", {2, 3, 2},
            [](const Tensor& x) {
                return var(x, {0, 2}, false, true);
            }),
        row("std", "all", {2, 3}, [](const Tensor& x) { return std(x); }),
        row("std", "biased, one dim", {2, 3}, [](const Tensor& x) { return std(x, 1, false); }),
    };
}

Rows prod_rows() {
    const auto all = [](const Tensor& x) { return prod(x); };
    const auto rows = [](const Tensor& x) { return prod(x, 1); };
    const auto apart = [](const Tensor& x) { return prod(x, {0, 2}, true); };
    return {
        prod_row("no zero", numbers({2, 3}, 0.5, 2), rows),
        prod_row("no zero, all", numbers({2, 3}, 0.5, 2), all),
        prod_row("one zero", with_zeros({4}, {1}), all),
        prod_row("rows with none, one, two and three zeros", with_zeros({4, 3}, {4, 6, 8, 9, 10, 11}), rows),
        prod_row("two dims apart, zeros", with_zeros({2, 2, 2}, {1, 6}), apart),
    };
}

Row norm_row(const char* variant, double p, const Tensor& x, const Shape& dims = {}) {
    return {"norm", variant, [p, dims](const Inputs& in) { return norm(in[0], p, dims); }, {x}};
}

Rows norm_rows() {
    const double infinity = std::numeric_limits<double>::infinity();
    return {
        norm_row("p = 1", 1, numbers({2, 3})),
        norm_row("p = 2", 2, numbers({2, 3})),
        norm_row("p = 2, two dims apart", 2, numbers({2, 3, 2}), {0, 2}),
        norm_row("p = 3", 3, numbers({2, 3}), 1),
        norm_row("p = 1.5", 1.5, numbers({2, 3}), 0),
        norm_row("p = 0.5", 0.5, numbers({2, 3})),
        norm_row("p = -1", -1, numbers({2, 3}, 0.5, 2)),
        norm_row("p = infinity", infinity, numbers({2, 3}), 1),
        norm_row("p = -infinity", -infinity, numbers({2, 3}), 1),
    };
}

Rows extreme_rows() {
    return {
        row("amax", "all", {2, 3}, [](const Tensor& x) { return amax(x); }),
        row("amax", "two dims apart", {2, 3, 2},
            [](const Tensor& x) {
                return amax(x, {0, 2});
            }),
        row("amin", "one dim, kept", {2, 3}, [](const Tensor& x) { return amin(x, 1, true); }),
        row("max", "all", {2, 3}, [](const Tensor& x) { return max(x); }),
        row("min", "all", {2, 3}, [](const Tensor& x) { return min(x); }),
        row("max", "with index, inner dim", {2, 3}, [](const Tensor& x) { return max(x, 1).values; }),
        row("max", "with index, outer dim, kept", {3, 2},
            [](const Tensor& x) { return max(x, 0, true).values; }),
        row("min", "with index, middle dim", {2, 3, 2}, [](const Tensor& x) { return min(x, 1).values; }),
    };
}

}  // namespace

Rows reduce_rows() {
    Rows rows = sum_rows();
    for (const Rows& more : {prod_rows(), norm_rows(), extreme_rows()})
        rows.insert(rows.end(), more.begin(), more.end());
    return rows;
}

}  // namespace reel::testing
