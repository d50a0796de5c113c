#!/bin/sh
# Runs each command in snapshots/*.txt and compares what it prints (standard output and error together) and its exit
# code. A file is "$ ARGUMENTS", the output, then "exit CODE". With --write as second argument, writes what it saw.
#   run.sh PROGRAM [--write]
set -u
program=$(realpath "$1")
write=${2:-}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
unset CAJAL_DATA XDG_CACHE_HOME
HOME=$work
XDG_DATA_DIRS=$work/nowhere
export HOME XDG_DATA_DIRS
bad=0
for file in "$here"/snapshots/*.txt; do
    arguments=$(sed -n '1s/^\$ cajal *//p' "$file")
    {
        echo "\$ cajal $arguments"
        eval "\"$program\" $arguments" 2>&1
        echo "exit $?"
    } >raw
    sed "s|$work|WORK|g" raw >seen
    if [ "$write" = --write ]; then
        cp seen "$file"
    elif ! diff -u "$file" seen; then
        echo "FAILED: $(basename "$file")"
        bad=1
    fi
done
[ "$bad" = 0 ] && echo "all snapshots are as they were"
exit $bad
