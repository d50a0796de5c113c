#!/bin/sh
# run.sh DRIVER WORKER: the quick run prints its table and writes well-formed JSON; bad lines are answered by a sentence.
set -u
command -v python3 >/dev/null 2>&1 || { echo "skipped: there is no python3"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $1"; cat "$work/out"; exit 1; }

BENCH_WORKER=$2 "$1" --quick --output "$work/result.md" >"$work/out" 2>&1 || fail "the quick run"
grep -q '^### W1' "$work/out" || fail "no table of W1"
grep -q '^| cajal | 1 | [0-9]' "$work/out" || fail "no time of ours on one thread"
python3 -m json.tool "$work/result.json" >/dev/null || fail "the JSON is not well formed"

says() {
    printf '%s\nquit\n' "$1" | "$2" >"$work/out" 2>&1 || fail "the worker stopped at: $1"
    grep -q "\"error\": \".*$3" "$work/out" || fail "no sentence for: $1"
}
says "round 0.1" "$2" "before prepare"
says "frobnicate" "$2" "a line is"
says "prepare" "$2" "needs a kind"
says "prepare nothing" "$2" "no such kind"
says "prepare train net=w9" "$2" "no such network"
says "prepare gemm what=sideways" "$2" "what is"
if BENCH_WORKER=$2 "$1" --workloads W99 >"$work/out" 2>&1; then fail "an unknown workload was accepted"; fi
grep -q "no such workload" "$work/out" || fail "no sentence for an unknown workload"
echo "the driver and the worker do what they say"
