#!/bin/sh
# peer.sh PEER: a peer in C makes small products in all directions, times them, and answers bad lines by a sentence.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $1"; cat "$work/out"; exit 1; }

{
    for what in forward input weights; do
        echo "prepare gemm m=5 k=7 n=3 threads=1 what=$what"
        echo "round 0.001"
        echo "prepare conv n=2 h=9 c=3 k=3 f=5 s=2 same=1 what=$what"
    done
    printf 'memory\nprepare nothing\nround 1\nfrobnicate\nquit\n'
} | "$1" >"$work/out" 2>&1 || fail "the peer stopped"
[ "$(grep -c '"seconds": [0-9.e-]*, "steps": [1-9]' "$work/out")" = 3 ] || fail "not three rounds"
[ "$(wc -l <"$work/out")" = 14 ] || fail "not a line for each"
grep -q '"peak_kib": [1-9]' "$work/out" || fail "no memory"
[ "$(tail -3 "$work/out" | grep -c '^{"error": "')" = 3 ] || fail "no sentences for bad lines"
echo "the peer does what it says"
