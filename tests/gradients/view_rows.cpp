// Rows of ops/shape/views.cpp.
#include "tests/gradients/rows.hpp"

namespace reel::testing {

namespace {

using Inputs = std::vector<Tensor>;

Row view(const char* operation, const char* variant, const Shape& sizes, Tensor (*f)(const Tensor&)) {
    return {operation, variant, [f](const Inputs& x) { return f(x[0]); }, {numbers(sizes)}};
}

Tensor through_float32(const Tensor& x) { return x.to(kFloat32).to(kFloat64); }

/// The elements of x with the gradient of y, for a y that is x rounded: numeric derivatives want no rounding.
Tensor unrounded(const Tensor& x, const Tensor& y) { return y + (x - y).detach(); }

}  // namespace

Rows view_rows() {
    return {
        view("view", "", {2, 6},
             [](const Tensor& x) {
                 return x.contiguous().view({3, -1});
             }),
        view("squeeze", "one dim", {2, 1, 3}, [](const Tensor& x) { return x.squeeze(1); }),
        view("squeeze", "all dims", {1, 3, 1}, [](const Tensor& x) { return x.squeeze(); }),
        view("unsqueeze", "", {2, 3}, [](const Tensor& x) { return x.unsqueeze(-1); }),
        view("transpose", "", {2, 3, 4}, [](const Tensor& x) { return x.transpose(0, -1); }),
        view("transpose", "t", {2, 3}, [](const Tensor& x) { return x.t(); }),
        view("t", "vector", {3}, [](const Tensor& x) { return x.t(); }),
        view("permute", "", {2, 3, 4},
             [](const Tensor& x) {
                 return x.permute({2, 0, 1});
             }),
        view("expand", "", {3, 1},
             [](const Tensor& x) {
                 return x.expand({2, -1, 4});
             }),
        view("select", "", {2, 3}, [](const Tensor& x) { return x.select(1, -1); }),
        view("slice", "", {2, 7}, [](const Tensor& x) { return x.slice(1, 1, 6, 2); }),
        view("slice", "backwards", {7}, [](const Tensor& x) { return x.slice(0, None, 1, -2); }),
        view("flip", "", {2, 3},
             [](const Tensor& x) {
                 return x.flip({0, 1});
             }),
        view("diagonal", "", {3, 4}, [](const Tensor& x) { return x.diagonal(1); }),
        view("diagonal", "of a batch", {2, 3, 3}, [](const Tensor& x) { return x.diagonal(-1, 2, 1); }),
        view("unfold", "windows that overlap", {2, 7}, [](const Tensor& x) { return x.unfold(1, 3, 2); }),
        view("unfold", "0-d", {}, [](const Tensor& x) { return x.unfold(0, 1, 1); }),
        view("as_strided", "elements shared", {2, 3},
             [](const Tensor& x) {
                 return x.contiguous().as_strided({2, 3}, {1, 1}, 1);
             }),
        {"as_strided_backward",
         "",
         [](const Inputs& x) {
             return gradient(
                 [](const Tensor& z) {
                     return z.as_strided({2, 2}, {1, 2});
                 },
                 numbers({5}), x[0]);
         },
         {numbers({2, 2})}},
        view("clone", "", {2, 3}, [](const Tensor& x) { return x.clone(); }),
        {"to",
         "",
         [](const Inputs& x) { return unrounded(x[0], through_float32(x[0])); },
         {numbers({2, 3})},
         false},
    };
}

}  // namespace reel::testing
