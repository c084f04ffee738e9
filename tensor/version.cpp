#include "tensor/version.hpp"

#define REEL_TEXT(number) #number
#define REEL_DOTTED(major, minor, patch) REEL_TEXT(major) "." REEL_TEXT(minor) "." REEL_TEXT(patch)

namespace reel {

const char* version() { return REEL_DOTTED(REEL_VERSION_MAJOR, REEL_VERSION_MINOR, REEL_VERSION_PATCH); }

}  // namespace reel
