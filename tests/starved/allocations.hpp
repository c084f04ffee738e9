/// \file
/// Memory that runs out when a test wants it to. Every allocation of the program is counted: `operator new`,
/// and what the library asks of `malloc` and its kin (the storage is compiled into this program without its
/// cache, so that every block is asked for). What the C library allocates inside is not ours.
#pragma once

#include <cstdint>

namespace reel::testing {

/// What happens after the first allocation has failed.
enum class Shortage {
    kOnce,     ///< the next one succeeds: whoever gave something back in between has helped
    kLasting,  ///< all others fail too, until `stop_starving`: also those of error messages
};

/// Makes the `kth` allocation from now on fail.
void starve(std::int64_t kth, Shortage shortage);
/// No more allocations fail. Returns whether any has.
bool stop_starving();

/// Blocks that have been allocated and not freed.
std::int64_t live_allocations();

}  // namespace reel::testing
