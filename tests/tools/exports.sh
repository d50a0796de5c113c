#!/bin/sh
# Every name that the shared library defines for others begins with cj_ and not with cj__.
set -eu
others=$(nm -D --defined-only "$1" | awk '{print $NF}' | sed 's/@.*//' | grep -vE '^(cj_[^_].*|CAJAL_[0-9.]+)$' || true)
if [ -n "$others" ]; then
    printf 'exported, but not public:\n%s\n' "$others"
    exit 1
fi
nm -D --defined-only "$1" | grep -qE ' cj_version(@|$)'
