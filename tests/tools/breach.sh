#!/bin/sh
# A tree in which base includes ops must be refused, with the line; one without the line must pass.
set -eu
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/src/base" "$tree/src/ops"
echo '#include "base/error.h"' >"$tree/src/ops/op.c"
"$1" "$tree"
echo '#include "ops/op.h"' >"$tree/src/base/error.c"
if "$1" "$tree" >"$tree/said"; then
    echo "a breach was not found"
    exit 1
fi
grep -q 'src/base/error.c:1:#include "ops/op.h"' "$tree/said"

# So must a thread that another room makes by itself.
rm "$tree/src/base/error.c"
echo '#include <pthread.h>' >"$tree/src/base/sync.h"
"$1" "$tree"
echo '#include <pthread.h>' >>"$tree/src/ops/op.c"
if "$1" "$tree" >"$tree/said"; then
    echo "a POSIX header outside base was not found"
    exit 1
fi
grep -q 'src/ops/op.c:2:#include <pthread.h>' "$tree/said"
