/// \file
/// Threads: one loop over ranges. What is computed never depends on how many there are.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>

#include "tensor/threads.hpp"

#if defined(_OPENMP)
#include <omp.h>
#endif

namespace reel {

namespace detail {
/// A process forked from here on has one thread: OpenMP's others do not exist there, and it would wait for
/// them forever. Called before threads are used.
void run_alone_after_fork();
}  // namespace detail

/// Elements of work below which no thread is started. To add so many takes 3.6 µs, to enter and leave a parallel loop
/// 0.5; twice as many, on two threads, take 0.57 of the time on one, a quarter as many 0.87 (AMD EPYC, Zen 4).
inline constexpr std::int64_t kGrain = 32768;

/// How many threads share so much work, when it is begun here: one inside a parallel loop.
inline std::int64_t threads_for(std::int64_t work) {
#if defined(_OPENMP)
    if (work < 2 * kGrain || omp_in_parallel()) return 1;
    return std::min(static_cast<std::int64_t>(num_threads()), work / kGrain);
#else
    static_cast<void>(work);
    return 1;
#endif
}

/// This thread's number among those that share a parallel loop; 0 outside of one.
inline std::size_t thread_number() {
#if defined(_OPENMP)
    return static_cast<std::size_t>(omp_get_thread_num());
#else
    return 0;
#endif
}

/// Calls f(begin, end) for ranges that cover [0, count), whose bounds are multiples of `step`. `cost` is the
/// work of one of the `count` items in elements.
void parallel_for(std::int64_t count, std::int64_t step, std::int64_t cost, const auto& f) {
    if (count <= 0) return;
#if defined(_OPENMP)
    const std::int64_t steps = (count + step - 1) / step;
    const std::int64_t threads = std::min(threads_for(count * std::max<std::int64_t>(cost, 1)), steps);
    if (threads > 1) {
        detail::run_alone_after_fork();
        std::exception_ptr error;
#pragma omp parallel num_threads(static_cast <int>(threads))
        {
            const std::int64_t team = omp_get_num_threads();
            const std::int64_t me = omp_get_thread_num();
            const std::int64_t begin = steps * me / team * step;
            const std::int64_t end = std::min(count, steps * (me + 1) / team * step);
            try {
                if (begin < end) f(begin, end);
            } catch (...) {
#pragma omp critical
                error = std::current_exception();
            }
        }
        if (error) std::rethrow_exception(error);
        return;
    }
#else
    static_cast<void>(step);
    static_cast<void>(cost);
#endif
    f(std::int64_t{0}, count);
}

}  // namespace reel
