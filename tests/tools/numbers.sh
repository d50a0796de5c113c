#!/bin/sh
# A file that writes or reads numbers by the locale must be found; a sentence with a number must not.
set -eu
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/src/train"
printf 'cj__fail(CJ_IO,\n    "rate %%g; of %%.3f",\n    1.0);\nfprintf(f, "%%d%%s", 1, "e");\n' >"$tree/src/train/a.c"
"$1" "$tree"
for breach in 'fprintf(f, "%.17g", x);' 'fprintf(f,\n  "%%,%5.1f", x);' 'x = strtod(text, NULL);' 'x = atof (t);'; do
    printf "$(printf '%s' "$breach" | sed 's/%/%%/g')\n" >"$tree/src/train/b.c"
    if "$1" "$tree" >"$tree/said" 2>/dev/null; then
        echo "not found: $breach"
        exit 1
    fi
    grep -q 'src/train/b.c' "$tree/said"
done
