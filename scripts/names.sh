#!/bin/sh
# Installs what is missing, builds, checks the gradients of a toy model, trains it on names, and prints new ones.
#   ./scripts/names.sh [options of the example; --help lists them]
set -eu
cd "$(dirname "$0")/.."
./scripts/build.sh release 01_names
exec ./build/release/examples/01_names "$@"
