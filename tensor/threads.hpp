/// \file
/// How many threads an operation may use. Results do not depend on it.
#pragma once

namespace reel {

/// At the start OMP_NUM_THREADS, or as many as there are cores.
int num_threads();
/// Throws an `Error` for less than 1.
void set_num_threads(int threads);

}  // namespace reel
