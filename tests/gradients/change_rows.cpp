// Rows of ops/pointwise/inplace.cpp: operations that write to a copy of the first input, whole or in part.
#include "tests/gradients/rows.hpp"

namespace reel::testing {

namespace {

using Inputs = std::vector<Tensor>;

/// `write(y, other)` on a copy y of the first input, used before and after.
Row whole(const char* operation, const char* variant, void (*write)(const Tensor& y, const Tensor& other)) {
    return {operation,
            variant,
            [write](const Inputs& x) {
                const Tensor y = x[0].clone();
                const Tensor before = exp(y);
                write(y, x[1]);
                return before + square(y);
            },
            {numbers({2, 3}, 0.5, 2, 1), numbers({3}, 0.5, 2, 2)}};
}

/// The same on the second column of the copy.
Row part(const char* operation, void (*write)(const Tensor& y, const Tensor& other)) {
    return {operation,
            "part",
            [write](const Inputs& x) {
                const Tensor y = x[0].clone();
                write(y.select(1, 1), x[1]);
                return square(y);
            },
            {numbers({2, 3}, 0.5, 2, 1), numbers({2}, 0.5, 2, 2)}};
}

}  // namespace

Rows change_rows() {
    Rows rows;
    const auto add = [&rows](const char* operation, void (*write)(const Tensor& y, const Tensor& other)) {
        rows.push_back(whole(operation, "whole", write));
        rows.push_back(part(operation, write));
    };
    add("copy_", [](const Tensor& y, const Tensor& other) { y.copy_(other); });
    add("add_", [](const Tensor& y, const Tensor& other) { y.add_(other, 0.7); });
    add("sub_", [](const Tensor& y, const Tensor& other) { y.sub_(other); });
    add("mul_", [](const Tensor& y, const Tensor& other) { y.mul_(other); });
    add("div_", [](const Tensor& y, const Tensor& other) { y.div_(other); });

    rows.push_back(whole("add_", "number", [](const Tensor& y, const Tensor& z) { (y += 0.5) *= z; }));
    rows.push_back(whole("mul_", "number", [](const Tensor& y, const Tensor& z) { (y += z) *= 0.5; }));
    rows.push_back(whole("div_", "number", [](const Tensor& y, const Tensor& z) { (y += z) /= 0.5; }));
    rows.push_back(whole("mul_", "by itself", [](const Tensor& y, const Tensor& z) { (y += z) *= y; }));
    rows.push_back(whole("sub_", "number", [](const Tensor& y, const Tensor& z) { (y -= 0.5) *= z; }));
    rows.push_back(whole("copy_", "from a part of itself", [](const Tensor& y, const Tensor& z) {
        (y += z).slice(1, 1).copy_(y.slice(1, 0, -1));
    }));
    rows.push_back(
        whole("mul_", "by a part of itself", [](const Tensor& y, const Tensor& z) { (y += z) *= y[0]; }));
    rows.push_back(whole("div_", "by itself", [](const Tensor& y, const Tensor& z) { (y += z) /= y; }));
    rows.push_back(part("fill_", [](const Tensor& y, const Tensor& z) { y.fill_(0.3).add_(z); }));
    rows.back().flat = true;
    rows.push_back(whole("clamp_", "", [](const Tensor& y, const Tensor& z) { y.clamp_(0.8, 1.6).mul_(z); }));
    rows.push_back(whole("masked_fill_", "number", [](const Tensor& y, const Tensor& z) {
        y.masked_fill_(y.detach().gt(1.2), 0.3).mul_(z);
    }));
    rows.push_back(whole("masked_fill_", "tensor", [](const Tensor& y, const Tensor& z) {
        y.masked_fill_(y.detach().gt(1.2), z.sum());
    }));
    return rows;
}

}  // namespace reel::testing
