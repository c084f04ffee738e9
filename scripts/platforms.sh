#!/bin/sh
# Builds and tests reel in Debian 12, 13 and sid, each in a directory of its own (debootstrap): the README's two commands
# with GCC, the Debian packages, then clang, without OpenMP, as a shared library, against libc++, and for 64-bit Arm under qemu. As root.
#   ./scripts/platforms.sh              everything: hours
#   ./scripts/platforms.sh trixie sid   these releases
#   ./scripts/platforms.sh trixie/clang this step
# Each step prints its minutes, writes a log beside its directory, and its row of docs/platforms.md. What this commit has
# passed is not done again, so that an interrupted run can be taken up. Nothing is left mounted. REEL_PLATFORMS says where
# (about 4 GB a release).
set -eu
cd "$(dirname "$0")/.."

place=${REEL_PLATFORMS:-/var/tmp/reel-platforms}
releases="bookworm trixie sid"
steps="readme packages clang serial clang-serial shared libc++ arm"
version=$(git rev-parse HEAD)$(git status --porcelain -- . ':!docs/platforms.md' | cksum)
failed=""

for tool in debootstrap unshare; do
    command -v $tool >/dev/null || { echo "platforms: apt-get install debootstrap util-linux" >&2; exit 1; }
done
[ "$(id -u)" -eq 0 ] || { echo "platforms: run as root" >&2; exit 1; }
mkdir -p "$place/passed" "$place/rows"

# Runs a command in /reel of a release. Mounts of its own, so that /proc ends with it.
inside() {
    release=$1
    shift
    unshare --mount --pid --fork --kill-child --root="$place/$release" --wd=/reel --mount-proc=/proc \
            env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}

# The release with nothing but git, and the sources as they are now, beside what was built of them before.
prepare() {
    if [ ! -e "$place/$1/etc/reel-is-here" ]; then
        rm -rf "${place:?}/$1"
        debootstrap --variant=minbase --include=git,ca-certificates "$1" "$place/$1"
        echo 'Acquire::Check-Valid-Until "false";' >"$place/$1/etc/apt/apt.conf.d/99old-mirror"
        touch "$place/$1/etc/reel-is-here"
    fi
    old=$place/$1/reel
    new=$place/$1/reel.new
    rm -rf "$new"
    mkdir -p "$old" "$new"
    git ls-files -z --cached --others --exclude-standard | tar --null --files-from=- --create --ignore-failed-read |
        tar --extract --directory "$new"
    # What has not changed keeps its date, and what was built of it stays.
    (cd "$old" && find . -path ./build -prune -o -type f -print) | while read -r file; do
        [ -e "$new/$file" ] || rm "$old/$file"
    done
    (cd "$new" && find . -type f) | while read -r file; do
        cmp -s "$new/$file" "$old/$file" || install -D -m "$(stat -c %a "$new/$file")" "$new/$file" "$old/$file"
    done
    rm -rf "$new"
}

