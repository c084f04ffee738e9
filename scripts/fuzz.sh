#!/bin/sh
# Gives the fuzz targets of tests/fuzz arbitrary bytes under Clang's address and undefined sanitizers, for so many
# seconds each, and says how many calls of the library that were; fails where one crashes, hangs, leaks, or gives what
# it should not. What was given then is in build/fuzz/found: when it is mended, its bytes become a line of
# tests/fuzz/corpus/TARGET.txt (xxd -p), which the suite replays. Inputs that reach new code are in build/fuzz/TARGET, where the next run goes on.
#   ./scripts/fuzz.sh [seconds [target ...]]        60 seconds; all targets
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}
[ $# -eq 0 ] || shift

if command -v apt-cache >/dev/null; then # the distribution's newest
    clang=$(apt-cache pkgnames clang- | grep -E '^clang-[0-9]+$' | sort -V | tail -n 1)
    ./scripts/setup.sh python3 "$clang" "libclang-rt-${clang#clang-}-dev"
    compiler=clang++-${clang#clang-}
fi
cmake --preset fuzz -DCMAKE_CXX_COMPILER="${compiler:-clang++}"
cmake --build --preset fuzz

mkdir -p build/fuzz/found
[ ! -d /dev/shm ] || export TMPDIR=/dev/shm # files in memory: the disk takes longer than all else
calls=0
failed=""
for target in ${*:-$(basename -s .txt tests/fuzz/corpus/*.txt)}; do
    mkdir -p "build/fuzz/$target"
    python3 - "$target" <<END
import pathlib, sys
for number, line in enumerate(open(f"tests/fuzz/corpus/{sys.argv[1]}.txt")):
    pathlib.Path(f"build/fuzz/{sys.argv[1]}/line-{number + 1}").write_bytes(bytes.fromhex(line))
END
    REEL_FUZZ=$target build/fuzz/tests/fuzz/reel_fuzz -max_total_time="$seconds" -max_len=512 -len_control=0 -timeout=60 \
        -rss_limit_mb=4096 -artifact_prefix="build/fuzz/found/$target-" "build/fuzz/$target" \
        >"build/fuzz/$target.log" 2>&1 || failed="$failed $target"
    some=$(sed -n 's/^calls: //p' "build/fuzz/$target.log")
    echo "fuzz: $target: ${some:-0} calls"
    calls=$((calls + ${some:-0}))
done
echo "fuzz: $calls calls in all"
[ -z "$failed" ] || { echo "fuzz: failed:$failed; see build/fuzz/TARGET.log and build/fuzz/found" >&2; exit 1; }
