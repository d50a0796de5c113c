#!/bin/sh
# What goes wrong at the shell goes wrong in a clear way: bad rows, full disks, places that cannot be
# written, numbers out of range, interruption, divergence.
#   faults.sh PROGRAM
. "$(dirname "$0")/common.sh"

"$program" train mnist-mlp --data digits --limit 200 --epochs 1 --seed 1 --quiet --output m.safetensors
row=$(seq -s, 1 784)

# Rows of numbers.
printf '\357\273\277%s\r\n%s\r\n' "$row" "$row" >marked.CSV
[ "$("$program" predict m.safetensors marked.CSV | wc -l)" -eq 2 ] || fail "a byte-order mark costs a row"
{ seq -s, 1 784 | tr '0-9' 'a-j'; echo "$row"; } >headed.csv
[ "$("$program" predict m.safetensors headed.csv | wc -l)" -eq 1 ] || fail "a heading"
echo "$row" | sed 's/^1,/"1",/' | "$program" predict m.safetensors - | grep -q 'class' || fail "quotes, standard input"
echo "7,$row" >labelled.csv
refused 1 'labelled.csv: 785 columns where the model takes 784' predict m.safetensors labelled.csv
printf '%s\n1,2,3\n' "$row" >short.csv
refused 1 'short.csv, line 2: 3 fields' predict m.safetensors short.csv
echo "$row" | sed 's/,5,/,,/' >empty.csv
refused 1 'row 1: column 5 is empty' predict m.safetensors empty.csv
echo "$row" | sed 's/,784$/,784 garbage/' | cat short.csv - | tail -1 >words.csv
printf '%s\n' "$row" | cat - words.csv >garbage.csv
refused 1 'row 2: column 784 is no finite number: "784 garbage"' predict m.safetensors garbage.csv
echo "$row" | sed 's/^1,/1O,/' >damaged.csv
refused 1 'damaged.csv, row 1: column 1 is no finite number: "1O"' predict m.safetensors damaged.csv
: >nothing.csv
refused 1 'nothing.csv: ' predict m.safetensors nothing.csv

# One bad input among good ones.
echo "$row" >good.csv
refused 1 'missing.png' predict m.safetensors good.csv missing.png good.csv
[ "$(wc -l <out)" -eq 2 ] || fail "a bad input ends predict"
"$program" predict m.safetensors good.csv missing.png --json >some.json 2>/dev/null && fail "a bad input is told by the exit code"
python3 -c 'import json; assert len(json.load(open("some.json"))) == 1'

# Names that a terminal would obey, or that are not UTF-8.
cp good.csv "$(printf 'a\033[31m\377.csv')"
"$program" predict m.safetensors "$(printf 'a\033[31m\377.csv')" | grep -q 'a\\x1b\[31m\\xff.csv' || fail "control characters"
"$program" predict m.safetensors "$(printf 'a\033[31m\377.csv')" --json | python3 -c 'import json, sys; assert json.load(sys.stdin)[0]["input"] == r"a\x1b[31m\xff.csv"'

