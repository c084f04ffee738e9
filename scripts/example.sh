#!/bin/sh
# Installs what is missing, builds one of the examples and runs it, in the folder of the repository.
#   ./scripts/example.sh 06_spiral [options of the example; --help lists them]
set -eu
cd "$(dirname "$0")/.."
name=${1:?which one? examples/README.md lists them}
shift
./scripts/build.sh release "$name"
exec "./build/release/examples/$name" "$@"
