#!/bin/sh
# Installs what is missing, makes the Debian packages libreel0.1 and libreel-dev in build/packages, and shows what lintian
# says of them. With --try it installs them, builds and runs a program against them, and removes them again.
#   ./scripts/packages.sh [--try]
set -eu
cd "$(dirname "$0")/.."
./scripts/setup.sh dpkg-dev file fakeroot lintian
build=build/packages
cmake -S . -B $build -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=/usr -DREEL_PACKAGES=ON \
      -DREEL_BUILD_TESTS=OFF -DREEL_BUILD_EXAMPLES=OFF -DREEL_WERROR=OFF
cmake --build $build
rm -f $build/*.deb
(cd $build && fakeroot cpack -G DEB)
# That nobody is named as the maintainer is the one error that stays until somebody packs it for others.
lintian --allow-root --fail-on error --suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog $build/*.deb
if [ "${1:-}" = --try ]; then
    as_root=""
    [ "$(id -u)" -eq 0 ] || as_root=sudo
    $as_root apt-get -q -y install "$PWD"/$build/*.deb
    cmake -S tests/house/consumer -B $build/consumer -G Ninja -DCMAKE_BUILD_TYPE=Release
    cmake --build $build/consumer
    for program in use_reel use_reel_shared; do "$build/consumer/$program"; done
    $as_root apt-get -q -y remove libreel-dev "$(cd $build && dpkg-deb -f libreel0*.deb Package)"
fi