# Light and dark.
"$program" datasets show digits --index 3 digit.png | grep -q 'label' || fail "show --index"
refused 1 'there are 60000 training samples' datasets show digits --index 60000 digit.png
python3 - <<'EOF' || true
import struct, zlib
width = height = 28
raw = b"".join(b"\0" + bytes(255 if not 8 < x < 18 else 0 for x in range(width)) for y in range(height))
chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
open("paper.png", "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))
EOF
"$program" predict m.safetensors paper.png 2>&1 >/dev/null | grep -q -- '--invert' || fail "no remark on a light ground"
"$program" predict m.safetensors paper.png --invert 2>&1 | grep -q -- '--invert' && fail "a remark on what was asked for"

# Full disks and places that cannot be written: before training, and for every command.
if [ -e /dev/full ]; then
    for command in "--version" "train --help" "summary m.safetensors" "summary m.safetensors --json" \
        "evaluate m.safetensors --data digits" "datasets list" "completion" "predict m.safetensors good.csv --json"; do
        # shellcheck disable=SC2086 # a list of words
        "$program" $command >/dev/full 2>error && fail "\"$command\" takes a full disk for success"
        grep -q 'standard output cannot be written' error || fail "\"$command\" does not name standard output"
    done
fi
touch file
refused 1 'file: not a folder' train mnist-mlp --data digits --limit 100 --report file
refused 1 'a folder, not a file' train mnist-mlp --data digits --limit 100 --output .
grep -q Epoch out && fail "it trained before it refused the place"
"$program" train mnist-mlp --data digits --limit 100 --epochs 1 --quiet --output new/folder/m.safetensors --report new/report
[ -s new/folder/m.safetensors ] && [ -s new/report/confusion.svg ] || fail "folders are made"

# Numbers out of range.
refused 2 '--limit needs a whole number, 1 or more, not "-5"' train --limit -5
refused 2 '--batch-size needs a whole number from 1 to 1048576, not "2e12"' train --batch-size 2e12
refused 2 '--learning-rate needs a number, 0 or more' train --learning-rate -1
refused 2 '--index needs' explain m.safetensors digit.png --index 0,-1
refused 2 '--index needs' explain m.safetensors digit.png --index 1,
refused 2 '--index needs' explain m.safetensors digit.png --index 0,0,0,0,0,0,0,0,0
refused 2 '--class-weight' train --class-weight 1,x
refused 1 'did you mean "mix_up"' train mnist-mlp --data digits --limit 100 --mix mix_upp
refused 2 '--validation-split' train --validation-split 1
refused 2 '--save-best-only needs --output' train --save-best-only
refused 1 'training diverged' train mnist-mlp --data digits --limit 300 --epochs 1 --optimizer sgd --learning-rate 1e30 --quiet

# Names with a letter wrong.
refused 2 'unknown command "trian": did you mean "train"?' trian
refused 2 'unknown option "--epoch=3" (did you mean "--epochs"?)' train --epoch=3
refused 2 'did you mean "mnist"?' datasets info mnits
refused 1 'did you mean "mnist-mlp"?' summary mnist-mpl

# A part of the test samples; long arrays are shortened to 12.
"$program" evaluate m.safetensors --data digits --limit 50 | grep -q '^on 50 test samples of digits' || fail "evaluate --limit"
"$program" evaluate m.safetensors --data digits --limit 50 --json |
    python3 -c 'import json, sys; assert sum(map(sum, json.load(sys.stdin)["confusion"])) == 50'
"$program" explain m.safetensors digit.png --layer dense | grep -q 'the other 772 come to' || fail "explain shows 12 by default"

# A saved run knows its batches and samples; what contradicts it is refused.
"$program" train mnist-mlp --data digits --limit 200 --epochs 1 --batch-size 16 --quiet --output r.safetensors
"$program" train --data digits --resume r.safetensors --epochs 2 --quiet >/dev/null || fail "resume wants its settings again"
refused 1 '200 samples in batches of 16' train --data digits --resume r.safetensors --epochs 2 --batch-size 8 --quiet

# Beside --resume an option works or is refused.
for given in "mnist-mlp" "--image-size 8" "--grayscale" "--interpolation bilinear" "--crop-to-aspect-ratio" "--pad-to-aspect-ratio" \
    "--window 9" "--optimizer adam" "--schedule one_cycle(0.2)" "--loss mse" "--normalize" "--mix mix_up" "--dtype float32" "--seed 0"; do
    # shellcheck disable=SC2086 # an option and its value
    refused 2 'keeps its own' train --resume r.safetensors $given
done
"$program" train --resume r.safetensors 2>error >out
grep -q 'the run has had its 2 epochs; more of them with --epochs' error && fail "one epoch was wanted"
grep -q 'the run has had its 1 epochs; more of them with --epochs' error || fail "a finished run: $(cat error)"
"$program" train --resume r.safetensors --epochs 3 --learning-rate 0 --quiet --output r0.safetensors >/dev/null
"$program" evaluate r.safetensors --json >a.json
"$program" evaluate r0.safetensors --json >b.json
cmp a.json b.json || fail "a learning rate of 0 beside --resume has no effect"
"$program" train mnist-mlp --data digits --limit 300 --epochs 3 --validation-split 0.2 --class-weight 1,2 --quiet --output w.safetensors >/dev/null
"$program" train mnist-mlp --data digits --limit 300 --epochs 1 --validation-split 0.2 --class-weight 1,2 --quiet --output v.safetensors >/dev/null
"$program" train --resume v.safetensors --epochs 3 --quiet --output v.safetensors >/dev/null
cmp w.safetensors v.safetensors || fail "a resumed run forgets its class weights or its validation split"

# Ctrl-C: the run is saved, and goes on to the same bits as one that was never interrupted.
python3 - "$program" <<'EOF' || fail "interruption"
import os, signal, subprocess, sys, time
program = sys.argv[1]
common = [program, "train", "mnist-mlp", "--data", "digits", "--limit", "3000", "--epochs", "40", "--seed", "2", "--quiet"]
run = subprocess.Popen(common + ["--output", "int.safetensors"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
while not os.path.exists("int.safetensors") and run.poll() is None:
    time.sleep(0.01)
run.send_signal(signal.SIGINT)
out, err = run.communicate()
if run.returncode == 0:
    sys.exit(0)  # it was done before the signal came
assert run.returncode == 130 and "cajal train --resume int.safetensors --output int.safetensors" in err, (run.returncode, err)
subprocess.run([program, "train", "--data", "digits", "--resume", "int.safetensors", "--epochs", "40", "--quiet",
                "--output", "int.safetensors"], check=True, stdout=subprocess.DEVNULL)
subprocess.run(common + ["--output", "whole.safetensors"], check=True, stdout=subprocess.DEVNULL)
a, b = (subprocess.run([program, "evaluate", f, "--data", "digits", "--json"], check=True, capture_output=True).stdout
        for f in ("int.safetensors", "whole.safetensors"))
assert a == b
EOF
echo "all faults were told"
