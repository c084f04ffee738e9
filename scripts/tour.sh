#!/bin/sh
# Runs the test of a stop of TOUR.md. With `break` it makes the change that the stop names, runs the test that must go
# red, and puts the file back as it was.
#   ./scripts/tour.sh 5 [break]
#   ./scripts/tour.sh all break
set -eu
cd "$(dirname "$0")/.."
preset=${REEL_PRESET:-dev}
./scripts/setup.sh python3
[ -f "build/$preset/build.ninja" ] || cmake --preset "$preset"
exec python3 scripts/tour.py "build/$preset" "$@"