# What each step runs, as a shell script in /reel. The newest clang of a release; on bookworm 19, not 14.
clang='clang=$(apt-cache pkgnames clang- | grep -E "^clang-[0-9]+$" | sort -t- -k2 -n | tail -1); v=${clang#clang-}
./scripts/setup.sh $clang libclang-rt-$v-dev libomp-$v-dev'
configure='cmake -S . -B build/$step -G Ninja -DCMAKE_BUILD_TYPE=Release'
build_and_test='cmake --build build/$step && ctest --test-dir build/$step --output-on-failure'
script() {
    case $1 in
    readme) echo './scripts/names.sh >build/names.txt && ./scripts/test.sh && tail -n 8 build/names.txt' ;;
    packages) echo './scripts/packages.sh --try' ;;
    clang) echo "$clang && CXX=clang++-\$v $configure && $build_and_test" ;;
    serial) echo "./scripts/setup.sh && $configure -DREEL_OPENMP=OFF && $build_and_test" ;;
    clang-serial) echo "$clang && CXX=clang++-\$v $configure -DREEL_OPENMP=OFF && $build_and_test" ;;
    shared) echo "./scripts/setup.sh && $configure -DBUILD_SHARED_LIBS=ON && $build_and_test" ;;
    libc++) # what Debian has of other people's libraries is for libstdc++, so the library alone
        echo "$clang libc++-\$v-dev libc++abi-\$v-dev && CXX=clang++-\$v $configure -DCMAKE_CXX_FLAGS=-stdlib=libc++ \
              -DREEL_BUILD_TESTS=OFF -DREEL_BUILD_EXAMPLES=OFF && cmake --build build/\$step" ;;
    arm) # the values of every operation, the seeds' numbers, and what reads and writes files
        echo "./scripts/setup.sh g++-aarch64-linux-gnu qemu-user && $configure -DREEL_OPENMP=OFF \
              -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ \
              -DCMAKE_FIND_ROOT_PATH_MODE_PROGRAM=NEVER -DREEL_BUILD_EXAMPLES=OFF &&
              cmake --build build/\$step --target reel_tests && qemu-aarch64 -L /usr/aarch64-linux-gnu \
              build/\$step/tests/reel_tests -tc='battery*,seeds*,random*,safetensors*,npy*'" ;;
    esac
}

# The cells of a row that say what the release has for a step.
versions() {
    # shellcheck disable=SC2016  # expanded inside
    inside "$1" sh -c 'installed() { dpkg-query -W -f "\${Version}" "$1" 2>/dev/null | sed "s/^[0-9]*://; s/[-+].*//"; }
        case $1 in
        clang* | libc++) compiler="Clang $(installed "$(dpkg-query -W -f "\${db:Status-Status} \${Package}\n" "clang-[0-9]*" | sed -n "s/^installed //p" | sort -V | tail -n 1)")" ;;
        arm) compiler="GCC $(installed g++-aarch64-linux-gnu) for aarch64, qemu $(installed qemu-user)" ;;
        *) compiler="GCC $(g++ -dumpfullversion)" ;;
        esac
        echo "Debian $(cat /etc/debian_version) | $compiler | $(installed cmake) | $(installed libxtensor-dev) | $(installed libxsimd-dev)"' sh "$2"
}

run() {
    release=${1%/*}
    step=${1#*/}
    passed="$place/passed/$release-$step"
    [ "$(cat "$passed" 2>/dev/null)" != "$version" ] || { echo "$1: passed before"; return 0; }
    log="$place/$release-$step.log"
    began=$(date +%s)
    if (prepare "$release" && inside "$release" sh -euc "mkdir -p build; step=$step; $(script "$step")") >"$log" 2>&1; then
        echo "$version" >"$passed"
        result="passed"
    else
        result="FAILED, see $log"
        failed="$failed $1"
    fi
    echo "| $(versions "$release" "$step") | $step | ${result%%,*} | $(git rev-parse --short HEAD) | $(date +%F) |" >"$place/rows/$release-$step"
    echo "$1: $result ($((($(date +%s) - began + 30) / 60)) min)"
}

for wanted in ${*:-$releases}; do
    case $wanted in
    */*) run "$wanted" ;;
    *) for step in $steps; do run "$wanted/$step"; done ;;
    esac
done

{
    cat <<'END'
# Where reel was tried

Written by `scripts/platforms.sh`, which says what each step does: `readme` is README's two commands, `packages` the Debian
packages and a program against them, `clang` and `serial` (without OpenMP) build and test everything, `shared` the same
under `BUILD_SHARED_LIBS`, `libc++` builds the library and the program `reel`, `arm` runs a part of the tests under qemu.
What is not here is untried.

| system | compiler | CMake | xtensor | xsimd | step | result | commit | date |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
END
    cat "$place"/rows/*
} >docs/platforms.md

# The same names everywhere.
for names in "$place"/*/reel/build/names.txt; do
    [ -e "$names" ] || continue
    printed=$(tail -n 8 "$names")  # behind what building prints
    [ "${first:=$printed}" = "$printed" ] || failed="$failed names:$names"
done
[ -z "$failed" ] || { echo "platforms: failed:$failed" >&2; exit 1; }
