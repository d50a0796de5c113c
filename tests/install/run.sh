#!/bin/sh
# run.sh BUILD OUTSIDE LIBDIR CC: see CMakeLists.txt.
set -eu
build=$1 outside=$2 libdir=$3 cc=$4
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

cmake --install "$build" --prefix "$place/root" >"$place/log" || { cat "$place/log"; exit 1; }

# An installation stays small: no debug information, nothing of the tests.
size=$(du -sk "$place/root" | cut -f1)
echo "installed: $size KiB"
[ "$size" -lt 20480 ]

cmake -S "$outside" -B "$place/build" -G Ninja -DCMAKE_C_COMPILER="$cc" -DCMAKE_PREFIX_PATH="$place/root"
cmake --build "$place/build"
"$place/build/with_shared"
"$place/build/with_static"

export PKG_CONFIG_PATH="$place/root/$libdir/pkgconfig"
config() { pkg-config "$@" cajal; }
config --exists --print-errors
# shellcheck disable=SC2046 -- flags are words
"$cc" -std=c17 "$outside/main.c" -o "$place/by-pkg-config" $(config --cflags --libs)
LD_LIBRARY_PATH="$place/root/$libdir" "$place/by-pkg-config"
# shellcheck disable=SC2046
"$cc" -std=c17 "$outside/main.c" -o "$place/with-rpath" $(config --cflags --libs) -Wl,-rpath,"$(config --variable=libdir)"
"$place/with-rpath"
# shellcheck disable=SC2046
"$cc" -std=c17 "$outside/main.c" -o "$place/by-pkg-config-static" $(config --cflags) \
    "$place/root/$libdir/libcajal.a" $(config --libs --static | sed 's/-lcajal//')
"$place/by-pkg-config-static"

# The same below a DESTDIR, and under another prefix: cajal.pc names the place where it lies.
DESTDIR="$place/stage" cmake --install "$build" --prefix /opt/cajal >"$place/log"
PKG_CONFIG_PATH="$place/stage/opt/cajal/$libdir/pkgconfig"
[ "$(cd "$(pkg-config --variable=prefix cajal)" && pwd)" = "$(cd "$place/stage/opt/cajal" && pwd)" ]

# A tree that is moved goes on working.
mv "$place/root" "$place/moved"
export PKG_CONFIG_PATH="$place/moved/$libdir/pkgconfig"
# shellcheck disable=SC2046
"$cc" -std=c17 "$outside/main.c" -o "$place/moved-program" $(config --cflags --libs)
LD_LIBRARY_PATH="$place/moved/$libdir" "$place/moved-program"
