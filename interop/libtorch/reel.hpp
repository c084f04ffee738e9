/// \file
/// In a program that is built with this directory before reel's own, `#include <reel.hpp>` means libtorch.
#pragma once

#include "../libtorch.hpp"
