#!/bin/sh
# Installs what is missing, then builds one of the presets of CMakePresets.json.
#   ./scripts/build.sh [dev|release|asan-ubsan|tsan] [target]
set -eu
cd "$(dirname "$0")/.."
preset=${1:-release}
./scripts/setup.sh
cmake --preset "$preset"
if [ $# -gt 1 ]; then
    cmake --build --preset "$preset" --target "$2"
else
    cmake --build --preset "$preset"
fi
