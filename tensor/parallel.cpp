#include "tensor/parallel.hpp"

#include <atomic>

#include "tensor/error.hpp"

namespace reel {

namespace {

std::atomic<int>& thread_count() {
#if defined(_OPENMP)
    static std::atomic<int> count = omp_get_max_threads();
#else
    static std::atomic<int> count = 1;
#endif
    return count;
}

}  // namespace

int num_threads() { return thread_count().load(std::memory_order_relaxed); }

void set_num_threads(int threads) {
    if (threads < 1) fail<Error>("set_num_threads: ", threads, " threads; at least 1 is needed");
    thread_count().store(threads, std::memory_order_relaxed);
#if defined(_OPENMP)
    omp_set_num_threads(threads);  // the BLAS reads this one
#endif
}

}  // namespace reel
