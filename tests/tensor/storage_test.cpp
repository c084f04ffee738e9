// Memory: counted, aligned, recycled; what the system does not give is an Error.
#include "tensor/storage.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <fstream>
#include <random>
#include <thread>

#include "reel.hpp"

using namespace reel;

namespace {

// Under sanitizers every block goes back to the system, which may give another one.
#if !defined(__has_feature)
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || __has_feature(address_sanitizer) || \
    __has_feature(thread_sanitizer)
constexpr bool kRecycled = false;
#else
constexpr bool kRecycled = true;
#endif

}  // namespace

TEST_CASE("storage: what lives is counted") {
    const MemoryStats before = memory_stats();
    {
        const Tensor a = empty({1000}, kFloat64);
        const Tensor view = a.reshape({10, 100})[3];
        const Tensor copy = a;
        CHECK(memory_stats().live_storages == before.live_storages + 1);
        CHECK(memory_stats().live_bytes == before.live_bytes + 8000);
        const Tensor b = a.clone();
        CHECK(memory_stats().live_storages == before.live_storages + 2);
        CHECK(memory_stats().live_bytes == before.live_bytes + 16000);
    }
    CHECK(memory_stats().live_storages == before.live_storages);
    CHECK(memory_stats().live_bytes == before.live_bytes);
}

TEST_CASE("storage: the peak remembers what large tensors took") {
    reset_peak_memory();
    const std::int64_t before = memory_stats().peak_bytes;
    constexpr std::int64_t kMegabyte = 1 << 20;
    { const Tensor large = empty({3 * kMegabyte}, kBool); }
    { const Tensor large = empty({2 * kMegabyte}, kBool); }
    CHECK(memory_stats().peak_bytes == before + 3 * kMegabyte);
    reset_peak_memory();
    CHECK(memory_stats().peak_bytes == before);
}

TEST_CASE("storage: every block is aligned, whole and its own") {
    std::mt19937_64 random(6);
    std::vector<Tensor> alive;
    for (int i = 0; i < 3000; ++i) {
        const auto bytes = static_cast<std::int64_t>(random() % (std::uint64_t{1} << (random() % 22)));
        Tensor block = empty({bytes}, kBool);
        CHECK(reinterpret_cast<std::uintptr_t>(block.raw()) % 64 == 0);
        std::memset(block.raw(), i % 251, static_cast<std::size_t>(bytes));
        alive.push_back(block);
        const std::size_t victim = random() % alive.size();
        const Tensor& old = alive[victim];
        const auto rest = static_cast<std::size_t>(std::max<std::int64_t>(old.numel() - 1, 0));
        REQUIRE(std::memcmp(old.raw(), old.raw() + 1, rest) == 0);  // all bytes are the same
        if (alive.size() > 40) {
            alive[victim] = alive.back();
            alive.pop_back();
        }
    }
}

TEST_CASE("storage: a freed block is used again") {
    if (!kRecycled) return;
    empty_cache();  // a full one keeps no more
    for (const std::int64_t count : {1, 100, 20000, 1000000}) {
        void* first = empty({count}).raw();
        CHECK(empty({count}).raw() == first);
    }
    empty_cache();
    const Tensor again = ones({1000000});
    CHECK(again.sum().item<float>() == 1000000);
}

TEST_CASE("storage: large blocks may have huge pages") {
    std::ifstream setting("/sys/kernel/mm/transparent_hugepage/enabled");
    std::string words;
    std::getline(setting, words);
    if (!kRecycled || words.find("[never]") != std::string::npos || words.empty()) return;
    empty_cache();
    constexpr std::int64_t kBytes = 64 << 20;
    const Tensor large = zeros({kBytes}, kBool);
    const auto address = reinterpret_cast<std::uintptr_t>(large.raw());
    // The kernel says of the mapping that holds it whether huge pages are advised ("hg") there.
    std::ifstream maps("/proc/self/smaps");
    bool inside = false;
    bool advised = false;
    for (std::string line; std::getline(maps, line);) {
        std::uintptr_t begin = 0, end = 0;
        if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2)
            inside = begin <= address && address < end;
        if (inside && line.starts_with("VmFlags:")) advised = line.find(" hg") != std::string::npos;
    }
    CHECK(advised);
}

TEST_CASE("storage: memory that there is not is an Error, and nothing is lost") {
    const MemoryStats before = memory_stats();
    constexpr std::int64_t kTooMuch = std::int64_t{1} << 55;
    CHECK_THROWS_WITH_AS(empty({kTooMuch}), doctest::Contains("out of memory"), Error);
    CHECK_THROWS_AS(zeros({kTooMuch, 8}, kFloat64), Error);
    CHECK_THROWS_AS(ones({1}).expand({kTooMuch}).clone(), Error);
    CHECK(memory_stats().live_storages == before.live_storages);
    CHECK(memory_stats().live_bytes == before.live_bytes);
    CHECK(ones({3}).sum().item<int>() == 3);
}

TEST_CASE("storage: blocks may die on another thread than they were made on") {
    const MemoryStats before = memory_stats();
    std::vector<Tensor> tensors(200);
    std::thread([&] {
        for (std::size_t i = 0; i < tensors.size(); ++i)
            tensors[i] = full({1 + static_cast<std::int64_t>(i * i)}, 1.0);
    }).join();
    CHECK(memory_stats().live_storages == before.live_storages + 200);
    std::thread([moved = std::move(tensors)]() mutable { moved.clear(); }).join();
    CHECK(memory_stats().live_storages == before.live_storages);
    CHECK(memory_stats().live_bytes == before.live_bytes);
}

TEST_CASE("storage: memory of the caller is neither copied nor freed") {
    float values[6] = {0, 1, 2, 3, 4, 5};
    {
        const Tensor t = from_blob(values, {2, 3});
        CHECK(t.data_ptr<float>() == values);
        CHECK(memory_stats().live_bytes >= 0);
        t.mul_(2);
        values[0] = 7;
        CHECK(t.to_vector<int>() == std::vector<int>{7, 2, 4, 6, 8, 10});
        CHECK(from_blob(values, {3, 2}, {1, 3}).to_vector<int>() == std::vector<int>{7, 6, 2, 8, 4, 10});
        CHECK(from_blob(values, {2, 2}, {0, 1}).to_vector<int>() == std::vector<int>{7, 2, 7, 2});
    }
    CHECK(values[5] == 10);
    double number = 2.5;
    CHECK(from_blob(&number, {}, kFloat64).item<double>() == 2.5);
    CHECK(from_blob(nullptr, {0, 3}).numel() == 0);
    CHECK_THROWS_AS(from_blob(nullptr, {1}), Error);
    CHECK_THROWS_AS(from_blob(values, {2, 3}, {1}), ShapeError);
    CHECK_THROWS_AS(from_blob(values, {-1}), ShapeError);
    CHECK_THROWS_AS(from_blob(values, {2}, {-1}), ShapeError);
    CHECK_THROWS_AS(from_blob(values, {6}).as_strided({7}, {1}), ShapeError);
}
