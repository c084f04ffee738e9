#include "tensor/wide.hpp"

#include <cstdlib>
#include <string_view>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace reel {

#if defined(__x86_64__)

bool has_wide() {
    static const bool has = [] {
        const char* wanted = std::getenv("REEL_ARCH");
        __builtin_cpu_init();  // for what is copied before main runs
        return __builtin_cpu_supports("avx2") && std::string_view(wanted ? wanted : "") != "sse2";
    }();
    return has;
}

namespace {

template <class Unit>
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i filled(Unit value) {
    if constexpr (sizeof(Unit) == 1) return _mm256_set1_epi8(static_cast<char>(value));
    if constexpr (sizeof(Unit) == 2) return _mm256_set1_epi16(static_cast<short>(value));
    if constexpr (sizeof(Unit) == 4) return _mm256_set1_epi32(static_cast<int>(value));
    if constexpr (sizeof(Unit) == 8) return _mm256_set1_epi64x(static_cast<long long>(value));
}

[[gnu::target("avx2"), gnu::always_inline]] inline __m256i load(const std::byte* from) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

[[gnu::target("avx2"), gnu::always_inline]] inline void store(void* to, __m256i block) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), block);
}

// Whole vectors but for the last, which overlaps the one before.

template <class Unit>
[[gnu::target("avx2")]] void repeat_blocks(const Unit* from, std::int64_t step, std::int64_t count,
                                           std::int64_t times, Unit* dense) {
    constexpr auto kBlock = kWide / static_cast<std::int64_t>(sizeof(Unit));
    std::int64_t i = 0;
    if (times == kBlock) {
#pragma GCC unroll 4
        for (; i < count; ++i, dense += times) store(dense, filled(from[i * step]));
    }
    for (; i < count; ++i, dense += times) {
        const __m256i block = filled(from[i * step]);
        for (std::int64_t k = 0; k < times - kBlock; k += kBlock) store(dense + k, block);
        store(dense + times - kBlock, block);
    }
}

[[gnu::target("avx2")]] void copy_blocks(std::byte* to, std::int64_t to_step, const std::byte* from,
                                         std::int64_t step, std::int64_t rows, std::int64_t bytes) {
    for (std::int64_t row = 0; row < rows; ++row, to += to_step, from += step) {
        const __m256i first = load(from), last = load(from + bytes - kWide);
        store(to, first);
        // From the first place on that is aligned: a store to two lines takes twice as long.
        std::int64_t k = kWide - static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(to) % kWide);
        for (; k < bytes - kWide; k += kWide) store(to + k, load(from + k));
        store(to + bytes - kWide, last);
    }
}

}  // namespace

template <class Unit>
bool repeat_wide(const Unit* from, std::int64_t step, std::int64_t count, std::int64_t times, Unit* dense) {
    if (times * static_cast<std::int64_t>(sizeof(Unit)) < kWide || !has_wide()) return false;
    repeat_blocks(from, step, count, times, dense);
    return true;
}

bool copy_wide(void* to, std::int64_t to_step, const void* from, std::int64_t step, std::int64_t rows,
               std::int64_t bytes) {
    if (bytes < kWide || !has_wide()) return false;
    copy_blocks(static_cast<std::byte*>(to), to_step, static_cast<const std::byte*>(from), step, rows, bytes);
    return true;
}

#else

bool has_wide() { return false; }

template <class Unit>
bool repeat_wide(const Unit*, std::int64_t, std::int64_t, std::int64_t, Unit*) {
    return false;
}

bool copy_wide(void*, std::int64_t, const void*, std::int64_t, std::int64_t, std::int64_t) { return false; }

#endif

template bool repeat_wide(const std::uint8_t*, std::int64_t, std::int64_t, std::int64_t, std::uint8_t*);
template bool repeat_wide(const std::uint16_t*, std::int64_t, std::int64_t, std::int64_t, std::uint16_t*);
template bool repeat_wide(const std::uint32_t*, std::int64_t, std::int64_t, std::int64_t, std::uint32_t*);
template bool repeat_wide(const std::uint64_t*, std::int64_t, std::int64_t, std::int64_t, std::uint64_t*);

}  // namespace reel
