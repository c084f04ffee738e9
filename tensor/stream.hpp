/// \file
/// Reading ahead of memory, and writing past the caches: a line that is overwritten as a whole need not be
/// fetched first, and what is larger than the caches would be gone from them before it is read.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace reel {

inline constexpr std::int64_t kLine = 64;  ///< bytes of a cache line
/// Bytes from which a result is written past the caches. A sum of two such tensors takes 0.72 of the time then, and 0.9
/// together with reading it; half as large there is no gain, a quarter a loss of 5 % (AMD EPYC, Zen 4, L3 of 32 MB).
inline constexpr std::int64_t kStreamed = 8 << 20;
/// The same of a copy, whose operand is no larger: on two threads 16 MB take 0.44 ms so and 0.82 otherwise, 8 MB 0.23 and
/// 0.17 (AMD EPYC, Zen 3, L3 of 32 MB).
inline constexpr std::int64_t kStreamedCopy = 2 * kStreamed;

inline bool is_line_aligned(const void* to) { return reinterpret_cast<std::uintptr_t>(to) % kLine == 0; }

/// Brings the memory that is `ahead` elements further nearer; it need not exist. Inlined, as is what does nothing else: GCC
/// drops calls of functions that only fetch.
template <class T>
[[gnu::always_inline]] inline void prefetch(const T* from, std::int64_t ahead) {
    const std::uintptr_t bytes = static_cast<std::uintptr_t>(ahead) * sizeof(T);
    __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(from) + bytes));
}

/// Bytes ahead of reads that the processor's own prefetch does not follow, of many places at once. It follows what is read line
/// after line, whole or every few elements of it, and faster alone: 4 MB from L3 in 53 us, not 69, and every second element of 8 MB
/// in 194, not 239 (AMD EPYC, Zen 4).
template <class T>
inline constexpr std::int64_t kReadAhead = 8192 / sizeof(T);

/// Brings the lines of the `count` elements from x + first on nearer.
template <class T>
[[gnu::always_inline]] inline void fetch_lines(const T* x, std::int64_t first, std::int64_t count) {
    for (std::int64_t i = 0; i < count; i += kLine / static_cast<std::int64_t>(sizeof(T)))
        prefetch(x, first + i);
}
/// The same of those that lie kReadAhead further.
template <class T>
[[gnu::always_inline]] inline void fetch_ahead(const T* x, std::int64_t first, std::int64_t count) {
    fetch_lines(x, first + kReadAhead<T>, count);
}

/// Short rows that lie apart are fetched so many ahead: 8 MB of 256 bytes each in 0.47 ms, not 0.72 (AMD EPYC, Zen 3).
inline constexpr std::int64_t kRowsAhead = 8;

/// Copies `bytes` past the caches, where the machine can; `to` is the beginning of a line.
inline void stream(void* to, const void* from, std::int64_t bytes) {
    std::int64_t done = 0;
#if defined(__SSE2__)
    constexpr std::int64_t kVector = sizeof(__m128i);
    for (; done + kLine <= bytes; done += kLine) {
        for (std::int64_t at = done; at < done + kLine; at += kVector) {
            _mm_stream_si128(
                reinterpret_cast<__m128i*>(static_cast<char*>(to) + at),
                _mm_loadu_si128(reinterpret_cast<const __m128i*>(static_cast<const char*>(from) + at)));
        }
    }
#endif
    std::memcpy(static_cast<char*>(to) + done, static_cast<const char*>(from) + done,
                static_cast<std::size_t>(bytes - done));
}

/// What was streamed is in memory before what is written next. To be called by the thread that streamed.
inline void finish_stream() {
#if defined(__SSE2__)
    _mm_sfence();
#endif
}

}  // namespace reel
