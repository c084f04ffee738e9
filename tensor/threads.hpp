/// \file
/// How many threads an operation may use. Results do not depend on it.
#pragma once

#pragma GCC visibility push(default)
namespace reel {

/// At the start OMP_NUM_THREADS, or as many as there are cores.
int num_threads();
/// Throws an `Error` for less than 1 or more than 1024. A process that was forked after its parent had
/// computed in parallel has one thread, and throws for more.
void set_num_threads(int threads);

}  // namespace reel
#pragma GCC visibility pop
