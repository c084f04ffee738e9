#!/bin/sh
# Installs what is missing, builds, checks the gradients of a toy model, trains it on names, and prints new ones.
#   ./scripts/names.sh [options of the example; --help lists them]
set -eu
exec "$(dirname "$0")/example.sh" 01_names "$@"
