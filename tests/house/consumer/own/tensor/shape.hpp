// A header of the user's, under a name that reel's own sources use too.
#pragma once

namespace own {
inline constexpr int kSides = 4;
}
