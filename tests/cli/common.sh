# What the sessions of this folder begin with, by `. "$(dirname "$0")/common.sh"`: the program that is their first
# argument, a folder of their own to work in, and ways to fail.
set -eu
program=$(realpath "$1")
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
fail() { echo "FAILED: $*" >&2; exit 1; }

# refused CODE WORDS COMMAND...: the exit code, and words that standard error must contain.
refused() {
    code=$1 words=$2
    shift 2
    got=0
    "$program" "$@" >out 2>error </dev/null || got=$?
    [ "$got" -eq "$code" ] || { cat error; fail "\"$*\" ended with $got, not $code"; }
    grep -qF -- "$words" error || { cat error; fail "\"$*\" does not say \"$words\""; }
}
