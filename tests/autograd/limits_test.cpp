// Long tapes, and what they hold.
#include <doctest/doctest.h>

#include "autograd/tape_state.hpp"
#include "reel.hpp"

using namespace reel;

TEST_CASE("a chain of a million operations rewinds without recursion") {
    constexpr std::int64_t kLength = 1'000'000;
    const Tensor x = tensor({1.0, 2.0}, kFloat64).set_requires_grad();
    const MemoryStats before = memory_stats();
    {
        Tape tape;
        Tensor y = x;
        for (std::int64_t i = 0; i < kLength; ++i) y = y + 1.0;
        CHECK(tape.size() == static_cast<std::size_t>(kLength));
        CHECK(tape.bytes_kept() == 0);
        CHECK(memory_stats().live_storages - before.live_storages < 10);  // no value of the chain is kept
        y.sum().backward();
    }
    CHECK(x.grad().to_vector<double>() == std::vector<double>{1, 1});
    x.zero_grad();
    CHECK(memory_stats().live_storages == before.live_storages);
    CHECK(memory_stats().live_bytes == before.live_bytes);
}

TEST_CASE("each of many leaves gets its own gradient, however often it is read") {
    for (const std::int64_t count : {3, 16, 17, 600}) {  // found by looking, by hashing, in several chunks
        std::vector<Tensor> leaves;
        for (std::int64_t i = 0; i < count; ++i) leaves.push_back(tensor(1.0, kFloat64).set_requires_grad());
        Tape tape;
        Tensor y = zeros({}, kFloat64);
        for (int round = 0; round < 2; ++round) {
            for (std::int64_t i = 0; i < count; ++i) y = y + leaves[static_cast<std::size_t>(i)] * (i + 1);
        }
        const std::vector<Tensor> gradients = grad({y}, leaves, {.retain_graph = true});
        y.backward();
        for (std::int64_t i = 0; i < count; ++i) {
            CHECK(gradients[static_cast<std::size_t>(i)].item<std::int64_t>() == 2 * (i + 1));
            CHECK(leaves[static_cast<std::size_t>(i)].grad().item<std::int64_t>() == 2 * (i + 1));
        }
    }
}

TEST_CASE("a chain whose values are kept frees them one by one") {
    constexpr std::int64_t kLength = 100'000;
    const Tensor x = ones({16}).set_requires_grad();
    const MemoryStats before = memory_stats();
    {
        Tape tape;
        Tensor y = x;
        for (std::int64_t i = 0; i < kLength; ++i) y = tanh(y);
        CHECK(tape.bytes_kept() == kLength * 64);
        y.sum().backward({}, true);
        CHECK(memory_stats().live_bytes - before.live_bytes >= kLength * 64);
        y.sum().backward();
        CHECK(tape.bytes_kept() == 0);
        CHECK(memory_stats().live_bytes - before.live_bytes < 10'000);
    }
    x.zero_grad();
    CHECK(memory_stats().live_bytes == before.live_bytes);
}

TEST_CASE("a node costs at most 250 bytes beyond what it keeps") {
    // An operation of two inputs, with its edges and the notes of two kept blocks.
    const std::size_t binary =
        sizeof(detail::Node) + 2 * sizeof(detail::KeptEdge) + 2 * sizeof(detail::KeptBlock);
    CHECK(binary <= 250);
    // During the rewind a gradient and a mark come on top.
    CHECK(binary + sizeof(Tensor) + 1 <= 258);
}

TEST_CASE("nothing is alive after a tape's scope") {
    const MemoryStats before = memory_stats();
    {
        const Tensor x = tensor({{1.0, 2.0}, {3.0, 4.0}}, kFloat64).set_requires_grad();
        Tape tape;
        const Tensor y = (exp(x) * x.t()).sum({0});
        y.retain_grad();
        y.register_hook([y](const Tensor& g) { return g * y.detach(); });
        const Tensor slope = grad({y.sum()}, {x}, {.create_graph = true})[0];
        slope.sum().backward({}, true);
        CHECK(checkpoint([&](const Tensor& t) { return t * x; }, x).requires_grad());
        gradcheck([](const Tensor& t) { return t * t; }, x);
        hessian([](const Tensor& t) { return (t * t).sum(); }, x);
    }
    CHECK(memory_stats().live_storages == before.live_storages);
    CHECK(memory_stats().live_bytes == before.live_bytes);
}
