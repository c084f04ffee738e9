// What an operation costs beside its work: tiny tensors, long tapes.
#include "dialect.hpp"
#include "workload.hpp"

using namespace dialect;

namespace {

Workload tiny(const char* name, std::function<std::function<void()>()> prepare) {
    return {name, "overhead", {}, std::move(prepare)};
}

constexpr int kChain = 1000;

Tensor chain(const Tensor& x) {
    Tensor y = x;
    for (int i = 0; i < kChain; ++i) y = y * 1.0001;
    return y;
}

/// micrograd's example: a few numbers, thirty operations.
Tensor expression(const Tensor& a, const Tensor& b) {
    Tensor c = a + b;
    Tensor d = a * b + b * b * b;
    c = c + c + 1;
    c = c + 1 + c + (-a);
    d = d + d * 2 + (b + a).relu();
    d = d + 3 * d + (b - a).relu();
    const Tensor e = c - d;
    const Tensor f = e * e;
    return f / 2.0 + 10.0 / f;
}

}  // namespace

std::vector<Workload> overhead_workloads() {
    return {
        tiny("add4",
             [] {
                 const Tensor a = randn({4});
                 const Tensor b = randn({4});
                 return [=] { a + b; };
             }),
        tiny("add4_recorded",
             [] {
                 const Tensor a = randn({4}).set_requires_grad(true);
                 const Tensor b = randn({4});
                 return [=] {
                     Tape tape;
                     a + b;
                 };
             }),
        tiny("chain_1000_forward_recorded",
             [] {
                 const Tensor x = randn({4}).set_requires_grad(true);
                 return [=] {
                     Tape tape;
                     chain(x);
                 };
             }),
        tiny("chain_1000_backward",
             [] {
                 const Tensor x = randn({4}).set_requires_grad(true);
                 const Tensor g = randn({4});
                 return [=] {
                     Tape tape;
                     zero_grad({x});
                     chain(x).backward(g);
                 };
             }),
        tiny("create_empty4", [] { return [] { empty({4}); }; }),
        tiny("view_4",
             [] {
                 const Tensor x = randn({4});
                 return [=] { x.view({2, 2}); };
             }),
        tiny("select_row",
             [] {
                 const Tensor x = randn({4, 4});
                 return [=] { x[1]; };
             }),
        tiny("item",
             [] {
                 const Tensor x = tensor(1.5);
                 return [=] { x.item<float>(); };
             }),
        tiny("scalar_expression",
             [] {
                 const Tensor a = tensor(-4.0).set_requires_grad(true);
                 const Tensor b = tensor(2.0).set_requires_grad(true);
                 return [=] {
                     Tape tape;
                     zero_grad({a, b});
                     expression(a, b).backward();
                 };
             }),
    };
}
