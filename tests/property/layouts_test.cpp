// What holds for every operation: its result does not depend on how its inputs lie in memory, nor on the
// number of threads, and its inputs stay as they are. The gradient likewise.
#include <doctest/doctest.h>

#include "tests/property/calls.hpp"

using namespace reel;
using namespace reel::property;

namespace {

Inputs copies(const Inputs& inputs) {
    Inputs result;
    for (const Tensor& x : inputs) result.push_back(dense(x));
    return result;
}

void demand_equal(const Inputs& a, const Inputs& b, const Call& call, const std::string& what) {
    demand(a.size() == b.size(), what, ": another number of results");
    for (std::size_t i = 0; i < a.size(); ++i) {
        demand_close(a[i], b[i], call.ulps, call.size, what + " of" + describe(call.inputs));
    }
}

/// The gradients of all floating inputs, for cotangents that are drawn.
Inputs gradients(const Call& call, const Inputs& inputs, Draw draw) {
    Inputs leaves;
    Inputs wanted;
    for (const Tensor& x : inputs) {
        leaves.push_back(x.detach());
        if (x.is_floating_point()) wanted.push_back(leaves.back().set_requires_grad());
    }
    const Tape tape;
    Inputs recorded;
    GradOptions options{.allow_unused = true};
    for (const Tensor& y : call.f(leaves)) {
        const Tensor cotangent = draw.wholes(y.sizes(), y.dtype(), -2, 2);
        if (!y.requires_grad()) continue;
        recorded.push_back(y);
        options.grad_outputs.push_back(cotangent);
    }
    if (recorded.empty()) return {};
    Inputs result = grad(recorded, wanted, options);
    for (std::size_t i = 0; i < result.size(); ++i) {
        if (!result[i].defined()) result[i] = zeros_like(wanted[i]);
    }
    return result;
}

}  // namespace

TEST_CASE("property: an operation on a view is the operation on its copy") {
    constexpr int kCases = 60;
    for (const Operation& operation : all_calls()) {
        for_all(operation.name, kCases, [&](Draw& draw) {
            const Call call = operation.draw(draw);
            const Inputs before = copies(call.inputs);
            demand_equal(call.f(call.inputs), call.f(before), call, "a result");
            demand_equal(call.inputs, before, {call.inputs, call.f}, "an input afterwards");
        });
    }
}

/// `x` in the same layout, with any byte but 0 where it is true.
Tensor with_any_bytes(const Tensor& x, Draw& draw) {
    const auto count = static_cast<std::int64_t>(x.impl().storage->bytes);
    const Tensor memory = x.as_strided({count}, {1}, 0).clone();
    auto* byte = memory.data_ptr<Bool>();
    for (std::int64_t i = 0; i < count; ++i) {
        if (byte[i].byte != 0) byte[i].byte = static_cast<std::uint8_t>(draw.whole(1, 255));
    }
    return memory.as_strided(x.sizes(), x.strides(), x.storage_offset());
}

TEST_CASE("property: any byte of a bool but 0 is true") {
    constexpr int kCases = 40;
    for (const Operation& operation : all_calls()) {
        for_all(operation.name, kCases, [&](Draw& draw) {
            const Call call = operation.draw(draw);
            Inputs bytes;
            bool any = false;
            for (const Tensor& x : call.inputs) {
                any = any || x.dtype() == kBool;
                bytes.push_back(x.dtype() == kBool ? with_any_bytes(x, draw) : x);
            }
            if (!any) return;
            demand_equal(call.f(bytes), call.f(call.inputs), {call.inputs, call.f}, "a result");
            demand_equal(gradients(call, bytes, draw), gradients(call, call.inputs, draw),
                         {call.inputs, call.f}, "a gradient");
        });
    }
}

TEST_CASE("property: a gradient on a view is the gradient on its copy") {
    constexpr int kCases = 20;
    constexpr double kUlps = 4;  // what broadcast is summed back, in any order
    constexpr double kSize = 1000;
    for (const Operation& operation : all_calls()) {
        for_all(operation.name, kCases, [&](Draw& draw) {
            const Call call = operation.draw(draw);
            const Call with_sums{call.inputs, call.f, std::max(call.ulps, kUlps), std::max(call.size, kSize)};
            demand_equal(gradients(call, call.inputs, draw), gradients(call, copies(call.inputs), draw),
                         with_sums, "a gradient");
        });
    }
}

TEST_CASE("property: results do not depend on the number of threads") {
    const int before = num_threads();
    for (const Operation& operation : all_calls()) {
        for_all(
            operation.name, 1,
            [&](Draw& draw) {
                const Call call = operation.draw(draw);
                set_num_threads(1);
                const Inputs alone = call.f(call.inputs);
                set_num_threads(2);
                demand_equal(call.f(call.inputs), alone, {call.inputs, call.f}, "a result");
            },
            Draw::Size::kLarge);
    }
    set_num_threads(before);
}
