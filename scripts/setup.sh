#!/bin/sh
# Installs what reel's build needs and this machine lacks (Debian and Ubuntu, by apt; elsewhere CMake names what is
# missing). Asks nothing; does nothing where nothing is missing.
#   ./scripts/setup.sh [further packages]
set -eu

packages="g++ cmake ninja-build pkg-config libxsimd-dev libxtensor-dev
          doctest-dev libcli11-dev nlohmann-json3-dev zlib1g-dev $*"

if ! command -v apt-get >/dev/null; then
    echo "setup: no apt-get here; CMake will say what is missing and how to get it" >&2
    exit 0
fi

missing=""
for package in $packages; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "setup: run as root: apt-get install$missing" >&2
        exit 1
    fi
    as_root="sudo"
fi
echo "setup: installing$missing"
apt="$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300"
$apt update </dev/null
# shellcheck disable=SC2086  # a list of words on purpose
$apt install --no-install-recommends $missing </dev/null
