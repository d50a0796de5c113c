#!/bin/sh
# A tree in which a layer reads a variable's memory must be refused, with the line; one without the line must pass.
set -eu
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/src/ops" "$tree/src/layers"
echo 'return variable->memory.host;' >"$tree/src/ops/variable.c"
echo 'return cj__variable_read(variable);' >"$tree/src/layers/layer.c"
"$1" "$tree"
for breach in 'x = v->memory.host->data;' 'cj_tensor_fill(cj_variable_value(v), 1);'; do
    echo "$breach" >"$tree/src/layers/dense.c"
    if "$1" "$tree" >"$tree/said" 2>&1; then
        echo "a breach was not found: $breach"
        exit 1
    fi
    grep -qF "src/layers/dense.c:1:$breach" "$tree/said"
done
