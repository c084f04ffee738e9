#!/bin/sh
# Installs what is missing, builds, and runs every test.
#   ./scripts/test.sh [dev|release|asan-ubsan|tsan]
set -eu
cd "$(dirname "$0")/.."
./scripts/build.sh "${1:-release}"
ctest --preset "${1:-release}"
