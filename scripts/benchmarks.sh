#!/bin/sh
# Installs what is missing, builds the benchmarks, and measures reel beside libtorch under each instruction set of the
# machine, on one thread and on all; writes benchmarks/RESULTS.md. To be run on a machine that does nothing else.
#   ./scripts/benchmarks.sh [TORCH ...]    TORCH: the torch folder of an unpacked PyPI wheel; none: Debian's libtorch-dev
# REEL_BEFORE names the bench_reel of an earlier commit, to be measured beside this one.
set -eu
cd "$(dirname "$0")/.."
if [ $# -gt 0 ]; then
    ./scripts/setup.sh
else
    ./scripts/setup.sh libtorch-dev
fi
build=build/benchmarks
configure() {
    folder=$1
    shift
    cmake -S . -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Release -DREEL_SHARED=OFF -DREEL_BUILD_TESTS=OFF \
          -DREEL_BUILD_EXAMPLES=OFF -DREEL_BUILD_BENCHMARKS=ON -DREEL_WERROR=OFF "$@"
}
configure $build -DREEL_TORCH="${1:-}"
cmake --build $build
results=benchmarks/RESULTS.md
cat >$results <<END
# Results

Written by \`scripts/benchmarks.sh\`. *limit* estimates the time that the machine itself would take, measured in the same
run: bytes at the bandwidth of the level they fit in, products at the rate of fused multiply-adds, exponentials at that
of a bare loop; *share* is limit / time. Where a share is above 100 %, the estimate was too slow: part of the bytes came
from a nearer level, or the machine was slower while the limit was measured. A ratio above 1 means that reel is faster. The workloads are the functions of
this folder.

END
compare() { python3 benchmarks/compare.py $build --markdown $results "$@"; }
compare
first=${1:-}
[ $# -eq 0 ] || shift
for torch; do
    configure $build-peer -DREEL_TORCH="$torch"
    cmake --build $build-peer --target bench_libtorch
    compare --peer $build-peer/benchmarks/bench_libtorch
done
configure $build-native -DCMAKE_CXX_FLAGS=-march=native
cmake --build $build-native --target bench_reel
printf "Below, the peer is reel itself, compiled for this machine alone (-march=native).\n\n" >>$results
compare --brief --threads 1 --peer $build-native/benchmarks/bench_reel
if [ -n "${REEL_BEFORE:-}" ]; then
    printf "Below, the peer is reel as it was at an earlier commit.\n\n" >>$results
    compare --threads 1 --peer "$REEL_BEFORE"
fi
{
    echo "## Growth, memory and compilation"
    echo
    $build/benchmarks/bench_growth
    echo
    python3 benchmarks/cost.py $build ${first:+--torch "$first"}
} >>$results
echo "written to $results"
