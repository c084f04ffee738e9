#!/bin/sh
# Installs what is missing, builds the exercises, and says what the checker finds in one of them.
#   ./scripts/exercise.sh 4
set -eu
cd "$(dirname "$0")/.."
./scripts/build.sh release exercises
exec ./build/release/exercises/exercises "${1:?which one? exercises/README.md lists them}"
