#include "tensor/parallel.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>

#include "tensor/error.hpp"

namespace reel {

namespace {

/// More would rather exhaust the system than help: OpenMP ends a process that cannot start a thread.
constexpr int kMostThreads = 1024;

std::atomic<int>& thread_count() {
#if defined(_OPENMP)
    static std::atomic<int> count = std::min(omp_get_max_threads(), kMostThreads);
#else
    static std::atomic<int> count = 1;
#endif
    return count;
}

std::atomic<bool> alone = false;  ///< in a process whose parent had threads when it forked

}  // namespace

int num_threads() { return thread_count().load(std::memory_order_relaxed); }

void set_num_threads(int threads) {
    if (threads < 1 || threads > kMostThreads)
        fail<Error>("set_num_threads: ", threads, " threads; at least 1 and at most ", kMostThreads,
                    " are possible");
    if (threads > 1 && alone)
        fail<Error>(
            "set_num_threads: a process that was forked after its parent had computed in parallel has one "
            "thread; fork first, or start a new program");
    thread_count().store(threads, std::memory_order_relaxed);
}

void detail::run_alone_after_fork() {
    static const int registered = pthread_atfork(nullptr, nullptr, [] {
        thread_count().store(1, std::memory_order_relaxed);
        alone = true;
    });
    static_cast<void>(registered);
}

}  // namespace reel
