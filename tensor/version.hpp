/// \file
/// Which reel this is. The build reads the numbers from here.
#pragma once

#define REEL_VERSION_MAJOR 0
#define REEL_VERSION_MINOR 1
#define REEL_VERSION_PATCH 0

#pragma GCC visibility push(default)
namespace reel {

/// "0.1.0": the library's that the program runs with. The macros are those of the headers it was compiled with.
const char* version();

}  // namespace reel
#pragma GCC visibility pop
