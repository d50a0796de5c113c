#!/bin/sh
# run.sh BUILD OUTSIDE LIBDIR CC: see CMakeLists.txt.
set -eu
build=$1 outside=$2 libdir=$3 cc=$4
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

cmake --install "$build" --prefix "$place/root" >"$place/log" || { cat "$place/log"; exit 1; }

cmake -S "$outside" -B "$place/build" -G Ninja -DCMAKE_C_COMPILER="$cc" -DCMAKE_PREFIX_PATH="$place/root"
cmake --build "$place/build"
"$place/build/with_shared"
"$place/build/with_static"

export PKG_CONFIG_PATH="$place/root/$libdir/pkgconfig"
# The file names the prefix that the build was configured with; where it is installed now takes its place.
config() { pkg-config --define-variable=prefix="$place/root" "$@" cajal; }
config --exists --print-errors
# shellcheck disable=SC2046 -- flags are words
"$cc" -std=c17 "$outside/main.c" -o "$place/by-pkg-config" $(config --cflags --libs)
LD_LIBRARY_PATH="$place/root/$libdir" "$place/by-pkg-config"
# shellcheck disable=SC2046
"$cc" -std=c17 "$outside/main.c" -o "$place/by-pkg-config-static" $(config --cflags) \
    "$place/root/$libdir/libcajal.a" $(config --libs --static | sed 's/-lcajal//')
"$place/by-pkg-config-static"
